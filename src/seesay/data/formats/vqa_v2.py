"""The official VQA v2 files: one JSON of questions, one of annotations, and COCO's pictures in folders beside them.

Goyal et al., "Making the V in VQA Matter", CVPR 2017; visualqa.org. Ten annotators a question, kept in their order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from ...errors import DataError, Problem
from ...media import image_name
from ...types import Example
from ..format import SPLIT_NAMES, Format, Source, read_json
from ..rows import BadRow, Pictures, parse

KEY = re.compile(rb'"(questions|annotations)"\s*:\s*\[')


class VqaV2(Format):
    """Questions and annotations in a pair of files a split."""

    name: ClassVar[str] = "vqa-v2"
    summary: ClassVar[str] = "a folder with the official *questions.json and *annotations.json of VQA v2"

    def recognises(self, source: Source) -> bool:
        return bool(_files(source, b"questions"))

    def read(self, source: Source) -> Iterator[tuple[str, Example | Problem]]:
        pictures = Pictures([*source.folders, source.folders[-1] / "images"])
        annotations: dict[int | str, Mapping[str, Any]] = {}
        for file in _files(source, b"annotations"):
            for number, row in enumerate(_load(file, "annotations")["annotations"], start=1):
                if not _has(row, "question_id"):
                    where = f"{file.name}:annotation {number}"
                    raise DataError("no 'question_id'", where=where, hint="these files come from visualqa.org")
                annotations[row["question_id"]] = row
        for file in _files(source, b"questions"):
            content = _load(file, "questions")
            subset = str(content.get("data_subtype", ""))
            split = SPLIT_NAMES.get(subset, "train")
            for number, question in enumerate(content["questions"], start=1):
                where = f"{file.name}:question {number}"
                yield split, _row(question, annotations, subset, where, pictures, answers_needed=split != "test")


def _row(
    question: Any,
    annotations: Mapping[int | str, Mapping[str, Any]],
    subset: str,
    where: str,
    pictures: Pictures,
    *,
    answers_needed: bool,
) -> Example | Problem:
    if not (_has(question, "question_id") and _has(question, "image_id")):
        return Problem(where, "no 'question_id' or no 'image_id'", "these files come from visualqa.org")
    try:
        image = _picture(question["image_id"], subset, pictures)
    except BadRow as bad:
        return Problem(where, bad.message, bad.hint)
    row = {**annotations.get(question["question_id"], {}), **question, "image": str(image)}
    return parse(row, where, pictures, answers_needed=answers_needed)


def _has(row: Any, field: str) -> bool:
    return isinstance(row, dict) and isinstance(row.get(field), (int, str))


def _picture(image_id: Any, subset: str, pictures: Pictures) -> Path:
    number = f"{image_id:012d}" if isinstance(image_id, int) else str(image_id)
    name = f"COCO_{subset}_{number}.jpg"
    candidates = (f"{subset}/{name}", name, f"{subset}/{number}.jpg", f"{number}.jpg", f"{image_id}.png")
    for candidate in candidates[:-1]:
        try:
            return pictures.find(candidate)
        except BadRow:
            continue
    try:
        return pictures.find(candidates[-1])
    except BadRow:
        hint = f"looked for {image_name(candidates[0])}, also without its folder; --images names the folder of COCO's pictures"
        raise BadRow(f"no picture for image_id {image_name(str(image_id))}", hint) from None


def _files(source: Source, key: bytes) -> list[Path]:
    """The files whose list is called `key`; for a single questions file, its annotations beside it too."""
    folder = source.path if source.path.is_dir() else source.path.parent
    single = source.path.is_file()
    if single and not _holds(source.path, b"questions"):
        return []
    files = (
        [source.path] if single and key == b"questions" else sorted(folder.glob("*.json")) if folder.is_dir() else []
    )
    return [file for file in files if _holds(file, key)]


def _holds(file: Path, key: bytes) -> bool:
    found = KEY.search(Source(str(file)).head())
    return found is not None and found[1] == key


def _load(file: Path, key: str) -> dict[str, Any]:
    content = read_json(file)
    if not isinstance(content, dict) or not isinstance(content.get(key), list):
        raise DataError(f"no list called {key!r}", where=file.name, hint="these files come from visualqa.org")
    return content
