"""An index of a million pictures: what it takes to open it, to make a shortlist, to bring it up to date, and how much memory.

Rows are real in number and in what is read of all of them: vectors of 512 numbers (those of `vector_stores`), digests, paths. What
is kept of a picture for the model is short here, 64 bytes in place of 29,760, because a million of those are 34 GB; they are
read for candidates only, and that is measured over a smaller index (`python -m benchmarks retrieval`). In place of the model a
linear function of the vector judges, so that the shortlist is measured without it. Each part is a process of its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy

from seesay.models import Encoded
from seesay.search import Store
from seesay.search.shortlist import shortlist

ROWS, FEATURES, CANDIDATES, SHOWN = 1_000_000, 64, 5_000, 100


def build(path: Path, rows: int) -> dict[str, Any]:
    from benchmarks.vector_stores import vectors

    store = Store(path, create=True)
    store.set_about({"encoding": "measured", "model": "none", "revision": "", "family": "none"})
    started, done = time.perf_counter(), 0
    for block in vectors(rows):
        names = [f"{done + place:07d}" for place in range(len(block))]
        digests = [hashlib.sha256(name.encode()).hexdigest() for name in names]
        encoded = [Encoded(*one) for one in zip(digests, [bytes(FEATURES)] * len(block), block, strict=True)]
        folder = path.parent / "pictures"
        store.add(
            encoded, {f"{folder}/{n[:4]}/{n}.jpg": (str(folder), 1, 1, d) for n, d in zip(names, digests, strict=True)}
        )
        done += len(block)
    store.close()
    return {"rows": done, "seconds": round(time.perf_counter() - started, 1), "megabytes": path.stat().st_size // 10**6}


def find(path: Path, rows: int) -> dict[str, Any]:
    """The steps of `search.find` but the model's."""
    steps = Steps()
    store = Store(path)
    store.about, len(store)
    steps.end("open")
    pictures = store.pictures()
    steps.end("ids of all pictures")
    vectors = store.vectors()
    steps.end("vectors of all pictures")
    judge = numpy.random.default_rng(1).standard_normal(vectors.shape[1]).astype(numpy.float32)
    asked = []

    def ask(chosen: Any) -> Any:
        asked.extend(chosen.tolist())
        return vectors[chosen].astype(numpy.float32) @ judge

    shortlist(vectors, CANDIDATES, ask)
    steps.end("shortlist")
    truth = numpy.concatenate([vectors[s : s + 65_536].astype(numpy.float32) @ judge for s in range(0, rows, 65_536)])
    best = numpy.argpartition(-truth, 1_000)[:1_000]
    found = len(set(best.tolist()) & set(asked)) / 1_000
    steps.end("")
    for start in range(0, CANDIDATES, 64):
        store.encoded([pictures[row] for row in asked[start : start + 64]])
    steps.end("rows of the candidates")
    shown = [pictures[row] for row in asked[:SHOWN]]
    store.paths_of(shown), store.digests(shown)
    steps.end("paths of a hundred hits")
    store.close()
    return {**steps.found(), "of the best 1,000 by the judge among the candidates": round(found, 3)}


def update(path: Path, rows: int) -> dict[str, Any]:
    """The steps of `search.refresh` that look at all rows, where nothing has changed."""
    steps = Steps()
    store = Store(path, create=True)
    steps.end("open")
    assert len(store.files()) == rows
    steps.end("all files")
    store.drop([])
    steps.end("sweep")
    store.close()
    steps.end("close")
    return steps.found()


class Steps:
    """Seconds of each step, and the most memory up to its end."""

    def __init__(self) -> None:
        self._seconds: dict[str, Any] = {}
        self._memory: dict[str, int] = {"python and numpy": self._most()}
        self._began = time.perf_counter()

    def end(self, name: str) -> None:
        if name:
            self._seconds[name] = round(time.perf_counter() - self._began, 3)
            self._memory[name] = self._most()
        self._began = time.perf_counter()

    def found(self) -> dict[str, Any]:
        return {"seconds": self._seconds, "most_memory_mb": self._memory}

    @staticmethod
    def _most() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


PARTS = {"build": build, "find": find, "find again": find, "update": update}


def measure(rows: int = ROWS) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        words = [sys.executable, "-m", "benchmarks.index_rows", f"{name}/photos.seesay", str(rows)]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        found = {}
        for part in PARTS:
            done = subprocess.run([*words, part], env=environment, capture_output=True, text=True, check=True)
            found[part] = json.loads(done.stdout)
        return found


if __name__ == "__main__":
    print(json.dumps(PARTS[sys.argv[3]](Path(sys.argv[1]), int(sys.argv[2]))))
