"""`seesay evaluate caption` as people type it: a captioner is trained and measured, figures are computed again by hand."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from seesay.metrics import caption_metrics

pytestmark = pytest.mark.slow

COLORS = {"red": "red", "blue": "blue", "green": "green"}
SHAPES = {"ball": "ellipse", "box": "rectangle"}
TRAIN = ["--max-steps", 20, "--eval-steps", 20, "--threads", 1, "--per-device-train-batch-size", 8]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    cache = tmp_path_factory.mktemp("cache")
    return {
        **os.environ,
        "PYTHONWARNINGS": "error",
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
        "SEESAY_CACHE": str(cache),
    }


def seesay(environment: dict[str, str], *arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "seesay", *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True, env=environment, timeout=250)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawings with two captions each, a row per caption: 24 to train on, 6 to validate and 6 to test on."""
    folder = tmp_path_factory.mktemp("shapes")
    for split, places in (("train", (0, 1, 2, 3)), ("validation", (4,)), ("test", (5,))):
        rows = []
        for place in places:
            for color in COLORS:
                for name, shape in SHAPES.items():
                    image = Image.new("RGB", (96, 96), "white")
                    getattr(ImageDraw.Draw(image), shape)((10 + 5 * place, 20, 60 + 5 * place, 70), fill=color)
                    file = f"{color}-{name}-{place}.png"
                    image.save(folder / file)
                    rows += [
                        {"image": file, "caption": f"a {color} {name} on a white page"},
                        {"image": file, "caption": f"the {name} on this page is {color}"},
                    ]
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def run(shapes: Path, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("runs") / "shapes"
    told = seesay(environment, "train", "caption", "--data", shapes, "--output", output, *TRAIN, "--json").stdout
    (output.parent / "told.json").write_text(told, encoding="utf-8")
    return output


def by_hand(report: dict[str, Any]) -> None:
    """The figures of a report are what the metrics say about its captions."""
    captions = [row["caption"] or "" for row in report["captions"]]
    references = [row["references"] for row in report["captions"]]
    assert set(report["figures"]) == set(caption_metrics())
    for name, kind in caption_metrics().items():
        assert report["figures"][name]["model"]["mean"] == kind().score(captions, references).corpus


def test_a_run_ends_with_the_measurement_of_its_captions(run: Path, shapes: Path) -> None:
    told = json.loads((run.parent / "told.json").read_text())
    report = told["validation"]
    assert report["task"] == "caption"
    assert (report["pictures"], report["out_of"]) == (6, 6)
    assert report["figures"]["cider-d"]["nearest"]["mean"] > report["figures"]["cider-d"]["commonest"]["mean"]
    by_hand(report)
    page = (run / "report.html").read_text(encoding="utf-8")
    assert page.count("<img") == 2 + 6
    assert {"captions.json", "README.md"} <= {file.name for file in (run / "model").iterdir()}
    assert not (run / "accuracy.png").exists()
    card = (run / "model/README.md").read_text(encoding="utf-8")
    assert "image-to-text" in card
    assert "| CIDEr-D, validation split |" in card
    assert "seesay evaluate caption" in card


def test_the_test_split_is_measured_as_seesay_caption_describes_it(
    run: Path, shapes: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    options = ["--data", shapes, "--model", run]
    done = seesay(environment, "evaluate", "caption", *options, "--output", tmp_path / "out", "--json")
    report = json.loads(done.stdout)
    by_hand(report)
    assert report == json.loads((tmp_path / "out/report.json").read_text(encoding="utf-8"))
    assert (report["pictures"], report["baselines"]["training_pictures"]) == (6, 24)
    assert all(len(row["references"]) == 2 for row in report["captions"])
    assert report["above_nearest"]["count"] == 6

    pictures = sorted(shapes.glob("*-5.png"))
    said = seesay(environment, "caption", *pictures, "--model", run, "--json").stdout
    described = {row["provenance"]["inputs"][0]: row["caption"] for row in map(json.loads, said.splitlines())}
    assert {row["picture"]: row["caption"] for row in report["captions"]} == described


def test_a_test_file_alone_is_measured_whole_beside_what_training_saved(
    run: Path, shapes: Path, environment: dict[str, str]
) -> None:
    alone = ["evaluate", "caption", "--data", shapes / "test.jsonl", "--json"]
    whole = json.loads(seesay(environment, "evaluate", "caption", "--data", shapes, "--model", run, "--json").stdout)
    report = json.loads(seesay(environment, *alone, "--model", run).stdout)
    for given in (whole, report):
        del given["seconds_per_caption"]
    assert report == whole
    embedded = json.loads(seesay(environment, *alone, "--limit", 3).stdout)
    assert embedded["baselines"] is None
    assert (embedded["pictures"], embedded["out_of"]) == (3, 6)
    assert embedded["figures"]["cider-d"]["nearest"] is None


def test_a_split_that_is_asked_for_keeps_its_baselines_and_training_rows_have_none(
    shapes: Path, environment: dict[str, str]
) -> None:
    command = ["evaluate", "caption", "--data", shapes, "--json", "--limit", 3]
    report = json.loads(seesay(environment, *command, "--split", "validation").stdout)
    assert report["baselines"]["training_pictures"] == 24
    assert json.loads(seesay(environment, *command, "--split", "train[:8]").stdout)["baselines"] is None


def test_the_words_for_people(run: Path, shapes: Path, environment: dict[str, str], tmp_path: Path) -> None:
    options = ["--data", shapes, "--model", run, "--output", tmp_path / "out"]
    done = seesay(environment, "evaluate", "caption", *options)
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0].startswith("CIDEr-D ")
    assert "on 6 pictures with 2 references each" in lines[0]
    assert any(line.startswith("wer (lower is better)") for line in lines)
    assert lines[-1] == f"report: {tmp_path / 'out/report.html'}"


def test_a_model_that_writes_is_measured_and_beams_reach_it(
    generative_checkpoints: dict[str, Path], shapes: Path, environment: dict[str, str]
) -> None:
    options = ["--data", shapes, "--model", generative_checkpoints["git"], "--json", "--batch-size", 4]
    reports = [
        json.loads(seesay(environment, "evaluate", "caption", *options, *more).stdout)
        for more in (["--max-new-tokens", 3], ["--max-new-tokens", 8, "--num-beams", 3])
    ]
    for report in reports:
        by_hand(report)
    short, long = ([row["caption"].split() for row in report["captions"]] for report in reports)
    assert max(map(len, short)) <= 3
    assert max(map(len, long)) > 3


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--data", "COLORS"], 3, "seesay evaluate vqa"),
        (["--data", "SHAPES", "--model", "VILT"], 3, "cannot describe pictures"),
        (["--data", "SHAPES", "--split", "nowhere"], 2, "no split 'nowhere'"),
        (["--data", "SHAPES", "--limit", "-1"], 2, "out of range"),
        ([], 2, "no data set named"),
    ],
)
def test_mistakes_are_told(
    arguments: list[str],
    code: int,
    said: str,
    shapes: Path,
    color_data: Path,
    vilt_checkpoint: Path,
    environment: dict[str, str],
) -> None:
    paths = {"COLORS": color_data, "SHAPES": shapes, "VILT": vilt_checkpoint}
    done = seesay(environment, "evaluate", "caption", *(paths.get(word, word) for word in arguments), code=code)
    assert said in done.stderr


def test_a_damaged_file_of_baselines_is_named(
    run: Path, shapes: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    model = tmp_path / "model"
    model.mkdir()
    for file in (run / "model").iterdir():
        if file.name != "manifest.json":
            (model / file.name).write_bytes(file.read_bytes())
    (model / "captions.json").write_text("{}")
    options = ["--data", shapes / "test.jsonl", "--model", model]
    done = seesay(environment, "evaluate", "caption", *options, code=3)
    assert "captions.json" in done.stderr
    assert "delete it" in done.stderr
