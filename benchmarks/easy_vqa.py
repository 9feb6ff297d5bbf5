"""easy-VQA from random weights, as a user runs it: train, then measure on the test split, which training never sees.

`seconds_training` is the wall time of the whole training command, data check, evaluations and checkpoints included.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SEEDS = (42, 1, 2)


def measure() -> dict[str, object]:
    runs = []
    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as folder:
            output = str(Path(folder) / "run")
            started = time.perf_counter()
            _seesay(
                "train", "vqa", "--data", "easy-vqa", "--from-scratch", "vilt-small", "--output", output, "--seed", seed
            )
            seconds = time.perf_counter() - started
            report = _seesay("evaluate", "vqa", "--data", "easy-vqa", "--model", output, "--split", "test")
        runs.append({"seed": seed, "seconds_training": round(seconds, 1), "test": report})
    return {"published_cnn_lstm": 0.876, "runs": runs}


def _seesay(*arguments: object) -> dict[str, object]:
    words = [sys.executable, "-m", "seesay", *map(str, arguments), "--json"]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, object] = json.loads(done.stdout)
    return result
