"""What is to be looked at: a folder, or a manifest (.jsonl, .csv, .tsv, .txt), as pictures with the questions about them.

Everything is streamed: of a manifest of any length a few rows are in memory, of a folder the names in it. Nothing is opened
here but the manifest; a row that cannot be meant carries its error, so that it is reported as a row like the others.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from ..data.format import PICTURE_ENDINGS, Source
from ..data.formats import csv, jsonl
from ..data.rows import IMAGE_FIELDS, QUESTION_CHARACTERS
from ..errors import DataError, Problem, TextError, UsageError
from ..media import clean_text
from ..media.source import WEB_ADDRESS, is_data_url

MANIFESTS = (".jsonl", ".csv", ".tsv", ".txt")
MOST_TOGETHER = 256
"""Rows about one picture that follow each other are taken together, up to this many."""
CHUNK = 2**20


@dataclass(frozen=True, slots=True)
class Asked:
    """One row to be: what is asked about a picture."""

    question: str
    """Empty where the picture is described or read."""
    id: str = ""
    """The caller's; empty where the manifest gives none."""
    error: str = ""
    """Why it cannot be asked."""


@dataclass(frozen=True, slots=True)
class Item:
    """A picture and all that is asked about it."""

    source: str
    """A path that can be opened from here, or a data URL; empty where the row names none."""
    name: str
    """The path as the manifest has it, or within the folder; of a row without one, its place in the manifest."""
    asked: tuple[Asked, ...]


class Group(NamedTuple):
    """Items that are computed together. Groups depend on the input alone, so a row has the same neighbors in every run, and
    the last bits of its score with them."""

    items: tuple[Item, ...]


def read_questions(file: Path | None, given: Sequence[str]) -> tuple[str, ...]:
    """The questions in a text file, one a line, after those that were given; each once.

    Raises:
        UsageError: the file cannot be read.
        TextError: a question cannot be used.
    """
    lines = [(question, "--question") for question in given]
    if file is not None:
        try:
            text = file.read_text(encoding="utf-8-sig")
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise UsageError(f"cannot be read: {reason}", where=str(file)) from None
        lines += [(line, f"{file}:{number}") for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    return tuple(dict.fromkeys(clean_text(text, QUESTION_CHARACTERS, where=where) for text, where in lines))


def items(source: str, questions: Sequence[str], *, asks: bool) -> Iterator[Item]:
    """The pictures of a folder (with those below it, by name) or of a manifest (in its order).

    Args:
        questions: asked about every picture that brings none of its own.
        asks: whether questions are asked at all; those in a manifest are left out otherwise.

    Raises:
        UsageError: no such folder or manifest, or nothing is asked.
        DataError: the manifest cannot be read to its end.
    """
    path = _path(source)
    wanted = tuple(map(Asked, questions)) if asks else (Asked(""),)
    if not wanted and (path.is_dir() or path.suffix.lower() == ".txt"):
        raise UsageError("no question", hint='give -q "Is there a dog?", or --questions FILE with one a line')
    if path.is_dir():
        return (Item(os.path.join(source, name), _printable(name), wanted) for name in _pictures(path))  # noqa: PTH118
    return _together(_row(where, row, path.parent, wanted, asks) for where, row in _rows(path))


def count_rows(source: str, questions: int) -> int:
    """About how many rows `items` will give, for an estimate: manifests are counted by lines."""
    path = _path(source)
    if path.is_dir():
        return questions * sum(1 for _ in _pictures(path))
    with path.open("rb") as file:
        lines = sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(CHUNK), b""))
    # A manifest whose rows bring their own questions has one row a line.
    return lines * (questions if path.suffix.lower() == ".txt" else max(1, questions))


def grouped(stream: Iterable[Item], size: int) -> Iterator[Group]:
    """Consecutive items, at most `size` questions together; an item with more is a group of its own."""
    held: list[Item] = []
    count = 0
    for item in stream:
        if held and count + len(item.asked) > size:
            yield Group(tuple(held))
            held, count = [], 0
        held.append(item)
        count += len(item.asked)
    if held:
        yield Group(tuple(held))


def _path(source: str) -> Path:
    path = Path(source)
    if path.is_dir() or (path.is_file() and path.suffix.lower() in MANIFESTS):
        return path
    if path.is_file():
        raise UsageError("neither a folder nor a manifest", where=source, hint=f"manifests: {', '.join(MANIFESTS)}")
    raise UsageError("no such folder or manifest", where=source)


def _pictures(folder: Path) -> Iterator[str]:
    try:
        for below, names in Source(str(folder)).walk():
            for name in names:
                if os.path.splitext(name)[1].lower() in PICTURE_ENDINGS:  # noqa: PTH122
                    yield name if below == Path() else f"{below.as_posix()}/{name}"
    except OSError as error:
        raise UsageError(f"cannot be looked into: {error.strerror}", where=str(error.filename)) from None


def _rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any] | Problem]]:
    kind = path.suffix.lower()
    if kind == ".txt":
        return _listed(path)
    return jsonl.read_rows(path, path.name) if kind == ".jsonl" else csv.read_rows(path, path.name)


def _listed(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """One path a line, as `find` and `ls` write them."""
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="\n") as file:
        for number, line in enumerate(file, start=1):
            name = line.rstrip("\r\n")
            if name:
                yield f"{path.name}:{number}", {"image": name}


def _row(where: str, row: Mapping[str, Any] | Problem, folder: Path, wanted: tuple[Asked, ...], asks: bool) -> Item:
    if isinstance(row, Problem):
        if "a line of more than" in row.message:  # nothing behind it can be read
            raise DataError(row.message, where=row.where, hint=row.hint)
        return Item("", where, (Asked("", error=row.message),))
    name = next((row[field] for field in IMAGE_FIELDS if row.get(field) not in (None, "")), None)
    label = next((row[field] for field in ("id", "question_id") if row.get(field) not in (None, "")), "")
    asked = _asked(row.get("question"), wanted) if asks else wanted
    named = tuple(replace(one, id=_printable(str(label))) for one in asked) if label != "" else asked
    if not isinstance(name, str):
        found = "no 'image' field" if name is None else f"the picture is {type(name).__name__}, not one path"
        return Item("", where, tuple(replace(one, error=one.error or found) for one in named or (Asked(""),)))
    if is_data_url(name) or WEB_ADDRESS.match(name):
        return Item(name, "data URL" if is_data_url(name) else _printable(name), named)
    return Item(os.path.join(folder, name), _printable(name), named)  # noqa: PTH118


def _asked(question: Any, wanted: tuple[Asked, ...]) -> tuple[Asked, ...]:
    if question in (None, ""):
        return wanted or (Asked("", error="no 'question' field, and no question was given for all"),)
    if not isinstance(question, str):
        return (Asked("", error=f"the question is {type(question).__name__}, not text"),)
    try:
        return (Asked(clean_text(question, QUESTION_CHARACTERS, where="question")),)
    except TextError as error:
        return (Asked(_printable(question[:QUESTION_CHARACTERS]), error=error.message),)


def _together(stream: Iterable[Item]) -> Iterator[Item]:
    """Consecutive rows about one picture as one item, so that it is decoded and encoded once."""
    held: Item | None = None
    for item in stream:
        if held and item.source and item.source == held.source and len(held.asked) < MOST_TOGETHER:
            held = replace(held, asked=held.asked + item.asked)
            continue
        if held:
            yield held
        held = item
    if held:
        yield held


def _printable(text: str) -> str:
    """As UTF-8 can hold it: bytes of file names that are none, and lone surrogates, are written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode()
