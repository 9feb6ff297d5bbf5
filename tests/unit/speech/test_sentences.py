"""Where sentences end, and that nothing is lost on the way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seesay.speech.sentences import split


def sentences(text: str, limit: int = 250) -> list[str]:
    return [piece.text for piece in split(text, limit)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A dog. A cat.", ["A dog.", "A cat."]),
        ("Is it red? Yes! It is.", ["Is it red?", "Yes!", "It is."]),
        ("Dr. Smith met Mr. Jones. They ate.", ["Dr. Smith met Mr. Jones.", "They ate."]),
        ("Fruit, e.g. Apples, i.e. food.", ["Fruit, e.g. Apples, i.e. food."]),
        ("It weighs 3.5 kg. It costs $4.20.", ["It weighs 3.5 kg.", "It costs $4.20."]),
        ("J. K. Rowling wrote it.", ["J. K. Rowling wrote it."]),
        ("So do I. Then we left.", ["So do I.", "Then we left."]),
        ("Room No. 5 is open.", ["Room No. 5 is open."]),
        ("1. Open the box. 2. Look.", ["1. Open the box.", "2. Look."]),
        ("Well... maybe. Wait… What?", ["Well... maybe.", "Wait…", "What?"]),
        ('"Stop!" he said. "Why?" She ran.', ['"Stop!" he said.', '"Why?"', "She ran."]),
        ("(It is a sign.) It says no.", ["(It is a sign.)", "It says no."]),
        ("这是狗。那是猫！好吗？", ["这是狗。", "那是猫！", "好吗？"]),
        ("「走れ。」彼は言った。", ["「走れ。」", "彼は言った。"]),
        ("STOP\nNo parking", ["STOP", "No parking"]),
        ("A dog that was\nwrapped here. Yes.\n\nNew.", ["A dog that was wrapped here.", "Yes.", "New."]),
        ("Look at seesay.org/a.b now. Bye.", ["Look at seesay.org/a.b now.", "Bye."]),
        ("No full stop", ["No full stop"]),
        ("", []),
        (" \n\t ", []),
    ],
)
def test_sentences_end_where_people_end_them(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_a_long_sentence_is_cut_after_a_comma_before_a_space_and_a_space_before_a_letter() -> None:
    assert sentences("one two, three four five", 14) == ["one two,", "three four", "five"]
    assert sentences("one two three four", 10) == ["one two", "three four"]
    assert sentences("a, bb cc dd ee ff", 12) == ["a, bb cc dd", "ee ff"]
    assert sentences("abcdefghij", 4) == ["abcd", "efgh", "ij"]
    assert sentences("一二三，四五六七", 6) == ["一二三，", "四五六七"]


def test_letters_keep_their_accents_when_cut() -> None:
    assert sentences("aaae\u0301e\u0301", 4) == ["aaa", "e\u0301e\u0301"]


def test_only_the_last_part_of_a_long_sentence_is_final() -> None:
    assert [piece.final for piece in split("one two three four. Five.", 10)] == [False, False, True, True]


@given(st.text(alphabet=st.sampled_from("aB1 .,!?…。、\"')\n\te\u0301안"), max_size=200), st.integers(1, 40))
def test_every_character_but_space_is_kept_and_every_piece_is_within_the_limit(text: str, limit: int) -> None:
    pieces = sentences(text, limit)
    assert "".join("".join(pieces).split()) == "".join(text.split())
    assert all(piece.strip() and len(piece) <= limit for piece in pieces)


@given(st.text(max_size=300), st.integers(1, 300))
def test_any_text_is_kept(text: str, limit: int) -> None:
    pieces = sentences(text, limit)
    assert "".join("".join(pieces).split()) == "".join(text.split())
    assert all(0 < len(piece) <= limit for piece in pieces)
