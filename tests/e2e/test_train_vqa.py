"""A whole training run as a user starts it: by command, in its own process; killed, stopped, resumed, refused."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "seesay"]
SMALL = ["--from-scratch", "vilt-small", "--per-device-train-batch-size", "8", "--max-steps", "24", "--eval-steps", "4"]
ENVIRONMENT = {**os.environ, "PYTHONWARNINGS": "error", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


def seesay(*arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    words = [*COMMAND, *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True, env=ENVIRONMENT, timeout=250)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="module")
def undisturbed(color_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("runs") / "undisturbed"
    seesay("train", "vqa", "--data", color_data, "--output", output, "--threads", 1, *SMALL)
    return output


def test_a_finished_run_holds_all_that_it_promises(undisturbed: Path) -> None:
    assert {"model", "settings.toml", "run.json", "train.log", "report.html", "loss.png", "accuracy.png"} <= {
        entry.name for entry in undisturbed.iterdir()
    }
    assert {"config.json", "model.safetensors", "tokenizer.json", "prior.json", "README.md", "manifest.json"} <= {
        entry.name for entry in (undisturbed / "model").iterdir()
    }
    assert "eval_vqa_accuracy" in (undisturbed / "train.log").read_text()


def test_the_run_and_every_checkpoint_answer(undisturbed: Path, color_data: Path) -> None:
    picture = next(color_data.rglob("*.png"))
    for folder in [undisturbed, *undisturbed.glob("checkpoint-*")]:
        done = seesay("ask", picture, "What color is it?", "--model", folder, "--top-k", 3, "--json")
        row = json.loads(done.stdout)
        assert len(row["alternatives"]) == 3
        assert row["alternatives"][0]["answer"] == row["answer"]
        assert row["provenance"]["revision"]


def test_evaluating_the_run_gives_the_figure_that_training_gave(undisturbed: Path, color_data: Path) -> None:
    model = ["--model", undisturbed, "--data", color_data]
    report = json.loads(seesay("evaluate", "vqa", *model, "--split", "validation", "--json").stdout)
    logged = [line for line in (undisturbed / "train.log").read_text().splitlines() if "eval_vqa_accuracy" in line]
    best = max(float(line.split("eval_vqa_accuracy=")[1].split()[0]) for line in logged)
    assert report["accuracy"]["mean"] == pytest.approx(best, abs=1e-4)
    assert report["question_only"] is not None
    assert report["majority"] is not None


@pytest.mark.slow
def test_a_run_killed_again_and_again_ends_in_the_same_bits(
    undisturbed: Path, color_data: Path, tmp_path: Path
) -> None:
    output = tmp_path / "killed"
    words = [*COMMAND, "train", "vqa", "--data", str(color_data), "--output", str(output), "--threads", "1", *SMALL]
    chance = random.Random(7)
    kills = 0
    for _ in range(12):
        process = subprocess.Popen(words, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        checkpoints = len(list(output.glob("checkpoint-*")))
        # Wait for the work itself to begin, then kill at a random moment of it.
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            log = output / "train.log"
            if log.is_file() and len(list(output.glob("checkpoint-*"))) > checkpoints:
                break
            time.sleep(0.02)
        time.sleep(chance.uniform(0, 0.4))
        if kills < 3 and process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
        _, errors = process.communicate(timeout=200)
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL, errors
    assert kills >= 2
    for name in ("model.safetensors", "config.json", "tokenizer.json"):
        assert (output / "model" / name).read_bytes() == (undisturbed / "model" / name).read_bytes(), name


@pytest.mark.slow
def test_ctrl_c_saves_and_the_same_command_goes_on(undisturbed: Path, color_data: Path, tmp_path: Path) -> None:
    output = tmp_path / "stopped"
    words = [*COMMAND, "train", "vqa", "--data", str(color_data), "--output", str(output), "--threads", "1", *SMALL]
    process = subprocess.Popen(words, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not list(output.glob("checkpoint-*")):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=100)
    assert process.returncode == 130, errors
    assert "the same command goes on" in errors
    assert "Traceback" not in errors
    seesay("train", "vqa", "--data", color_data, "--output", output, "--threads", 1, *SMALL)
    assert (output / "model/model.safetensors").read_bytes() == (undisturbed / "model/model.safetensors").read_bytes()


def test_other_settings_in_the_same_folder_are_refused(undisturbed: Path, color_data: Path) -> None:
    arguments = ["train", "vqa", "--data", color_data, "--output", undisturbed, "--threads", 1, *SMALL]
    done = seesay(*arguments, "--learning-rate", "0.5", code=3)
    assert "learning_rate" in done.stderr


def test_a_finished_run_is_only_reported_again(undisturbed: Path, color_data: Path) -> None:
    before = (undisturbed / "model/model.safetensors").stat().st_mtime_ns
    arguments = ["train", "vqa", "--data", color_data, "--output", undisturbed, "--threads", 1, *SMALL]
    done = seesay(*arguments, "--save-total-limit", 1, "--json")
    assert json.loads(done.stdout)["steps"] == 24
    assert (undisturbed / "model/model.safetensors").stat().st_mtime_ns == before


def test_a_broken_picture_stops_training_before_torch_is_needed(color_data: Path, tmp_path: Path) -> None:
    import shutil

    data = tmp_path / "data"
    shutil.copytree(color_data, data)
    next(data.rglob("*.png")).write_bytes(b"not a picture")
    done = seesay("train", "vqa", "--data", data, "--output", tmp_path / "run", *SMALL, code=3)
    assert ".png" in done.stderr
    assert not (tmp_path / "run").exists()


def test_fine_tuning_goes_on_from_a_checkpoint_with_other_answers(
    undisturbed: Path, color_data: Path, tmp_path: Path
) -> None:
    base = json.loads((undisturbed / "model/config.json").read_text())["id2label"]
    rows = (color_data / "train.jsonl").read_text().replace('"red"', '"crimson"')
    (color_data / "other.jsonl").write_text(rows)
    try:
        output = tmp_path / "tuned"
        arguments = ["--max-steps", "3", "--eval-steps", "3", "--threads", 1, "--output", output]
        seesay("train", "vqa", "--data", color_data / "other.jsonl", "--model", undisturbed, *arguments)
    finally:
        (color_data / "other.jsonl").unlink()
    tuned = json.loads((output / "model/config.json").read_text())["id2label"]
    assert "crimson" in tuned.values()
    assert "crimson" not in base.values()


def test_the_guides_base_model_is_fine_tuned_and_refused_for_answers(
    vilt_base: Path, color_data: Path, tmp_path: Path
) -> None:
    picture = next(color_data.rglob("*.png"))
    done = seesay("ask", picture, "What color is it?", "--model", vilt_base, code=3)
    assert "no head for answers" in done.stderr
    output = tmp_path / "run"
    arguments = ["--max-steps", "2", "--eval-steps", "2", "--threads", 1, "--gradient-accumulation-steps", 2]
    seesay("train", "vqa", "--data", color_data, "--model", vilt_base, "--output", output, *arguments)
    assert seesay("ask", picture, "What color is it?", "--model", output).stdout


def hostile_rows(hostile_pictures: dict[str, Path], tmp_path: Path) -> tuple[Path, Path]:
    """A data file with a row for every hostile picture, and the folder that the pictures are in."""
    folder = Path(os.path.commonpath([*hostile_pictures.values()]))
    rows = [
        {"image": str(path.relative_to(folder)), "question": "What color?", "answer": "red" if index % 2 else "blue"}
        for index, path in enumerate(hostile_pictures.values())
    ]
    data = tmp_path / "hostile.jsonl"
    data.write_text("\n".join(map(json.dumps, rows)) + "\n")
    return data, folder


def test_every_hostile_picture_is_told_by_check_and_stops_training(
    hostile_pictures: dict[str, Path], tmp_path: Path
) -> None:
    data, images = hostile_rows(hostile_pictures, tmp_path)
    report = json.loads(seesay("check", data, "--images", images, "--json", code=3).stdout)
    told = " ".join(problem["message"] for problem in report["problems"])
    assert [path.name for path in hostile_pictures.values() if path.name not in told] == []
    assert all(problem["where"] for problem in report["problems"])
    output = tmp_path / "run"
    seesay("train", "vqa", "--data", data, "--images", images, "--output", output, *SMALL, code=3)
    assert not output.exists()


def test_data_is_checked_before_torch_is_imported(color_data: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text('{"image": "none.png", "question": "What?", "answer": "red"}\n')
    code = (
        "import sys, pathlib, seesay\n"
        "settings = seesay.TrainVqaSettings(data=sys.argv[1], from_scratch='vilt-small', output=pathlib.Path(sys.argv[2]))\n"
        "try:\n    seesay.train_vqa(settings)\n"
        "except seesay.DataError as error:\n    print(error.exit_code, 'torch' in sys.modules, error)\n"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "bad.jsonl"), str(tmp_path / "run")]
    done = subprocess.run(words, capture_output=True, text=True, env=ENVIRONMENT, timeout=60)
    assert done.stdout.startswith("3 False"), done.stdout + done.stderr
    assert "bad.jsonl:1: no picture 'none.png'" in done.stdout
