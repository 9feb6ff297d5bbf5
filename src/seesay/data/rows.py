"""From one row of a file to an example, or to the problem that says what is wrong with it and what to do.

Rows of all formats have the same fields, so they are read in one place:

    image (or images, file_name, image_id)   a path inside the data's folder, or {"bytes": ..., "path": ...}
    question                                 up to 2,000 characters
    answer, or answers, or label             text; a list of text or of {"answer": text}; {"ids": [...], "weights": [...]}
    id, question_id, question_type, answer_type   optional

It opens no picture: whether the file is there is known from the listing of its folder.
"""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from ..errors import Problem, TextError
from ..media import clean_text
from ..types import Example, ImageSource

QUESTION_CHARACTERS = 2_000
ANSWER_CHARACTERS = 500
LABEL_CHARACTERS = 200
"""The most characters of an id or of a type of question or answer."""
IMAGE_FIELDS = ("image", "images", "image_path", "file_name", "filename", "image_id")
"""Where the picture stands; the first of them that a row has. `image_id` is last: often it is a number beside a name."""
FIELDS = (*IMAGE_FIELDS, "question", "answer", "answers", "label", "multiple_choice_answer")
FIELDS += ("id", "question_id", "question_type", "answer_type")
"""All fields that are read; others are ignored."""

VALUE_SHOWN = 80
NAMES_SHOWN = 12
FOLDER_COMPARED = 100
"""Up to this many names are compared by spelling. In larger folders a near name is only another picture."""


class BadRow(Exception):
    """What is wrong with a row; becomes a `Problem` with the row's place."""

    def __init__(self, message: str, hint: str = "", *, fatal: bool = True) -> None:
        self.message, self.hint, self.fatal = message, hint, fatal
        super().__init__(message)


class Pictures:
    """Finds pictures by name inside a few folders, which guards against rows that name other files of the machine.

    Each folder is listed once, not asked once a row. Links are followed, and must end inside the folders too.
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        self._roots = list(dict.fromkeys(os.path.realpath(folder) for folder in folders))
        self._listings: dict[str, dict[str, bool]] = {}
        self._stems: dict[str, dict[str, str]] = {}
        self._found: dict[str, Path | None] = {}

    def find(self, name: str) -> Path:
        """The path of the picture; equal names give the same object.

        Raises:
            BadRow: it is not there, is no regular file, or lies outside the folders.
        """
        path = self.locate(name)
        if path is None:
            raise self._missing(name)
        return path

    def locate(self, name: str) -> Path | None:
        """The path of the picture, or None where there is none of that name.

        Raises:
            BadRow: it is no regular file, or a link that leads out of the folders.
        """
        if name not in self._found:
            self._found[name] = self._search(name)
        return self._found[name]

    def _search(self, name: str) -> Path | None:
        if not _possible(name):
            return None
        for root in self._roots:
            path = os.path.normpath(os.path.join(root, name))
            folder, file = os.path.split(path)
            listing = self._list(folder)
            if file in listing:
                if not listing[file]:
                    self._check_entry(path, name)
                return Path(path)
        return None

    def _check_entry(self, path: str, name: str) -> None:
        if not self._inside(os.path.realpath(path)):
            raise BadRow(f"the picture {shown(name)} is a link to outside the data's folder", "copy the picture there")
        if not os.path.isfile(path):
            raise BadRow(f"{shown(name)} is not a regular file", "name one picture")

    def _list(self, folder: str) -> dict[str, bool]:
        """File name -> whether it is a regular file; nothing where the folder is not there or lies outside."""
        if folder not in self._listings:
            entries: dict[str, bool] = {}
            if self._inside(os.path.realpath(folder)):
                try:
                    with os.scandir(folder) as found:
                        entries = {entry.name: entry.is_file(follow_symlinks=False) for entry in found}
                except OSError:
                    entries = {}
            self._listings[folder] = entries
        return self._listings[folder]

    def _inside(self, path: str) -> bool:
        return any(path == root or path.startswith(root.rstrip(os.sep) + os.sep) for root in self._roots)

    def _missing(self, name: str) -> BadRow:
        if "://" in name[:10] or name[:5].lower() == "data:":
            return BadRow(
                f"the picture {shown(name)} is an address, not a path", "write the picture to a file and name its path"
            )
        if not _possible(name):
            return BadRow(f"{shown(name)} cannot be the path of a picture")
        folders = [os.path.dirname(os.path.normpath(os.path.join(root, name))) for root in self._roots]
        inside = [folder for folder in folders if self._inside(os.path.realpath(folder))]
        if not inside:
            return BadRow(
                f"the picture {shown(name)} lies outside the data's folder",
                "paths are relative to the data's folder; name another folder with --images",
            )
        near = next(filter(None, (self._near(os.path.basename(name), folder) for folder in inside)), "")
        return BadRow(
            f"no picture {shown(name)}", f"did you mean {near}?" if near else "--images names another folder to look in"
        )

    def _near(self, name: str, folder: str) -> str:
        """The file of that folder that was probably meant, by its stem whatever the letter case, or by its spelling."""
        listing = self._list(folder)
        if folder not in self._stems:
            self._stems[folder] = {_stem(candidate): candidate for candidate in listing}
        same = self._stems[folder].get(_stem(name))
        if same is None and len(listing) <= FOLDER_COMPARED:
            same = next(iter(difflib.get_close_matches(name, listing, n=1)), None)
        return printable(same) if same else ""


def parse(row: Mapping[str, object], where: str, pictures: Pictures, *, answers_needed: bool) -> Example | Problem:
    """One row as an example, or what is wrong with it. A `Path` among the values is a picture that was found already."""
    try:
        answers, weights = _answers(row)
        if not answers and answers_needed:
            raise BadRow("no answer", _fields(row, "answer, answers or label"))
        return Example(
            images=_images(row, pictures),
            question=_question(row),
            answers=answers,
            weights=weights,
            id=_label(row, "id") or _label(row, "question_id"),
            question_type=_label(row, "question_type"),
            answer_type=_label(row, "answer_type"),
            origin=where,
        )
    except BadRow as bad:
        return Problem(where, bad.message, bad.hint, bad.fatal)


def shown(value: object) -> str:
    """A value as messages show it: on one line, without control characters, its middle left out where it is long."""
    text = repr(value)
    return text if len(text) <= VALUE_SHOWN else f"{text[: VALUE_SHOWN // 2]}...{text[-VALUE_SHOWN // 2 :]}"


def printable(name: str) -> str:
    """The name of a file or field for messages: as it is where it can be printed, else with escapes."""
    return name if name.isprintable() and len(name) <= VALUE_SHOWN else shown(name)[1:-1]


def _possible(name: str) -> bool:
    """Whether the text can be a path at all: NUL and lone surrogates cannot, and half of JSON's escapes can make them."""
    return bool(name) and "\0" not in name and (name.isascii() or not any("\ud800" <= c <= "\udfff" for c in name))


def _stem(name: str) -> str:
    return os.path.splitext(name)[0].lower()


def _images(row: Mapping[str, object], pictures: Pictures) -> tuple[ImageSource, ...]:
    name = next((field for field in IMAGE_FIELDS if row.get(field) not in (None, "")), None)
    if name is None:
        raise BadRow("no 'image' field", _fields(row, "image"))
    value = row[name]
    values = value if isinstance(value, (list, tuple)) else [value]
    if not values:
        raise BadRow(f"the field {name!r} is empty", "name one picture")
    return tuple(_image(name, item, pictures) for item in values)


def _image(name: str, value: object, pictures: Pictures) -> ImageSource:
    if isinstance(value, Mapping):
        value = value.get("bytes") or value.get("path")
    if isinstance(value, (bytes, Path)) and value:
        return value
    if not isinstance(value, str):
        raise BadRow(f"the field {name!r} holds {shown(value)}, not the path of a picture")
    return pictures.find(value)


def _question(row: Mapping[str, object]) -> str:
    value = row.get("question")
    if value is None:
        raise BadRow("no 'question' field", _fields(row, "question"))
    return _clean(value, "question", QUESTION_CHARACTERS)


def _answers(row: Mapping[str, object]) -> tuple[tuple[str, ...], tuple[float, ...]]:
    label = row.get("label")
    if isinstance(label, Mapping):
        return _soft_label(label)
    value = row.get("answers")
    if value is not None:
        if not isinstance(value, (list, tuple)):
            raise BadRow(f"the field 'answers' holds {shown(value)}, not a list", "for a single answer use 'answer'")
        return tuple([_answer(item.get("answer") if isinstance(item, Mapping) else item) for item in value]), ()
    value = row.get("answer")
    if value is None:
        value = row.get("multiple_choice_answer")
    return ((_answer(value),) if value not in (None, "") else ()), ()


def _soft_label(label: Mapping[object, object]) -> tuple[tuple[str, ...], tuple[float, ...]]:
    ids, weights = label.get("ids"), label.get("weights")
    if not isinstance(ids, (list, tuple)) or not isinstance(weights, (list, tuple)):
        raise BadRow(f"'label' holds {shown(label)}", '"label" is {"ids": [answers], "weights": [numbers from 0 to 1]}')
    if len(ids) != len(weights):
        raise BadRow(f"'label' has {len(ids)} ids and {len(weights)} weights", "give one weight for each answer")
    if not ids:
        # Published soft labels keep frequent answers only, and rows without any of them are not the reader's mistake.
        raise BadRow("'label' is empty: the row is left out", "none of its answers was kept", fatal=False)
    return tuple(map(_answer, ids)), tuple(map(_weight, weights))


def _weight(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise BadRow(f"'label' has the weight {shown(value)}", "weights are numbers from 0 to 1")
    return float(value)


def _answer(value: object) -> str:
    return _clean(value, "answer", ANSWER_CHARACTERS)


def _label(row: Mapping[str, object], field: str) -> str:
    """An id or a type; numbers are taken as text."""
    value = row.get(field)
    if value is None or value == "":
        return ""
    return _clean(str(value) if type(value) is int else value, field, LABEL_CHARACTERS)


def _clean(value: object, field: str, limit: int) -> str:
    if not isinstance(value, str):
        hint = f"write it as text: {json.dumps(str(value).lower())}" if isinstance(value, (bool, int, float)) else ""
        raise BadRow(f"the {field} {shown(value)} is not text", hint)
    try:
        return _cleaned(value, limit)
    except TextError as error:
        raise BadRow(f"the field {field!r}: {error.message}", error.hint) from None


@lru_cache(maxsize=2**16)
def _cleaned(text: str, limit: int) -> str:
    """Answers and types repeat: equal ones become one object, which saves half the memory of a large data set."""
    return clean_text(text, limit)


def _fields(row: Mapping[str, object], wanted: str) -> str:
    names = [printable(str(name)) for name in row]
    here = ", ".join(names[:NAMES_SHOWN]) + (", ..." if len(names) > NAMES_SHOWN else "")
    return f"fields here: {here or 'none'}; needed: {wanted}"
