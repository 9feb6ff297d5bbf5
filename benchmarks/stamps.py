"""Fine-tuning on 833 pictures with a sentence each: does a captioner say more than its training captions do by themselves?

The set is that of examples/tuxpaint_captions.py, in data/tuxpaint or where SEESAY_STAMPS says. Every picture is described once,
by a model that was trained without it: five folds by the sha256 of the picture, so that files of equal bytes stay together,
`seesay train caption` with its defaults on four of them, the fifth as the test split. CIDEr-D is counted over all pictures at
once, and so are the baselines, whose captions come from the same four folds. SEESAY_STAMPS_MODELS names what is trained, by
commas; the default is both, `seesay-mini` and `git-small`.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FOLDS = 5
DATA = Path(os.environ.get("SEESAY_STAMPS", "data/tuxpaint"))
MODELS = {"seesay-mini": ["--model", "seesay-mini"], "git-small": ["--from-scratch", "git-small"]}


def measure() -> dict[str, object]:
    rows = [json.loads(line) for line in (DATA / "metadata.jsonl").read_text(encoding="utf-8").splitlines()]
    wanted = os.environ.get("SEESAY_STAMPS_MODELS", ",".join(MODELS)).split(",")
    with tempfile.TemporaryDirectory() as folder:
        return {"pictures": len(rows), "folds": FOLDS, **{name: _trained(name, rows, Path(folder)) for name in wanted}}


def _trained(name: str, rows: list[dict[str, str]], folder: Path) -> dict[str, object]:
    described: list[dict[str, object]] = []
    minutes = []
    for fold in range(FOLDS):
        data, run = folder / f"{name}-{fold}", folder / f"{name}-{fold}-run"
        data.mkdir()
        for split in ("train", "test"):
            kept = [row for row in rows if (_fold(row) == fold) == (split == "test")]
            lines = [json.dumps({"image": row["file_name"], "caption": row["text"]}) + "\n" for row in kept]
            (data / f"{split}.jsonl").write_text("".join(lines), encoding="utf-8")
        named = ["--data", str(data), "--images", str(DATA.resolve())]
        started = time.perf_counter()
        _seesay("train", "caption", *MODELS[name], *named, "--output", str(run))
        minutes.append((time.perf_counter() - started) / 60)
        _seesay("evaluate", "caption", *named, "--split", "test", "--model", str(run), "--output", str(run / "test"))
        described += json.loads((run / "test/report.json").read_text(encoding="utf-8"))["captions"]
    return {"pictures": len(described), "minutes_a_training": [round(one, 1) for one in minutes], **_figures(described)}


def _figures(described: list[dict[str, object]]) -> dict[str, object]:
    import numpy

    from seesay.metrics import caption_metrics, corpus_interval

    references = [row["references"] for row in described]
    found: dict[str, object] = {}
    cider = {}
    for who, said in (("model", "caption"), ("nearest", "nearest")):
        for metric in ("cider-d", "rouge-l", "wer", "exact-match"):
            kind = caption_metrics()[metric]()
            scores = kind.score([row[said] for row in described], references)
            interval = corpus_interval(kind, scores)
            found[f"{who} {metric}"] = [round(value, 4) for value in (interval.mean, interval.low, interval.high)]
            if metric == "cider-d":
                cider[who] = numpy.array(scores.captions)
    above = cider["model"] - cider["nearest"]
    drawn = numpy.random.default_rng(0).integers(0, len(above), (10_000, len(above)))
    low, high = numpy.quantile(above[drawn].mean(1), [0.025, 0.975])
    found["model above nearest, cider-d, pairs"] = [round(float(value), 4) for value in (above.mean(), low, high)]
    return found


def _fold(row: dict[str, str]) -> int:
    return int(hashlib.sha256((DATA / row["file_name"]).read_bytes()).hexdigest(), 16) % FOLDS


def _seesay(*words: str) -> None:
    done = subprocess.run([sys.executable, "-m", "seesay", *words], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
