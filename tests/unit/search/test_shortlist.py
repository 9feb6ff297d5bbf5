"""Which pictures are asked about, where there are too many."""

import numpy
import pytest

from seesay.search.shortlist import shortlist


def world(pictures: int, share: float, seed: int = 1) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Vectors, and the log-odds of a model that sees a direction of theirs through noise."""
    random = numpy.random.default_rng(seed)
    vectors = random.standard_normal((pictures, 64)).astype(numpy.float32) + 3
    direction = random.standard_normal(64)
    seen = (vectors - 3) @ direction / numpy.linalg.norm(direction)
    odds = 4 * (seen - numpy.quantile(seen, 1 - share)) + random.normal(0, 1.0, pictures)
    return (vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True)).astype(numpy.float16), odds


@pytest.mark.parametrize("share", [0.005, 0.02])
def test_most_of_what_is_wanted_is_asked_about(share: float) -> None:
    vectors, odds = world(20_000, share)
    asked: list[int] = []

    def ask(rows: numpy.ndarray) -> numpy.ndarray:
        asked.extend(rows.tolist())
        return odds[rows]

    shortlist(vectors, 2_000, ask)
    assert len(asked) == len(set(asked)) == 2_000
    wanted = numpy.flatnonzero(odds > 0)
    assert len(set(asked) & set(wanted.tolist())) / len(wanted) > 0.8  # a tenth, drawn at random, would hold a tenth


def test_the_same_pictures_are_asked_about_again() -> None:
    vectors, odds = world(3_000, 0.02)
    runs: list[list[int]] = []
    for _ in range(2):
        asked: list[int] = []
        shortlist(vectors, 300, lambda rows, asked=asked: (asked.extend(rows.tolist()), odds[rows])[1])
        runs.append(asked)
    assert runs[0] == runs[1]


@pytest.mark.parametrize("budget", [1, 2, 7, 99])
def test_any_budget_is_kept(budget: int) -> None:
    vectors, odds = world(100, 0.1)
    asked: list[int] = []
    shortlist(vectors, budget, lambda rows: (asked.extend(rows.tolist()), odds[rows])[1])
    assert len(asked) == len(set(asked)) == budget


def test_vectors_that_are_all_alike_do_no_harm() -> None:
    vectors = numpy.full((50, 8), 8**-0.5, numpy.float16)
    asked: list[int] = []
    shortlist(vectors, 20, lambda rows: (asked.extend(rows.tolist()), numpy.zeros(len(rows)))[1])
    assert len(set(asked)) == 20
