"""The vocabulary is made of training answers, in one order for ever."""

import random

from hypothesis import given
from hypothesis import strategies as st

from seesay import Example
from seesay.data import build_vocabulary, coverage
from seesay.metrics.normalize import english


def rows(*answers: tuple[str, ...]) -> list[Example]:
    return [Example((), "?", given) for given in answers]


def test_the_most_frequent_answers_come_first_and_ties_are_alphabetical() -> None:
    examples = rows(("b",), ("a dog",), ("Dog",), ("c",), ("b.",))
    assert build_vocabulary(examples, 0, english) == ("b", "dog", "c")
    assert build_vocabulary(examples, 1, english) == ("b",)


def test_answers_that_normalize_to_nothing_are_left_out() -> None:
    assert build_vocabulary(rows(("the",), ("cat",)), 0, english) == ("cat",)


@given(st.lists(st.lists(st.sampled_from("bcde"), min_size=1, max_size=10), min_size=1, max_size=8), st.integers())
def test_the_order_of_the_rows_does_not_matter(answers: list[list[str]], seed: int) -> None:
    examples = rows(*map(tuple, answers))
    shuffled = random.Random(seed).sample(examples, len(examples))
    assert set(build_vocabulary(examples, 0, english)) == set(build_vocabulary(shuffled, 0, english))
    assert coverage(build_vocabulary(examples, 0, english), examples, english) > 0


def test_coverage_is_the_best_accuracy_that_is_left() -> None:
    examples = rows(("red",) * 10, ("red",) * 7 + ("blue",) * 3, ("green",) * 10)
    assert coverage(("blue",), examples, english) == 0.9 / 3
    assert coverage(("red", "green"), examples, english) == 1
