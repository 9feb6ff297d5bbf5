"""From one row of a file to an example, or to the problem that says what is wrong with it and what to do.

Rows of JSON Lines, CSV, Parquet and `datasets` have the same fields, so they are read in one place:

    image (or images, file_name, image_id)   a path inside the data's folder, or {"bytes": ..., "path": ...}
    question                                 up to 2,000 characters
    answer, or answers, or label             text; a list of text or of {"answer": text}; {"ids": [...], "weights": [...]}
    caption, captions or text                instead of question and answer: one or several descriptions of the picture
    id, question_id, question_type, answer_type   optional

Formats that hold captions in a way of their own make such rows of them.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import PROBLEMS_LISTED, Problem, TextError
from ..media import clean_text
from ..types import Example, ImageSource

QUESTION_CHARACTERS = 2_000
ANSWER_CHARACTERS = 500
CAPTION_CHARACTERS = 2_000
LABEL_CHARACTERS = 1_000
"""Most characters of an id or a type."""
CAPTION_FIELDS = ("caption", "captions", "text", "texts", "sentences", "comment")
# The name of a file before a number: sets made from COCO have both.
IMAGE_FIELDS = ("image", "images", "image_path", "image_name", "file_name", "file_names", "filename", "image_id")
SHOWN = 60
"""How many characters of a value a message shows."""


class BadRow(Exception):
    """What is wrong with a row; becomes a `Problem` with the row's place."""

    def __init__(self, message: str, hint: str = "") -> None:
        self.message, self.hint = message, hint
        super().__init__(message)


class Pictures:
    """Finds pictures, or what else rows name (`what`), by name inside a few folders. Each folder is listed once, not once a
    row."""

    def __init__(self, folders: Sequence[Path], what: str = "picture") -> None:
        self._what = what
        self._roots = [os.path.realpath(folder) for folder in folders]
        self._listings: dict[str, dict[str, bool] | None] = {}
        self._missed = 0

    def find(self, name: str) -> Path:
        """The path of the picture.

        Raises:
            BadRow: it is not there, lies outside the folders, or cannot be a path.
        """
        if not _is_path(name):
            raise BadRow(f"{shown(name)} cannot be the path of a {self._what}")
        for root in self._roots:
            path = os.path.normpath(os.path.join(root, name))
            folder, file = os.path.split(path)
            listing = self._list(folder)
            if listing is not None and file in listing:
                if listing[file] and not self._inside(os.path.realpath(path)):
                    raise BadRow(
                        f"the {self._what} {shown(name)} is a link to outside the data's folder", "copy it there"
                    )
                return Path(path)
        raise self._missing(name)

    def _list(self, folder: str) -> dict[str, bool] | None:
        """File name -> whether it is a link; None where the folder is not there or lies outside."""
        if folder not in self._listings:
            inside = self._inside(os.path.realpath(folder)) and os.path.isdir(folder)
            try:
                entries = list(os.scandir(folder)) if inside else []
            except OSError:
                entries = []
            self._listings[folder] = {entry.name: entry.is_symlink() for entry in entries} if inside else None
        return self._listings[folder]

    def _inside(self, path: str) -> bool:
        return any(path == root or path.startswith(root + os.sep) for root in self._roots)

    def _missing(self, name: str) -> BadRow:
        path = os.path.normpath(os.path.join(self._roots[0], name))
        if not any(self._inside(os.path.normpath(os.path.join(root, name))) for root in self._roots):
            return BadRow(
                f"the {self._what} {shown(name)} lies outside the data's folder",
                "paths are relative to the data's folder; name another folder with --images",
            )
        # Looking for a near name takes milliseconds, and nobody reads more of them than are listed.
        self._missed += 1
        listing = (self._list(os.path.dirname(path)) or {}) if self._missed <= PROBLEMS_LISTED else {}
        near = difflib.get_close_matches(os.path.basename(path), list(listing)[:5_000], n=1)
        hint = f"did you mean {_printable(near[0])}?" if near else "--images names another folder to look in"
        return BadRow(f"no {self._what} {shown(name)}", hint)


def examples(
    split: str, rows: Iterable[tuple[str, Mapping[str, Any] | Problem]], pictures: Pictures
) -> Iterator[tuple[str, Example | Problem]]:
    """The rows of one split, each with its place, as examples or problems. Only those of `test` may lack answers."""
    for where, row in rows:
        if isinstance(row, Problem):
            yield split, row
        else:
            yield split, parse(row, where, pictures, answers_needed=split != "test")


def described(
    image: Any, captions: Sequence[tuple[str, Any]], where: str, pictures: Pictures, *, needed: bool, name: object = ""
) -> Example | Problem:
    """A picture with all its captions, each with its place, as one example, or the first thing that is wrong with it.

    Args:
        needed: whether it must have a caption.
        name: the example's id.
    """
    texts = []
    for place, caption in captions:
        try:
            texts.append(_caption(caption, "the caption"))
        except BadRow as bad:
            return Problem(place, bad.message, bad.hint)
    if not texts and needed:
        return Problem(where, f"no caption for the picture {shown(image)}", "describe it, or take the picture out")
    return parse({"image": image, "captions": texts, "id": name}, where, pictures, answers_needed=needed)


def parse(row: Mapping[str, Any], where: str, pictures: Pictures, *, answers_needed: bool) -> Example | Problem:
    """One row as an example, or what is wrong with it."""
    try:
        captions = _captions(row, answers_needed)
        answers, weights = _answers(row) if captions is None else (captions, ())
        if not answers and answers_needed:
            wanted = "answer, answers or label; or caption, captions or text and no question"
            raise BadRow("no answer and no caption", _fields(row, wanted))
        return Example(
            images=_images(row, pictures),
            question=_question(row) if captions is None else "",
            answers=answers,
            weights=weights,
            id=_label(row, "id") or _label(row, "question_id"),
            question_type=_label(row, "question_type") if captions is None else "caption",
            answer_type=_label(row, "answer_type"),
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
        value = value.get("bytes") or value.get("path")
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise BadRow(f"the field {name!r} holds {shown(value)}, not the path of a picture", "name a file")
    return pictures.find(value)


def _is_path(text: str) -> bool:
    """Whether the system takes it for a path: no NUL, no surrogate that stands for nothing."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def _question(row: Mapping[str, Any]) -> str:
    value = row.get("question")
    if not isinstance(value, str):
        found = "no 'question' field" if value is None else f"the field 'question' holds {shown(value)}, not text"
        raise BadRow(found, _fields(row, "question"))
    return clean(value, QUESTION_CHARACTERS, "the field 'question'")


def _captions(row: Mapping[str, Any], needed: bool) -> tuple[str, ...] | None:
    """The descriptions of a row that has a field for them and no question; None for all other rows."""
    here = [field for field in CAPTION_FIELDS if field in row]
    if not here or row.get("question") not in (None, ""):
        return None
    name = next((field for field in here if row[field] not in (None, "", [])), None)
    if name is None:
        if any(row.get(field) is not None for field in ("answer", "answers", "label", "multiple_choice_answer")):
            return None
        if not needed:
            return ()
        raise BadRow(f"the field {here[0]!r} is empty", "describe the picture there, or take the row out")
    value = row[name]
    if isinstance(value, (list, tuple)):
        return tuple(_caption(item, f"the field {name!r}, entry {n}") for n, item in enumerate(value, start=1))
    return (_caption(value, f"the field {name!r}"),)


def _caption(value: Any, what: str) -> str:
    if isinstance(value, Mapping):
        # As Karpathy's splits of COCO and Flickr have it: the sentence, and beside it its words.
        value = value.get("raw", value)
    if not isinstance(value, str):
        raise BadRow(f"{what} holds {shown(value)}, not text", "a caption is text; several are a list of text")
    return clean(value, CAPTION_CHARACTERS, what)


def _answers(row: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[float, ...]]:
    label = row.get("label")
    if isinstance(label, Mapping):
        return _soft_label(label)
    if row.get("answers") is not None:
        value = row["answers"]
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise BadRow(f"the field 'answers' holds {shown(value)}, not a list", "for a single answer use 'answer'")
        answers = [item.get("answer") if isinstance(item, Mapping) else item for item in value]
        return tuple(_answer(answer) for answer in answers), ()
    value = row.get("answer", row.get("multiple_choice_answer"))
    return ((_answer(value),) if value not in (None, "") else ()), ()


def _soft_label(label: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[float, ...]]:
    ids, weights = label.get("ids") or [], label.get("weights") or []
    if not isinstance(ids, (list, tuple)) or not isinstance(weights, (list, tuple)):
        raise BadRow(f"'label' holds {shown(label)}", 'write it as {"ids": ["net", "bag"], "weights": [1.0, 0.3]}')
    if len(ids) != len(weights):
        raise BadRow(f"'label' has {len(ids)} ids and {len(weights)} weights", "give one weight for each answer")
    for weight in weights:
        if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 <= weight <= 1:
            raise BadRow(f"'label' has the weight {shown(weight)}", "weights are numbers from 0 to 1")
    return tuple(_answer(answer) for answer in ids), tuple(float(weight) for weight in weights)


def _answer(value: Any) -> str:
    if not isinstance(value, str):
        raise BadRow(f"the answer {shown(value)} is not text", f'write it as text: "{_printable(str(value))}"')
    return clean(value, ANSWER_CHARACTERS, "the answer")


def clean(text: str, characters: int, what: str) -> str:
    try:
        return clean_text(text, characters)
    except TextError as error:
        remedy = "shorten it" if text.strip() else "write it"
        raise BadRow(f"{what}: {error.message}", error.hint or f"{remedy}, or take the row out") from None


def _label(row: Mapping[str, Any], field: str) -> str:
    text = "" if row.get(field) is None else str(row[field]).strip()
    return clean(text, LABEL_CHARACTERS, f"the field {field!r}") if text else ""


def _fields(row: Mapping[str, Any], wanted: str) -> str:
    here = ", ".join(_printable(str(name)) for name in list(row)[:12]) or "none"
    return f"fields here: {here}; needed: {wanted}"


def shown(value: Any) -> str:
    """A value as a message shows it: its beginning, on one line."""
    return f"{len(value):,} bytes" if isinstance(value, bytes) else _printable(repr(value))


def _printable(text: str) -> str:
    text = text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
    return text if text.isprintable() else repr(text)[1:-1]
