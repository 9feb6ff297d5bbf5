"""The English rules against what the published evaluation code answers (run once over these inputs and written down)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seesay.metrics.normalize import english, normalizer, unicode

CASES = {
    "yes": "yes",
    "Yes": "yes",
    "YES!": "yes",
    "no.": "no",
    "None": "0",
    "none": "0",
    "zero": "0",
    "one": "1",
    "two": "2",
    "three dogs": "3 dogs",
    "ten": "10",
    "eleven": "eleven",
    "Twelve": "twelve",
    "100,978": "100978",
    "1,000,000": "1000000",
    "U.S.A.": "usa",
    "2:50 pm": "2:50 pm",
    "2:50 p.m.": "2:50 pm",
    "the dog": "dog",
    "a dog": "dog",
    "An apple": "apple",
    "The The": "",
    "A": "",
    "dont": "don't",
    "don't": "don't",
    "DONT": "don't",
    "cant see": "can't see",
    "isnt": "isn't",
    "wont": "won't",
    "youre": "you're",
    "its": "its",
    "it's": "it's",
    "lets": "lets",
    "let's": "let's",
    "hes tall": "he's tall",
    "shes": "shes",
    "she's": "she's",
    "oclock 5": "o'clock 5",
    "5 oclock": "5 o'clock",
    "y'alld've": "y'all'd've",
    "somebody'd": "somebodyd",
    "left/right": "left right",
    "left / right": "left right",
    "black and white": "black and white",
    "black-and-white": "black and white",
    "black - white": "black white",
    "t-shirt": "t shirt",
    "T-Shirt!": "t shirt",
    '"quoted"': "quoted",
    "(maybe)": "maybe",
    "50%": "50%",
    "$5.00": "$5.00",
    "3.5": "3.5",
    ".5": ".5",
    "5.": "5",
    "a.b": "ab",
    "Dr. Who": "dr who",
    "hello,world": "hello world",
    "hello, world": "hello world",
    "what?": "what",
    "what ?": "what",
    "really?!": "really",
    "a_b": "b",
    "x=y": "x y",
    "x = y": "x y",
    "[tag]": "tag",
    "{a}": "",
    "<b>": "b",
    "user@mail": "user mail",
    "`code`": "code",
    "semi;colon": "semi colon",
    "back\\slash": "back slash",
    "+1": "1",
    "  spaces   here  ": "spaces here",
    "new\nline": "new line",
    "tab\there": "tab here",
    "The Id've": "id've",
    "whats up": "what's up",
    "none of them": "0 of them",
    "no one": "no 1",
    "1 a 2": "1 2",
    "Mc Donald's": "mc donald's",
    "30's": "30's",
    "rock'n'roll": "rock'n'roll",
    "6'2\"": "6'2",
    "1,2,3": "123",
    "1, 2": "1 2",
    "10,000 - 20,000": "10000 20000",
    "...": "",
    "?": "",
    "é": "é",
    "Ünder": "ünder",
}


@pytest.mark.parametrize(("given_answer", "expected"), CASES.items())
def test_english_rules_are_the_published_ones(given_answer: str, expected: str) -> None:
    assert english(given_answer) == expected


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 60


@pytest.mark.parametrize(
    ("given_answer", "expected"),
    [
        ("  Yes! ", "yes"),
        ("STRASSE", "strasse"),
        ("straße", "strasse"),
        ("강아지.", "강아지"),
        ("de\u0301ja\u0300", "déjà"),
        ("２", "2"),
        ("a  dog", "a dog"),
        ("كلب؟", "كلب"),
    ],
)
def test_unicode_rules_work_in_any_language(given_answer: str, expected: str) -> None:
    assert unicode(given_answer) == expected


@given(st.text())
def test_unicode_rules_are_idempotent(text: str) -> None:
    assert unicode(unicode(text)) == unicode(text)


@given(st.text(st.sampled_from("aAnNtThHeE 0129.,?!-'\"/\n\t")))
def test_english_rules_leave_single_spaces_and_no_articles(text: str) -> None:
    words = english(text).split(" ")
    assert english(text) == english(text).strip()
    assert not {"a", "an", "the"} & set(words)


def test_none_only_strips() -> None:
    assert normalizer("none")(" The Dog! ") == "The Dog!"
