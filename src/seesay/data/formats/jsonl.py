"""JSON Lines: one object a line, in a file or in a folder with train.jsonl, validation.jsonl, test.jsonl."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from ...errors import Problem
from ...types import Example
from ..format import Format, Source
from ..rows import Pictures, examples

LINE_BYTES = 1_000_000
ROW = 'a line is one object: {"image": ..., "question": ..., "answer": ...} or {"image": ..., "caption": ...}'


class JsonLines(Format):
    """One JSON object a line."""

    name: ClassVar[str] = "jsonl"
    summary: ClassVar[str] = "a file with one JSON object a line, or a folder with train.jsonl, validation.jsonl"

    def recognises(self, source: Source) -> bool:
        if source.path.is_dir():
            return bool(source.files("*.jsonl"))
        first = next((line for line in source.head().removeprefix(b"\xef\xbb\xbf").splitlines() if line.strip()), b"")
        # A pretty-printed object starts with "{" alone; VQA v2 files hold one object with all rows on one line.
        is_object = first[:1] == b"{" and first.rstrip()[-1:] == b"}"
        return source.path.is_file() and (source.path.suffix == ".jsonl" or (is_object and _is_row(first)))

    def read(self, source: Source) -> Iterator[tuple[str, Example | Problem]]:
        pictures = Pictures(source.folders)
        for split, file in source.files("*.jsonl"):
            yield from examples(split, read_rows(file, file.name), pictures)


def _is_row(line: bytes) -> bool:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return False
    # Files of VQA v2, COCO and Karpathy may be one object on one line as well.
    images = row.get("images") if isinstance(row, dict) else None
    listed = isinstance(images, list) and any(isinstance(image, dict) for image in images)
    return isinstance(row, dict) and not listed and not {"questions", "annotations"} & row.keys()


def read_rows(
    file: Path, name: str, *, limit: int = LINE_BYTES, hint: str = ROW
) -> Iterator[tuple[str, dict[str, Any] | Problem]]:
    """Each line that is not empty with its place, `name` and its number: an object, or what is wrong with it.

    Args:
        limit: bytes of the longest line.
        hint: what a line should be.
    """
    with file.open("rb") as stream:
        for number, raw in enumerate(iter(lambda: stream.readline(limit + 1), b""), start=1):
            where = f"{name}:{number}"
            if len(raw) > limit:
                yield where, Problem(where, f"a line of more than {limit:,} bytes", "write one row a line")
                return
            if raw.strip():
                yield where, _object(raw, where, hint, first=number == 1)


def _object(raw: bytes, where: str, hint: str, *, first: bool) -> dict[str, Any] | Problem:
    try:
        row = json.loads(raw.decode("utf-8-sig" if first else "utf-8"))
    except UnicodeDecodeError as error:
        return Problem(where, f"byte {error.start + 1} is not UTF-8", "save the file as UTF-8")
    except (ValueError, RecursionError) as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deeply or a number too long"
        return Problem(where, f"not JSON: {reason}", hint)
    return row if isinstance(row, dict) else Problem(where, f"holds {type(row).__name__}, not an object", hint)
