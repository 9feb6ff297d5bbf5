"""One evaluation from its settings to its report: read, check, answer, measure, write."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from .. import answering, data, models
from ..errors import DataError
from ..metrics import normalizer
from ..models import Family
from ..settings import EvaluateVqaSettings
from ..types import Example
from .baselines import Prior
from .measure import Report, measure
from .report import write

T = TypeVar("T")


def evaluate_vqa(settings: EvaluateVqaSettings, progress: Callable[[int, int], None] | None = None) -> Report:
    """Measure a model on a split; see `api.evaluate_vqa`."""
    dataset = data.load(settings)
    data.check(dataset, vocabulary_size=0, normalizer=settings.normalizer).raise_for_problems()
    rows = _rows(dataset, settings)
    normalize = normalizer(settings.normalizer)
    family = models.load(settings)
    prior = _prior(dataset, family, normalize)
    answers = _counted(answering.answer(family, rows, batch_size=settings.batch_size), len(rows), progress)
    report = measure(
        rows,
        list(answers),
        prior=prior,
        normalize=normalize,
        vocabulary=family.vocabulary,
        variant=settings.accuracy,
    )
    if settings.output is not None:
        write(report, settings.output)
    return report


def _rows(dataset: data.Dataset, settings: EvaluateVqaSettings) -> Sequence[Example]:
    rows = [example for example in dataset.evaluation if example.answers]
    if not rows:
        raise DataError("no rows with answers to measure against", where=dataset.name)
    if 0 < settings.limit < len(rows):
        rows = random.Random(settings.seed).sample(rows, settings.limit)
    return rows


def _prior(dataset: data.Dataset, family: Family, normalize: Callable[[str], str]) -> Prior | None:
    """The baselines, from the training rows of this data set, else as training saved them beside the model."""
    train = dataset.splits.get("train", ())
    if train and train is not dataset.evaluation:
        return Prior.fit(train, normalize)
    saved = family.checkpoint.folder / "prior.json"
    return Prior.from_json(saved.read_text(encoding="utf-8")) if saved.is_file() else None


def _counted(items: Iterator[T], total: int, progress: Callable[[int, int], None] | None) -> Iterator[T]:
    for done, item in enumerate(items, start=1):
        yield item
        if progress is not None:
            progress(done, total)
