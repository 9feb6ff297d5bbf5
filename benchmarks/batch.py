"""What a batch costs beside its model: use of the cores over pictures as cameras make them, memory over 100,000 rows, how quickly
rows that are there are skipped, and how much memory their keys take.

"busy" is user and system time over wall time and cores, and means something on a machine that does nothing else. That pictures are
decoded while others are computed is a test (tests/unit/batch/test_pipeline.py).
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy
from PIL import Image

from seesay import api
from seesay.settings import BatchAskSettings

PHOTOS, SIZE = 100, (4000, 3000)
QUESTIONS = ("Is there a dog?", "What color is it?")
ROWS, EACH = 100_000, 250


def photos(folder: Path, count: int = PHOTOS) -> None:
    """Pictures of 12 megapixels, of 3 to 4 MB as JPEG."""
    rng = numpy.random.default_rng(0)
    for index in range(count):
        small = Image.fromarray(rng.integers(0, 255, (150, 200, 3), numpy.uint8)).resize(SIZE, Image.Resampling.BICUBIC)
        grain = rng.normal(0, 6, (SIZE[1], SIZE[0], 1)).astype(numpy.int16)
        noisy = numpy.clip(numpy.asarray(small).astype(numpy.int16) + grain, 0, 255).astype(numpy.uint8)
        Image.fromarray(noisy).save(folder / f"{index}.jpg", quality=85)


def busy(folder: Path) -> dict[str, Any]:
    photos(folder)
    output = folder.parent / "busy.jsonl"
    count = len(list(folder.iterdir()))
    api.batch(BatchAskSettings(output=folder.parent / "warm.jsonl"), str(folder), QUESTIONS[:1])
    began, used = time.perf_counter(), time.process_time()
    summary = api.batch(BatchAskSettings(output=output), str(folder), QUESTIONS)
    wall, used = time.perf_counter() - began, time.process_time() - used
    cores = len(os.sched_getaffinity(0))
    return {
        "pictures": count,
        "megapixels": SIZE[0] * SIZE[1] / 1e6,
        "megabytes_each": round(sum(path.stat().st_size for path in folder.iterdir()) / count / 1e6, 2),
        "questions": len(QUESTIONS),
        "rows": summary.rows,
        "seconds": round(wall, 2),
        "processor_seconds": round(used, 2),
        "processor_milliseconds_a_picture": round(1e3 * used / count),
        "busy": round(used / wall / cores, 3),
    }


def memory(folder: Path) -> dict[str, Any]:
    """Small pictures, each with many questions that cost the model nothing, so that rows are what is measured."""
    rng = numpy.random.default_rng(1)
    for index in range(ROWS // EACH):
        values = rng.integers(0, 255, (6, 8, 3), numpy.uint8)
        Image.fromarray(values).resize((640, 480), Image.Resampling.BICUBIC).save(folder / f"{index}.jpg")
    asked = [f"Is there a frobnicator number {number}?" for number in range(EACH)]
    settings = BatchAskSettings(output=folder.parent / "rows.jsonl")
    sizes: dict[int, float] = {}

    def look(done: int, total: int) -> None:
        sizes[done] = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

    began = time.perf_counter()
    used = time.process_time()
    api.batch(settings, str(folder), asked, look)
    seconds, used = time.perf_counter() - began, time.process_time() - used
    again = time.process_time()
    api.batch(settings, str(folder), asked)
    skipped = time.process_time() - again
    marks = {
        share: sizes[min(sizes, key=lambda done: abs(done - share * ROWS))] for share in (0.1, 0.25, 0.5, 0.75, 1.0)
    }
    return {
        "rows": ROWS,
        "seconds": round(seconds, 1),
        "processor_microseconds_a_row": round(1e6 * used / ROWS),
        "megabytes_at_share_of_rows": {str(share): round(size, 1) for share, size in marks.items()},
        "bytes_a_row_from_a_tenth_to_the_end": round((marks[1.0] - marks[0.1]) * 1e6 / (0.9 * ROWS)),
        "processor_microseconds_a_row_to_skip_it": round(1e6 * skipped / ROWS),
        "bytes_of_output_a_row": round(settings.output.stat().st_size / ROWS),  # type: ignore[union-attr]
    }


PARTS = {"photos": busy, "many_rows": memory}


def measure(part: str = "") -> dict[str, Any]:
    found = {}
    for name, work in PARTS.items():
        if part in ("", name):
            with tempfile.TemporaryDirectory() as folder:
                pictures = Path(folder) / "pictures"
                pictures.mkdir()
                found[name] = work(pictures)
    return found
