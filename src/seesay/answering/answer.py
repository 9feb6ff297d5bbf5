"""Answers to many examples, computed in batches. Batching never changes an answer, only how long it takes.

It knows nothing about architectures (`Family` prepares and predicts) and opens no picture itself.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from ..models import Batch, Family
from ..types import Answer, Candidate, Example, Note, Provenance

CERTAINTY = ((0.95, "almost certain"), (0.85, "quite sure"), (0.7, "fairly sure"), (0.5, "unsure"), (0.0, "guessing"))
"""From which score on to use which words."""


def answer(
    family: Family,
    examples: Iterable[Example],
    *,
    top_k: int = 1,
    batch_size: int = 16,
    risk: float | None = 1.0,
    choices: Sequence[str] = (),
) -> Iterator[Answer]:
    """One answer per example, in the order of the examples; the next batch is computed when it is asked for.

    Args:
        risk: withhold answers so that at most this share of those given is wrong; None takes the family's default, and 1
            withholds nothing.
        choices: answer with one of these, whatever the risk; scores then say how likely it is among them.

    Raises:
        ImageError, TextError: an example of the batch being computed cannot be used; earlier answers stand.
    """
    threshold = family.threshold(risk)
    for group in _batches(examples, batch_size):
        started = time.perf_counter()
        batch = family.prepare(group)
        candidates = family.choose(batch, choices) if choices else family.predict(batch, top_k)
        seconds = (time.perf_counter() - started) / len(group)
        answers = assemble(family, group, batch, candidates, seconds)
        if choices:
            yield from (replace(given, certainty="") for given in answers)
            continue
        for example, given in zip(group, answers, strict=True):
            yield given if risk == 1.0 else _withheld(family, given, threshold, example.question)


def assemble(
    family: Family,
    examples: Sequence[Example],
    batch: Batch,
    candidates: Sequence[tuple[Candidate, ...]],
    seconds: float,
) -> Iterator[Answer]:
    """Candidates of one batch as answers, `seconds` being what each of them took."""
    for example, digests, alternatives in zip(examples, batch.digests, candidates, strict=True):
        yield Answer(
            text=alternatives[0].text,
            score=alternatives[0].score,
            alternatives=alternatives,
            provenance=Provenance(
                model=family.checkpoint.name,
                revision=family.checkpoint.revision,
                family=family.name,
                engine=family.engine,
                device=family.placement.device,
                dtype=family.placement.numbers,
                inputs=digests,
                seconds=seconds,
            ),
            id=example.id,
            certainty=in_words(alternatives[0].score) if family.calibrated else "",
        )


def _withheld(family: Family, given: Answer, threshold: float, question: str) -> Answer:
    """The answer without its text, where it is better not to give one. Captions are always given."""
    if family.unknown and given.text == family.unknown:
        return replace(given, text=None, reason=family.why_unknown(question))
    if given.score < threshold and not family.asks_for_caption(question):
        return replace(given, text=None, reason=Note("an answer would too likely be wrong", "too_likely_wrong"))
    return given


def in_words(score: float) -> str:
    """How sure a calibrated score (0 to 1) is, in words."""
    return next(words for low, words in CERTAINTY if score >= low)


def _batches(examples: Iterable[Example], size: int) -> Iterator[tuple[Example, ...]]:
    rows = iter(examples)
    while group := tuple(islice(rows, size)):
        yield group
