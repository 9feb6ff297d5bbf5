"""Reading a data set as training would: every picture opened once, every count taken, every problem kept with its remedy.

Fatal problems are those with which training would fail or mean nothing; the others are warnings. No model, no torch.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from .. import metrics
from ..errors import Problem
from ..metrics import soft_scores
from ..types import Example
from .captions import CaptionReport, describe
from .dataset import Dataset
from .opened import OpenedPicture, Pictures, broken, content, open_pictures, shared
from .report import HISTOGRAM, CheckReport, SplitReport
from .vocabulary import build_vocabulary, coverage

COVERAGE_WANTED = 0.9
PLACES_NAMED = 3
"""How many rows a warning about many of them names."""


def check(
    dataset: Dataset,
    *,
    vocabulary_size: int,
    normalizer: str,
    training: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> CheckReport:
    """Open every picture, count everything, and collect all problems.

    Args:
        vocabulary_size: as in training; 0 keeps all answers.
        normalizer: how answers are made comparable (`settings.Normalizer`).
        training: the rows are to be trained on, so that rows to train on and to validate with must be there.
        progress: told how many distinct pictures of how many are open.
    """
    normalize = metrics.normalizer(normalizer)
    asked = [example for example in dataset.splits.get("train", ()) if example.question]
    vocabulary = build_vocabulary(asked, vocabulary_size, normalize)
    distinct = len(build_vocabulary(asked, 0, normalize))
    opened = open_pictures(dataset.splits, progress)
    splits = _split_reports(dataset, vocabulary, opened, normalize)
    in_several = shared(dataset.splits, opened)
    counts = Counter(_commonest(example, normalize) for example in asked)
    found = CheckReport(
        name=dataset.name,
        format=dataset.format,
        splits=splits,
        answers=tuple(counts.most_common(HISTOGRAM)),
        distinct_answers=distinct,
        vocabulary_size=len(vocabulary),
        shared=in_several,
        problems=(*dataset.problems, *broken(dataset.splits, opened)),
        sizes={key: picture.size for key, picture in opened.items() if isinstance(picture, OpenedPicture)},
    )
    further = (*_whole_set(found, training=training), *_repeated(dataset, opened))
    return dataclasses.replace(found, problems=(*found.problems, *further))


def _split_reports(
    dataset: Dataset,
    vocabulary: Sequence[str],
    opened: Pictures,
    normalize: Callable[[str], str],
) -> tuple[SplitReport, ...]:
    """Training first, because the other splits are told by its words; then validation, test and what else there is."""
    spoken: frozenset[str] | None = None
    reports = []
    for name in dict.fromkeys(("train", "validation", "test", *dataset.splits)):
        if name not in dataset.splits:
            continue
        rows = dataset.splits[name]
        captions = describe(rows, lambda row: content(row.images[0], opened), spoken)
        if name == "train" and captions is not None:
            spoken = captions.vocabulary
        asked = [example for example in rows if example.question]
        answered = [example for example in asked if example.answers]
        annotators = [len(example.answers) for example in answered] or [0]
        closed = sum(_commonest(example, normalize) in ("yes", "no") for example in answered)
        report = SplitReport(
            name=name,
            rows=len(rows),
            pictures=len({content(source, opened) for example in rows for source in example.images}),
            questions=len(asked),
            annotators=(min(annotators), max(annotators)),
            yes_no=closed / len(answered) if answered else 0.0,
            coverage=coverage(vocabulary, answered, normalize) if answered and vocabulary else None,
            question_types=Counter(example.question_type for example in asked if example.question_type),
            captions=captions,
        )
        reports.append(report)
    return tuple(reports)


def _commonest(example: Example, normalize: Callable[[str], str]) -> str:
    scores = soft_scores(example.answers, example.weights, normalize=normalize)
    return max(scores, key=lambda answer: scores[answer], default="")


def _whole_set(found: CheckReport, *, training: bool) -> Iterator[Problem]:
    """What is wrong with the rows taken together."""
    splits = {split.name: split for split in found.splits}
    if not any(split.rows for split in found.splits):
        yield Problem(found.name, "no rows that can be used", "see the formats in docs/data.md")
    elif training:
        for name in ("train", "validation"):
            if name not in splits:
                hint = (
                    "give more pictures, or raise --validation-fraction, which holds some of the training pictures out"
                )
                yield Problem(found.name, f"no {name} rows", hint)
    train = splits.get("train")
    if train is not None and train.questions and found.distinct_answers < 2:
        message = f"{found.distinct_answers} distinct training answers"
        yield Problem(found.name, message, "a classifier needs two at least")
    if found.shared:
        (_, one), (_, other), *_ = found.shared[0]
        message = f"{len(found.shared):,} pictures stand in more than one split, such as {other}, which shows what {one} shows"
        hint = "scores on them tell what was memorised; keep each picture in one split (--json lists them)"
        yield Problem(found.name, message, hint, fatal=False)
    for split in found.splits:
        if split.name != "train" and split.coverage is not None and split.coverage < COVERAGE_WANTED:
            message = f"the vocabulary covers {split.coverage:.1%} of the {split.name} answers"
            hint = "no model with it can score higher; a larger vocabulary or more training rows would"
            yield Problem(found.name, message, hint, fatal=False)
        if split.captions is not None:
            yield from _captions(found.name, split.name, split.captions)


def _captions(name: str, split: str, captions: CaptionReport) -> Iterator[Problem]:
    if captions.known is not None and captions.known < COVERAGE_WANTED:
        message = f"training captions say {captions.known:.1%} of the words in {split} captions"
        yield Problem(name, message, "what training never says can hardly be learned; add such captions", fatal=False)
    if captions.wordless:
        places = ", ".join(captions.wordless[:PLACES_NAMED])
        message = f"{len(captions.wordless):,} captions of {split} hold no word, such as {places}"
        yield Problem(name, message, "describe the pictures there", fatal=False)
    if (
        split == "train"
        and captions.captions > 1
        and captions.frequent
        and captions.frequent[0][1] == captions.captions
    ):
        yield Problem(
            name, "all training captions are the same", "nothing can be learned but to repeat it", fatal=False
        )


def _repeated(dataset: Dataset, opened: Pictures) -> Iterator[Problem]:
    """Rows of a split that show the same, ask the same and say the same."""
    for name, rows in dataset.splits.items():
        seen: dict[object, str] = {}
        again = []
        for row in rows:
            key = (tuple(content(source, opened) for source in row.images), row.question, row.answers)
            if key in seen:
                again.append(f"{row.origin} is {seen[key]}")
            else:
                seen[key] = row.origin
        if again:
            message = f"{len(again):,} rows of {name} stand there twice: {', '.join(again[:PLACES_NAMED])}"
            message += " ..." if len(again) > PLACES_NAMED else ""
            yield Problem(dataset.name, message, "take them out, unless they are to count twice", fatal=False)
