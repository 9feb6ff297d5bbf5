"""Beam search against all sequences there are."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seesay.models.mini.search import Found, beam_search, log_softmax, sure_answers

Array = numpy.ndarray[Any, Any]
VOCABULARY, END, START, LONGEST = 5, 4, 0, 4
SEEDS = st.integers(0, 2**32 - 1)


def table(seed: int, sharpness: float = 2.0) -> Array:
    """Logits of the next token by the last one."""
    return numpy.random.default_rng(seed).normal(size=(VOCABULARY, VOCABULARY)) * sharpness


def search(logits: Array, beams: int, limit: int = LONGEST + 1) -> list[Found]:
    return beam_search(lambda ids: logits[ids[:, -1]], [START], END, beams, limit)


def chance(logits: Array, ids: tuple[int, ...]) -> float:
    chances = log_softmax(logits)
    steps = itertools.pairwise((START, *ids, END))
    return float(sum(chances[a, b] for a, b in steps))


def everything(logits: Array) -> list[Found]:
    """All answers of up to LONGEST tokens, the likeliest first."""
    tokens = [token for token in range(VOCABULARY) if token != END]
    found = [
        Found(ids, chance(logits, ids))
        for length in range(LONGEST + 1)
        for ids in itertools.product(tokens, repeat=length)
    ]
    return sorted(found, key=lambda one: -one.log_probability)


@given(SEEDS)
def test_wide_beams_find_the_best_answers_there_are(seed: int) -> None:
    logits = table(seed)
    expected = everything(logits)
    found = [one for one in search(logits, beams=10_000) if len(one.ids) <= LONGEST]  # without those still unfinished
    assert found[0].ids == expected[0].ids
    near = [one for one in expected if one.log_probability > expected[0].log_probability - 11]
    for one, other in zip(found, near[:5], strict=False):
        assert one.log_probability == pytest.approx(other.log_probability)


@given(SEEDS, st.integers(1, 8))
def test_answers_come_sorted_with_their_true_probability(seed: int, beams: int) -> None:
    logits = table(seed)
    found = search(logits, beams)
    chances = [one.log_probability for one in found]
    assert chances == sorted(chances, reverse=True)
    assert 1 <= len(found) <= beams
    assert len({one.ids for one in found}) == len(found)
    assert sum(map(math.exp, chances)) <= 1 + 1e-9
    for one in found:
        assert END not in one.ids
        assert one.per_token == pytest.approx(one.log_probability / (len(one.ids) + 1))
        if len(one.ids) <= LONGEST:
            assert one.log_probability == pytest.approx(chance(logits, one.ids))


@given(SEEDS, st.integers(1, 8), st.integers(1, 6))
def test_no_answer_is_longer_than_the_limit(seed: int, beams: int, limit: int) -> None:
    for one in search(table(seed), beams, limit):
        assert len(one.ids) <= limit


@given(SEEDS, st.integers(1, 8), st.integers(1, 6))
def test_what_never_ends_is_returned_as_it_stands(seed: int, beams: int, limit: int) -> None:
    logits = table(seed)
    logits[:, END] = -1e4
    best, *others = search(logits, beams, limit)
    assert len(best.ids) == limit
    assert END not in best.ids
    # Where there are more beams than tokens, an end that is next to impossible is followed too, and comes last.
    assert all(len(one.ids) == limit or one.log_probability < -1e3 for one in others)


def test_an_answer_that_ends_at_once_is_empty() -> None:
    logits = numpy.zeros((VOCABULARY, VOCABULARY))
    logits[:, END] = 50
    best = search(logits, 3)[0]
    assert best.ids == ()
    assert best.log_probability == pytest.approx(0.0)


def test_the_decoder_is_asked_for_no_more_rows_than_beams_and_never_past_the_limit() -> None:
    asked = []

    def step(ids: Array) -> Array:
        asked.append(ids.shape)
        return table(1)[ids[:, -1]]

    beam_search(step, [3, START], END, 3, 4)
    assert all(rows <= 3 and length <= 2 + 4 for rows, length in asked)
    assert [length for _, length in asked] == list(range(2, 2 + len(asked)))


def test_large_logits_are_probabilities_all_the_same() -> None:
    result = log_softmax(numpy.array([[1e4, 1e4, -1e4]]))
    assert numpy.exp(result[0]).tolist() == pytest.approx([0.5, 0.5, 0.0])


def by_all_tokens(seed: int, sharp: float) -> Callable[[tuple[int, ...]], numpy.ndarray]:
    """Logits of the next of seven tokens, by formula, after any tokens."""

    def logits(ids: tuple[int, ...]) -> numpy.ndarray:
        return sharp * numpy.random.default_rng([seed, *ids]).standard_normal(7)

    return logits


@given(st.integers(0, 10_000), st.sampled_from([0.3, 1.0, 3.0, 6.0]))
def test_what_is_sure_without_a_search_is_what_a_search_finds(seed: int, sharp: float) -> None:
    rows = [by_all_tokens(seed + row, sharp) for row in range(5)]
    prompts = numpy.array([[1, 2 + row % 2] for row in range(5)])

    def step(asked: numpy.ndarray, ids: numpy.ndarray) -> numpy.ndarray:
        pairs = zip(asked.tolist(), ids.tolist(), strict=True)
        return numpy.array([[rows[row](tuple(each[:-1])), rows[row](tuple(each))] for row, each in pairs])

    for row, found in enumerate(sure_answers(step, prompts, 0)):
        if found is not None:

            def last(ids: numpy.ndarray, row: int = row) -> numpy.ndarray:
                return numpy.array([rows[row](tuple(each)) for each in ids.tolist()])

            best = beam_search(last, prompts[row].tolist(), 0, 7, 4)[0]
            assert best.ids == found.ids
            assert best.log_probability == pytest.approx(found.log_probability)


def test_a_confident_answer_is_sure_and_a_doubtful_one_is_not() -> None:
    def step(asked: numpy.ndarray, ids: numpy.ndarray) -> numpy.ndarray:
        logits = numpy.zeros((len(asked), 2, 4))
        logits[asked == 0, 0, 3] = 9  # the first row is sure of token 3, and of the end behind it
        logits[:, 1, 0] = 9
        return logits

    first, second = sure_answers(step, numpy.array([[1], [1]]), 0)
    assert first is not None and first.ids == (3,)
    assert second is None
