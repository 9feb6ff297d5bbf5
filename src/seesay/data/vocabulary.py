"""The answers that a classifier can give: made from training rows only, in the same order in every run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from ..metrics import soft_scores
from ..types import Example


def build_vocabulary(examples: Sequence[Example], size: int, normalize: Callable[[str], str]) -> tuple[str, ...]:
    """The answers of `examples`, normalized, the most frequent first by summed soft score, ties in alphabetical order.

    Args:
        size: keep this many; 0 keeps all.
    """
    counts: Counter[str] = Counter()
    for example in examples:
        counts.update(soft_scores(example.answers, example.weights, normalize=normalize))
    ordered = sorted((answer for answer in counts if answer), key=lambda answer: (-counts[answer], answer))
    return tuple(ordered[:size] if size else ordered)


def coverage(vocabulary: Sequence[str], examples: Sequence[Example], normalize: Callable[[str], str]) -> float:
    """The best accuracy (0 to 1) that a classifier with this vocabulary can reach on these rows."""
    known = set(vocabulary)
    total = 0.0
    for example in examples:
        scores = soft_scores(example.answers, example.weights, normalize=normalize)
        total += max((value for answer, value in scores.items() if answer in known), default=0.0)
    return total / len(examples)
