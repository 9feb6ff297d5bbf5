"""Which pictures to ask the model about, where there are too many to ask about all of them.

There is no text encoder: what is looked for is learned from the model's own answers. It is asked about some pictures drawn at
random; ridge regression from their vectors to its log-odds of a yes (Hoerl and Kennedy, Technometrics 1970) then says which
of the others come next, and every further round learns from all rounds before it. Relevance feedback, with the model as the
judge (Rocchio, "Relevance Feedback in Information Retrieval", 1971). It knows no model and no files.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

FIRST = 0.25
"""Share of all that is asked about that is drawn at random."""
ROUNDS = 6
"""Rounds in which the rest is chosen."""
RIDGE = 30.0
"""How far the regression is held back, in pictures."""
LEAST = 1e-4
"""Vectors that differ less are all alike."""
BLOCK = 65_536
"""Vectors scored at once."""


def shortlist(vectors: Array, budget: int, ask: Callable[[Array], Array]) -> None:
    """Ask about `budget` pictures, those that are wanted likeliest among them.

    Args:
        vectors: (N, W), of length 1; more than `budget`.
        ask: rows (n,) of `vectors` -> the log-odds of a yes (n,); each row is asked about once.
    """
    import numpy

    rows = numpy.sort(numpy.random.default_rng(0).choice(len(vectors), max(1, int(budget * FIRST)), replace=False))
    asked, odds = rows, ask(rows)
    # Vectors share most of their direction; what tells pictures apart is the rest.
    sample = vectors[rows].astype(numpy.float32)
    middle, spread = sample.mean(0), float(sample.std(0).mean())
    scale = spread if spread > LEAST else 1.0
    for left in range(ROUNDS, 0, -1):
        known = (vectors[asked].astype(numpy.float32) - middle) / scale
        weights = _ridge(known, odds - odds.mean())
        scores = numpy.concatenate(
            [vectors[start : start + BLOCK].astype(numpy.float32) @ weights for start in range(0, len(vectors), BLOCK)]
        )
        scores[asked] = -numpy.inf
        count = (budget - len(asked)) // left
        if count == 0:
            continue
        rows = numpy.sort(numpy.argpartition(-scores, count - 1)[:count])
        asked, odds = numpy.concatenate([asked, rows]), numpy.concatenate([odds, ask(rows)])


def _ridge(known: Array, wanted: Array) -> Array:
    """(n, W) and (n,) -> weights (W,)."""
    import numpy

    square = known.T @ known + RIDGE * numpy.eye(known.shape[1], dtype=numpy.float32)
    weights: Array = numpy.linalg.solve(square, known.T @ wanted.astype(numpy.float32))
    return weights
