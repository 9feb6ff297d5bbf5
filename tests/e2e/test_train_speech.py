"""A voice fine-tuned as a user does it: by command, killed and continued, spoken with, measured, refused."""

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
ENVIRONMENT = {**os.environ, "PYTHONWARNINGS": "error", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
SMALL = ["--speaker-model", "none", "--max-steps", "12", "--eval-steps", "3", "--logging-steps", "1", "--samples", "1",
         "--per-device-train-batch-size", "4", "--gradient-accumulation-steps", "2", "--learning-rate", "0.001",
         "--validation-fraction", "0.2", "--threads", "1", "--language", "en"]  # fmt: skip


def seesay(*arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    words = [*COMMAND, *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True, env=ENVIRONMENT, timeout=250)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="module")
def base(voice_checkpoints: dict[str, Path]) -> Path:
    return voice_checkpoints["speecht5"]


@pytest.fixture(scope="module")
def undisturbed(base: Path, spoken_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("voices") / "undisturbed"
    seesay("train", "speech", "--data", spoken_data, "--model", base, "--output", output, *SMALL)
    return output


def test_a_finished_run_holds_all_that_it_promises(undisturbed: Path) -> None:
    assert {"model", "prepared", "samples", "settings.toml", "run.json", "train.log", "report.html", "loss.png"} <= {
        entry.name for entry in undisturbed.iterdir()
    }
    assert {"config.json", "model.safetensors", "spm_char.model", "speakers.safetensors", "preprocessor_config.json",
            "vocoder", "README.md"} <= {entry.name for entry in (undisturbed / "model").iterdir()}  # fmt: skip
    page = (undisturbed / "report.html").read_text()
    assert page.count("<audio") == page.count("data:audio/wav") >= 4
    assert "after 12 steps" in page
    card = (undisturbed / "model/README.md").read_text()
    assert "pipeline_tag: text-to-speech" in card
    assert "drawn by their names" in card
    log = (undisturbed / "train.log").read_text()
    losses = [float(line.split("eval_loss=")[1].split()[0]) for line in log.splitlines() if "eval_loss" in line]
    assert len(losses) == 4
    assert losses[-1] < losses[0]


def test_the_run_speaks_as_its_speakers(undisturbed: Path, tmp_path: Path) -> None:
    sizes = set()
    for speaker in ("high", "low"):
        file = tmp_path / f"{speaker}.wav"
        seesay("speak", "A red dog.", "--model", undisturbed, "--speaker", speaker, "-o", file)
        sizes.add(file.read_bytes())
    assert len(sizes) == 2
    assert (
        "high, low"
        in seesay("speak", "Dog.", "--model", undisturbed, "--speaker", "nobody", "-o", "x.wav", code=2).stderr
    )


@pytest.mark.slow
def test_a_run_killed_again_and_again_ends_in_the_same_bits(
    undisturbed: Path, base: Path, spoken_data: Path, tmp_path: Path
) -> None:
    output = tmp_path / "killed"
    words = [
        *COMMAND,
        "train",
        "speech",
        "--data",
        str(spoken_data),
        "--model",
        str(base),
        "--output",
        str(output),
        *SMALL,
    ]
    chance = random.Random(7)
    kills = 0
    for _ in range(8):
        process = subprocess.Popen(words, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        checkpoints = len(list(output.glob("checkpoint-*")))
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            if len(list(output.glob("checkpoint-*"))) > checkpoints:
                break
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.1))
        if kills < 2 and process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
        _, errors = process.communicate(timeout=200)
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL, errors
    assert kills == 2
    for name in ("model.safetensors", "speakers.safetensors", "config.json"):
        assert (output / "model" / name).read_bytes() == (undisturbed / "model" / name).read_bytes(), name


def test_other_settings_and_other_data_are_refused(
    undisturbed: Path, base: Path, spoken_data: Path, tmp_path: Path
) -> None:
    import shutil

    words = ["train", "speech", "--model", base, "--output", undisturbed, *SMALL]
    assert "learning_rate" in seesay(*words, "--data", spoken_data, "--learning-rate", "0.5", code=3).stderr
    other = tmp_path / spoken_data.name
    shutil.copytree(spoken_data, other)
    assert "data" in seesay(*words, "--data", other, code=3).stderr


def test_a_voice_is_measured_beside_the_recordings(
    undisturbed: Path, spoken_data: Path, whisper_checkpoint: Path, tmp_path: Path
) -> None:
    words = ["evaluate", "speech", "--data", spoken_data, "--model", undisturbed, "--limit", 3, "--validation-fraction", 0.2,
             "--listen-model", whisper_checkpoint, "--output", tmp_path / "out", "--json"]  # fmt: skip
    report = json.loads(seesay(*words).stdout)
    systems = {system["name"]: system["figures"] for system in report["systems"]}
    assert report["rows"] == 3
    exact = systems["the recording itself"]
    assert exact["distortion"]["mean"] == exact["voicing"]["mean"] == 0
    assert exact["duration"]["mean"] == 1
    voice = systems[str(undisturbed)]
    assert voice["distortion"]["mean"] > 0
    assert systems["the recording through the vocoder"]["distortion"]["mean"] > 0
    assert voice["distortion"]["low"] <= voice["distortion"]["mean"] <= voice["distortion"]["high"]
    assert voice["real_time"]["mean"] > 0
    assert voice["word_errors"]["mean"] > 0
    assert json.loads((tmp_path / "out/report.json").read_text()) == report
    assert "mel-cepstral distortion" in (tmp_path / "out/report.html").read_text()


def test_the_embedded_voice_is_measured_as_well(spoken_data: Path) -> None:
    words = ["evaluate", "speech", "--data", spoken_data, "--model", "hibari", "--limit", 2]
    assert "no word error rate" in seesay(*words).stdout


def test_check_tells_what_recordings_are_like(base: Path, spoken_data: Path, tmp_path: Path) -> None:
    page = tmp_path / "spoken.html"
    done = seesay("check", spoken_data, "--model", base, "--plots", page)
    assert "low" in done.stdout
    assert "characters the tokenizer lacks" in done.stdout  # digits
    assert page.read_text().count("<img") >= 5
    report = json.loads(seesay("check", spoken_data, "--json").stdout)
    assert report["format"] == "audio-folder"
    assert report["splits"][0]["sample_rates"] == {"16000": report["splits"][0]["rows"]}


def test_mistakes_are_told_before_torch_is_needed(color_data: Path, spoken_data: Path, tmp_path: Path) -> None:
    assert "no recordings with their texts" in seesay("train", "speech", "--data", color_data, code=3).stderr
    assert "drawn of recordings" in seesay("check", color_data, "--plots", tmp_path / "x.html", code=2).stderr
    done = seesay("train", "speech", "--data", spoken_data, "--from-scratch", "big", code=2)
    assert "speecht5-small" in done.stderr
