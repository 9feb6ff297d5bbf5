"""Mel-cepstral distortion against its formula and its meaning, and the alignment against every path there is."""

import math

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seesay.metrics.spectra import align, distortion, mel_cepstra


def every_path(rows: int, columns: int) -> list[list[tuple[int, int]]]:
    if rows == columns == 1:
        return [[(0, 0)]]
    before = [(rows - 1, columns - 1), (rows - 1, columns), (rows, columns - 1)]
    return [[*path, (rows - 1, columns - 1)] for i, j in before if i and j for path in every_path(i, j)]


@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 1000))
def test_the_alignment_is_the_cheapest_of_all_paths(rows: int, columns: int, seed: int) -> None:
    chance = numpy.random.default_rng(seed)
    one, other = chance.normal(size=(rows, 3)), chance.normal(size=(columns, 3))

    def cost(path: list[tuple[int, int]]) -> float:
        return sum(float(numpy.linalg.norm(one[i] - other[j])) for i, j in path)

    here, there = align(one, other)
    path = list(zip(here.tolist(), there.tolist(), strict=True))
    assert path in every_path(rows, columns)
    assert cost(path) == pytest.approx(min(map(cost, every_path(rows, columns))))


def test_equal_sentences_are_at_no_distance_and_slow_ones_are_aligned() -> None:
    cepstra = numpy.random.default_rng(0).normal(size=(30, 24))
    slow = numpy.repeat(cepstra, 2, axis=0)
    here, there = align(cepstra, slow)
    assert distortion(cepstra, cepstra) == 0
    assert distortion(cepstra[here], slow[there]) == 0


def test_the_distortion_is_kubicheks() -> None:
    """10 / ln 10 * sqrt(2 * sum of squares), of a difference of 1 in one coefficient: 6.1418 dB."""
    one = numpy.zeros((4, 24))
    other = one.copy()
    other[:, 3] = 1.0
    assert distortion(one, other) == pytest.approx(6.141851463713754)


def test_the_distortion_is_the_difference_in_decibels() -> None:
    """Two spectra that differ by a cosine over the mel bins differ by its root mean square in decibels, and the level that they
    are recorded at says nothing."""
    bins, amplitude = 80, 0.5
    wave = amplitude * numpy.cos(5 * (numpy.arange(bins) + 0.5) * math.pi / bins)
    flat = numpy.zeros((6, bins))
    decibels = math.sqrt(numpy.square(20 * wave).mean())
    assert distortion(mel_cepstra(flat), mel_cepstra(flat + wave + 1.7)) == pytest.approx(decibels)
