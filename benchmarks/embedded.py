"""The embedded model: a whole `seesay ask` process from nothing on one core, a question when warm, and what it weighs."""

import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

PICTURE = Path(__file__).parent.parent / "examples/pictures/cat.jpg"
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
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})  # one core, children included
    try:
        cold = [_run([sys.executable, "-m", "seesay", "ask", str(PICTURE), QUESTIONS[0]]) for _ in range(ROUNDS)]
        done = subprocess.run(
            [sys.executable, "-c", WARM, str(PICTURE), *QUESTIONS], capture_output=True, text=True, check=True
        )
    finally:
        os.sched_setaffinity(0, cores)
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


def _run(words: list[str]) -> tuple[float, float, int]:
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(words, capture_output=True, check=True)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, after.ru_maxrss
