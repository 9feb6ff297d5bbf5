"""Probabilities that take into account how rare a yes is."""

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seesay.search.rarity import probabilities, threshold

RATIOS = st.lists(st.floats(-20, 20), min_size=1, max_size=60).map(numpy.array)


def drawn(pictures: int, share: float, seed: int = 0) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Log likelihood ratios of two normal distributions three deviations apart, and which are a yes."""
    random = numpy.random.default_rng(seed)
    yes = random.random(pictures) < share
    scores = random.normal(0, 1, pictures) + 4 * yes
    return 4 * scores - 8, yes  # the logarithm of the ratio of the two densities


@pytest.mark.parametrize("share", [0.01, 0.05, 0.3])
def test_probabilities_are_calibrated_whatever_the_share(share: float) -> None:
    ratios, yes = drawn(20_000, share)
    found = probabilities(ratios, len(ratios))
    assert found.sum() == pytest.approx(yes.sum(), rel=0.35)
    sure = found > 0.9
    assert yes[sure].mean() > 0.85


def test_a_confident_yes_is_doubted_where_yes_is_rare() -> None:
    """Nineteen of twenty such answers are right where half of the pictures show the thing."""
    answers = numpy.full(1000, -6.0)
    answers[0] = numpy.log(19)
    assert probabilities(answers, 1000)[0] < 0.3


def test_what_was_not_asked_about_counts_as_a_no() -> None:
    ratios, _ = drawn(500, 0.3)
    assert probabilities(ratios, 100_000).sum() < probabilities(ratios, 500).sum()


@given(RATIOS)
def test_probabilities_keep_the_order(ratios: numpy.ndarray) -> None:
    found = probabilities(ratios, len(ratios))
    assert ((found >= 0) & (found <= 1)).all()
    assert (numpy.diff(found[numpy.argsort(ratios)]) >= 0).all()


@pytest.mark.parametrize("precision", [0.5, 0.7, 0.9])
def test_a_wanted_precision_is_reached(precision: float) -> None:
    ratios, yes = drawn(20_000, 0.02)
    found = probabilities(ratios, len(ratios))
    taken = found >= threshold(found, precision)
    assert yes[taken].mean() > precision - 0.08
    assert taken.any()


@given(RATIOS, st.floats(0, 1), st.floats(0, 1))
def test_more_precision_never_gives_more_pictures(ratios: numpy.ndarray, one: float, other: float) -> None:
    found = probabilities(ratios, len(ratios))
    low, high = sorted((one, other))
    assert threshold(found, low) <= threshold(found, high)
    taken = found >= threshold(found, low)
    assert not taken.any() or found[taken].mean() >= low - 1e-9


def test_no_pictures_are_no_mistake() -> None:
    assert probabilities(numpy.zeros(0), 0).shape == (0,)
    assert threshold(numpy.zeros(0), 0.5) > 1
