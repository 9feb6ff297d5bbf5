"""What starting costs: commands as whole processes on one core, in turns, and bare Python beside them.

As with an installed package Python finds its modules compiled; each command is run once before. `python -m benchmarks start`.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PICTURE = Path(__file__).parent.parent / "examples/pictures/cat.jpg"
ROUNDS = 21


def measure() -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder, one_core(), compiled() as environment:
        picture, nowhere = str(PICTURE), str(Path(folder) / "photo.jgp")
        seesay = ["-m", "seesay"]
        commands = {
            "bare_python": ["-c", "pass"],
            "seesay_help": [*seesay, "--help"],
            "help_of_ask": [*seesay, "ask", "--help"],
            "mistyped_picture": [*seesay, "ask", nowhere, "What is this?", "--model", folder],
            "models": [*seesay, "models"],
            "ask": [*seesay, "ask", picture, "What animal is this?"],
            "caption": [*seesay, "caption", picture],
            "batch": [*seesay, "batch", "caption", str(PICTURE.parent), "-o", str(Path(folder) / "rows.jsonl")],
            "speak": [*seesay, "speak", "A dog.", "-o", str(Path(folder) / "dog.wav")],
            "read": [*seesay, "read", picture],
        }
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for turn in range(ROUNDS + 1):
            for name, words in commands.items():
                (Path(folder) / "rows.jsonl").unlink(missing_ok=True)
                found = _run(words, environment)
                if turn:
                    taken[name].append(found)
    return {
        name: {
            "cpu_ms_median": round(statistics.median(cpu for cpu, _ in values) * 1000, 1),
            "cpu_ms_max": round(max(cpu for cpu, _ in values) * 1000, 1),
            "wall_ms_median": round(statistics.median(wall for _, wall in values) * 1000, 1),
            "wall_ms_max": round(max(wall for _, wall in values) * 1000, 1),
        }
        for name, values in taken.items()
    }


@contextmanager
def one_core() -> Iterator[None]:
    """This process and those that it starts on one core."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


@contextmanager
def compiled() -> Iterator[dict[str, str]]:
    """An environment in which Python keeps compiled modules, as pip leaves them, whatever ours says."""
    with tempfile.TemporaryDirectory() as folder:
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        yield {**kept, "PYTHONPYCACHEPREFIX": folder}


def _run(words: list[str], environment: dict[str, str]) -> tuple[float, float]:
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, *words], capture_output=True, env=environment)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall
