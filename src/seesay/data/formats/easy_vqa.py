"""easy-VQA, from the PyPI package of that name: drawn shapes, 4,000 + 1,000 pictures, 48,248 questions, 13 answers.

github.com/vzhou842/easy-VQA, MIT. Its splits are train and test; validation pictures come out of train, never out of test.
The package is found without being imported.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

from ...errors import DataError, Problem
from ...types import Example
from ..format import Format, Source

SHAPES = ("circle", "rectangle", "triangle")


class EasyVqa(Format):
    """The installed package."""

    name: ClassVar[str] = "easy-vqa"
    summary: ClassVar[str] = "the word easy-vqa: the data set of the PyPI package, where it is installed"

    def recognises(self, source: Source) -> bool:
        return source.text == self.name

    def read(self, source: Source) -> Iterator[tuple[str, Example | Problem]]:
        spec = find_spec("easy_vqa")
        if spec is None or spec.origin is None:
            raise DataError("the package easy-vqa is not installed", where=source.text, hint="pip install easy-vqa")
        for split in ("train", "test"):
            folder = Path(spec.origin).parent / "data" / split
            rows = json.loads((folder / "questions.json").read_text(encoding="utf-8"))
            for number, (question, answer, image) in enumerate(rows, start=1):
                yield (
                    split,
                    Example(
                        images=(folder / "images" / f"{image}.png",),
                        question=question,
                        answers=(answer,),
                        id=f"{split}-{number}",
                        question_type=_kind(question, answer),
                        answer_type="yes/no" if answer in ("yes", "no") else "other",
                        origin=f"{split}/questions.json:{number}",
                    ),
                )


def _kind(question: str, answer: str) -> str:
    """What is asked for: a shape, a color, or whether one of them is (not) there."""
    if answer not in ("yes", "no"):
        return "which shape" if answer in SHAPES else "which color"
    asked = "shape" if any(shape in question for shape in SHAPES) else "color"
    negated = " not " in question or " no " in question
    return f"is it not this {asked}" if negated else f"is it this {asked}"
