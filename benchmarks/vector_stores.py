"""Where the vectors of an index could live: building, opening, asking, size and what is found, a process each.

    python -m benchmarks vector_stores                      # numpy and SQLite, and those of the others that are installed
    pip install usearch faiss-cpu sqlite-vec lancedb        # the others

Vectors of 512 numbers lie near a subspace of 48, in 500 groups of unequal size, as features of pictures do. A query wants the
1,000 nearest by inner product. `recall` is the share of the exact 1,000 that is found. Times of one thread.
"""

import importlib.util
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy

WIDTH, NEAREST, QUERIES, BLOCK = 512, 1000, 9, 8192
ROWS = (100_000, 1_000_000)
PATIENCE = 3000
"""Seconds after which a store is given up."""
Array = numpy.ndarray[Any, Any]
Ask = Callable[[Array], Array]


def vectors(rows: int) -> Iterator[Array]:
    """Blocks of (<= BLOCK, WIDTH) float16 of length 1."""
    base, middles, sizes = _shape()
    for start in range(0, rows, BLOCK):
        random = numpy.random.default_rng([1, start])
        count = min(BLOCK, rows - start)
        group = random.choice(len(middles), count, p=sizes)
        found = (middles[group] + 0.6 * random.standard_normal((count, 48))) @ base
        found += 0.05 * random.standard_normal((count, WIDTH))
        yield (found / numpy.linalg.norm(found, axis=1, keepdims=True)).astype(numpy.float16)


def queries() -> Array:
    base, middles, _ = _shape()
    found = (middles[:QUERIES] + 0.3 * numpy.random.default_rng(2).standard_normal((QUERIES, 48))) @ base
    return (found / numpy.linalg.norm(found, axis=1, keepdims=True)).astype(numpy.float32)


def _shape() -> tuple[Array, Array, Array]:
    random = numpy.random.default_rng(0)
    sizes = random.pareto(1.0, 500) + 0.1
    return random.standard_normal((48, WIDTH)) / 7, random.standard_normal((500, 48)), sizes / sizes.sum()


def best(scores: Array) -> Array:
    found = numpy.argpartition(-scores, NEAREST)[:NEAREST]
    return found[numpy.argsort(-scores[found], kind="stable")]


# Each store: build(folder, rows), then open(folder, rows) -> what answers a query with ids.


def numpy_build(folder: Path, rows: int) -> None:
    with (folder / "vectors").open("wb") as file:
        for block in vectors(rows):
            file.write(block.tobytes())


def numpy_open(folder: Path, rows: int) -> Ask:
    table = numpy.memmap(folder / "vectors", numpy.float16, "r", shape=(rows, WIDTH))

    def ask(query: Array) -> Array:
        return best(
            numpy.concatenate([table[s : s + BLOCK].astype(numpy.float32) @ query for s in range(0, rows, BLOCK)])
        )

    return ask


def sqlite_build(folder: Path, rows: int) -> None:
    import sqlite3

    with sqlite3.connect(folder / "index") as base:
        base.execute("PRAGMA journal_mode = WAL")
        base.execute("CREATE TABLE vector (id INTEGER PRIMARY KEY, value BLOB)")
        start = 0
        for block in vectors(rows):
            base.executemany(
                "INSERT INTO vector VALUES (?, ?)", ((start + i, row.tobytes()) for i, row in enumerate(block))
            )
            start += len(block)
            base.commit()
    base.close()


def sqlite_open(folder: Path, rows: int) -> Ask:
    import sqlite3

    base = sqlite3.connect(folder / "index")

    def ask(query: Array) -> Array:
        cursor, scores = base.execute("SELECT value FROM vector ORDER BY id"), []
        while group := cursor.fetchmany(BLOCK):
            block = numpy.frombuffer(b"".join(row[0] for row in group), numpy.float16).reshape(-1, WIDTH)
            scores.append(block.astype(numpy.float32) @ query)
        return best(numpy.concatenate(scores))

    return ask


def sqlite_kept_open(folder: Path, rows: int) -> Ask:
    """Read once, kept as float16 in memory."""
    import sqlite3

    cursor = sqlite3.connect(folder / "index").execute("SELECT value FROM vector ORDER BY id")
    table = numpy.empty((rows, WIDTH), numpy.float16)
    start = 0
    while group := cursor.fetchmany(BLOCK):
        table[start : start + len(group)] = numpy.frombuffer(b"".join(r[0] for r in group), numpy.float16).reshape(
            -1, WIDTH
        )
        start += len(group)

    def ask(query: Array) -> Array:
        return best(
            numpy.concatenate([table[s : s + BLOCK].astype(numpy.float32) @ query for s in range(0, rows, BLOCK)])
        )

    return ask


def sqlite_vec_build(folder: Path, rows: int) -> None:
    base = _sqlite_vec(folder)
    base.execute(f"CREATE VIRTUAL TABLE vector USING vec0(value float[{WIDTH}] distance_metric=cosine)")
    start = 0
    for block in vectors(rows):
        values = block.astype(numpy.float32)
        base.executemany(
            "INSERT INTO vector(rowid, value) VALUES (?, ?)",
            ((start + i, row.tobytes()) for i, row in enumerate(values)),
        )
        start += len(block)
        base.commit()
    base.close()


def sqlite_vec_open(folder: Path, rows: int) -> Ask:
    base = _sqlite_vec(folder)
    words = f"SELECT rowid FROM vector WHERE value MATCH ? AND k = {NEAREST} ORDER BY distance"
    return lambda query: numpy.array([row[0] for row in base.execute(words, (query.tobytes(),))])


def _sqlite_vec(folder: Path) -> Any:
    import sqlite3

    import sqlite_vec

    base = sqlite3.connect(folder / "index")
    base.execute("PRAGMA journal_mode = WAL")
    base.enable_load_extension(True)
    sqlite_vec.load(base)
    return base


def faiss_flat_build(folder: Path, rows: int) -> None:
    import faiss

    index = faiss.IndexScalarQuantizer(WIDTH, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    _faiss_fill(index, folder, rows)


def faiss_ivf_build(folder: Path, rows: int) -> None:
    import faiss

    lists = 1024
    index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(WIDTH), WIDTH, lists, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
    )
    sample = numpy.concatenate([block for _, block in zip(range(8), vectors(rows), strict=False)]).astype(numpy.float32)
    index.train(sample)
    _faiss_fill(index, folder, rows)


def _faiss_fill(index: Any, folder: Path, rows: int) -> None:
    import faiss

    if not index.is_trained:
        index.train(next(vectors(rows)).astype(numpy.float32))
    for block in vectors(rows):
        index.add(block.astype(numpy.float32))
    faiss.write_index(index, str(folder / "index"))


def faiss_open(folder: Path, rows: int) -> Ask:
    import faiss

    index = faiss.read_index(str(folder / "index"))
    if hasattr(index, "nprobe"):
        index.nprobe = 32
    return lambda query: index.search(query[None], NEAREST)[1][0]


def usearch_build(folder: Path, rows: int) -> None:
    from usearch.index import Index

    index = Index(ndim=WIDTH, metric="ip", dtype="f16")
    start = 0
    for block in vectors(rows):
        index.add(numpy.arange(start, start + len(block)), block, threads=1)
        start += len(block)
    index.save(str(folder / "index"))


def usearch_open(folder: Path, rows: int) -> Ask:
    from usearch.index import Index

    index = Index.restore(str(folder / "index"), view=True)
    return lambda query: index.search(query, NEAREST, threads=1).keys


def lancedb_build(folder: Path, rows: int) -> None:
    import lancedb
    import pyarrow

    kind = pyarrow.schema([("id", pyarrow.int64()), ("vector", pyarrow.list_(pyarrow.float16(), WIDTH))])
    table = lancedb.connect(str(folder)).create_table("index", schema=kind)
    start = 0
    for block in vectors(rows):
        values = pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(block.reshape(-1), pyarrow.float16()), WIDTH)
        table.add(pyarrow.table([numpy.arange(start, start + len(block)), values], schema=kind))
        start += len(block)


def lancedb_open(folder: Path, rows: int) -> Ask:
    import lancedb

    table = lancedb.connect(str(folder)).open_table("index")
    return lambda query: (
        table.search(query).distance_type("dot").limit(NEAREST).select(["id"]).to_arrow()["id"].to_numpy()
    )


STORES: dict[str, tuple[str, Any, Any]] = {
    "numpy memory map": ("numpy", numpy_build, numpy_open),
    "SQLite blobs, read for each query": ("sqlite3", sqlite_build, sqlite_open),
    "SQLite blobs, read once": ("sqlite3", sqlite_build, sqlite_kept_open),
    "sqlite-vec": ("sqlite_vec", sqlite_vec_build, sqlite_vec_open),
    "faiss flat, float16": ("faiss", faiss_flat_build, faiss_open),
    "faiss IVF 1024, 32 looked at": ("faiss", faiss_ivf_build, faiss_open),
    "usearch HNSW, float16": ("usearch", usearch_build, usearch_open),
    "LanceDB, no index": ("lancedb", lancedb_build, lancedb_open),
}


def measure() -> dict[str, object]:
    found: dict[str, object] = {}
    for rows in ROWS:
        with tempfile.TemporaryDirectory() as kept:
            for name, (module, _, _) in STORES.items():
                if importlib.util.find_spec(module) is not None:
                    found[f"{name}, {rows:,}"] = _in_a_process(name, rows, Path(kept))
    return found


def _in_a_process(name: str, rows: int, kept: Path) -> object:
    words = [sys.executable, __file__, name, str(rows), str(kept)]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS", "LANCE_CPU_THREADS"), "1")
    try:
        done = subprocess.run(words, env=os.environ | threads, capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return f"given up after {PATIENCE} s"
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr.splitlines()[-1]


def _one(name: str, rows: int, kept: Path) -> dict[str, object]:
    _, build, opened = STORES[name]
    exact = kept / f"exact-{rows}.npy"
    folder = Path(tempfile.mkdtemp(dir=kept))
    started = time.perf_counter()
    build(folder, rows)
    built = time.perf_counter() - started
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    started = time.perf_counter()
    ask = opened(folder, rows)
    ask(queries()[0])
    first = time.perf_counter() - started
    times, answers = [], []
    for query in queries():
        started = time.perf_counter()
        answers.append(set(numpy.asarray(ask(query)).tolist()))
        times.append(time.perf_counter() - started)
    if not exact.exists():
        truth = numpy_open(folder, rows) if name == "numpy memory map" else ask
        numpy.save(exact, numpy.array([truth(query) for query in queries()]))
    right = [set(row.tolist()) for row in numpy.load(exact)]
    shutil.rmtree(folder)
    return {
        "build_s": round(built, 1),
        "size_mb": round(size / 1e6),
        "open_and_first_query_ms": round(first * 1000, 1),
        "query_ms_median": round(statistics.median(times) * 1000, 1),
        "recall": round(statistics.mean(len(a & b) / NEAREST for a, b in zip(answers, right, strict=True)), 4),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


if __name__ == "__main__":
    print(json.dumps(_one(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))))
