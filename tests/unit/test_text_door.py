"""Text is composed, trimmed and refused where no model or voice could use it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seesay.errors import TextError
from seesay.media.text import clean_text


def test_text_is_composed_and_trimmed() -> None:
    assert clean_text("  cafe\u0301? ", 100) == "caf\u00e9?"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("  \n ", "empty"),
        ("a" * 11, "11 characters are more than the limit of 10"),
        ("a\x00b", r"U\+0000.*character 2"),
        ("a\ud800", "half a surrogate pair"),
        ("\x1b[31m", "control character"),
    ],
)
def test_unusable_text_is_refused_with_the_reason(text: str, said: str) -> None:
    with pytest.raises(TextError, match=said):
        clean_text(text, 10)


@given(st.text())
def test_cleaning_is_idempotent_or_refuses(text: str) -> None:
    try:
        once = clean_text(text, 1_000)
    except TextError:
        return
    assert clean_text(once, 1_000) == once
