"""How far two spoken sentences are apart: mel-cepstral distortion along the best alignment.

Kubichek, "Mel-cepstral distance measure for objective speech quality assessment", 1993; alignment by dynamic time warping
(Sakoe and Chiba, 1978). With the cepstra of `mel_cepstra` the distortion of two frames is the root mean square difference of
their smoothed mel spectra in decibels, level left out. Published figures come from other filters (WORLD, SPTK): compare only
what was measured by this code. It knows arrays, and nothing of recordings.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, numpy.dtype[numpy.float64]]

ORDER = 24
"""Cepstral coefficients that are compared, from the first on; the one before, the level, is not."""
DECIBELS = 10 / math.log(10) * math.sqrt(2)


def mel_cepstra(log_mel: Any, order: int = ORDER) -> Array:
    """(frames, order) of (frames, mel bins), log10 of magnitudes: c_m = 2/K * sum over k of ln|X_k| cos(m (k + 1/2) pi / K),
    m from 1, so that ln|X_k| is half of c_0 plus the sum of c_m cos(m (k + 1/2) pi / K)."""
    import numpy

    spectra = numpy.asarray(log_mel, float) * math.log(10)
    bins = spectra.shape[1]
    angles = numpy.outer(numpy.arange(bins) + 0.5, numpy.arange(1, order + 1)) * math.pi / bins
    cepstra: Array = spectra @ numpy.cos(angles) * (2 / bins)
    return cepstra


def align(one: Any, other: Any) -> tuple[Array, Array]:
    """The indices into both sequences, (steps,) each, of the path from the first frames to the last that has the least sum of
    Euclidean distances; a step goes on by one frame in either sequence or in both.

    Args:
        one, other: (frames, coefficients), at least one frame.
    """
    import numpy

    cost = numpy.sqrt(numpy.maximum(_squares(one, other), 0.0))
    rows, columns = cost.shape
    total = numpy.full((rows + 1, columns + 1), numpy.inf)
    total[0, 0] = 0.0
    # Cells of one diagonal do not depend on one another.
    for diagonal in range(rows + columns - 1):
        i = numpy.arange(max(0, diagonal - columns + 1), min(rows, diagonal + 1))
        j = diagonal - i
        before = numpy.minimum(numpy.minimum(total[i, j + 1], total[i + 1, j]), total[i, j])
        total[i + 1, j + 1] = cost[i, j] + before
    path = [(rows, columns)]
    while path[-1] != (1, 1):
        i, j = path[-1]
        # Both at once comes first where it costs the same, which makes the shorter path.
        path.append(min(((i - 1, j - 1), (i - 1, j), (i, j - 1)), key=lambda cell: total[cell]))
    steps: numpy.ndarray[Any, Any] = numpy.array(path[::-1]) - 1
    return steps[:, 0], steps[:, 1]


def distortion(one: Any, other: Any) -> float:
    """Mel-cepstral distortion in decibels of two sequences of cepstra (frames, order), frame by frame, averaged."""
    import numpy

    difference = numpy.asarray(one, float) - numpy.asarray(other, float)
    return float(DECIBELS * numpy.sqrt(numpy.square(difference).sum(axis=1)).mean())


def _squares(one: Any, other: Any) -> Array:
    import numpy

    a, b = numpy.asarray(one, float), numpy.asarray(other, float)
    found: Array = numpy.square(a).sum(1)[:, None] + numpy.square(b).sum(1)[None] - 2 * a @ b.T
    return found
