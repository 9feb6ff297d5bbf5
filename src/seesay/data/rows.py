"""From one row of a file to an example, or to the problem that says what is wrong with it and what to do.

Rows of JSON Lines, CSV, Parquet and `datasets` have the same fields, so they are read in one place:

    image (or images, image_id, file_name)   a path inside the data's folder, or {"bytes": ..., "path": ...}
    question                                 up to 2,000 characters
    answer, or answers, or label             text; a list of text or of {"answer": text}; {"ids": [...], "weights": [...]}
    caption, captions or text                instead of question and answer: one or several descriptions of the picture
    id, question_id, question_type, answer_type   optional
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import Problem, TextError
from ..media import clean_text
from ..types import Example, ImageSource

QUESTION_CHARACTERS = 2_000
ANSWER_CHARACTERS = 500
CAPTION_CHARACTERS = 2_000
CAPTION_FIELDS = ("caption", "captions", "text", "texts")
IMAGE_FIELDS = ("image", "images", "image_id", "image_path", "file_name", "filename")


class BadRow(Exception):
    """What is wrong with a row; becomes a `Problem` with the row's place."""

    def __init__(self, message: str, hint: str = "") -> None:
        self.message, self.hint = message, hint
        super().__init__(message)


class Pictures:
    """Finds pictures by name inside a few folders. Each folder is listed once, not once a row."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._roots = [os.path.realpath(folder) for folder in folders]
        self._listings: dict[str, dict[str, bool] | None] = {}

    def find(self, name: str) -> Path:
        """The path of the picture.

        Raises:
            BadRow: it is not there, or lies outside the folders.
        """
        for root in self._roots:
            path = os.path.normpath(os.path.join(root, name))
            folder, file = os.path.split(path)
            listing = self._list(folder)
            if listing is not None and file in listing:
                if listing[file] and not self._inside(os.path.realpath(path)):
                    raise BadRow(f"the picture {name!r} is a link to outside the data's folder", "copy it there")
                return Path(path)
        raise self._missing(name)

    def _list(self, folder: str) -> dict[str, bool] | None:
        """File name -> whether it is a link; None where the folder is not there or lies outside."""
        if folder not in self._listings:
            inside = self._inside(os.path.realpath(folder)) and os.path.isdir(folder)
            entries = list(os.scandir(folder)) if inside else []
            self._listings[folder] = {entry.name: entry.is_symlink() for entry in entries} if inside else None
        return self._listings[folder]

    def _inside(self, path: str) -> bool:
        return any(path == root or path.startswith(root + os.sep) for root in self._roots)

    def _missing(self, name: str) -> BadRow:
        path = os.path.normpath(os.path.join(self._roots[0], name))
        if not any(self._inside(os.path.normpath(os.path.join(root, name))) for root in self._roots):
            return BadRow(
                f"the picture {name!r} lies outside the data's folder",
                "paths are relative to the data's folder; name another folder with --images",
            )
        listing = self._list(os.path.dirname(path)) or {}
        near = difflib.get_close_matches(os.path.basename(path), list(listing)[:5_000], n=1)
        return BadRow(
            f"no picture {name!r}", f"did you mean {near[0]}?" if near else "--images names another folder to look in"
        )


def parse(row: Mapping[str, Any], where: str, pictures: Pictures, *, answers_needed: bool) -> Example | Problem:
    """One row as an example, or what is wrong with it."""
    try:
        captions = _captions(row)
        answers, weights = (captions, ()) if captions else _answers(row)
        if not answers and answers_needed:
            raise BadRow("no answer", _fields(row, "answer, answers or label"))
        return Example(
            images=_images(row, pictures),
            question="" if captions else _question(row),
            answers=answers,
            weights=weights,
            id=_text(row, "id") or _text(row, "question_id"),
            question_type="caption" if captions else _text(row, "question_type"),
            answer_type=_text(row, "answer_type"),
            origin=where,
        )
    except BadRow as bad:
        return Problem(where, bad.message, bad.hint)


def _images(row: Mapping[str, Any], pictures: Pictures) -> tuple[ImageSource, ...]:
    name = next((field for field in IMAGE_FIELDS if row.get(field) not in (None, "")), None)
    if name is None:
        raise BadRow("no 'image' field", _fields(row, "image"))
    value = row[name]
    values = list(value) if isinstance(value, (list, tuple)) else [value]
    if not values:
        raise BadRow(f"the field {name!r} is empty", "name one picture")
    return tuple(_image(name, item, pictures) for item in values)


def _image(name: str, value: Any, pictures: Pictures) -> ImageSource:
    if isinstance(value, Mapping):
        if value.get("bytes"):
            return bytes(value["bytes"])
        value = value.get("path")
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str) or "\0" in value:
        raise BadRow(f"the field {name!r} holds {value!r}, not the path of a picture")
    return pictures.find(value)


def _question(row: Mapping[str, Any]) -> str:
    value = row.get("question")
    if not isinstance(value, str):
        found = "no 'question' field" if value is None else f"the field 'question' holds {value!r}, not text"
        raise BadRow(found, _fields(row, "question"))
    try:
        return clean_text(value, QUESTION_CHARACTERS)
    except TextError as error:
        raise BadRow(f"the field 'question': {error.message}", error.hint) from None


def _captions(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The descriptions of a row that has some and no question; empty for all other rows."""
    name = next((field for field in CAPTION_FIELDS if row.get(field) not in (None, "", [])), None)
    if name is None or row.get("question") is not None:
        return ()
    values = [row[name]] if isinstance(row[name], str) else row[name]
    if not isinstance(values, Sequence):
        raise BadRow(f"the field {name!r} holds {values!r}, not text")
    return tuple(_answer(value, CAPTION_CHARACTERS, "caption") for value in values)


def _answers(row: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[float, ...]]:
    label = row.get("label")
    if isinstance(label, Mapping):
        return _soft_label(label)
    if row.get("answers") is not None:
        value = row["answers"]
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise BadRow(f"the field 'answers' holds {value!r}, not a list", "for a single answer use 'answer'")
        answers = [item.get("answer") if isinstance(item, Mapping) else item for item in value]
        return tuple(_answer(answer) for answer in answers), ()
    value = row.get("answer", row.get("multiple_choice_answer"))
    return ((_answer(value),) if value not in (None, "") else ()), ()


def _soft_label(label: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[float, ...]]:
    ids, weights = list(label.get("ids") or ()), list(label.get("weights") or ())
    if len(ids) != len(weights):
        raise BadRow(f"'label' has {len(ids)} ids and {len(weights)} weights", "give one weight for each answer")
    for weight in weights:
        if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 <= weight <= 1:
            raise BadRow(f"'label' has the weight {weight!r}", "weights are numbers from 0 to 1")
    return tuple(_answer(answer) for answer in ids), tuple(float(weight) for weight in weights)


def _answer(value: Any, characters: int = ANSWER_CHARACTERS, what: str = "answer") -> str:
    if not isinstance(value, str):
        raise BadRow(f"the {what} {value!r} is not text", f'write it as text: "{value}"')
    try:
        return clean_text(value, characters)
    except TextError as error:
        raise BadRow(f"the {what}: {error.message}", error.hint) from None


def _text(row: Mapping[str, Any], field: str) -> str:
    value = row.get(field)
    return "" if value is None else str(value)


def _fields(row: Mapping[str, Any], wanted: str) -> str:
    here = ", ".join(str(name) for name in list(row)[:12]) or "none"
    return f"fields here: {here}; needed: {wanted}"
