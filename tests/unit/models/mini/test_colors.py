"""Color words of pixels, and their shares in the cells of a picture."""

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seesay.models.mini.colors import COLORS, EXAMPLES, color_grid, color_words


@pytest.mark.parametrize(("word", "example"), [(word, one) for word, group in EXAMPLES.items() for one in group])
def test_every_example_has_its_own_word(word: str, example: tuple[int, int, int]) -> None:
    (index,) = color_words(numpy.array([example], numpy.uint8))
    assert COLORS[index] == word


@pytest.mark.parametrize(
    ("pixel", "word"),
    [
        ((255, 0, 0), "red"),
        ((0, 0, 255), "blue"),
        ((255, 255, 0), "yellow"),
        ((0, 0, 0), "black"),
        ((255, 255, 255), "white"),
    ],
)
def test_pure_colors_have_the_words_that_people_use(pixel: tuple[int, int, int], word: str) -> None:
    (index,) = color_words(numpy.array([pixel], numpy.uint8))
    assert COLORS[index] == word


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_shares_are_counts_and_means_are_means(seed: int) -> None:
    pixels = numpy.random.default_rng(seed).integers(0, 256, (2, 12, 12, 3), numpy.uint8)
    grid = color_grid(pixels, 3)
    assert grid.shape == (2, 3 + len(COLORS), 3, 3)
    assert grid.dtype == numpy.float32
    assert numpy.allclose(grid[:, 3:].sum(1), 1, atol=1e-6)
    cell = pixels[1, 4:8, 8:12]
    assert numpy.allclose(grid[1, :3, 1, 2], (cell.reshape(-1, 3).mean(0) - 127) / 128, atol=1e-5)
    counts = numpy.bincount(color_words(cell).ravel(), minlength=len(COLORS))
    assert numpy.allclose(grid[1, 3:, 1, 2], counts / 16, atol=1e-6)
