"""What a check found: figures a split, problems, and the same as tables, sentences and JSON. It counts nothing itself."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import PROBLEMS_LISTED, Problem
from ..types import Example
from .captions import LONGEST, CaptionReport
from .checked import Checked, Table, listed_problems

HISTOGRAM = 20
"""How many answers and types a table lists."""
CAPTION_SHOWN = 80
"""How many characters of a caption a table shows."""


@dataclass(frozen=True, slots=True)
class SplitReport:
    """What one split holds."""

    name: str
    rows: int
    pictures: int
    questions: int
    """Rows that ask something; the others describe their picture. The four fields below are about these rows alone."""
    annotators: tuple[int, int]
    """Fewest and most answers a row."""
    yes_no: float
    """Share of rows whose most frequent answer is yes or no."""
    coverage: float | None
    """Best accuracy that the vocabulary of the training rows allows here; None without answers or training rows."""
    question_types: Mapping[str, int]
    captions: CaptionReport | None
    """None where no row describes its picture."""


@dataclass(frozen=True, slots=True)
class CheckReport(Checked):
    """Everything found in a data set."""

    name: str
    format: str
    splits: tuple[SplitReport, ...]
    answers: tuple[tuple[str, int], ...]
    """The most frequent training answers to questions and how many rows have them."""
    distinct_answers: int
    vocabulary_size: int
    shared: tuple[tuple[tuple[str, str], ...], ...]
    """Pictures, by content, that stand in more than one split: for each the splits and its first row there."""
    problems: tuple[Problem, ...]
    sizes: Mapping[int, tuple[int, int]]
    """Width and height of each picture that opened, by `id` of its source; for `shape`."""

    def shape(self, example: Example) -> tuple[int, ...]:
        """The proportions of an example's pictures in steps of a twelfth of an octave; equal shapes pad nothing."""
        return tuple(round(12 * math.log2(w / h)) for w, h in (self.sizes[id(source)] for source in example.images))

    def tables(self) -> list[Table]:
        """The report as tables of text: title, header, rows. Tables that would say nothing about these rows are left out."""
        title = f"{self.name} ({self.format})"
        asked = [split for split in self.splits if split.questions]
        described = [(split, split.captions) for split in self.splits if split.captions is not None]
        tables: list[Table] = []
        if asked or not described:
            header = ["split", "rows", "pictures", "annotators", "yes/no", "vocabulary covers"]
            tables.append((title, header, [_question_cells(split) for split in asked or self.splits]))
        if described:
            header = ["split", "rows", "pictures", "captions", "a picture has", "words in one"]
            header += ["distinct words", "said more than once", "words that train says"]
            rows = [_caption_cells(split, captions) for split, captions in described]
            tables.append((f"captions of {title}" if asked else title, header, rows))
        return [*tables, *self._answer_tables(), *self._caption_tables()]

    def _answer_tables(self) -> list[Table]:
        tables: list[Table] = []
        if self.answers:
            total = sum(split.questions for split in self.splits if split.name == "train") or 1
            rows = [[answer, f"{count:,}", f"{count / total:.1%}"] for answer, count in self.answers]
            tables.append(("most frequent training answers", ["answer", "rows", "share"], rows))
        kinds = Counter[str]()
        for split in self.splits:
            kinds.update(split.question_types)
        if kinds:
            rows = [[name, f"{count:,}"] for name, count in kinds.most_common(HISTOGRAM)]
            tables.append(("question types", ["type", "rows"], rows))
        return tables

    def _caption_tables(self) -> list[Table]:
        train = next((split.captions for split in self.splits if split.name == "train"), None)
        tables: list[Table] = []
        if train is not None and train.frequent:
            rows = [[_short(text), f"{count:,}", f"{count / train.captions:.1%}"] for text, count in train.frequent]
            tables.append(("most frequent training captions", ["caption", "times", "share"], rows))
        longest = [entry for split in self.splits if split.captions is not None for entry in split.captions.longest]
        if longest:
            longest = sorted(longest, key=lambda entry: -entry[1])[:LONGEST]
            rows = [[_short(text), f"{words:,}", where] for text, words, where in longest]
            tables.append(("longest captions", ["caption", "words", "where"], rows))
        return tables

    def sentences(self) -> list[str]:
        """Vocabulary, leaks, and the problems, the fatal ones first."""
        said = []
        asked = sum(split.questions for split in self.splits)
        described = sum(split.rows for split in self.splits) - asked
        if asked and described:
            alone = "train vqa learns both, train caption takes captions alone"
            said.append(f"{asked:,} rows ask a question and {described:,} describe their picture: {alone}")
        if asked:
            said.append(f"vocabulary: {self.vocabulary_size:,} of {self.distinct_answers:,} distinct training answers")
        ordered = sorted(self.problems, key=lambda problem: not problem.fatal)
        said += listed_problems(ordered)
        if len(ordered) > PROBLEMS_LISTED:
            said.append(f"... and {len(ordered) - PROBLEMS_LISTED:,} more problems (--json lists all)")
        said.append(f"{len(self.fatal):,} errors: training would not start" if self.fatal else "ready to train")
        return said

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON values. What is about questions is null in a split that asks none, and so are its captions
        where it describes nothing."""
        return {
            "name": self.name,
            "format": self.format,
            "splits": {split.name: _split_dict(split) for split in self.splits},
            "answers": dict(self.answers),
            "distinct_answers": self.distinct_answers,
            "vocabulary_size": self.vocabulary_size,
            "shared_pictures": len(self.shared),
            "shared": [dict(places) for places in self.shared],
            "problems": [
                {"where": p.where, "message": p.message, "hint": p.hint, "fatal": p.fatal} for p in self.problems
            ],
        }


def _split_dict(split: SplitReport) -> dict[str, Any]:
    asked = split.questions > 0
    return {
        "rows": split.rows,
        "pictures": split.pictures,
        "questions": split.questions,
        "annotators": list(split.annotators) if asked else None,
        "yes_no": split.yes_no if asked else None,
        "coverage": split.coverage,
        "question_types": dict(split.question_types),
        "captions": None if split.captions is None else _caption_dict(split.captions),
    }


def _caption_dict(captions: CaptionReport) -> dict[str, Any]:
    return {
        "rows": captions.rows,
        "captions": captions.captions,
        "per_picture": dict(zip(("least", "median", "most"), captions.per_picture, strict=True)),
        "words": dict(zip(("least", "median", "most"), captions.words, strict=True)),
        "vocabulary": len(captions.vocabulary),
        "repeated": captions.repeated,
        "known": captions.known,
        "frequent": [{"caption": text, "times": times} for text, times in captions.frequent],
        "longest": [{"caption": text, "words": words, "where": where} for text, words, where in captions.longest],
    }


def _question_cells(split: SplitReport) -> list[str]:
    low, high = split.annotators
    people = f"{low}" if low == high else f"{low} to {high}"
    return [
        split.name,
        f"{split.questions:,}",
        f"{split.pictures:,}",
        people,
        f"{split.yes_no:.1%}",
        _share(split.coverage),
    ]


def _caption_cells(split: SplitReport, captions: CaptionReport) -> list[str]:
    return [
        split.name,
        f"{captions.rows:,}",
        f"{split.pictures:,}",
        f"{captions.captions:,}",
        _range(captions.per_picture),
        _range(captions.words),
        f"{len(captions.vocabulary):,}",
        f"{captions.repeated:.1%}",
        _share(captions.known),
    ]


def _range(values: tuple[int, int, int]) -> str:
    least, median, most = values
    return f"{least:,}" if least == most else f"{least:,} to {most:,}, median {median:,}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _short(caption: str) -> str:
    line = " ".join(caption.split())
    return line if len(line) <= CAPTION_SHOWN else f"{line[: CAPTION_SHOWN - 4]} ..."
