"""CSV and TSV: a header with the names of the fields. `answers` is a JSON list, or there are several columns `answer`."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, TextIO

from ...errors import DataError, Problem
from ...types import Example
from ..format import Format, Source, needs_answers
from ..rows import FIELDS, Pictures, parse, printable, shown
from ..strict_json import NotJson, decode

DELIMITERS = ",;\t|"
ENDINGS = (".csv", ".tsv")
JSON_COLUMNS = ("answers", "label", "images")
ANSWER_COLUMN = re.compile(r"answer(s?[ _.-]?\d+)?")
"""`answer` as often as one likes, or numbered: answer_1, answer 2, answer.3, as spreadsheets and pandas write them."""
COLUMNS_WANTED = 2
"""How many names of fields a header must have to be recognised whatever the file is called."""


class Csv(Format):
    """Rows of text with a header."""

    name: ClassVar[str] = "csv"
    summary: ClassVar[str] = "a text file whose first line names the columns, or a folder with train.csv, test.csv"

    def recognises(self, source: Source) -> bool:
        return any(_has_header(file) for _, file in source.files(*ENDINGS))

    def read(self, source: Source) -> Iterator[tuple[str, Example | Problem]]:
        pictures = Pictures(source.folders)
        for split, file in source.files(*ENDINGS):
            for where, row in _rows(file.path):
                if isinstance(row, Problem):
                    yield split, row
                else:
                    yield split, parse(row, where, pictures, answers_needed=needs_answers(split))


def _has_header(file: Source) -> bool:
    line = file.head.split(b"\n", 1)[0].split(b"\r", 1)[0]
    if not line.strip() or line.lstrip(b"\xef\xbb\xbf \t")[:1] in b"{[" or b"\0" in line:
        return False
    text = line.decode("utf-8-sig", "replace")
    names = {name.strip(' "').lower() for name in text.split(_delimiter(text))}
    # Where the columns have other names, the ending says that it is meant as a table, and the message which are needed.
    return len(names & set(FIELDS)) >= COLUMNS_WANTED or (len(names) > 1 and file.path.suffix.lower() in ENDINGS)


def _rows(file: Path) -> Iterator[tuple[str, Mapping[str, object] | Problem]]:
    name = printable(file.name)
    try:
        # Bytes that are not UTF-8 become lone surrogates, which no UTF-8 file can hold otherwise: found row by row.
        with file.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
            yield from _table(stream, name)
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=name) from None


def _table(stream: TextIO, name: str) -> Iterator[tuple[str, Mapping[str, object] | Problem]]:
    delimiter = _delimiter(stream.readline())
    stream.seek(0)
    reader = csv.reader(stream, delimiter=delimiter, strict=True)
    header: list[str] = []
    for where, cells in _records(reader, name):
        if isinstance(cells, Problem):
            yield where, cells
        elif not header:
            header = [cell.strip().lower() for cell in cells]
            twice = [column for column, count in Counter(header).items() if count > 1 and column in FIELDS]
            if set(twice) - {"answer"}:
                yield where, Problem(where, f"two columns are called {twice[0]!r}", "name each column once")
                return
        else:
            yield where, _fields(header, cells, where)


def _records(reader: Iterator[list[str]], name: str) -> Iterator[tuple[str, list[str] | Problem]]:
    """Each row that is not blank, with the line it starts on: quoted fields may go over several lines."""
    line = 0
    while True:
        where = f"{name}:{line + 1}"
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield where, Problem(where, f"not CSV: {error}", "quote fields that hold quotes or line breaks")
        else:
            if cells:
                yield where, cells
        line = _line(reader)


def _line(reader: object) -> int:
    """How many lines a reader of the `csv` module has read; the type that it has is not public."""
    number = getattr(reader, "line_num", 0)
    assert isinstance(number, int)
    return number


def _fields(header: Sequence[str], cells: Sequence[str], where: str) -> Mapping[str, object] | Problem:
    if len(cells) != len(header):
        found = f"{len(cells)} fields where the header names {len(header)}"
        return Problem(where, found, "quote fields that hold the delimiter")
    if any("\udc80" <= letter <= "\udcff" for cell in cells if not cell.isascii() for letter in cell):
        return Problem(where, "not UTF-8", "save the file as UTF-8")
    row: dict[str, object] = dict.fromkeys(header)
    answers = []
    for column, cell in zip(header, cells, strict=True):
        if cell and ANSWER_COLUMN.fullmatch(column):
            answers.append(cell)
        elif cell:
            row[column] = cell
    for column in JSON_COLUMNS:
        cell_value = row.get(column)
        if isinstance(cell_value, str) and (column != "images" or cell_value.startswith("[")):
            try:
                row[column] = decode(cell_value)
            except NotJson:
                hint = 'several answers are a JSON list: ["yes", "no"]; a single one goes into the column answer'
                return Problem(where, f"the column {column!r} holds {shown(cell_value)}, not JSON", hint)
    if answers and row.get("answers") is None:
        row["answers"] = answers
    return row


def _delimiter(header: str) -> str:
    return max(DELIMITERS, key=header.count)
