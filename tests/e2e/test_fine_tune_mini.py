"""seesay-mini learns a few pictures of one's own: by command, in its own process; asked, measured, killed and resumed."""

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
SHORT = ["--max-steps", "30", "--eval-steps", "10", "--threads", "1", "--per-device-train-batch-size", "8"]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    cache = tmp_path_factory.mktemp("cache")
    return {**os.environ, "PYTHONWARNINGS": "error", "OMP_NUM_THREADS": "1", "SEESAY_CACHE": str(cache)}


def seesay(environment: dict[str, str], *arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    words = [*COMMAND, *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True, env=environment, timeout=250)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="module")
def run(color_data: Path, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("runs") / "colors"
    seesay(environment, "train", "vqa", "--data", color_data, "--output", output, *SHORT)
    return output


def test_it_learns_colors_and_answers_without_torch(run: Path, color_data: Path, environment: dict[str, str]) -> None:
    report = json.loads(
        seesay(
            environment, "evaluate", "vqa", "--data", color_data, "--model", run, "--split", "validation", "--json"
        ).stdout
    )
    assert report["accuracy"]["mean"] > report["question_only"]["mean"]
    picture = next(color_data.rglob("*.png"))
    code = (
        "import seesay, sys\n"
        f"answer = seesay.load({str(run)!r}).ask({str(picture)!r}, 'What color is it?')\n"
        "print(answer.text, answer.certainty == '', 'torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60)
    assert done.stdout.split()[1:] == ["True", "False"], done.stderr


def test_features_are_computed_once_for_all_runs(run: Path, color_data: Path, environment: dict[str, str]) -> None:
    distinct = {picture.read_bytes() for picture in color_data.rglob("*.png")}
    found = Path(environment["SEESAY_CACHE"], "features").glob("*.digests")
    assert 32 * len(distinct) in [file.stat().st_size for file in found]


def test_a_run_that_was_killed_ends_in_the_same_bits(
    run: Path, color_data: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    command = [*COMMAND, "train", "vqa", "--data", str(color_data), "--output", str(tmp_path / "killed"), *SHORT]
    started = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not list((tmp_path / "killed").glob("checkpoint-*/manifest.json")):
        time.sleep(0.1)
    started.send_signal(signal.SIGKILL)
    started.wait()
    seesay(environment, *command[3:])
    weights = [folder / "model" / "model.safetensors" for folder in (run, tmp_path / "killed")]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_new_answers_and_captions_are_learned(environment: dict[str, str], tmp_path: Path) -> None:
    rows = []
    for index, (word, color) in enumerate([("flurbl", "red"), ("grand snark", "blue")] * 8):
        Image.new("RGB", (64 + index, 64), color).save(tmp_path / f"{index}.png")
        rows.append({"image": f"{index}.png", "caption": f"a {word} on the table"})
    data = tmp_path / "captions.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    output = tmp_path / "run"
    seesay(environment, "train", "caption", "--data", data, "--output", output, *SHORT[2:], "--max-steps", 60)
    done = seesay(environment, "caption", tmp_path / "0.png", tmp_path / "1.png", "--model", output, "--json")
    said = [json.loads(line)["caption"] for line in done.stdout.splitlines()]
    assert said == ["a flurbl on the table", "a grand snark on the table"]


def test_questions_are_no_captions_and_vilt_learns_none(
    environment: dict[str, str], color_data: Path, tmp_path: Path
) -> None:
    refused = seesay(environment, "train", "caption", "--data", color_data, "--output", tmp_path / "a", code=3)
    assert "these rows ask questions" in refused.stderr
    for index in range(8):
        Image.new("RGB", (64, 64), (30 * index, 0, 0)).save(tmp_path / f"{index}.png")
    data = tmp_path / "c.jsonl"
    data.write_text("".join(json.dumps({"image": f"{i}.png", "caption": "a thing"}) + "\n" for i in range(8)))
    small = ["--from-scratch", "vilt-small", "--validation-fraction", "0.5", "--max-steps", "2"]
    refused = seesay(environment, "train", "caption", "--data", data, "--output", tmp_path / "b", *small, code=3)
    assert "cannot learn captions" in refused.stderr
