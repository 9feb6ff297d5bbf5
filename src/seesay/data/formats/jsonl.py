"""JSON Lines: one object a line, in a file or in a folder with train.jsonl, validation.jsonl, test.jsonl."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

from ...errors import DataError, Problem
from ...types import Example
from ..format import Format, Source, needs_answers
from ..rows import Pictures, parse, printable
from ..strict_json import NotJson, decode

LINE_BYTES = 1_000_000
BOM = b"\xef\xbb\xbf"


class JsonLines(Format):
    """One JSON object a line."""

    name: ClassVar[str] = "jsonl"
    summary: ClassVar[str] = "a file with one JSON object a line, or a folder with train.jsonl, validation.jsonl"

    def recognises(self, source: Source) -> bool:
        return any(_starts_with_a_row(file) for _, file in source.files(".jsonl"))

    def read(self, source: Source) -> Iterator[tuple[str, Example | Problem]]:
        pictures = Pictures(source.folders)
        for split, file in source.files(".jsonl"):
            for where, row in _lines(file.path):
                if isinstance(row, Problem):
                    yield split, row
                else:
                    yield split, parse(row, where, pictures, answers_needed=needs_answers(split))


def _starts_with_a_row(file: Source) -> bool:
    """Whether the first line is a whole object. A broken first line counts where the file is called .jsonl, so that the
    message can say what is wrong with it."""
    lines = (line.strip() for line in file.head.removeprefix(BOM).split(b"\n"))
    first = next(filter(None, lines), b"")
    if not first.startswith(b"{"):
        return False
    try:
        row = decode(first)
    except NotJson:
        return file.path.suffix.lower() == ".jsonl"
    # VQA v2's files are one object with all rows in a list, often on a single line.
    return isinstance(row, dict) and not any(isinstance(row.get(key), list) for key in ("questions", "annotations"))


def _lines(file: Path) -> Iterator[tuple[str, Mapping[str, object] | Problem]]:
    name = printable(file.name)
    try:
        with file.open("rb") as stream:
            number, inside_long_line = 0, False
            # A line is read in pieces of at most a megabyte, so that a file without line breaks is not read at once.
            while raw := stream.readline(LINE_BYTES):
                number += not inside_long_line
                long, inside_long_line = inside_long_line, not raw.endswith(b"\n") and len(raw) == LINE_BYTES
                where = f"{name}:{number}"
                if inside_long_line and not long:
                    yield where, Problem(where, f"a line of {LINE_BYTES:,} bytes or more", "write one row a line")
                elif not long and not inside_long_line and raw.strip():
                    yield where, _object(raw, where, first=number == 1)
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=name) from None


def _object(raw: bytes, where: str, *, first: bool) -> Mapping[str, object] | Problem:
    try:
        row = decode(raw.removeprefix(BOM) if first else raw)
    except NotJson as error:
        hint = 'a line is one object in UTF-8: {"image": ..., "question": ..., "answer": ...}'
        return Problem(where, error.message, hint)
    return row if isinstance(row, dict) else Problem(where, f"holds a {type(row).__name__}, not an object")
