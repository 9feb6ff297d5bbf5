"""Parquet: columns named like the fields of a JSON Lines row; pictures as paths or as {bytes, path}. Needs pyarrow."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from ...errors import MissingExtra, Problem
from ...types import Example
from ..format import METADATA, SPLIT_NAMES, Format, Source
from ..rows import Pictures, examples

MAGIC = b"PAR1"


class Parquet(Format):
    """Columnar files, one or several a split (`train-00000-of-00002.parquet` as the Hub writes them)."""

    name: ClassVar[str] = "parquet"
    summary: ClassVar[str] = "a Parquet file, or a folder of them named after their splits"

    def recognises(self, source: Source) -> bool:
        return bool(parquet_files(source)) if source.path.is_dir() else source.head().startswith(MAGIC)

    def read(self, source: Source) -> Iterator[tuple[str, Example | Problem]]:
        pictures = Pictures(source.folders)
        for split, file in parquet_files(source) or [("train", source.path)]:
            yield from examples(split, read_rows(file, file.name), pictures)


def parquet_files(source: Source) -> list[tuple[str, Path]]:
    """The files of a folder with the split that each is of; none of a file."""
    if not source.path.is_dir():
        return []
    found = sorted([*source.path.glob("*.parquet"), *source.path.glob("data/*.parquet")])
    found = [file for file in found if file.is_file() and file.stem.lower() != METADATA]
    named = [(SPLIT_NAMES.get(file.stem.split("-")[0].lower(), ""), file) for file in found]
    return [pair for pair in named if pair[0]] or [("train", file) for file in found if len(found) == 1]


def read_rows(file: Path, name: str) -> Iterator[tuple[str, dict[str, Any] | Problem]]:
    """Each row with its place, `name` and its number; where the file is broken, one problem ends them.

    Raises:
        MissingExtra: pyarrow is not installed.
    """
    if find_spec("pyarrow") is None:
        raise MissingExtra("reading Parquet", "seesay[models]")
    import pyarrow
    import pyarrow.parquet

    number = 0
    try:
        with pyarrow.parquet.ParquetFile(file) as table:
            for batch in table.iter_batches(batch_size=1_000):
                for row in batch.to_pylist():
                    number += 1
                    yield f"{name}:{number}", row
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError):
        # Arrow's own words are about its insides, and may hold addresses.
        where = f"{name}:{number + 1}"
        yield where, Problem(where, "not readable as Parquet", "write or download the file again")
