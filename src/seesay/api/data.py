"""Data sets, read and looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from .. import data, models, speech
from ..errors import UsageError
from ..metrics import normalizer
from ..settings import (
    CheckSettings,
    DataSettings,
    ModelSettings,
)
from ..types import (
    Preview,
)

if TYPE_CHECKING:
    from ..data import CheckReport, ConversationReport, ConversationSet, RecordingReport, RecordingSet


PREVIEWED = 3
"""Rows that `preview` shows."""


def load_data(settings: DataSettings) -> data.Dataset:
    """Read the rows of a data set into examples by split; `check` says what is wrong with them."""
    return data.load(settings)


def load_recordings(settings: DataSettings) -> RecordingSet:
    """Read recordings and what is said in them into rows by split; `check` says what is wrong with them."""
    return data.load_recordings(settings)


def load_conversations(settings: DataSettings) -> ConversationSet:
    """Read conversations about pictures into rows by split; `check` says what is wrong with them."""
    return data.load_conversations(settings)


def check(
    settings: CheckSettings, progress: Callable[[int, int], None] | None = None
) -> CheckReport | ConversationReport | RecordingReport:
    """Read a data set as training would and report what is in it and what is wrong with it. Of recordings (found by their
    rows) it also tells what the tokenizer of `settings.model` lacks, and draws `settings.plots`; of conversations, which of
    them that model cannot read whole."""
    if settings.data and data.holds_recordings(settings):
        return _check_recordings(settings, progress)
    if settings.plots is not None:
        raise UsageError("plots are drawn of recordings, and these rows name none", where="--plots")
    if settings.data and data.holds_conversations(settings):
        return _check_conversations(settings, progress)
    return data.check(
        data.load(settings, training=True),
        vocabulary_size=settings.vocabulary_size,
        normalizer=settings.normalizer,
        training=True,
        progress=progress,
    )


def _check_recordings(settings: CheckSettings, progress: Callable[[int, int], None] | None) -> RecordingReport:
    can_say = speech.alphabet_of(settings.model).__contains__ if settings.model else None
    found = data.load_recordings(settings, training=True)
    report = data.check_recordings(found, can_say=can_say, training=True, progress=progress)
    if settings.plots is not None:
        from ..evaluation.speech_page import recordings_page

        recordings_page(report, settings.plots)
    return report


def _check_conversations(settings: CheckSettings, progress: Callable[[int, int], None] | None) -> ConversationReport:
    found = data.load_conversations(settings, training=True)
    report = data.check_conversations(found, training=True, progress=progress)
    if not settings.model or report.fatal:
        return report
    lessons = models.lessons(ModelSettings(model=settings.model))
    lessons.require_true_prefixes()
    longer = (
        problem
        for rows in found.splits.values()
        for problem in data.too_long(rows, lambda row: lessons.too_long(row, list(map(report.size, row.images))))
    )
    return replace(report, problems=(*report.problems, *longer))


def preview(settings: CheckSettings) -> list[Preview] | None:
    """The first training rows as the tokens of the model in `settings`, each with whether it is learned; empty where that
    model is a classifier, whose tokens carry no loss; None of recordings. Loads the model (of conversations its processor
    alone), and opens no picture.

    Raises:
        ModelError, ModelNotFound: there is none of that name, or it cannot answer.
    """
    if data.holds_recordings(settings):
        return None
    if data.holds_conversations(settings):
        talks = data.load_conversations(settings, training=True).splits.get("train", ())[:PREVIEWED]
        lessons = models.lessons(ModelSettings(model=settings.model))
        return [Preview(row.origin, lessons.preview(row)) for row in talks]
    splits = data.load(settings, training=True).splits
    rows = [example for example in splits.get("train", ()) if example.answers][:PREVIEWED]
    tokens = models.preview(ModelSettings(model=settings.model), rows, normalizer(settings.normalizer))
    return [Preview(row.origin, shown) for row, shown in zip(rows, tokens, strict=False)]
