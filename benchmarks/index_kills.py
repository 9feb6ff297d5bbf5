"""What an index loses when it is killed: `seesay index` stopped by 50 SIGKILLs at random times, while between them pictures are
added, moved, changed, copied and taken away. The index is compared with one that is made of the same folder in one go.

Features are computed in groups, and what stands together in a group changes the last bits of a number in half precision; so
they are compared as numbers, all else byte for byte. What is killed is a process forked from one that has imported everything.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy
from PIL import Image

from seesay import api
from seesay.settings import IndexSettings

PICTURES, ROUNDS, GROUP = 400, 50, 4
SAME = 0.02
"""Features that differ less are the same: numbers up to about 8 in half precision."""


def paint(path: Path, number: int) -> None:
    """A small picture of its own."""
    pixels = numpy.random.default_rng(number).integers(0, 255, (6, 8, 3), numpy.uint8)
    Image.fromarray(pixels).resize((96, 72), Image.Resampling.BICUBIC).save(path, quality=85)


def make(folder: Path, pictures: int) -> None:
    """Pictures, one in forty of them broken, one in fifty a copy of the one before."""
    folder.mkdir()
    for number in range(pictures):
        path = folder / f"{number:04d}.jpg"
        paint(path, number)
        if number % 40 == 39:
            path.write_bytes(path.read_bytes()[:300])
        elif number % 50 == 49:
            path.write_bytes((folder / f"{number - 1:04d}.jpg").read_bytes())


def change(folder: Path, draw: random.Random, number: int) -> None:
    """One picture comes, and of those there one each is moved, changed, copied and taken away."""
    paint(folder / f"new {number}.jpg", 1_000_000 + number)
    one, other, third, fourth = draw.sample(sorted(folder.iterdir()), 4)
    one.rename(folder / f"moved {number}.jpg")
    paint(other, 2_000_000 + number)
    (folder / f"copy {number}.jpg").write_bytes(third.read_bytes())
    fourth.unlink()


def forked(folder: Path, output: Path, group: int) -> int:
    """The id of a process that brings the index up to date."""
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        settings = IndexSettings(output=output, batch_size=group)
        code = 3 if api.make_index(settings, [folder]).problems else 0
    finally:
        os._exit(code)


def disturbed(folder: Path, output: Path, rounds: int, group: int, most: float) -> dict[str, Any]:
    """Begin, kill, change the folder, `rounds` times; then run to the end. One kill in four comes at any time within `most`
    seconds of the start, the others within `most` seconds of the first picture that the run adds."""
    draw = random.Random(3)
    kills = while_working = 0
    for number in range(rounds):
        before = rows(output)
        process, ended = forked(folder, output, group), False
        until = time.monotonic() + draw.random() * most if draw.random() < 0.25 else 0.0
        share = draw.random() * most
        while not ended and (not until or time.monotonic() < until):
            if not until and rows(output) != before:
                until = time.monotonic() + share
            time.sleep(0.004)
            ended = os.waitpid(process, os.WNOHANG)[0] != 0
        if not ended:
            os.kill(process, signal.SIGKILL)
            kills += os.WIFSIGNALED(os.waitpid(process, 0)[1])
            while_working += rows(output) != before
        change(folder, draw, number)
    left = len(list(folder.iterdir())) - len(read(output)["files"]) if output.exists() else 0
    code = os.waitstatus_to_exitcode(os.waitpid(forked(folder, output, group), 0)[1])
    return {
        "kills": kills,
        "of_them_after_writing_began": while_working,
        "files_changed_between": 5 * rounds,
        "files_left_for_the_last_run": left,
        "exit_code": code,
    }


def rows(index: Path) -> int:
    """Pictures in an index that another process may be writing; 0 where it is not there yet."""
    if not index.is_file():
        return 0
    base = sqlite3.connect(f"{index.absolute().as_uri()}?mode=ro", uri=True, timeout=10)
    try:
        return int(base.execute("SELECT count(*) FROM feature").fetchone()[0])
    except sqlite3.OperationalError:  # its tables are not there yet
        return 0
    finally:
        base.close()


def read(index: Path) -> dict[str, Any]:
    """All that an index holds."""
    base = sqlite3.connect(index)
    base.text_factory = bytes
    found = {
        "files": {
            row[0]: row[1:]
            for row in base.execute(
                "SELECT path, source, size, changed, problem, sha256 FROM file LEFT JOIN picture ON picture = id"
            )
        },
        "pictures": Counter(row[0] for row in base.execute("SELECT sha256 FROM picture")),
        "features": dict(
            base.execute("SELECT sha256, value FROM picture JOIN feature ON feature.picture = picture.id").fetchall()
        ),
        "features_of_nothing": base.execute(
            "SELECT count(*) FROM feature WHERE picture NOT IN (SELECT id FROM picture)"
        ).fetchone()[0],
        "sound": base.execute("PRAGMA integrity_check").fetchone()[0] == b"ok",
    }
    base.close()
    return found


def compare(disturbed: Path, whole: Path, memory: int = 58 * 256 * 2) -> dict[str, Any]:
    """What the disturbed index has lost, doubled or broken. `memory` bytes of features are numbers in half precision."""
    one, other = read(disturbed), read(whole)
    worst, different = 0.0, 0
    for digest, features in other["features"].items():
        found = one["features"].get(digest, b"")
        if len(found) != len(features):
            continue  # counted as lost
        numbers = [numpy.frombuffer(part[:memory], numpy.float16).astype(numpy.float32) for part in (found, features)]
        difference = float(numpy.abs(numbers[0] - numbers[1]).max())
        worst, different = max(worst, difference), different + (difference > SAME)
    return {
        "files": len(one["files"]),
        "pictures": len(one["pictures"]),
        "lost": len(other["features"].keys() - one["features"].keys())
        + len(other["files"].keys() - one["files"].keys()),
        "too_many": len(one["pictures"].keys() - other["pictures"].keys())
        + len(one["files"].keys() - other["files"].keys()),
        "twice": sum(count - 1 for count in one["pictures"].values()),
        "broken": different + one["features_of_nothing"] + len(one["pictures"].keys() ^ one["features"].keys()),
        "sound": one["sound"],
        "files_equal": one["files"] == other["files"],
        "largest_difference_of_a_feature": round(worst, 5),
    }


def measure(pictures: int = PICTURES, rounds: int = ROUNDS, group: int = GROUP, most: float = 1.0) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder, killed, whole = (Path(name) / part for part in ("pictures", "killed.seesay", "whole.seesay"))
        make(folder, pictures)
        started = time.perf_counter()
        stopped = disturbed(folder, killed, rounds, group, most)
        seconds = time.perf_counter() - started
        os.waitpid(forked(folder, whole, group), 0)
        return {"pictures_at_first": pictures, "seconds": round(seconds), **stopped, **compare(killed, whole)}


if __name__ == "__main__":
    print(json.dumps(measure(*map(int, sys.argv[1:3])), indent=1))
