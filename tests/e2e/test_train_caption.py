"""Captioners that write are trained by command, in a process of their own; killed, resumed, adapted, frozen, and used."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

COMMAND = [sys.executable, "-m", "seesay"]
SHORT = ["--max-steps", "6", "--eval-steps", "2", "--per-device-train-batch-size", "4", "--threads", "1"]
FROZEN = [*SHORT, "--gradient-accumulation-steps", "1", "--lora", "2", "--freeze-vision"]
COLORS = ("red", "green", "blue")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    cache = tmp_path_factory.mktemp("cache")
    quiet = {"PYTHONWARNINGS": "error", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    return {**os.environ, **quiet, "SEESAY_CACHE": str(cache)}


def seesay(environment: dict[str, str], *arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    words = [*COMMAND, *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True, env=environment, timeout=250)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def kill_after_a_checkpoint(environment: dict[str, str], output: Path, *arguments: object) -> None:
    words = [*COMMAND, *map(str, arguments)]
    started = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not list(output.glob("checkpoint-*/manifest.json")):
        assert started.poll() is None
        time.sleep(0.01)
    started.send_signal(signal.SIGKILL)
    assert started.wait() == -signal.SIGKILL
    assert not (output / "model").exists()


@pytest.fixture(scope="module")
def captions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of one color each, with two captions."""
    folder = tmp_path_factory.mktemp("captions")
    for split, count in (("train", 15), ("validation", 3)):
        rows = []
        for index in range(count):
            color, name = COLORS[index % 3], f"{split}{index}.png"
            Image.new("RGB", (40 + index, 48 if split == "train" else 64), color).save(folder / name)
            rows.append({"image": name, "captions": [f"a {color} picture", f"something {color}, and nothing else"]})
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.fixture(scope="module")
def run(captions: Path, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("runs") / "small"
    seesay(
        environment, "train", "caption", "--data", captions, "--from-scratch", "git-small", "--output", output, *SHORT
    )
    return output


def same_model(one: Path, other: Path, *names: str) -> None:
    for name in ("model.safetensors", "config.json", "tokenizer.json", *names):
        assert (one / "model" / name).read_bytes() == (other / "model" / name).read_bytes(), name


def test_a_run_holds_a_model_that_describes_and_every_checkpoint_does(
    run: Path, captions: Path, environment: dict[str, str]
) -> None:
    log = (run / "train.log").read_text()
    assert log.count("eval_loss") == 3
    assert "accuracy" not in log
    for folder in (run, run / "checkpoint-6"):
        done = seesay(environment, "caption", captions / "train0.png", "--model", folder, "--json")
        assert json.loads(done.stdout)["provenance"]["family"] == "git"


def test_a_run_that_was_killed_ends_in_the_same_bits(
    run: Path, captions: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    output = tmp_path / "killed"
    words = ["train", "caption", "--data", captions, "--from-scratch", "git-small", "--output", output, *SHORT]
    kill_after_a_checkpoint(environment, output, *words)
    done = seesay(environment, *words)
    assert "next: seesay caption PICTURE" in done.stdout
    assert "continuing from checkpoint-" in (output / "train.log").read_text()
    same_model(run, output)


@pytest.mark.slow
def test_adapters_on_a_frozen_tower_end_in_the_same_bits_too(
    run: Path, captions: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    words = ["train", "caption", "--data", captions, "--model", run, *FROZEN, "--output"]
    seesay(environment, *words, tmp_path / "undisturbed")
    (kept,) = Path(environment["SEESAY_CACHE"], "features").glob("git-*.digests")
    assert kept.stat().st_size == 32 * 18  # pictures of the data set
    # In a cache of its own, so that the features are computed again, and by two processes.
    elsewhere = {**environment, "SEESAY_CACHE": str(tmp_path / "cache")}
    kill_after_a_checkpoint(elsewhere, tmp_path / "killed", *words, tmp_path / "killed")
    seesay(elsewhere, *words, tmp_path / "killed")
    adapter = "adapter/adapter_model.safetensors"
    same_model(tmp_path / "undisturbed", tmp_path / "killed", adapter)
    model = tmp_path / "killed/model"
    assert (model / "model.safetensors").stat().st_size > 20 * (model / adapter).stat().st_size
    assert seesay(environment, "caption", captions / "train0.png", "--model", tmp_path / "killed").returncode == 0
    refused = seesay(environment, *words, tmp_path / "killed", "--lora", 4, code=3)
    assert "it differs in lora" in refused.stderr


def test_what_a_frozen_tower_saw_is_not_shifted(
    run: Path, captions: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    words = ["train", "caption", "--data", captions, "--model", run, *FROZEN, "--output", tmp_path / "run"]
    refused = seesay(environment, *words, "--augment", "shift", code=2)
    assert "cannot be shifted" in refused.stderr


def test_a_captioner_is_not_taught_answers(
    generative_checkpoints: dict[str, Path], color_data: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    words = ["train", "vqa", "--data", color_data, "--output", tmp_path / "run", *SHORT, "--model"]
    refused = seesay(environment, *words, generative_checkpoints["blip-caption"], code=3)
    assert "cannot learn to answer" in refused.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("name", "rate"), [("git", 0.01), ("blip-vqa", 0.002)])
def test_those_that_answer_are_taught_answers(
    name: str,
    rate: float,
    generative_checkpoints: dict[str, Path],
    color_data: Path,
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    output = tmp_path / "run"
    words = ["train", "vqa", "--data", color_data, "--model", generative_checkpoints[name], "--output", output]
    seesay(environment, *words, *SHORT, "--learning-rate", rate, "--max-steps", 160, "--eval-steps", 160)
    picture = color_data / "images/train0.png"
    done = seesay(environment, "ask", picture, "What color is it?", "--model", output, "--json")
    assert json.loads(done.stdout)["answer"] == "red"


def test_the_mask_is_shown_and_costs_nothing_where_it_is_not_asked_for(
    run: Path, captions: Path, environment: dict[str, str]
) -> None:
    shown = seesay(environment, "check", captions, "--model", run).stdout
    assert "train.jsonl:1: [CLS] {a red picture [SEP]}" in shown
    report = json.loads(seesay(environment, "check", captions, "--model", run, "--json").stdout)
    assert report["preview"][0]["tokens"][:2] == [["[CLS]", False], ["a", True]]
    code = (
        "import sys\nfrom seesay.cli.main import root\n"
        "root(['check', sys.argv[1]], standalone_mode=False)\nprint('torch' in sys.modules)"
    )
    words = [sys.executable, "-c", code, str(captions)]
    done = subprocess.run(words, capture_output=True, text=True, env=environment, timeout=60)
    assert done.stdout.splitlines()[-1] == "False", done.stderr


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ('{"image": "train0.png", "caption": ', "bad.jsonl:1"),
        ('{"image": "none.png", "caption": "a thing"}', "none.png"),
        ('{"image": "train0.png", "caption": "  "}', "caption"),
        ('{"image": "train0.png", "caption": "%s"}' % ("word " * 5000), "caption"),
    ],
)
def test_bad_captions_are_told_before_torch_is_imported(
    row: str, told: str, captions: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    data = captions / "bad.jsonl"
    good = "".join(f'{{"image": "train{index}.png", "caption": "thing {index}"}}\n' for index in range(4))
    data.write_text(f"{row}\n{good}")
    code = (
        "import sys, pathlib, seesay\n"
        "settings = seesay.TrainCaptionSettings(data=sys.argv[1], from_scratch='git-small', output=pathlib.Path(sys.argv[2]))\n"
        "try:\n    seesay.train_caption(settings)\n"
        "except seesay.DataError as error:\n    print(error.exit_code, 'torch' in sys.modules, error)\n"
    )
    words = [sys.executable, "-c", code, str(data), str(tmp_path / "run")]
    done = subprocess.run(words, capture_output=True, text=True, env=environment, timeout=60)
    assert done.stdout.startswith("3 False"), done.stdout + done.stderr
    assert "bad.jsonl:1" in done.stdout
    assert told in done.stdout
    assert not (tmp_path / "run").exists()
