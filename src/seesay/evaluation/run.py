"""One evaluation from its settings to its report: read, check, answer, measure, write."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from .. import answering, data, models
from ..data.format import SPLIT_NAMES
from ..errors import DataError, ModelError
from ..metrics import normalizer
from ..models import Family
from ..settings import EvaluateCaptionSettings, EvaluateVqaSettings
from ..types import Example
from .baselines import Prior
from .caption_baselines import MOST_PICTURES, Baselines, CaptionPrior
from .captions import CaptionReport, measure_captions
from .measure import VqaReport, measure
from .pictures import Looking, by_content
from .report import write

T = TypeVar("T")


def evaluate_vqa(settings: EvaluateVqaSettings, progress: Callable[[int, int], None] | None = None) -> VqaReport:
    """Measure a model on a split; see `api.evaluate_vqa`."""
    dataset = _load(settings)
    data.check(dataset, vocabulary_size=0, normalizer=settings.normalizer).raise_for_problems()
    rows = [example for example in dataset.evaluation if example.answers]
    if not rows:
        raise DataError("no rows with answers to measure against", where=dataset.name)
    if 0 < settings.limit < len(rows):
        rows = random.Random(settings.seed).sample(rows, settings.limit)
    normalize = normalizer(settings.normalizer)
    family = models.load(settings)
    prior = _prior(_training_rows(dataset, settings), family, normalize)
    answers = _told(answering.answer(family, rows, batch_size=settings.batch_size), _counter(progress, len(rows)))
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


def evaluate_caption(
    settings: EvaluateCaptionSettings, progress: Callable[[int, int], None] | None = None
) -> CaptionReport:
    """Measure the captions a model writes on a split; see `api.evaluate_caption`."""
    dataset = _load(settings)
    rows = _captioned(dataset.evaluation)
    if not rows:
        hint = "captions stand in 'caption'; seesay evaluate vqa measures answers to questions"
        raise DataError("no rows with captions to measure against", where=dataset.name, hint=hint)
    # Pictures of other splits are opened only as far as the baselines need them.
    measured = dataclasses.replace(dataset, splits={"test": tuple(rows)})
    data.check(measured, vocabulary_size=0, normalizer="none").raise_for_problems()
    pictures = by_content(rows)
    chosen = draw(pictures, settings.limit, settings.seed)
    training = by_content(_captioned(_training_rows(dataset, settings)))
    family = models.load(settings)
    if not family.captions:
        hint = "seesay evaluate vqa measures its answers"
        raise ModelError("this model cannot describe pictures", where=family.checkpoint.name, hint=hint)
    tell = _counter(progress, 2 * len(chosen) + min(len(training), MOST_PICTURES))
    report = describe_and_measure(
        family,
        chosen,
        _caption_baselines(training, chosen, family, tell),
        out_of=len(pictures),
        seed=settings.seed,
        batch_size=settings.batch_size,
        tell=tell,
    )
    if settings.output is not None:
        write(report, settings.output)
    return report


def draw(pictures: Mapping[str, Example], limit: int, seed: int) -> dict[str, Example]:
    """`limit` of the pictures, drawn by the seed, or all of them where there are not more or it is 0."""
    digests = list(pictures)
    if 0 < limit < len(digests):
        digests = random.Random(seed).sample(digests, limit)
    return {digest: pictures[digest] for digest in digests}


def describe_and_measure(
    family: Family,
    pictures: Mapping[str, Example],
    baselines: Baselines | None,
    *,
    out_of: int,
    seed: int,
    batch_size: int,
    tell: Callable[[int], None] | None = None,
) -> CaptionReport:
    """Have pictures (by content, each with all its references) described as `seesay caption` does, and measure that.

    Args:
        baselines: of these pictures; None where there are none.
        out_of: how many pictures there are, where these were drawn by `seed`.
        tell: called with how many more pictures are described.
    """
    # Without the references: what is measured must not see them.
    asked = [Example(example.images, id=example.id, origin=example.origin) for example in pictures.values()]
    answers = list(_told(answering.answer(family, asked, batch_size=batch_size, risk=None), tell))
    return measure_captions(list(pictures.values()), answers, baselines=baselines, out_of=out_of, seed=seed)


def _load(settings: EvaluateVqaSettings | EvaluateCaptionSettings) -> data.Dataset:
    """The data to measure on. Of a file alone that is what training would hold out of it; of one that is called after a
    split (`test.jsonl`) all rows."""
    path = Path(settings.data).expanduser()
    if path.is_file() and SPLIT_NAMES.get(path.stem.lower(), "train") != "train":
        settings = dataclasses.replace(settings, validation_fraction=0.0)
    return data.load(settings)


def _captioned(rows: Iterable[Example]) -> list[Example]:
    return [row for row in rows if row.answers and not row.question]


def _training_rows(dataset: data.Dataset, settings: EvaluateVqaSettings | EvaluateCaptionSettings) -> Sequence[Example]:
    """The training rows of the data set, also where a split alone was asked for; none where they are what is measured."""
    if settings.split:
        if "train" in dataset.splits:
            return ()
        dataset = _load(dataclasses.replace(settings, split=""))
    train = dataset.splits.get("train", ())
    return () if train is dataset.evaluation else train


def _prior(train: Sequence[Example], family: Family, normalize: Callable[[str], str]) -> Prior | None:
    """The baselines, from the training rows of this data set, else as training saved them beside the model."""
    if train:
        return Prior.fit(train, normalize)
    saved = family.checkpoint.folder / Prior.file
    return Prior.from_json(saved.read_text(encoding="utf-8")) if saved.is_file() else None


def _caption_baselines(
    training: Mapping[str, Example], pictures: Mapping[str, Example], family: Family, tell: Callable[[int], None]
) -> Baselines | None:
    """From the training rows of this data set, else as training saved them beside the model."""
    saved = family.checkpoint.folder / CaptionPrior.file
    if training:
        looking = Looking()
        return CaptionPrior.fit(training, looking, tell).answer(pictures, looking, tell)
    if not saved.is_file():
        return None
    prior = CaptionPrior.from_json(saved.read_text(encoding="utf-8"), f"{family.checkpoint.name}/{saved.name}")
    return prior.answer(pictures, Looking(), tell)


def _counter(progress: Callable[[int, int], None] | None, total: int) -> Callable[[int], None]:
    """What is called with how many more are done, and tells `progress` how many of `total` are."""
    done = 0

    def tell(more: int) -> None:
        nonlocal done
        done += more
        if progress is not None:
            progress(done, total)

    return tell


def _told(items: Iterator[T], tell: Callable[[int], None] | None) -> Iterator[T]:
    for item in items:
        yield item
        if tell is not None:
            tell(1)
