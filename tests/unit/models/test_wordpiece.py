"""A tokenizer made from training questions reads them as words and spells what it never saw."""

from hypothesis import given
from hypothesis import strategies as st
from transformers import BertTokenizer

from seesay.models.wordpiece import SPECIAL, build_vocabulary

QUESTIONS = ["What color is the car?", "What is it?", "Is the Café open?"]


def test_words_of_the_training_questions_are_one_token_each() -> None:
    tokenizer = BertTokenizer(vocab=build_vocabulary(QUESTIONS))
    assert tokenizer.tokenize("what color is the CAR?") == ["what", "color", "is", "the", "car", "?"]


def test_unseen_words_are_spelled_not_unknown() -> None:
    tokenizer = BertTokenizer(vocab=build_vocabulary(QUESTIONS))
    assert tokenizer.tokenize("dog") == ["d", "##o", "##g"]


def test_the_vocabulary_is_the_same_for_any_order_of_the_questions() -> None:
    assert build_vocabulary(QUESTIONS) == build_vocabulary(reversed(QUESTIONS))


@given(st.lists(st.text(max_size=30), max_size=8))
def test_ids_are_dense_and_start_with_the_special_tokens(questions: list[str]) -> None:
    vocabulary = build_vocabulary(questions)
    assert sorted(vocabulary.values()) == list(range(len(vocabulary)))
    assert list(vocabulary)[: len(SPECIAL)] == list(SPECIAL)
