"""The embedded model: a whole `seesay ask` process on one core, its modules compiled, a question when warm, and what it weighs."""

import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

from .start import PICTURE, compiled, one_core

QUESTIONS = ("What animal is this?", "Is there a dog?", "How many cats are there?", "What color is the cat?")
ROUNDS = 11
WARM = """
import statistics, sys, time
import seesay
model, picture, questions = seesay.load(), sys.argv[1], sys.argv[2:]
model.ask(picture, questions[0])
def timed(work):
    started = time.perf_counter(); work(); return time.perf_counter() - started
again = [timed(lambda q=q: model.ask(picture, q)) for _ in range(10) for q in questions]
caption = [timed(lambda: model.caption(picture)) for _ in range(10)]
print(statistics.median(again), statistics.median(caption), 'torch' in sys.modules)
"""


def measure() -> dict[str, object]:
    with one_core(), compiled() as environment:
        words = [sys.executable, "-m", "seesay", "ask", str(PICTURE), QUESTIONS[0]]
        cold = [_run(words, environment) for _ in range(ROUNDS + 1)][1:]  # the first compiles the modules
        words = [sys.executable, "-c", WARM, str(PICTURE), *QUESTIONS]
        done = subprocess.run(words, capture_output=True, text=True, check=True, env=environment)
    question, caption, torch = done.stdout.split()
    data = Path(__file__).parent.parent / "src/seesay/models/mini/data"
    memory = round(max(memory for _, _, memory in cold) / 1024)
    middle = statistics.median(wall for wall, _, _ in cold)
    return {
        "a whole `seesay ask`": {
            "ways": {"seesay-mini": {"first_answer_s": round(middle, 2), "peak_memory_mb": memory}}
        },
        "cold_wall_ms_max": round(max(wall for wall, _, _ in cold) * 1000),
        "cold_cpu_ms_median": round(statistics.median(cpu for _, cpu, _ in cold) * 1000),
        "warm_question_ms_median": round(float(question) * 1000, 1),
        "warm_caption_ms_median": round(float(caption) * 1000, 1),
        "torch_imported": torch == "True",
        "data_mb": round(sum(path.stat().st_size for path in data.iterdir()) / 1e6, 1),
    }


def _run(words: list[str], environment: dict[str, str]) -> tuple[float, float, int]:
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(words, capture_output=True, check=True, env=environment)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, after.ru_maxrss
