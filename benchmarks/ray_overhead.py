"""What `--engine ray` costs beside the local engine on one machine: the same jobs by both, in turns.

Two jobs of different length tell what is constant (a cluster and workers that import Ray and the model) from what each row costs.
Ray starts a cluster of its own for every job, as `seesay batch --engine ray` does without an address. Rows are compared.
"""

from __future__ import annotations

import json
import logging
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy
from PIL import Image

from seesay import api, scale
from seesay.settings import BatchAskSettings

JOBS = (20, 1_000)
"""Pictures of 640 x 480; two questions each."""
QUESTIONS = ("Is there a dog?", "What color is it?")
ENGINES = {"local": api.batch, "ray": scale.batch}


def measure(jobs: tuple[int, int] = JOBS) -> dict[str, Any]:
    logging.getLogger("ray").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for count in jobs:
            (folder / str(count)).mkdir()
        for number in range(max(jobs)):
            pixels = numpy.random.default_rng(number).integers(0, 255, (6, 8, 3), numpy.uint8)
            picture = Image.fromarray(pixels).resize((640, 480), Image.Resampling.BICUBIC)
            for count in jobs:
                if number < count:
                    picture.save(folder / str(count) / f"{number:05d}.jpg", quality=90)
        # Once before, so that neither pays for what is loaded the first time.
        api.batch(BatchAskSettings(output=folder / "warm.jsonl"), str(folder / str(jobs[0])), QUESTIONS[:1])
        found: dict[str, Any] = {}
        for count in jobs:
            outputs = {engine: folder / f"{engine} {count}.jsonl" for engine in ENGINES}
            times = {engine: _seconds(engine, folder / str(count), output) for engine, output in outputs.items()}
            local, spread = (_answers(output) for output in outputs.values())
            found[f"{count * len(QUESTIONS):,} rows"] = {
                "seconds": {engine: round(seconds, 2) for engine, seconds in times.items()},
                "rows_a_second": {e: round(count * len(QUESTIONS) / seconds, 1) for e, seconds in times.items()},
                "same_answers": {key: text for key, (text, _) in local.items()}
                == {key: text for key, (text, _) in spread.items()},
                "largest_difference_of_a_score": round(max(abs(local[key][1] - spread[key][1]) for key in local), 7),
            }
            jobs_seconds = found.setdefault("_", {})
            jobs_seconds[count] = times
    return found | _split(found.pop("_"))


def _seconds(engine: str, folder: Path, output: Path) -> float:
    began = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ENGINES[engine](BatchAskSettings(output=output), str(folder), QUESTIONS)
    return time.perf_counter() - began


def _answers(output: Path) -> dict[tuple[str, str], tuple[str, float]]:
    rows = map(json.loads, output.read_text().splitlines())
    return {(row["picture"], row["question"]): (row["answer"], row["score"]) for row in rows}


def _split(times: dict[int, dict[str, float]]) -> dict[str, Any]:
    """Seconds = constant + rows * each, through the two jobs."""
    (few, short), (many, long) = sorted(times.items())
    rows = {engine: (long[engine] - short[engine]) / ((many - few) * len(QUESTIONS)) for engine in ENGINES}
    return {
        "milliseconds_a_row": {engine: round(1e3 * each, 2) for engine, each in rows.items()},
        "constant_seconds": {e: round(short[e] - rows[e] * few * len(QUESTIONS), 2) for e in ENGINES},
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
