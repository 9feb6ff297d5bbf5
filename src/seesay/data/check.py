"""Reading a data set as training would: every picture opened once, every count taken, every problem kept with its remedy.

Fatal problems are those with which training would fail or mean nothing; the others are warnings. No model, no torch.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from .. import metrics
from ..errors import PROBLEMS_LISTED, DataError, ImageError, Problem
from ..media import open_image
from ..metrics import soft_scores
from ..types import Example, ImageSource
from .dataset import Dataset
from .vocabulary import build_vocabulary, coverage

Table = tuple[str, list[str], list[list[str]]]
COVERAGE_WANTED = 0.9
HISTOGRAM = 20


@dataclass(frozen=True, slots=True)
class SplitReport:
    """What one split holds."""

    name: str
    rows: int
    pictures: int
    annotators: tuple[int, int]
    """Fewest and most answers a row."""
    yes_no: float
    """Share of rows whose most frequent answer is yes or no."""
    coverage: float | None
    """Best accuracy that the vocabulary of the training rows allows here; None without answers or training rows."""
    question_types: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class CheckReport:
    """Everything found in a data set."""

    name: str
    format: str
    splits: tuple[SplitReport, ...]
    answers: tuple[tuple[str, int], ...]
    """The most frequent training answers and how many rows have them."""
    distinct_answers: int
    vocabulary_size: int
    shared_pictures: int
    """Pictures, by content, that stand in training and in another split."""
    problems: tuple[Problem, ...]
    sizes: Mapping[int, tuple[int, int]]
    """Width and height of each picture that opened, by `id` of its source; for `shape`."""

    @property
    def fatal(self) -> tuple[Problem, ...]:
        """The problems that stop training."""
        return tuple(problem for problem in self.problems if problem.fatal)

    def raise_for_problems(self) -> None:
        """Raise DataError with all fatal problems, if there are any."""
        if self.fatal:
            count = len(self.fatal)
            raise DataError(
                f"{count:,} problem{'s' if count > 1 else ''} to mend", where=self.name, problems=self.fatal
            )

    def shape(self, example: Example) -> tuple[int, ...]:
        """The proportions of an example's pictures in steps of a twelfth of an octave; equal shapes pad nothing."""
        return tuple(round(12 * math.log2(w / h)) for w, h in (self.sizes[id(source)] for source in example.images))

    def tables(self) -> list[Table]:
        """The report as tables of text: title, header, rows."""
        header = ["split", "rows", "pictures", "annotators", "yes/no", "vocabulary covers"]
        tables: list[Table] = [(f"{self.name} ({self.format})", header, [_cells(split) for split in self.splits])]
        if self.answers:
            total = sum(split.rows for split in self.splits if split.name == "train") or 1
            rows = [[answer, f"{count:,}", f"{count / total:.1%}"] for answer, count in self.answers]
            tables.append(("most frequent training answers", ["answer", "rows", "share"], rows))
        kinds = Counter[str]()
        for split in self.splits:
            kinds.update(split.question_types)
        if kinds:
            rows = [[name, f"{count:,}"] for name, count in kinds.most_common(HISTOGRAM)]
            tables.append(("question types", ["type", "rows"], rows))
        return tables

    def sentences(self) -> list[str]:
        """Vocabulary, leaks, and the problems, the fatal ones first."""
        said = [f"vocabulary: {self.vocabulary_size:,} of {self.distinct_answers:,} distinct training answers"]
        ordered = sorted(self.problems, key=lambda problem: not problem.fatal)
        said += [f"{'error' if problem.fatal else 'warning'}: {problem}" for problem in ordered[:PROBLEMS_LISTED]]
        if len(ordered) > PROBLEMS_LISTED:
            said.append(f"... and {len(ordered) - PROBLEMS_LISTED:,} more problems (--json lists all)")
        said.append(f"{len(self.fatal):,} errors: training would not start" if self.fatal else "ready to train")
        return said

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON values."""
        return {
            "name": self.name,
            "format": self.format,
            "splits": {
                split.name: {
                    "rows": split.rows,
                    "pictures": split.pictures,
                    "annotators": list(split.annotators),
                    "yes_no": split.yes_no,
                    "coverage": split.coverage,
                    "question_types": dict(split.question_types),
                }
                for split in self.splits
            },
            "answers": dict(self.answers),
            "distinct_answers": self.distinct_answers,
            "vocabulary_size": self.vocabulary_size,
            "shared_pictures": self.shared_pictures,
            "problems": [
                {"where": p.where, "message": p.message, "hint": p.hint, "fatal": p.fatal} for p in self.problems
            ],
        }


def check(
    dataset: Dataset,
    *,
    vocabulary_size: int,
    normalizer: str,
    progress: Callable[[int, int], None] | None = None,
) -> CheckReport:
    """Open every picture, count everything, and collect all problems.

    Args:
        vocabulary_size: as in training; 0 keeps all answers.
        normalizer: how answers are made comparable (`settings.Normalizer`).
        progress: told how many distinct pictures of how many are open.
    """
    normalize = metrics.normalizer(normalizer)
    train = dataset.splits.get("train", ())
    vocabulary = build_vocabulary(train, vocabulary_size, normalize)
    distinct = len(build_vocabulary(train, 0, normalize))
    opened = _open_all(dataset, progress)
    splits = tuple(_split_report(name, rows, vocabulary, opened, normalize) for name, rows in dataset.splits.items())
    shared = _shared(dataset, opened)
    counts = Counter(_commonest(example, normalize) for example in train)
    return CheckReport(
        name=dataset.name,
        format=dataset.format,
        splits=splits,
        answers=tuple(counts.most_common(HISTOGRAM)),
        distinct_answers=distinct,
        vocabulary_size=len(vocabulary),
        shared_pictures=len(shared),
        problems=(
            *dataset.problems,
            *_broken(dataset, opened),
            *_whole_set(dataset, splits, distinct, len(shared), normalize),
        ),
        sizes={key: picture.size for key, picture in opened.items() if isinstance(picture, _Opened)},
    )


@dataclass(frozen=True, slots=True)
class _Opened:
    digest: str
    size: tuple[int, int]


def _open_all(dataset: Dataset, progress: Callable[[int, int], None] | None) -> dict[int, _Opened | ImageError]:
    """Every picture, by `id` of its source; rows of one picture share the work where they share the path."""
    by_name: dict[object, list[ImageSource]] = {}
    for rows in dataset.splits.values():
        for example in rows:
            for source in example.images:
                by_name.setdefault(source if isinstance(source, bytes) else str(source), []).append(source)
    results: dict[int, _Opened | ImageError] = {}
    # Decoding releases the interpreter's lock, so threads use all cores.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(_open, (sources[0] for sources in by_name.values()), chunksize=16)
        for done, (sources, outcome) in enumerate(zip(by_name.values(), found, strict=True), start=1):
            results.update({id(source): outcome for source in sources})
            if progress is not None:
                progress(done, len(by_name))
    return results


def _open(source: ImageSource) -> _Opened | ImageError:
    try:
        picture = open_image(source)
    except ImageError as error:
        return error
    return _Opened(picture.sha256, picture.pixels.size)


def _split_report(
    name: str,
    rows: Sequence[Example],
    vocabulary: Sequence[str],
    opened: Mapping[int, _Opened | ImageError],
    normalize: Callable[[str], str],
) -> SplitReport:
    answered = [example for example in rows if example.answers]
    annotators = [len(example.answers) for example in answered] or [0]
    closed = sum(_commonest(example, normalize) in ("yes", "no") for example in answered)
    pictures = {_content(source, opened) for example in rows for source in example.images}
    return SplitReport(
        name=name,
        rows=len(rows),
        pictures=len(pictures),
        annotators=(min(annotators), max(annotators)),
        yes_no=closed / len(answered) if answered else 0.0,
        coverage=coverage(vocabulary, answered, normalize) if answered and vocabulary else None,
        question_types=Counter(example.question_type for example in rows if example.question_type),
    )


def _content(source: ImageSource, opened: Mapping[int, _Opened | ImageError]) -> str:
    found = opened[id(source)]
    return found.digest if isinstance(found, _Opened) else str(id(source))


def _commonest(example: Example, normalize: Callable[[str], str]) -> str:
    scores = soft_scores(example.answers, example.weights, normalize=normalize)
    return max(scores, key=lambda answer: scores[answer], default="")


def _shared(dataset: Dataset, opened: Mapping[int, _Opened | ImageError]) -> set[str]:
    def contents(names: Sequence[str]) -> set[str]:
        rows = (example for name in names for example in dataset.splits.get(name, ()))
        return {_content(source, opened) for example in rows for source in example.images}

    return contents(["train"]) & contents([name for name in dataset.splits if name != "train"])


def _broken(dataset: Dataset, opened: Mapping[int, _Opened | ImageError]) -> Iterator[Problem]:
    """One problem a broken picture, at the first row that has it."""
    told: set[int] = set()
    for rows in dataset.splits.values():
        for example in rows:
            for source in example.images:
                error = opened[id(source)]
                if isinstance(error, ImageError) and id(error) not in told:
                    told.add(id(error))
                    name = os.path.basename(error.where) or "the picture"
                    yield Problem(
                        example.origin, f"{name}: {error.message}", error.hint or "replace it or take the row out"
                    )


def _whole_set(
    dataset: Dataset,
    splits: Sequence[SplitReport],
    distinct: int,
    shared: int,
    normalize: Callable[[str], str],
) -> Iterator[Problem]:
    if not any(dataset.splits.values()):
        yield Problem(dataset.name, "no rows that can be used")
    if "train" in dataset.splits and distinct < 2:
        yield Problem(dataset.name, f"{distinct} distinct training answers", "a classifier needs two at least")
    if shared:
        yield Problem(
            dataset.name,
            f"{shared:,} pictures stand in train and in another split",
            "scores on them tell what was memorised; take them out of train",
            fatal=False,
        )
    for split in splits:
        if split.name != "train" and split.coverage is not None and split.coverage < COVERAGE_WANTED:
            yield Problem(
                dataset.name,
                f"the vocabulary covers {split.coverage:.1%} of the {split.name} answers",
                "no model with it can score higher; a larger vocabulary or more training rows would",
                fatal=False,
            )
    for name, rows in dataset.splits.items():
        keys = Counter(
            (str(row.images[0]), row.question, row.answers) for row in rows if not isinstance(row.images[0], bytes)
        )
        repeated = sum(count - 1 for count in keys.values())
        if repeated:
            yield Problem(dataset.name, f"{repeated:,} rows of {name} stand there twice", "", fatal=False)


def _cells(split: SplitReport) -> list[str]:
    low, high = split.annotators
    covered = f"{split.coverage:.1%}" if split.coverage is not None else "-"
    people = f"{low}" if low == high else f"{low} to {high}"
    return [split.name, f"{split.rows:,}", f"{split.pictures:,}", people, f"{split.yes_no:.1%}", covered]
