"""What a batch loses when it is killed: 10,000 rows by seesay-mini, stopped by 200 SIGKILLs at random times, and after each of
them a random number of bytes is cut off the end of the file. The finished file is compared with that of a run that nobody
disturbed, line by line after sorting.

500 small pictures, some of them copies under other names, some broken, some missing, by a manifest in which every other row has an
id; twenty questions each.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy
from PIL import Image

PICTURES, QUESTIONS, ROUNDS = 500, 20, 200
WORDS = ("dog", "cat", "car", "tree", "bus", "cup", "bird", "boat", "horse", "chair")
ASKED = [f"Is there a {word}?" for word in WORDS] + [f"Is the {word} red?" for word in WORDS]
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


def disturbed(command: list[str], output: Path, rounds: int, seed: int, start: float, most: float) -> dict[str, Any]:
    """Run, kill, cut the tail, `rounds` times; then run to the end. One kill in four comes at any time within `start` seconds,
    the others up to `most` seconds after the first row that the run adds."""
    draw = random.Random(seed)
    cuts = cut_bytes = torn = finished = 0
    for _ in range(rounds):
        old = output.stat().st_size if output.exists() else 0
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        early, wait = draw.random() < 0.25, draw.random()
        while not early and process.poll() is None and (not output.exists() or output.stat().st_size <= old):
            time.sleep(0.01)
        try:
            process.wait(wait * (start if early else most))
            finished += 1
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        size = output.stat().st_size if output.exists() else 0
        if size:
            cut = min(size, draw.randint(1, 2_000) if draw.random() < 0.9 else draw.randint(1, 20_000))
            os.truncate(output, size - cut)
            cuts, cut_bytes = cuts + 1, cut_bytes + cut
            torn += not _ends_whole(output)
    kept = output.read_bytes().count(b"\n")
    last = subprocess.run(command, capture_output=True, text=True)
    return {
        "kills": rounds - finished,
        "cuts": cuts,
        "cut_bytes": cut_bytes,
        "cuts_within_a_row": torn,
        "rows_when_the_kills_ended": kept,
        "exit_code": last.returncode,
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


def measure(pictures: int = PICTURES, rounds: int = ROUNDS, most: float = 1.5) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        manifest = make(folder, pictures, seed=1)
        whole, killed = folder / "whole.jsonl", folder / "killed.jsonl"
        started = time.perf_counter()
        summary = json.loads(subprocess.run(command(manifest, whole, QUESTIONS), capture_output=True, text=True).stdout)
        seconds = time.perf_counter() - started
        again = time.perf_counter()
        subprocess.run(command(manifest, whole, QUESTIONS), capture_output=True)
        start = time.perf_counter() - again
        stopped = disturbed(command(manifest, killed, QUESTIONS), killed, rounds, 2, start, most)
        return {
            "asked": summary["asked"],
            "failed_on_purpose": summary["failed"],
            "repeated_on_purpose": summary["repeated"],
            "undisturbed_seconds": round(seconds, 1),
            "start_and_skip_all_seconds": round(start, 2),
            **stopped,
            **compare(killed, whole),
        }


def _ends_whole(path: Path) -> bool:
    return path.read_bytes()[-1:] in (b"\n", b"")


def _key(line: bytes) -> str:
    try:
        return str(json.loads(line)["key"]) if line.endswith(b"}\n") else ""
    except (ValueError, KeyError, TypeError):
        return ""
