"""VQA accuracy against a naive reading of its definition, and its published values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seesay import Example
from seesay.metrics.normalize import english
from seesay.metrics.vqa import accuracy, score, soft_scores

ANSWERS = st.lists(st.sampled_from(["red", "Red", "blue", "a blue", "2", "two"]), min_size=1, max_size=12)


def naive(prediction: str, answers: list[str]) -> float:
    """Leave every annotator out once, count matches among the others."""
    if len(answers) == 1:
        return float(prediction == answers[0])
    full = min(3, len(answers) - 1)
    others = [answers[:index] + answers[index + 1 :] for index in range(len(answers))]
    return sum(min(left.count(prediction) / full, 1) for left in others) / len(answers)


@pytest.mark.parametrize(("matches", "expected"), [(0, 0), (1, 0.3), (2, 0.6), (3, 0.9), (4, 1), (9, 1)])
def test_matches_of_ten_score_as_published(matches: int, expected: float) -> None:
    answers = ["yes"] * matches + ["no"] * (10 - matches)
    assert accuracy("yes", answers, normalize=english) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("answers", "expected"), [(["yes"], 1), (["yes", "no"], 0.5), (["yes", "no", "no"], 1 / 3), (["yes"] * 3, 1)]
)
def test_fewer_annotators_by_the_documented_rule(answers: list[str], expected: float) -> None:
    assert accuracy("yes", answers, normalize=english) == pytest.approx(expected)


def test_where_all_agree_to_the_letter_the_official_code_normalizes_nothing() -> None:
    assert accuracy("Yes", ["yes"] * 10, normalize=english) == 0
    assert accuracy("Yes", ["yes"] * 10, normalize=english, variant="always-normalize") == 1
    assert accuracy("Yes", ["yes"] * 9 + ["Yes"], normalize=english) == 1
    assert accuracy("Yes", ["yes"], normalize=english) == 1


@given(prediction=st.sampled_from(["red", "blue", "2", "green"]), answers=ANSWERS)
def test_accuracy_is_the_definition(prediction: str, answers: list[str]) -> None:
    found = accuracy(prediction, answers, normalize=english, variant="always-normalize")
    assert found == pytest.approx(naive(english(prediction), list(map(english, answers))))
    assert 0 <= found <= 1


@given(answers=ANSWERS)
def test_soft_scores_are_what_each_answer_would_score(answers: list[str]) -> None:
    for answer, value in soft_scores(answers, (), normalize=english).items():
        assert value == pytest.approx(accuracy(answer, answers, normalize=english, variant="always-normalize"))


def test_weights_are_taken_as_they_are() -> None:
    example = Example((), "?", ("Net", "net", "a bag"), (0.3, 1.0, 0.6))
    assert soft_scores(example.answers, example.weights, normalize=english) == {"net": 1.0, "bag": 0.6}
    assert score(example, "the bag", normalize=english) == 0.6
    assert score(example, "ball", normalize=english) == 0
