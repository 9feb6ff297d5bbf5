"""Silence is cut off before and after, and never within."""

import numpy
import pytest

from seesay.media import sounding, trimmed


def tone(seconds: float, rate: int) -> numpy.ndarray:
    return (0.3 * numpy.sin(2 * numpy.pi * 220 * numpy.arange(round(seconds * rate)) / rate)).astype(numpy.float32)


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
@pytest.mark.parametrize("gain", [0.02, 1.0])
def test_silence_is_cut_but_for_a_margin(rate: int, gain: float) -> None:
    still = numpy.zeros(rate, numpy.float32)
    samples = numpy.concatenate([still, tone(0.5, rate), still[: rate // 2], tone(0.5, rate), still]) * gain
    assert len(trimmed(samples, rate)) / rate == pytest.approx(1.5 + 2 * 0.05, abs=0.045)
    assert sounding(samples, rate).mean() == pytest.approx(1 / 3.5, abs=0.02)


def test_nothing_is_heard_in_silence_and_in_nothing() -> None:
    assert len(trimmed(numpy.zeros(1000, numpy.float32), 16_000)) == 0
    assert len(trimmed(numpy.zeros(0, numpy.float32), 16_000)) == 0
    assert len(trimmed(numpy.full(1000, 1e-5, numpy.float32), 16_000)) == 0
