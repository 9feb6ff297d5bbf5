"""YIN on tones whose pitch is known, and errors that are counted by hand."""

import numpy
import pytest

from seesay.metrics.pitch import errors, yin

RATE, HOP = 16_000, 256


def sung(pitch: float, seconds: float = 1.0) -> numpy.ndarray:
    """A tone with overtones, as a voice has."""
    times = numpy.arange(round(seconds * RATE)) / RATE
    return sum(0.3 / n * numpy.sin(2 * numpy.pi * n * pitch * times) for n in range(1, 6))


@pytest.mark.parametrize("pitch", [70.0, 110.0, 196.0, 220.5, 333.3, 480.0])
def test_the_pitch_of_a_tone_is_found_to_a_cent_or_two(pitch: float) -> None:
    found = yin(sung(pitch), RATE, HOP, 62)[4:-4]
    assert (found > 0).all()
    assert numpy.abs(1200 * numpy.log2(found / pitch)).max() < 3


def test_noise_and_silence_are_not_voiced() -> None:
    noise = numpy.random.default_rng(0).normal(0, 0.1, RATE)
    assert (yin(noise, RATE, HOP, 62) > 0).mean() < 0.05
    assert not yin(numpy.zeros(RATE), RATE, HOP, 62).any()
    assert not yin(numpy.zeros(0), RATE, HOP, 3).any()


def test_frames_stand_where_they_are_said_to() -> None:
    samples = numpy.concatenate([sung(120.0), numpy.zeros(RATE), sung(240.0)])
    found = yin(samples, RATE, HOP, 188)
    assert found[30] == pytest.approx(120, rel=0.01)
    assert found[94] == 0
    assert found[157] == pytest.approx(240, rel=0.01)


def test_errors_are_counted() -> None:
    one = numpy.array([100.0, 100.0, 0.0, 100.0, 0.0])
    other = numpy.array([100.0, 200.0, 150.0, 0.0, 0.0])
    found = errors(one, other)
    assert found.voicing == pytest.approx(2 / 5)
    assert found.gross == pytest.approx(1 / 2)
    assert found.cents == pytest.approx(1200 / 2**0.5)
    assert errors([0.0, 0.0], [0.0, 1.0]).cents is None
