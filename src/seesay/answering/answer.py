"""Answers to many examples, computed in batches. Batching never changes an answer, only how long it takes.

It knows nothing about architectures (`Family` prepares and predicts) and opens no picture itself.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from ..models import Batch, Family
from ..types import Answer, Candidate, Example, Provenance


def answer(family: Family, examples: Iterable[Example], *, top_k: int = 1, batch_size: int = 16) -> Iterator[Answer]:
    """One answer per example, in the order of the examples; the next batch is computed when it is asked for.

    Raises:
        ImageError, TextError: an example of the batch being computed cannot be used; earlier answers stand.
    """
    for group in _batches(examples, batch_size):
        started = time.perf_counter()
        batch = family.prepare(group)
        candidates = family.predict(batch, top_k)
        seconds = (time.perf_counter() - started) / len(group)
        yield from assemble(family, group, batch, candidates, seconds)


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
                dtype=family.placement.dtype,
                inputs=digests,
                seconds=seconds,
            ),
            id=example.id,
        )


def _batches(examples: Iterable[Example], size: int) -> Iterator[tuple[Example, ...]]:
    rows = iter(examples)
    while group := tuple(islice(rows, size)):
        yield group
