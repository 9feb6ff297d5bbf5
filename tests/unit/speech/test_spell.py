"""Texts in the characters that a voice has: nothing with a sound is lost in silence."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seesay.speech.spell import LANGUAGES, Speller, _num2words, english

PLAIN = Speller("eng", (string.ascii_letters + " .,!?'-").__contains__)
SMALL = Speller("en", (string.ascii_lowercase + " ").__contains__)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0", "zero"),
        ("10 and 11", "ten and eleven"),
        ("1,250 of 1000000", "one thousand, two hundred and fifty of one million"),
        ("-5 or 3.14", "minus five or three point one four"),
        ("007", "zero zero seven"),
        ("12345678901234567", "one two three four five six seven eight nine zero one two three four five six seven"),
        ("the 1st and 22nd", "the first and twenty-second"),
        ("in 1984 and 2005", "in nineteen eighty-four and two thousand and five"),
        ("the 1980s", "the nineteen eighties"),
        ("$5, $5.50, €0.01, £1.00", "five dollars, five dollars and fifty cents, one cent, one pound"),
        ("25% of 20 °C", "twenty-five percent of twenty degrees Celsius"),
        ("at 3:30 pm", "at three thirty P.M."),
        ("5 km", "five kilometers"),
        ("Dr. Smith & co", "Dr Smith and co"),
        ("2019-10-12", "October twelfth, twenty nineteen"),
        ("٣", "three"),
        ("½", "one half"),
    ],
)
def test_english_numbers_and_signs_are_words(text: str, said: str) -> None:
    assert PLAIN.spell(text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("café Ångström", "cafe Angstrom"),
        ("œuvre, straße, Łódź, ﬁ", "oeuvre, strasse, Lodz, fi"),
        ("“Yes” – don’t…", "Yes - don't..."),
        ("中文 a", "a"),
    ],
)
def test_letters_that_the_alphabet_lacks_become_those_it_has(text: str, said: str) -> None:
    assert PLAIN.spell(text) == said


def test_case_follows_the_alphabet_and_missing_marks_become_spaces() -> None:
    assert SMALL.spell("It's TWENTY-five; no!") == "its twenty five no"


def test_accents_that_the_alphabet_has_are_kept() -> None:
    assert Speller("fr", "aeé ".__contains__).spell("é è") == "é e"


@pytest.mark.parametrize(
    ("language", "text", "said"),
    [
        ("nld", "21 honden", "eenentwintig honden"),
        ("nl", "1.250,5", "duizendtweehonderdvijftig komma vijf"),
        ("deu", "3 Äpfel", "drei Äpfel"),
        ("fra", "80", "quatre-vingts"),
        ("spa-dialect", "007", "cero cero siete"),
    ],
)
def test_numbers_of_other_languages_are_words(language: str, text: str, said: str) -> None:
    alphabet = string.ascii_letters + "äöüéèñ Ä-"
    assert Speller(language, alphabet.__contains__).spell(text) == said


def test_every_language_in_the_table_has_numbers() -> None:
    assert [code for code in LANGUAGES.values() if code != "en" and _num2words(code) is None] == []


def test_digits_of_a_language_that_nothing_here_spells_are_told_as_left_out() -> None:
    speller = Speller("quz", (string.ascii_lowercase + " ").__contains__)
    assert speller.spell("a 12 b") == "a b"
    assert not speller.can_say("1")
    assert Speller("nld", (string.ascii_lowercase + " ").__contains__).can_say("1")


@given(st.text(max_size=80))
def test_only_the_alphabet_is_left_and_what_can_be_said_is_said(text: str) -> None:
    spelled = PLAIN.spell(text)
    assert set(spelled) <= set(string.ascii_letters + " .,!?'-")
    if any(map(PLAIN.can_say, text)):
        assert any(map(str.isalnum, spelled))


@given(st.from_regex(r"[ 0-9$€£%.,:/\-+a-z]{1,40}", fullmatch=True))
def test_no_digit_outlives_spelling(text: str) -> None:
    assert not any(map(str.isdigit, english(text)))
