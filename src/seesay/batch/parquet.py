"""The rows of a finished job as one Parquet file, written beside it and renamed, so that it is whole or not there.

Rows come as lines of JSON and are converted in blocks. A file that is there is carried over block by block, so that a later run
can add to it. It knows no job; the columns of each verb are stated here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from ..errors import MissingExtra, ResourceError, RunError
from .rows import Verb

BLOCK = 10_000
"""Rows in a row group."""


def require() -> None:
    """Raises a MissingExtra where pyarrow is not installed: told before a day's work, not after."""
    from importlib.util import find_spec

    if find_spec("pyarrow") is None:
        raise MissingExtra("writing Parquet", "seesay[models]")


def keys(path: Path) -> Iterator[tuple[bytes, str]]:
    """Key and error of each row of a file that `write` wrote.

    Raises:
        RunError: it is no such file.
    """
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            for block in file.iter_batches(BLOCK, columns=["key", "error"]):
                for key, error in zip(block["key"].to_pylist(), block["error"].to_pylist(), strict=True):
                    yield bytes.fromhex(key), error or ""
    except (pyarrow.ArrowException, OSError, KeyError, ValueError):
        raise RunError("is not the output of a batch", where=str(path), hint="choose another --output") from None


def write(path: Path, verb: Verb, lines: Iterable[bytes], *, drop_failed: bool) -> None:
    """Make `path` hold what it holds, then the rows in `lines` whose keys it does not hold.

    Args:
        drop_failed: leave out rows with an error that it holds.

    Raises:
        ResourceError: the disk is full; the file is as it was before.
    """
    import pyarrow
    from pyarrow import parquet

    schema = _schema(verb)
    partial = path.with_name(f".{path.name}.partial")
    held: set[bytes] = set()
    try:
        with partial.open("wb") as file:
            with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
                if path.exists():
                    with parquet.ParquetFile(path) as before:
                        for block in before.iter_batches(BLOCK):
                            kept = block.filter(block["error"].is_null()) if drop_failed else block
                            held.update(map(bytes.fromhex, kept["key"].to_pylist()))
                            writer.write_batch(kept)
                fresh = (row for row in map(json.loads, lines) if bytes.fromhex(row["key"]) not in held)
                while rows := list(islice(fresh, BLOCK)):
                    writer.write_batch(pyarrow.RecordBatch.from_pylist(rows, schema))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        hint = "the rows are kept; make room and give the same command again"
        raise ResourceError(f"cannot be written: {error.strerror or error}", where=str(path), hint=hint) from None


def _schema(verb: Verb) -> Any:
    import pyarrow as pa

    text = pa.string()
    lines = pa.list_(
        pa.struct({"text": text, "confidence": pa.float64(), "box": pa.list_(pa.list_(pa.float64())), "where": text})
    )
    found: dict[Verb, dict[str, Any]] = {
        "ask": {
            "question": text,
            "answer": text,
            "score": pa.float64(),
            "certainty": text,
            "reason": text,
            "alternatives": pa.list_(pa.struct({"answer": text, "score": pa.float64()})),
            "lines": lines,
        },
        "caption": {"caption": text, "score": pa.float64(), "certainty": text},
        "read": {"text": text, "lines": lines},
    }
    head = {"key": text, "id": text, "picture": text}
    tail = dict.fromkeys(("error", "sha256", "model", "revision", "family", "engine", "dtype"), text)
    return pa.schema({**head, **found[verb], **tail})
