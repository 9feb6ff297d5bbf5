"""What a picture costs, for plans (docs/scale.md): processor time of seesay-mini in one thread to decode it, to look at it and
answer one question, and for each further question; and bytes of a row, as JSON and as Parquet.

Processor time and not seconds, the least of several rounds: what other processes do makes it higher, never lower.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
from PIL import Image

from benchmarks.batch import photos
from seesay import api
from seesay.answering import answer
from seesay.media import open_image
from seesay.models import load
from seesay.settings import BatchAskSettings, ModelSettings
from seesay.types import Example

PICTURES, ROUNDS, ROWS_OF = 8, 7, 100
QUESTIONS = ("Is there a dog?", "What color is it?", "How many are there?", "What is this?", "Where is the cat?")


def web_size(folder: Path, count: int) -> None:
    """Pictures of 640 x 480 with grain, about 140 kB as JPEG."""
    rng = numpy.random.default_rng(0)
    for index in range(count):
        small = Image.fromarray(rng.integers(0, 255, (12, 16, 3), numpy.uint8)).resize(
            (640, 480), Image.Resampling.BICUBIC
        )
        noisy = numpy.asarray(small).astype(numpy.int16) + rng.normal(0, 9, (480, 640, 1)).astype(numpy.int16)
        Image.fromarray(numpy.clip(noisy, 0, 255).astype(numpy.uint8)).save(folder / f"{index}.jpg", quality=90)


def costs(paths: list[Path]) -> dict[str, Any]:
    """Milliseconds of one core a picture."""

    def asked(count: int) -> Callable[[], object]:
        # Another model every time: one remembers what it has seen. Pictures are opened before, as a batch does.
        family = load(ModelSettings(), threads=1)
        opened = [open_image(str(path), fits=family.fits) for path in paths]
        rows = [Example((picture,), question) for picture in opened for question in QUESTIONS[:count]]
        return lambda: list(answer(family, rows, batch_size=16))

    fits = load(ModelSettings(), threads=1).fits
    decode = _least(lambda: lambda: [open_image(str(path), fits=fits) for path in paths]) / len(paths)
    one = _least(lambda: asked(1)) / len(paths)
    five = _least(lambda: asked(len(QUESTIONS))) / len(paths)
    return {
        "kilobytes": round(sum(path.stat().st_size for path in paths) / len(paths) / 1e3),
        "decode": round(1e3 * decode, 1),
        "look_and_answer_one": round(1e3 * one, 1),
        "each_further_question": round(1e3 * (five - one) / (len(QUESTIONS) - 1), 2),
        "core_hours_a_million_one_question": round((decode + one) * 1e6 / 3600, 1),
        "core_hours_a_million_five_questions": round((decode + five) * 1e6 / 3600, 1),
    }


def _least(make: Callable[[], Callable[[], object]]) -> float:
    found = []
    for _ in range(ROUNDS):
        work = make()
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
    return min(found)


def rows(folder: Path) -> dict[str, Any]:
    lines, table = folder.parent / "rows.jsonl", folder.parent / "rows.parquet"
    count = api.batch(BatchAskSettings(output=lines), str(folder), QUESTIONS).rows
    api.batch(BatchAskSettings(output=table), str(folder), QUESTIONS)
    return {"rows": count, "json": round(lines.stat().st_size / count), "parquet": round(table.stat().st_size / count)}


def measure() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folders = {kind: Path(name) / kind for kind in ("640 x 480", "12 megapixels", "many")}
        for folder in folders.values():
            folder.mkdir()
        web_size(folders["640 x 480"], PICTURES)
        photos(folders["12 megapixels"], PICTURES)
        web_size(folders["many"], ROWS_OF)
        sizes = ("640 x 480", "12 megapixels")
        return {
            "milliseconds_of_a_core_a_picture": {size: costs(sorted(folders[size].iterdir())) for size in sizes},
            "bytes_a_row": rows(folders["many"]),
        }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
