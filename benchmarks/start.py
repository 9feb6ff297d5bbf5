"""What starting costs: `seesay --help`, and a mistyped picture, as whole processes; bare Python beside them."""

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 15


def measure() -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        commands = {
            "bare_python": ["-c", "pass"],
            "seesay_help": ["-m", "seesay", "--help"],
            "mistyped_picture": [
                "-m",
                "seesay",
                "ask",
                str(Path(folder) / "photo.jgp"),
                "What is this?",
                "--model",
                folder,
            ],
        }
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for _ in range(ROUNDS):
            for name, words in commands.items():
                taken[name].append(_run(words))
    return {
        name: {
            "cpu_ms_median": round(statistics.median(cpu for cpu, _ in values) * 1000, 1),
            "cpu_ms_max": round(max(cpu for cpu, _ in values) * 1000, 1),
            "wall_ms_median": round(statistics.median(wall for _, wall in values) * 1000, 1),
            "wall_ms_max": round(max(wall for _, wall in values) * 1000, 1),
        }
        for name, values in taken.items()
    }


def _run(words: list[str]) -> tuple[float, float]:
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, *words], capture_output=True)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall
