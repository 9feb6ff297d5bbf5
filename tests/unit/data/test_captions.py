"""Figures about captions, held against counts by hand."""

from hypothesis import given
from hypothesis import strategies as st

from seesay import Example
from seesay.data.captions import describe

ROWS = [
    Example((b"1",), "", ("A dog runs.", "a dog, asleep"), origin="a:1"),
    Example((b"2",), "", ("a dog runs",), origin="a:2"),
    Example((b"1",), "", ("Two dogs!",), origin="a:3"),
    Example((b"3",), "What is it?", ("a cat",), origin="a:4"),
    Example((b"4",), "", ("...",), origin="a:5"),
]


def content(row: Example) -> str:
    return str(row.images[0])


def test_captions_are_counted() -> None:
    found = describe(ROWS, content, frozenset(("a", "dog", "two", "never")))
    assert found is not None
    assert (found.rows, found.captions) == (4, 5)
    assert found.per_picture == (1, 1, 3)
    assert found.words == (0, 3, 3)
    assert found.vocabulary == {"a", "dog", "runs", "asleep", "two", "dogs"}
    assert found.repeated == 2 / 5
    assert found.known == 7 / 11
    assert found.frequent == (("A dog runs.", 2),)
    assert found.longest[0] == ("A dog runs.", 3, "a:1")
    assert found.wordless == ("a:5",)


def test_rows_that_ask_have_no_captions() -> None:
    assert describe([ROWS[3]], content, None) is None
    assert describe([], content, None) is None


@given(st.lists(st.lists(st.text("ab c.", max_size=9), max_size=3), max_size=6))
def test_shares_are_shares_whatever_is_said(captions: list[list[str]]) -> None:
    rows = [Example((str(n).encode(),), "", tuple(said)) for n, said in enumerate(captions)]
    train = describe(rows, content, None)
    if train is None:
        assert not rows
        return
    itself = describe(rows, content, train.vocabulary)
    assert itself is not None
    assert itself.known in (None, 1.0)
    assert 0 <= train.repeated <= 1
    assert train.words[0] <= train.words[1] <= train.words[2]
    assert sum(times for _, times in train.frequent) == round(train.repeated * train.captions)
