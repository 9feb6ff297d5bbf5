"""How likely a yes is right in *this* collection, and where to stop for a wanted precision.

A model is calibrated where yes and no are about equally frequent. Among thousands of pictures one in a hundred may show a
dog, and of its confident yeses most would then be wrong. So what counts of an answer is its likelihood ratio, which does not
hang on how rare a yes is; the share of yeses in the collection is estimated from the answers themselves by expectation
maximization, and both make the probability (Saerens, Latinne and Decaestecker, "Adjusting the Outputs of a Classifier to New
a Priori Probabilities", Neural Computation 2002). It knows no pictures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

STEPS = 60
USUAL, TRUST = 0.006, 3.0
"""Of most things that are looked for so many pictures are a yes (of 113 names asked of 3,463 pictures, corpus/presence.py). That
counts as much as three times the pictures that were seen: where the answers alone decide, a few confident mistakes make a rare
thing look frequent, or vanish."""


def probabilities(ratios: Array, pictures: int) -> Array:
    """Log likelihood ratios (n,) of yes against no -> how likely each is a yes, 0 to 1.

    Args:
        pictures: of how many; those that were not asked about count as a no.
    """
    import numpy

    share = USUAL
    found: Array = numpy.zeros(0)
    for _ in range(STEPS):
        found = 1 / (1 + numpy.exp(-(ratios + numpy.log(share / (1 - share)))))
        share = (float(found.sum()) + TRUST * USUAL * pictures) / (max(pictures, 1) * (1 + TRUST))
        share = min(max(share, 1e-9), 1 - 1e-9)
    return found


def threshold(chances: Array, precision: float) -> float:
    """The probability from which on to take pictures, so that of those taken a share of `precision` is right on average; above
    1 where there are none."""
    import numpy

    if not len(chances):
        return 1.01
    falling = numpy.sort(chances)[::-1]
    means = numpy.cumsum(falling) / numpy.arange(1, len(falling) + 1)
    whole = numpy.append(falling[:-1] > falling[1:], True)  # equal ones are taken together or not at all
    enough = numpy.flatnonzero((means >= precision) & whole)
    return float(falling[enough[-1]]) if len(enough) else 1.01
