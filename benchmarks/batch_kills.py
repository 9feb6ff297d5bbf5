"""What a batch loses when it is killed: 10,000 rows by seesay-mini, stopped by 200 SIGKILLs at random times, and after each of
them a random number of bytes is cut off the end of the file. The finished file is compared with that of a run that nobody
disturbed, line by line after sorting.

500 small pictures, some of them copies under other names, some broken, some missing, by a manifest in which every other row has an
id; twenty questions each, most of them with a word that the model does not know, which it finds out at once: rows come quickly, so
that kills meet their writing. What is killed is a process forked from one that has imported everything, to save the start.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
from PIL import Image

from seesay import api
from seesay.settings import BatchAskSettings

PICTURES, QUESTIONS, ROUNDS = 500, 20, 200
ASKED = ["Is there a dog?", "What color is it?", *(f"Is there a frobnicator number {n}?" for n in range(18))]
BROKEN, MISSING, COPIED = 41, 59, 97
"""Every so-manieth picture is cut short, is not there, or is a copy of the one before."""


def make(folder: Path, pictures: int, seed: int) -> Path:
    """A manifest of `pictures` small pictures."""
    rng = numpy.random.default_rng(seed)
    rows = []
    data = b""
    for index in range(pictures):
        path = folder / f"{index}.jpg"
        if index % COPIED or not data:
            values = rng.integers(0, 255, (6, 8, 3), numpy.uint8)
            Image.fromarray(values).resize((320, 240), Image.Resampling.BICUBIC).save(path, quality=85)
            data = path.read_bytes()
        if index % BROKEN == BROKEN - 1:
            path.write_bytes(data[: len(data) // 2])
        elif index % MISSING == MISSING - 1:
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(data)
        rows.append({"image": path.name} | ({"id": f"row {index}"} if index % 2 else {}))
    manifest = folder / "manifest.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return manifest


def command(manifest: Path, output: Path, questions: int) -> list[str]:
    asked = [word for question in ASKED[:questions] for word in ("-q", question)]
    return [sys.executable, "-m", "seesay", "batch", "ask", str(manifest), "-o", str(output), "--json", *asked]


def forked(manifest: Path, output: Path, questions: int) -> int:
    """The id of a process that runs the batch."""
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        settings = BatchAskSettings(output=output)
        code = 3 if api.batch(settings, str(manifest), ASKED[:questions]).failed else 0
    finally:
        os._exit(code)


def disturbed(
    begin: Callable[[], int], output: Path, rounds: int, seed: int, start: float, most: float
) -> dict[str, Any]:
    """Run, kill, cut the tail, `rounds` times; then run to the end. One kill in four comes at any time within `start` seconds,
    the others up to `most` seconds after the first row that the run adds.

    Args:
        begin: starts the batch and gives the id of its process, a child of this one.
    """
    draw = random.Random(seed)
    kills = cuts = cut_bytes = torn = 0
    for _ in range(rounds):
        old = _size(output)
        process, ended = begin(), False
        early, share = draw.random() < 0.25, draw.random()
        until = time.monotonic() + share * start if early else 0.0
        while not ended and (not until or time.monotonic() < until):
            if not until and _size(output) > old:
                until = time.monotonic() + share * most
            time.sleep(0.002)
            ended = os.waitpid(process, os.WNOHANG)[0] != 0
        if not ended:
            os.kill(process, signal.SIGKILL)
            kills += os.WIFSIGNALED(os.waitpid(process, 0)[1])
        size = _size(output)
        if size:
            cut = min(size, draw.randint(1, 2_000) if draw.random() < 0.9 else draw.randint(1, 20_000))
            os.truncate(output, size - cut)
            cuts, cut_bytes = cuts + 1, cut_bytes + cut
            torn += output.read_bytes()[-1:] not in (b"\n", b"")
    rows = output.read_bytes().count(b"\n") if output.exists() else 0
    code = os.waitstatus_to_exitcode(os.waitpid(begin(), 0)[1])
    return {
        "kills": kills,
        "cuts": cuts,
        "cut_bytes": cut_bytes,
        "cuts_within_a_row": torn,
        "rows_when_the_kills_ended": rows,
        "exit_code": code,
    }


def compare(output: Path, expected: Path) -> dict[str, Any]:
    """What the disturbed file has lost, doubled or broken."""
    rows, wanted = (sorted(path.read_bytes().splitlines(keepends=True)) for path in (output, expected))
    keys = Counter(_key(row) for row in rows)
    return {
        "rows": len(rows),
        "lost": len({_key(row) for row in wanted} - keys.keys()),
        "duplicate": sum(count - 1 for key, count in keys.items() if key),
        "broken": keys[""],
        "equal_to_the_undisturbed_run_after_sorting": rows == wanted,
    }


def measure(pictures: int = PICTURES, rounds: int = ROUNDS, most: float = 0.5) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        manifest = make(folder, pictures, seed=1)
        whole, killed = folder / "whole.jsonl", folder / "killed.jsonl"
        started = time.perf_counter()
        os.waitpid(forked(manifest, whole, QUESTIONS), 0)
        seconds = time.perf_counter() - started
        again = time.perf_counter()
        os.waitpid(forked(manifest, whole, QUESTIONS), 0)
        start = time.perf_counter() - again
        stopped = disturbed(lambda: forked(manifest, killed, QUESTIONS), killed, rounds, 2, start, most)
        rows = [json.loads(line) for line in whole.read_bytes().splitlines()]
        return {
            "asked": pictures * QUESTIONS,
            "failed_on_purpose": sum(row["error"] is not None for row in rows),
            "copies_on_purpose": pictures * QUESTIONS - len(rows),
            "undisturbed_seconds": round(seconds, 1),
            "start_and_skip_all_seconds": round(start, 2),
            **stopped,
            **compare(killed, whole),
        }


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _key(line: bytes) -> str:
    try:
        return str(json.loads(line)["key"]) if line.endswith(b"}\n") else ""
    except (ValueError, KeyError, TypeError):
        return ""
