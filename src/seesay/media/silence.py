"""Where a recording is silent: frame by frame against its own loudest frame, so that the level it was recorded at says
nothing. It knows no language and takes any sound for speech."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy

    Samples = numpy.ndarray[tuple[int], numpy.dtype[numpy.float32]]
    Flags = numpy.ndarray[tuple[int], numpy.dtype[numpy.bool_]]

FRAME_SECONDS = 0.02
BELOW_LOUDEST = 40.0
"""Decibels below the loudest frame at which a frame is silent."""
NOTHING = 1e-3
"""Root mean square (full scale being 1, so -60 dB) that the loudest frame must reach for anything to be heard."""
MARGIN_SECONDS = 0.05
"""Kept before and after what is heard, because consonants begin and end quietly."""


def sounding(samples: Samples, sample_rate: int) -> Flags:
    """Whether each 20 ms of a recording (the last may be shorter) is heard; nowhere where even the loudest is below -60 dB."""
    import numpy

    frame = max(1, round(FRAME_SECONDS * sample_rate))
    padded = numpy.zeros(-(-len(samples) // frame) * frame, numpy.float64)
    padded[: len(samples)] = samples
    power = numpy.square(padded.reshape(-1, frame)).mean(axis=1)
    loudest = power.max(initial=0.0)
    flags: Flags = power >= max(loudest * 10 ** (-BELOW_LOUDEST / 10), 1e-20)
    return flags if loudest >= NOTHING**2 else numpy.zeros(len(power), numpy.bool_)


def trimmed(samples: Samples, sample_rate: int) -> Samples:
    """The recording without the silence before and after it, but for 50 ms; empty where nothing is heard."""
    import numpy

    heard = numpy.flatnonzero(sounding(samples, sample_rate))
    if not len(heard):
        return samples[:0]
    frame, margin = max(1, round(FRAME_SECONDS * sample_rate)), round(MARGIN_SECONDS * sample_rate)
    return samples[max(0, int(heard[0]) * frame - margin) : (int(heard[-1]) + 1) * frame + margin]
