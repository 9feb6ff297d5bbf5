"""Words of captions: the oddities that are kept, and where we differ from the Java tokenizer on purpose.

That the others are equal to Java's is held in tests/parity.
"""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seesay.metrics.tokenize import PUNCTUATION, ngrams, tokenize


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        ("A dog.", "a dog"),
        ("Don't! It's the dogs' and the dog's.", "do n't it 's the dogs and the dog 's"),
        ("he'd've cannot", "he 'd 've can not"),
        ("(left) [x]", "-lrb- left -rrb- -lsb- x -rsb-"),
        ("what?! no? yes!", "what ?! no yes"),
        ("at 10:30am, 5 p.m. in St. Louis.", "at 10:30 am 5 p.m. in st. louis"),
        ("No. 5 said no.", "no. 5 said no"),
        ("£3.50 or 1,000 € or 50%", "# 3.50 or 1,000 $ or 50 %"),
        ("", ""),
        (" \t\n", ""),
        ("-- ... , . ' \" ` :", ""),
    ],
)
def test_words_as_the_coco_code_has_them(caption: str, words: str) -> None:
    assert tokenize(caption) == tuple(words.split())


@pytest.mark.parametrize(
    ("caption", "words", "java"),
    [
        ("一只狗，两只猫。", "一 只 狗 两 只 猫", "一只狗 ， 两只猫 。"),
        ("犬が走っている。", "犬 が 走 っ て い る", "犬が走っている 。"),
        ("¿qué?", "qué", "¿ qué"),
        ("🐶 dog", "🐶 dog", "dog"),
        ("an AT&T phone", "an at&t phone", "an at&t phone"),
        ("an at&t phone", "an at&t phone", "an at & t phone"),
        ('the letter "P."', "the letter p", "the letter p."),
        ("http://www.x.com", "http / / www.x.com", "http://www.x.com"),
        ("<b>dog</b>", "< b > dog < / b >", "<b> dog </b>"),
        ("dog!cat", "dog cat", "dog!cat"),
    ],
)
def test_where_we_differ_from_the_java_tokenizer(caption: str, words: str, java: str) -> None:
    """`java` is written down from Stanford CoreNLP 3.4.1, for the reader."""
    assert tokenize(caption) == tuple(words.split())


@given(st.text())
def test_any_text_becomes_words_without_space_case_and_punctuation(text: str) -> None:
    words = tokenize(text)
    assert all(word and not any(map(str.isspace, word)) for word in words)
    assert not PUNCTUATION & set(words)
    assert words == tokenize(unicodedata.normalize("NFD", text))
    assert words == tuple(word.lower() for word in words)


@given(
    st.lists(st.sampled_from("a dog's do n't it 's -lrb- 강아지 狗 3.5 1,000 t-shirt red/white u.s. mr. ?!".split()))
)
def test_words_stay_words(words: list[str]) -> None:
    once = tokenize(" ".join(words))
    assert tokenize(" ".join(once)) == once


def test_ngrams_are_counted_by_length() -> None:
    ones, twos, threes = ngrams(("a", "b", "a", "b"), 3)
    assert ones == {("a",): 2, ("b",): 2}
    assert twos == {("a", "b"): 2, ("b", "a"): 1}
    assert threes == {("a", "b", "a"): 1, ("b", "a", "b"): 1}
    assert ngrams((), 2) == [{}, {}]
