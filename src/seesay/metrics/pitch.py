"""The pitch of a voice, frame by frame, and how two of them differ.

YIN: de Cheveigne and Kawahara, "YIN, a fundamental frequency estimator for speech and music", JASA 2002, steps 1 to 5. Errors as
in Chu and Alwan, "Reducing F0 frame error of F0 tracking algorithms under noisy conditions", ICASSP 2009. It knows arrays,
and nothing of recordings.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, numpy.dtype[numpy.float64]]

LOWEST, HIGHEST = 60.0, 500.0
"""Hertz between which voices are looked for."""
THRESHOLD = 0.15
"""How far a frame may be from repeating itself (0 does so exactly) to be voiced."""
QUIET = 1e-3
"""Root mean square (full scale being 1) below which no frame is voiced."""
GROSS = 0.2
"""A voiced frame whose pitch is off by more than this share is grossly wrong."""


@dataclass(frozen=True, slots=True)
class PitchErrors:
    """How the pitch of aligned frames differs."""

    voicing: float
    """Share of the frames that are voiced in one and not in the other, 0 to 1."""
    cents: float | None
    """Root mean square difference where both are voiced, 1200 being an octave; None where no frame is."""
    gross: float | None
    """Share of the frames voiced in both whose pitch differs by more than 20 %."""


def yin(samples: Any, sample_rate: int, hop: int, frames: int) -> Array:
    """(frames,): the pitch in hertz around sample 0, `hop`, 2 `hop`, ...; 0 where a frame is not voiced.

    Args:
        samples: (samples,), full scale being 1.
    """
    import numpy

    shortest, longest = int(sample_rate / HIGHEST), math.ceil(sample_rate / LOWEST)
    window = 2 * longest
    padded = numpy.zeros((frames - 1) * hop + window + longest + 1)
    signal = numpy.asarray(samples, float)
    lead = (window + longest) // 2
    usable = min(len(signal), len(padded) - lead)
    padded[lead : lead + usable] = signal[:usable]
    cut = numpy.lib.stride_tricks.sliding_window_view(padded, window + longest)[: (frames - 1) * hop + 1 : hop]
    difference = _difference(cut, window, longest)
    lags = numpy.arange(1, longest + 1)
    mean = numpy.cumsum(difference[:, 1:], axis=1) / lags
    normal = numpy.ones_like(difference)
    normal[:, 1:] = difference[:, 1:] / numpy.maximum(mean, 1e-20)
    loud = numpy.sqrt(numpy.square(cut[:, :window]).mean(axis=1)) >= QUIET
    return numpy.array(
        [_pitch(row, shortest, sample_rate) if heard else 0.0 for row, heard in zip(normal, loud, strict=True)]
    )


def errors(one: Any, other: Any) -> PitchErrors:
    """The errors of aligned frames: (frames,) of hertz each, 0 where not voiced."""
    import numpy

    a, b = numpy.asarray(one, float), numpy.asarray(other, float)
    both = (a > 0) & (b > 0)
    voicing = float(((a > 0) != (b > 0)).mean())
    if not both.any():
        return PitchErrors(voicing, None, None)
    cents = 1200 * numpy.log2(b[both] / a[both])
    gross = float((numpy.abs(b[both] / a[both] - 1) > GROSS).mean())
    return PitchErrors(voicing, float(numpy.sqrt(numpy.square(cents).mean())), gross)


def _difference(cut: Array, window: int, longest: int) -> Array:
    """(frames, longest + 1): how a frame's first `window` samples differ from those each lag later (equation 6)."""
    import numpy

    size = 1 << (cut.shape[1] + window).bit_length()
    first = numpy.fft.rfft(cut[:, :window], size)
    whole = numpy.fft.rfft(cut, size)
    product = numpy.fft.irfft(whole * first.conj(), size)[:, : longest + 1]
    squares = numpy.concatenate([numpy.zeros((len(cut), 1)), numpy.cumsum(numpy.square(cut), axis=1)], axis=1)
    energy = squares[:, window : window + longest + 1] - squares[:, : longest + 1]
    found: Array = numpy.maximum(energy[:, :1] + energy - 2 * product, 0.0)
    return found


def _pitch(normal: Array, shortest: int, sample_rate: int) -> float:
    """The first dip below the threshold, to a fraction of a sample (steps 4 and 5); 0 where there is none."""
    import numpy

    below = numpy.flatnonzero(normal[shortest:-1] < THRESHOLD)
    if not len(below):
        return 0.0
    lag = int(below[0]) + shortest
    while lag + 2 < len(normal) and normal[lag + 1] < normal[lag]:
        lag += 1
    left, middle, right = normal[lag - 1], normal[lag], normal[lag + 1]
    curve = left - 2 * middle + right
    shift = 0.5 * (left - right) / curve if curve > 0 else 0.0
    return float(sample_rate / (lag + max(-1.0, min(1.0, float(shift)))))
