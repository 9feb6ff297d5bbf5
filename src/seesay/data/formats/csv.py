"""CSV and TSV: a header with the names of the fields; `answers` is a JSON list where there are several."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from ...errors import Problem
from ...types import Example
from ..format import Format, Source
from ..rows import IMAGE_FIELDS, Pictures, parse

DELIMITERS = ",;\t|"


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
            source.path.suffix in (".csv", ".tsv") or ("question" in names and bool(names & set(IMAGE_FIELDS)))
        )

    def read(self, source: Source) -> Iterator[tuple[str, Example | Problem]]:
        pictures = Pictures(source.folders)
        for split, file in source.files("*.csv") or source.files("*.tsv"):
            for where, row in _rows(file):
                yield (
                    split,
                    row if isinstance(row, Problem) else parse(row, where, pictures, answers_needed=split != "test"),
                )


def _rows(file: Path) -> Iterator[tuple[str, dict[str, Any] | Problem]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            delimiter = _delimiter(stream.readline())
            stream.seek(0)
            reader = csv.DictReader(stream, delimiter=delimiter, strict=True)
            reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
            for row in reader:
                where = f"{file.name}:{reader.line_num}"
                yield where, _row(row, where)
    except UnicodeDecodeError:
        yield file.name, Problem(file.name, "not UTF-8 text", "save the file as UTF-8")
    except csv.Error as error:
        where = f"{file.name}:{reader.line_num}"
        yield where, Problem(where, f"not CSV: {error}", "quote fields that hold quotes or line breaks")


def _row(row: dict[str | None, Any], where: str) -> dict[str, Any] | Problem:
    if None in row or None in row.values():
        count = (
            len(row) - 1 + len(row.get(None, ())) if None in row else sum(value is not None for value in row.values())
        )
        named = len(row) - (None in row)
        return Problem(where, f"{count} fields where the header names {named}", "quote fields that hold the delimiter")
    fields: dict[str, Any] = {str(name): value for name, value in row.items() if value != ""}
    for name in ("answers", "label"):
        if name in fields:
            try:
                fields[name] = json.loads(fields[name])
            except (ValueError, RecursionError):
                hint = 'several answers are a JSON list: ["yes", "no"]; a single one goes into the column answer'
                return Problem(where, f"the column {name!r} holds {fields[name]!r}, not JSON", hint)
    return fields


def _delimiter(header: str) -> str:
    return max(DELIMITERS, key=header.count)
