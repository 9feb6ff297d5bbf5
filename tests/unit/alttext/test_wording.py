"""How texts are worded and cut, and which say the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seesay.alttext.wording import covers, name_in_words, says, tidy


@pytest.mark.parametrize(
    ("text", "tidied"),
    [
        ("an image of a red car", "A red car"),
        ("This is a close-up photo of two cats", "Two cats"),
        ("A picture showing the market", "The market"),
        ("an oil painting of a ship", "An oil painting of a ship"),
        ("  two\n lines\x07 ", "Two lines"),
        ("imagery of war", "Imagery of war"),
    ],
)
def test_no_text_announces_that_it_is_a_picture(text: str, tidied: str) -> None:
    assert tidy(text, 125) == tidied


def test_a_long_text_ends_at_a_word_that_can_end_it() -> None:
    assert tidy("Three dogs run along the beach and into the water", 34) == "Three dogs run along the beach…"
    assert tidy("x" * 50, 20) == "X" + "x" * 18 + "…"


@given(st.text(max_size=300), st.integers(20, 200))
def test_no_text_is_over_the_limit_or_on_two_lines(text: str, limit: int) -> None:
    tidied = tidy(text, limit)
    assert len(tidied) <= limit
    assert tidied.isprintable()
    assert tidy(tidied, limit) == tidied or tidied.lower().startswith(
        ("image", "picture", "a", "the", "this", "here", "there")
    )


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("img/red-squirrel_2.jpg?v=3", "Red squirrel"),
        ("IMG_1234.JPG", ""),
        ("DSC00042.jpg", ""),
        ("a3f9c2d1e8b7.png", ""),
        ("logo.png", ""),
        ("stock-duplicate-icon-16.png", "Duplicate"),
        ("annualReport%20chart.png", "Annual report chart"),
        ("katze.jpg", "Katze"),
        ("data:image/png;base64,AAAA", ""),
        ("", ""),
    ],
)
def test_file_names_that_say_something_are_read(address: str, words: str) -> None:
    assert name_in_words(address) == words


def test_texts_that_say_the_same() -> None:
    assert says("Welcome to The Old Bakery, open daily", "THE OLD BAKERY")
    assert not says("the bakery is old", "the old bakery")
    assert not says("anything", "")
    assert covers("An apple and a cup of coffee", "A cup of coffee")
    assert not covers("An apple", "A cup of coffee")
