"""`seesay index` and `seesay find` as people type them; without torch, and killed while they work."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy
import pytest
from PIL import Image

EXAMPLES = Path(__file__).parents[2] / "examples" / "pictures"
ENVIRONMENT = {**os.environ, "PYTHONWARNINGS": "error", "OMP_NUM_THREADS": "1"}
GUARDED = """
import sys
from seesay.cli.main import main
try:
    main()
finally:
    assert "torch" not in sys.modules
"""
PICTURES, KILLS = 60, 6


def words(*arguments: object) -> list[str]:
    return [sys.executable, "-c", GUARDED, *map(str, arguments)]


def seesay(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words(*arguments), capture_output=True, text=True, env=ENVIRONMENT, timeout=280, cwd=cwd)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example pictures with one broken, indexed."""
    folder = tmp_path_factory.mktemp("search")
    (folder / "pictures").mkdir()
    for path in EXAMPLES.glob("*.jpg"):
        (folder / "pictures" / path.name).write_bytes(path.read_bytes())
    (folder / "pictures" / "broken.jpg").write_bytes((EXAMPLES / "cat.jpg").read_bytes()[:2000])
    return folder


def test_index_then_find_in_every_form(folder: Path) -> None:
    done = seesay("index", "pictures", "--json", cwd=folder)
    assert done.returncode == 3, done.stderr
    report = json.loads(done.stdout)
    good = len(list(EXAMPLES.glob("*.jpg")))
    assert (report["pictures"], report["encoded"], report["files"]) == (good, good, good + 1)
    assert [Path(problem["where"]).name for problem in report["problems"]] == ["broken.jpg"]
    (folder / "pictures" / "broken.jpg").unlink()
    again = seesay("index", cwd=folder)
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout == f"photos.seesay: {good} pictures of {good} files (1 gone)\n"

    table = seesay("find", "is there a cat?", "photos.seesay", cwd=folder)
    assert table.returncode == 0, table.stderr
    score, path = table.stdout.splitlines()[0].split("  ")
    assert (float(score) > 0.5, path) == (True, "pictures/cat.jpg")
    given = ("-o", "hits.html", "--link", "links", "--copy", "copies", "--json")
    done = seesay("find", "cat", "photos.seesay", *given, cwd=folder)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["path"] for row in rows] == [line.split("  ")[1] for line in table.stdout.splitlines()]
    assert rows[0]["question"] == "is there a cat?"
    page = (folder / "hits.html").read_text(encoding="utf-8")
    assert f'alt="{rows[0]["caption"]}"' in page
    assert "http" not in page.replace("http-equiv", "")
    for place in ("links", "copies"):
        assert (folder / place / "0001-cat.jpg").read_bytes() == (EXAMPLES / "cat.jpg").read_bytes()
    full = seesay("find", "cat", "photos.seesay", "--link", "links", cwd=folder)
    assert full.returncode == 2
    assert "not an empty folder" in full.stderr


def test_mistakes_are_told_without_a_traceback(folder: Path, tmp_path: Path) -> None:
    for arguments, code, said in (
        (("find", "cat", "none.seesay"), 3, "no such index"),
        (("index", "nowhere"), 2, "no such file or folder"),
        (("index", "-o", "new.seesay"), 2, "nothing to index"),
    ):
        done = seesay(*arguments, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (code, "")
        assert said in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_an_index_that_is_killed_again_and_again_loses_nothing_and_has_nothing_twice(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    for number in range(PICTURES):
        pixels = numpy.random.default_rng(number).integers(0, 255, (48, 64, 3), numpy.uint8)
        Image.fromarray(pixels).save(tmp_path / "pictures" / f"{number:03d}.png")
    undisturbed = seesay("index", "pictures", "-o", "whole.seesay", cwd=tmp_path)
    assert undisturbed.returncode == 0, undisturbed.stderr
    chance, before = random.Random(7), 0
    for _ in range(KILLS):
        process = subprocess.Popen(
            words("index", "pictures", "--batch-size", "2"), env=ENVIRONMENT, cwd=tmp_path, stdout=subprocess.DEVNULL
        )
        target = before + chance.randint(1, PICTURES // KILLS)
        deadline = time.monotonic() + 60
        while process.poll() is None and rows(tmp_path / "photos.seesay") < target and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(chance.random() * 0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        kept = rows(tmp_path / "photos.seesay")
        assert kept >= before  # what was written once stays
        before = kept
    finished = seesay("index", "pictures", "--json", cwd=tmp_path)
    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout)["encoded"] == PICTURES - before  # nothing again, nothing left out
    assert content(tmp_path / "photos.seesay").keys() == content(tmp_path / "whole.seesay").keys()
    one, other = content(tmp_path / "photos.seesay"), content(tmp_path / "whole.seesay")
    for digest, (path, features) in one.items():
        assert path == other[digest][0]
        # Pictures are encoded in other groups, which may change a last bit of a number in half precision.
        pairs = [numpy.frombuffer(part[:29_696], numpy.float16) for part in (features, other[digest][1])]
        assert numpy.allclose(*pairs, atol=0.02)


def rows(index: Path) -> int:
    """Pictures in an index that another process may be writing; 0 where it is not there yet."""
    if not index.is_file():
        return 0
    base = sqlite3.connect(index, timeout=10)
    try:
        return int(base.execute("SELECT count(*) FROM feature").fetchone()[0])
    except sqlite3.OperationalError:  # its tables are not there yet
        return 0
    finally:
        base.close()


def content(index: Path) -> dict[bytes, tuple[bytes, bytes]]:
    """By sha256 the path and the features of every picture; each has exactly one of both."""
    base = sqlite3.connect(index)
    found = base.execute(
        "SELECT sha256, path, value FROM picture JOIN file ON file.picture = picture.id JOIN feature ON feature.picture = id"
    ).fetchall()
    assert len(found) == len({row[0] for row in found}) == PICTURES
    assert base.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    base.close()
    return {row[0]: (row[1], row[2]) for row in found}
