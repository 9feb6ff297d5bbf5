"""VizWiz, and other JSON files that hold one list of rows: train.json, val.json, test.json, pictures in folders beside them.

Gurari et al., "VizWiz Grand Challenge: Answering Visual Questions from Blind People", CVPR 2018. Ten answers a question,
`answer_type` and `answerable`; a question that cannot be answered has mostly the answers "unanswerable".
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from ...errors import DataError, Problem
from ...types import Example
from ..format import Format, Source, read_json
from ..rows import Pictures, examples

FOLDERS = ("train", "val", "test", "images", "Images")


class VizWiz(Format):
    """A JSON list of rows."""

    name: ClassVar[str] = "vizwiz"
    summary: ClassVar[str] = "a JSON file with one list of rows, or a folder with train.json, val.json (VizWiz)"

    def recognises(self, source: Source) -> bool:
        return any(_starts_a_list(file) for _, file in source.files("*.json") if file.is_file())

    def read(self, source: Source) -> Iterator[tuple[str, Example | Problem]]:
        base = source.folders[-1]
        folders = [*source.folders, *(base / name for name in FOLDERS if (base / name).is_dir())]
        pictures = Pictures(folders)
        for split, file in source.files("*.json"):
            yield from examples(split, _rows(file), pictures)


def _rows(file: Path) -> Iterator[tuple[str, dict[str, Any] | Problem]]:
    try:
        rows = read_json(file)
    except DataError as error:
        yield error.where, Problem(error.where, error.message, "the file holds one list of objects")
        return
    for number, row in enumerate(rows, start=1):
        where = f"{file.name}:row {number}"
        fits = isinstance(row, dict)
        yield where, row if fits else Problem(where, f"holds {type(row).__name__}, not an object", "a row is an object")


def _starts_a_list(file: Path) -> bool:
    return Source(str(file)).head().removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"[")
