"""Writes the corpus: pictures as JPEG, rows as JSONL that `seesay check` and `seesay train` read, objects with boxes beside.

    corpus/train.jsonl  validation.jsonl  test.jsonl  new.jsonl    {image, question, answer, question_type}, {image, caption}
    corpus/<split>.objects.jsonl                                   {image, objects: [{name, category, color, box}], background}
    corpus/pictures/<split>/<000>/<number>.jpg

| split      | style               | concepts                     |
|------------|---------------------|------------------------------|
| train      | noto, noto-v1, fluent, fluent-flat | nine tenths       |
| validation | fxemoji             | the same                     |
| test       | twemoji             | the same                     |
| new        | twemoji             | the tenth that was held out  |

A picture is a function of (seed, split, number): any part can be written again, by any number of processes.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from multiprocessing import Pool
from pathlib import Path
from typing import Any

import numpy

from . import concepts, questions, scenes, sprites, wordnet

SPLITS = {
    "train": ("noto", "noto-v1", "fluent", "fluent-flat"),
    "validation": ("fxemoji",),
    "test": ("twemoji",),
    "new": ("twemoji",),
}
CHUNK = 1000


@dataclass(frozen=True)
class Size:
    """How many pictures: views of each drawing, and composed scenes."""

    views: int
    scenes: int


FULL = {"train": Size(10, 40_000), "validation": Size(3, 2_500), "test": Size(3, 3_000), "new": Size(5, 600)}


@dataclass(frozen=True)
class Job:
    """Part of a split: pictures `start` to `stop`."""

    cache: Path
    folder: Path
    split: str
    size: Size
    start: int
    stop: int
    seed: int


def build(cache: Path, folder: Path, sizes: dict[str, Size], seed: int, processes: int) -> Iterator[tuple[int, int]]:
    """Write the pictures of all splits into `folder`, with what is true about them; yields (pictures done, in all)."""
    sprites.render_all(cache, concepts.load(cache), processes)
    jobs = []
    for split, size in sizes.items():
        total = size.scenes + size.views * len(_drawings(stock_of(cache, split)))
        for start in range(0, total, CHUNK):
            jobs.append(Job(cache, folder, split, size, start, min(total, start + CHUNK), seed))
    total, done = sum(job.stop - job.start for job in jobs), 0
    parts: dict[str, list[Path]] = {split: [] for split in sizes}
    with Pool(processes) as pool:
        for job, part in zip(jobs, pool.imap(_write_part, jobs), strict=True):
            parts[job.split].append(part)
            done += job.stop - job.start
            yield done, total
    for split, written in parts.items():
        with (folder / f"{split}.objects.jsonl").open("wb") as target:
            for part in written:
                target.write(part.read_bytes())
                part.unlink()


def ask(cache: Path, folder: Path, split: str, seed: int) -> int:
    """Write the rows of a split from what is true about its pictures; returns their number."""
    stock = stock_of(cache, split)
    count = 0
    with (folder / f"{split}.objects.jsonl").open() as lines, (folder / f"{split}.jsonl").open("w") as target:
        for number, line in enumerate(lines):
            fact = json.loads(line)
            truth = scenes.Truth(
                tuple(scenes.Thing(o["name"], o["category"], o["color"], tuple(o["box"])) for o in fact["objects"]),
                fact["background"],
            )
            random = numpy.random.default_rng([seed, zlib.crc32(split.encode()), 1, number])
            asked = questions.ask(truth, stock, random, 3 if fact["view"] else 5)
            rows = [
                {"image": fact["image"], "question": question, "answer": answer, "question_type": kind}
                for kind, question, answer in asked
            ]
            rows.append({"image": fact["image"], "caption": questions.caption(truth, random)})
            target.write("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
            count += len(rows)
    return count


def stock_of(cache: Path, split: str) -> scenes.Stock:
    """The drawings of a split."""
    known = concepts.load(cache)
    found: dict[str, list[Path]] = {}
    for name, concept in known.items():
        if concept.held_out != (split == "new"):
            continue
        paths = [cache / "sprites" / s / f"{icon}.png" for s in SPLITS[split] for icon in concept.art.get(s, [])]
        paths = [path for path in paths if path.is_file()]
        if paths:
            found[name] = paths
    kinds = wordnet.hierarchy(cache).kinds
    return scenes.Stock(known, found, {name: kinds(name) for name in known})


def _drawings(stock: scenes.Stock) -> list[tuple[str, Path]]:
    return [(name, path) for name in stock.names for path in stock.sprites[name]]


def _write_part(job: Job) -> Path:
    stock = stock_of(job.cache, job.split)
    drawings = _drawings(stock)
    views = job.size.views * len(drawings)
    part = job.folder / f"{job.split}.{job.start:06d}"
    job.folder.mkdir(parents=True, exist_ok=True)
    objects: list[dict[str, Any]] = []
    for number in range(job.start, job.stop):
        random = numpy.random.default_rng([job.seed, zlib.crc32(job.split.encode()), number])
        alone = number < views
        image, truth = (
            scenes.view(stock, *drawings[number % len(drawings)], random) if alone else scenes.scene(stock, random)
        )
        if not truth.things:
            continue
        name = f"pictures/{job.split}/{number // 1000:03d}/{number:06d}.jpg"
        (job.folder / name).parent.mkdir(parents=True, exist_ok=True)
        image.save(job.folder / name, quality=int(random.integers(75, 96)))
        things = [asdict(thing) for thing in truth.things]
        objects.append({"image": name, "objects": things, "background": truth.background, "view": alone})
    part.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in objects), encoding="utf-8")
    return part
