"""The examples run as they stand, and the README's Python does what it says."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


def test_the_visual_question_answering_guide_runs(color_data: Path, tmp_path: Path) -> None:
    script = ROOT / "examples/visual_question_answering.py"
    assert len(script.read_text().splitlines()) <= 60
    words = [
        sys.executable,
        str(script),
        "--data",
        str(color_data),
        "--output",
        str(tmp_path / "run"),
        "--max-steps",
        "4",
    ]
    done = subprocess.run(words, capture_output=True, text=True, env=ENVIRONMENT, timeout=200)
    assert done.returncode == 0, done.stderr
    assert "by the question alone" in done.stdout
    assert (tmp_path / "run/test/report.html").is_file()
    assert "[{'score':" in done.stdout.splitlines()[-1]


def example(name: str, *words: object) -> str:
    """What a guide's example prints; it has at most 60 lines."""
    script = ROOT / "examples" / name
    assert len(script.read_text().splitlines()) <= 60
    command = [sys.executable, str(script), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=250)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_image_captioning_guide_runs(tmp_path: Path) -> None:
    run, data = tmp_path / "run", tmp_path / "data"
    rows = (ROOT / "examples/clipart/metadata.jsonl").read_text(encoding="utf-8").splitlines()[:40]
    for row in rows:
        name = json.loads(row)["file_name"]
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / "examples/clipart" / name, data / name)
    (data / "metadata.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    said = example("image_captioning.py", "--data", data, "--output", run, "--max-steps", 4)
    assert "the model writes: " in said
    assert (run / "test/report.html").is_file()


def test_the_image_text_to_text_guide_runs(chat_checkpoint: Path) -> None:
    pictures = [ROOT / "examples/pictures/cat.jpg", ROOT / "examples/pictures/dogs.jpg"]
    said = example("image_text_to_text.py", *pictures, "--model", chat_checkpoint, "--max-new-tokens", 4)
    assert "answer: " in said
    assert "streamed: " in said


def test_the_text_to_speech_guide_runs(voice_maker: ModuleType, spoken_data: Path, tmp_path: Path) -> None:
    # One that does not stop at once.
    run, base = tmp_path / "run", voice_maker.speecht5(tmp_path / "base", stop=-9.0)
    said = example(
        "text_to_speech.py", "--data", spoken_data, "--model", base, "--language", "en",
        "--speaker-model", "none", "--output", run, "--max-steps", 2,
    )  # fmt: skip
    assert "mel-cepstral distortion" in said
    assert (run / "spoken.wav").stat().st_size > 1_000
    assert (run / "test/report.html").is_file()
