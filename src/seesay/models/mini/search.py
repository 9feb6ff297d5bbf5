"""Beam search over a decoder that is given as a function from ids to logits. Knows nothing of pictures or of what runs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy

Array = numpy.ndarray[Any, Any]
LONGEST = 40
"""Tokens of the longest answer."""


@dataclass(frozen=True, slots=True)
class Found:
    """An answer: its ids without the end, and the logarithm of its probability."""

    ids: tuple[int, ...]
    log_probability: float

    @property
    def per_token(self) -> float:
        """The mean over its tokens and the end; longer answers are not less likely for being longer."""
        return self.log_probability / (len(self.ids) + 1)


def beam_search(
    step: Callable[[Array], Array], prompt: list[int], end: int, beams: int, limit: int = LONGEST
) -> list[Found]:
    """The most likely answers after `prompt`, the likeliest first.

    Args:
        step: ids (B, T) -> logits (B, vocabulary) of the next token.
        end: the token that ends an answer.
        beams: how many are followed at once, and at most returned.
        limit: tokens of the longest answer; what has not ended by then is returned as it stands.
    """
    alive = [Found((), 0.0)]
    ended: list[Found] = []
    for _ in range(limit):
        ids = numpy.array([[*prompt, *found.ids] for found in alive], numpy.int64)
        chances = log_softmax(step(ids).astype(numpy.float64))
        grown = []
        for found, row in zip(alive, chances, strict=True):
            for token in numpy.argpartition(-row, min(beams, len(row) - 1))[: beams + 1].tolist():
                grown.append((found.log_probability + float(row[token]), found.ids, token))
        grown.sort(key=lambda item: -item[0])
        ended += [Found(ids_, chance) for chance, ids_, token in grown[: 2 * beams] if token == end]
        alive = [Found((*ids_, token), chance) for chance, ids_, token in grown if token != end][:beams]
        ended = sorted(ended, key=lambda found: -found.log_probability)[:beams]
        # Probabilities only fall: once enough have ended that beat all that live, nothing better comes.
        if len(ended) == beams and ended[-1].log_probability >= alive[0].log_probability:
            break
        if ended and alive[0].log_probability < ended[0].log_probability - 12:
            break
    else:
        ended += alive
    return sorted(ended, key=lambda found: -found.log_probability)[:beams]


def log_softmax(logits: Array) -> Array:
    """Logits (..., V) as logarithms of probabilities."""
    logits = logits - logits.max(axis=-1, keepdims=True)
    result: Array = logits - numpy.log(numpy.exp(logits).sum(axis=-1, keepdims=True))
    return result
