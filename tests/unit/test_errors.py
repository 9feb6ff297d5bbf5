"""Errors say where, what and what to do, and each knows its exit code."""

import re

import pytest

from seesay import errors


def test_an_error_reads_where_what_hint() -> None:
    error = errors.DataError("no 'image' field", where="my.jsonl:17", hint="fields here: img, q, a")
    assert str(error) == "my.jsonl:17: no 'image' field\nhint: fields here: img, q, a"


def test_a_data_error_lists_twenty_problems_and_counts_the_rest() -> None:
    problems = [errors.Problem(f"my.jsonl:{line}", "no answer") for line in range(1, 26)]
    text = str(errors.DataError("25 problems", problems=problems))
    assert text.count("no answer") == 20
    assert text.endswith("... and 5 more")


def test_a_missing_extra_says_what_to_install() -> None:
    assert 'pip install "seesay[models]"' in str(errors.MissingExtra("this model", "seesay[models]"))


@pytest.mark.parametrize("line", re.findall(r"[├└]── (\w+) .*", errors.__doc__ or ""))
def test_the_tree_in_the_docstring_is_the_tree_in_the_code(line: str) -> None:
    assert issubclass(getattr(errors, line), errors.SeesayError)


def test_every_error_class_stands_in_the_docstring() -> None:
    classes = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]
    for error in classes:
        row = re.search(rf"\b{error.__name__}\b(.*)", errors.__doc__ or "")
        assert row, error.__name__
        codes = [int(number) for number in re.findall(r"\b(\d+)\b", row.group(1).split("  a")[0])]
        expected = {error.exit_code, error.http_status} | {1, 500}
        assert set(codes) <= expected, (error.__name__, codes)
