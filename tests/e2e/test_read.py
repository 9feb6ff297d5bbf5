"""`seesay read` as people type it, with the mistakes they make."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

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
def signs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two signs of two lines each."""
    folder = tmp_path_factory.mktemp("signs")
    paths = []
    for name, lines in (("exit", ("Emergency exit", "Push the bar")), ("tea", ("Green tea", "2.50"))):
        picture = Image.new("RGB", (480, 240), "white")
        for row, text in enumerate(lines):
            ImageDraw.Draw(picture).text((30, 40 + 90 * row), text, fill="black", font=ImageFont.load_default(40))
        paths.append(folder / f"{name}.png")
        picture.save(paths[-1])
    return paths


def test_one_picture_prints_its_lines_and_nothing_else(signs: list[Path]) -> None:
    done = seesay("read", signs[0])
    assert (done.returncode, done.stdout, done.stderr) == (0, "Emergency exit\nPush the bar\n", "")


def test_several_pictures_have_a_header_each(signs: list[Path]) -> None:
    done = seesay("read", *signs)
    expected = f"{signs[0]}:\n  Emergency exit\n  Push the bar\n{signs[1]}:\n  Green tea\n  2.50\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, expected, "")


def test_json_has_every_line_with_its_place(signs: list[Path]) -> None:
    done = seesay("read", *signs, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["picture"] for row in rows] == list(map(str, signs))
    assert rows[0]["text"] == "Emergency exit\nPush the bar"
    line = rows[0]["lines"][0]
    assert (line["text"], line["where"]) == ("Emergency exit", "top")
    assert 0.5 <= line["confidence"] <= 1
    assert [len(corner) for corner in line["box"]] == [2, 2, 2, 2]


def test_a_broken_picture_is_reported_and_the_others_are_read(
    signs: list[Path], hostile_pictures: dict[str, Path]
) -> None:
    broken = hostile_pictures["missing"]
    done = seesay("read", signs[0], broken, signs[1], "--json")
    assert done.returncode == 3
    assert [json.loads(line)["picture"] for line in done.stdout.splitlines()] == [str(signs[0]), str(signs[1])]
    assert done.stderr.startswith(f"seesay: {broken}: ")
    assert "Traceback" not in done.stderr


def test_a_picture_without_text_prints_nothing(tmp_path: Path) -> None:
    Image.new("RGB", (64, 64), "white").save(tmp_path / "blank.png")
    done = seesay("read", tmp_path / "blank.png")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "Missing argument"),
        (["sign.png", "--min-confidence", "2"], 2, "out of range"),
        (["sign.png", "--min-confidence", "much"], 2, "'much' is not a number"),
        (["nowhere.png"], 3, "no such file"),
        (["http://127.0.0.1/a.png"], 3, "web addresses are not opened"),
    ],
)
def test_mistakes_are_told_without_a_traceback(arguments: list[str], code: int, said: str) -> None:
    done = seesay("read", *arguments)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
