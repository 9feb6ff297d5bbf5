"""Features of all pictures of the corpus under the frozen encoder, once, into one file a split.

<split>.features   float16 (pictures, 40,500): fine, coarse, pooled, logits, colors, flattened one after another
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from multiprocessing import Pool
from pathlib import Path
from typing import Any

import numpy
from PIL import Image

from seesay.models.mini.encoder import SHAPES, Encoder, prepare

WIDTH = sum(math.prod(shape) for shape in SHAPES.values())
CHUNK = 512


def compute(folder: Path, encoder: Path, splits: list[str], processes: int) -> Iterator[tuple[int, int]]:
    """Fill the files of `splits`; yields (pictures done, pictures in all)."""
    jobs = []
    for split in splits:
        images = pictures(folder, split)
        target = folder / f"{split}.features.partial"
        numpy.memmap(target, numpy.float16, "w+", shape=(len(images), WIDTH)).flush()
        for start in range(0, len(images), CHUNK):
            jobs.append((folder, encoder, target, len(images), start, images[start : start + CHUNK]))
    total, done = sum(len(job[5]) for job in jobs), 0
    with Pool(processes) as pool:
        for count in pool.imap_unordered(_compute, jobs):
            done += count
            yield done, total
    for split in splits:
        (folder / f"{split}.features.partial").rename(folder / f"{split}.features")


def pictures(folder: Path, split: str) -> list[str]:
    """The pictures of a split, in the order of its features."""
    with (folder / f"{split}.objects.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line)["image"] for line in lines]


def open_features(folder: Path, split: str) -> numpy.memmap[Any, Any]:
    """(pictures, WIDTH) float16."""
    return numpy.memmap(folder / f"{split}.features", numpy.float16, "r").reshape(-1, WIDTH)


def parts(rows: numpy.ndarray[Any, Any]) -> dict[str, numpy.ndarray[Any, Any]]:
    """(B, WIDTH) taken apart: each part by its name, in its shape, float16."""
    found, start = {}, 0
    for name, shape in SHAPES.items():
        size = math.prod(shape)
        found[name] = rows[:, start : start + size].reshape(len(rows), *shape)
        start += size
    return found


_encoder: Encoder | None = None


def _compute(job: tuple[Path, Path, Path, int, int, list[str]]) -> int:
    global _encoder
    folder, encoder, target, total, start, images = job
    _encoder = _encoder or Encoder(encoder, threads=1)
    out = numpy.memmap(target, numpy.float16, "r+", shape=(total, WIDTH))
    for first in range(0, len(images), 16):
        group = images[first : first + 16]
        pixels = numpy.stack([prepare(Image.open(folder / name).convert("RGB")) for name in group])
        rows = [numpy.asarray(part).reshape(len(group), -1) for part in _encoder(pixels)]
        out[start + first : start + first + len(group)] = numpy.concatenate(rows, axis=1)
    out.flush()
    return len(images)
