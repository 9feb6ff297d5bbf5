"""The likeliest answers of a decoder that is given as a function from ids to logits: by beam search, or without any search
where one answer is surely the likeliest. Knows nothing of pictures or of what runs it."""

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


def sure_answers(step: Callable[[Array, Array], Array], prompts: Array, end: int) -> list[Found | None]:
    """For each row the answer of one token that is certainly the likeliest of all; None where a search must tell.

    No search is needed for it: an answer that begins with another token is at most as likely as that token, and one that
    goes on behind the same token at most as likely as going on at all. So the best is the one `beam_search` finds.
    The first row's answer is read along with every prompt, and where it is a row's own, one pass says both how likely the
    token is and how likely the end behind it.

    Args:
        step: rows (N,) of `prompts` and ids (N, T + 1) -> logits (N, 2, vocabulary) behind the last two tokens.
        prompts: (B, T), of one length.
    """
    first = log_softmax(step(numpy.zeros(1, numpy.int64), _with(prompts[:1], end))[:, 0].astype(numpy.float64))
    tried = numpy.full(len(prompts), int(first.argmax()))
    chances = log_softmax(step(numpy.arange(len(prompts)), _with(prompts, tried)).astype(numpy.float64))
    best = chances[:, 0].argmax(1)
    ends = chances[:, 1, end].copy()
    other = numpy.flatnonzero(best != tried)
    if len(other):
        ends[other] = log_softmax(step(other, _with(prompts[other], best[other]))[:, 1].astype(numpy.float64))[:, end]
    likeliest = chances[numpy.arange(len(prompts)), 0, best]
    second = numpy.partition(chances[:, 0], -2, axis=1)[:, -2]
    going_on = likeliest + numpy.log(-numpy.expm1(numpy.minimum(ends, -1e-12)))
    sure = (likeliest + ends > numpy.maximum(second, going_on)) & (best != end)
    return [
        Found((int(token),), float(chance)) if is_sure else None
        for token, chance, is_sure in zip(best, likeliest + ends, sure, strict=True)
    ]


def _with(prompts: Array, tokens: Array | int) -> Array:
    """(B, T) and a token for each -> (B, T + 1)."""
    return numpy.concatenate([prompts, numpy.broadcast_to(tokens, len(prompts))[:, None]], axis=1)


def log_softmax(logits: Array) -> Array:
    """Logits (..., V) as logarithms of probabilities."""
    logits = logits - logits.max(axis=-1, keepdims=True)
    result: Array = logits - numpy.log(numpy.exp(logits).sum(axis=-1, keepdims=True))
    return result
