"""`seesay caption` as people type it, with the mistakes they make; without torch and without a network."""

import json
import os
import subprocess
import sys
import wave
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

ENVIRONMENT = {**os.environ, "PYTHONWARNINGS": "error", "OMP_NUM_THREADS": "1"}
# The command line in a process that refuses every connection and ends badly where torch was imported.
GUARDED = """
import socket, sys
def refuse(*_): raise AssertionError("the network was used")
socket.socket.connect = socket.getaddrinfo = refuse
from seesay.cli.main import main
try:
    main()
finally:
    assert "torch" not in sys.modules
"""


def seesay(*arguments: object) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-c", GUARDED, *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, env=ENVIRONMENT, timeout=120)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A red ball on white, and a blue page."""
    folder = tmp_path_factory.mktemp("pictures")
    ball = Image.new("RGB", (240, 200), "white")
    ImageDraw.Draw(ball).ellipse((20, 20, 120, 120), fill="red", outline="black")
    ball.save(folder / "ball.png")
    Image.new("RGB", (120, 90), "blue").save(folder / "blue.png")
    return [folder / "ball.png", folder / "blue.png"]


def test_one_picture_prints_one_sentence(pictures: list[Path]) -> None:
    done = seesay("caption", pictures[0])
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 1
    assert done.stdout.strip()
    assert "None" not in done.stdout


def test_several_pictures_are_named(pictures: list[Path]) -> None:
    done = seesay("caption", *pictures)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) == len(pictures)
    for line, picture in zip(lines, pictures, strict=True):
        assert line.startswith(f"{picture}: ")


def test_json_has_one_row_a_picture(pictures: list[Path]) -> None:
    done = seesay("caption", *pictures, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["picture"] for row in rows] == list(map(str, pictures))
    for row in rows:
        assert row["caption"]
        assert 0 <= row["score"] <= 1
        assert isinstance(row["certainty"], str)
        assert row["provenance"]["model"] == "seesay-mini"
        assert len(row["provenance"]["inputs"][0]) == 64


def test_batches_of_any_size_describe_the_same(pictures: list[Path]) -> None:
    many = [*pictures, *pictures[::-1]]
    one, all_at_once = (seesay("caption", *many, "--batch-size", size, "--json").stdout for size in (1, 16))
    told = [[json.loads(line)["caption"] for line in said.splitlines()] for said in (one, all_at_once)]
    assert len(told[0]) == 4
    assert told[0] == told[1]


def test_captions_are_spoken_into_a_file(pictures: list[Path], tmp_path: Path) -> None:
    done = seesay("caption", *pictures, "--speech", tmp_path / "out.wav")
    assert (done.returncode, done.stderr) == (0, "")
    with wave.open(str(tmp_path / "out.wav")) as sound:
        assert sound.getnframes() > sound.getframerate() * 0.5


def test_a_model_that_only_answers_questions_says_so(vilt_checkpoint: Path, pictures: list[Path]) -> None:
    words = [sys.executable, "-m", "seesay", "caption", str(pictures[0]), "--model", str(vilt_checkpoint)]
    done = subprocess.run(words, capture_output=True, text=True, env=ENVIRONMENT, timeout=120)
    assert done.returncode == 3
    assert "cannot describe pictures" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "PICTURE"),
        (["nowhere.png"], 3, "nowhere.png"),
        (["PICTURE", "nowhere.png"], 3, "nowhere.png"),
        (["PICTURE", "--batch-size", "0"], 2, "out of range"),
        (["PICTURE", "--model", "nowhere"], 3, "no such folder"),
        (["PICTURE", "--top-k", "3"], 2, "--top-k"),
        (["PICTURE", "--speech", "out.txt"], 2, ".wav"),
    ],
)
def test_mistakes_are_told_before_anything_is_described(
    pictures: list[Path], arguments: list[str], code: int, said: str
) -> None:
    done = seesay("caption", *(str(pictures[0]) if argument == "PICTURE" else argument for argument in arguments))
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_every_odd_but_good_picture_is_described(odd_pictures: dict[str, Path]) -> None:
    done = seesay("caption", *odd_pictures.values(), "--json")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == len(odd_pictures)
