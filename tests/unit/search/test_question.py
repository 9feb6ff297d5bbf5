"""Words and phrases as questions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seesay.search.question import question_of


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("dog", "is there a dog?"),
        ("apple", "is there an apple?"),
        ("red car", "is there a red car?"),
        ("a red car", "is there a red car?"),
        ("the dog", "is there the dog?"),
        ("dogs", "are there dogs?"),
        ("glasses", "are there glasses?"),
        ("people", "are there people?"),
        ("bus", "is there a bus?"),
        ("  Dog ", "is there a Dog?"),
        ("Is there a dog?", "Is there a dog?"),
        ("is there a dog", "is there a dog"),
        ("how many dogs", "how many dogs"),
    ],
)
def test_a_phrase_is_asked_for_and_a_question_stays(text: str, question: str) -> None:
    assert question_of(text) == question


@given(st.text())
def test_a_question_is_not_changed_again(text: str) -> None:
    once = question_of(text)
    assert question_of(once) == once
