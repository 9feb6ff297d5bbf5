"""CSV and TSV: a header with the names of the fields; several answers or captions are a JSON list in `answers`, `captions`."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from ...errors import Problem
from ...types import Example
from ..format import Format, Source
from ..rows import CAPTION_FIELDS, IMAGE_FIELDS, Pictures, examples

DELIMITERS = ",;\t|"
LISTS = ("answers", "label", "captions", "texts")
"""Columns that hold JSON; those of captions may hold one as plain text too."""


class Csv(Format):
    """Rows of text with a header."""

    name: ClassVar[str] = "csv"
    summary: ClassVar[str] = (
        "a text file whose first line names the columns, or a folder with train.csv, validation.csv"
    )

    def recognises(self, source: Source) -> bool:
        if source.path.is_dir():
            return bool(source.files("*.csv") or source.files("*.tsv"))
        header = source.head().split(b"\n", 1)[0].decode("utf-8-sig", "replace").lower()
        names = {name.strip(' "\r') for name in header.replace(_delimiter(header), "\n").split("\n")}
        return source.path.is_file() and (
            source.path.suffix in (".csv", ".tsv")
            or bool(names & set(IMAGE_FIELDS) and names & {"question", *CAPTION_FIELDS})
        )

    def read(self, source: Source) -> Iterator[tuple[str, Example | Problem]]:
        pictures = Pictures(source.folders)
        for split, file in source.files("*.csv") or source.files("*.tsv"):
            yield from examples(split, read_rows(file, file.name), pictures)


def read_rows(file: Path, name: str) -> Iterator[tuple[str, dict[str, Any] | Problem]]:
    """Each row with its place, `name` and the number of its last line: its fields by name, or what is wrong with it."""
    # What is not UTF-8 becomes surrogates, which are found row by row.
    with file.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
        delimiter = _delimiter(stream.readline())
        stream.seek(0)
        reader = csv.DictReader(stream, delimiter=delimiter, strict=True)
        try:
            reader.fieldnames = [field.strip().lower() for field in reader.fieldnames or ()]
            twice = [field for field, count in Counter(reader.fieldnames).items() if count > 1]
            if twice:
                where, hint = f"{name}:1", "several captions are a JSON list in one column, captions"
                yield where, Problem(where, f"two columns are called {twice[0]!r}", hint)
                return
            for row in reader:
                where = f"{name}:{reader.line_num}"
                yield where, _row(row, where)
        except csv.Error as error:
            where = f"{name}:{reader.line_num}"
            yield where, Problem(where, f"not CSV: {error}", "quote fields that hold quotes or line breaks")


def _row(row: dict[str | None, Any], where: str) -> dict[str, Any] | Problem:
    if None in row or None in row.values():
        count = (
            len(row) - 1 + len(row.get(None, ())) if None in row else sum(value is not None for value in row.values())
        )
        named = len(row) - (None in row)
        return Problem(where, f"{count} fields where the header names {named}", "quote fields that hold the delimiter")
    fields: dict[str, Any] = {str(name): value for name, value in row.items()}
    for name, value in fields.items():
        try:
            value.encode()
            if name in LISTS and value:
                fields[name] = value if name in CAPTION_FIELDS and not value.startswith("[") else json.loads(value)
        except UnicodeEncodeError:
            return Problem(where, f"the column {name!r} is not UTF-8", "save the file as UTF-8")
        except (ValueError, RecursionError):
            hint = f'several {name} are a JSON list: ["one", "another"]; a single one goes into the column {name[:-1]}'
            return Problem(where, f"the column {name!r} holds {value[:60]!r}, not JSON", hint)
    return {name: value for name, value in fields.items() if value != "" or name in CAPTION_FIELDS}


def _delimiter(header: str) -> str:
    return max(DELIMITERS, key=header.count)
