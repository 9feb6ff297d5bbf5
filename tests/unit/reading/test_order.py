"""The order of lines, from their places alone."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seesay.reading.order import Box, reading_order


def box(left: float, top: float, width: float = 100, height: float = 20) -> Box:
    return ((left, top), (left + width, top), (left + width, top + height), (left, top + height))


def turned(boxes: list[Box], degrees: float) -> list[Box]:
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    points = [[(x * cos - y * sin + 500, x * sin + y * cos + 500) for x, y in one] for one in boxes]
    return [(first, second, third, fourth) for first, second, third, fourth in points]


PAGE = [
    box(150, 0, 120, 40),  # a heading over two columns
    *(box(0, 60 + 30 * line, 180) for line in range(3)),
    *(box(230, 60 + 30 * line, 190) for line in range(3)),
    box(0, 170, 400),  # a line below them, as wide as both
]


def test_no_line_and_one_line() -> None:
    assert reading_order([]) == []
    assert reading_order([box(5, 5)]) == [0]


@pytest.mark.parametrize("degrees", [0, 7, -7, 90, 180, 270])
def test_columns_are_read_one_after_the_other_however_the_page_is_turned(degrees: float) -> None:
    shuffled = [3, 7, 0, 5, 1, 6, 2, 4]
    boxes = turned([PAGE[index] for index in shuffled], degrees)
    assert [shuffled[index] for index in reading_order(boxes)] == list(range(8))


def test_columns_whose_lines_stand_at_different_heights() -> None:
    left = [box(0, 30 * line, 180) for line in range(4)]
    right = [box(230, 17 + 30 * line, 180) for line in range(4)]
    assert reading_order([*right, *left]) == [4, 5, 6, 7, 0, 1, 2, 3]


def test_a_list_of_prices_is_read_row_by_row() -> None:
    names = [box(0, 30 * line, 150) for line in range(3)]
    prices = [box(300, 30 * line + 2, 40) for line in range(3)]
    assert reading_order([*names, *prices]) == [0, 3, 1, 4, 2, 5]


def test_a_heading_that_leaves_a_gap_with_the_first_line_only() -> None:
    left = [box(0, 60, 180), box(0, 90, 220), box(0, 120, 215)]
    right = [box(400, 60 + 30 * line, 190) for line in range(3)]
    assert reading_order([box(220, 0, 200, 40), *left, *right]) == list(range(7))


def test_columns_below_a_table() -> None:
    table = [box(0, 0, 60), box(300, 2, 40), box(0, 30, 60), box(300, 32, 40)]
    heading = box(0, 70, 420)
    left = [box(0, 110 + 30 * line, 180) for line in range(3)]
    right = [box(230, 110 + 30 * line, 180) for line in range(3)]
    assert reading_order([*table, heading, *left, *right]) == list(range(11))


def test_words_of_one_row_go_from_left_to_right() -> None:
    assert reading_order([box(220, 3), box(0, 0), box(110, -2)]) == [1, 2, 0]


def test_lines_that_overlap_by_a_little_are_rows() -> None:
    assert reading_order([box(0, 36), box(0, 18), box(0, 0)]) == [2, 1, 0]


def test_boxes_without_extent_are_ordered_too() -> None:
    assert sorted(reading_order([box(0, 0, 0, 0), box(0, 0, 0, 0)])) == [0, 1]


@given(st.lists(st.tuples(*[st.floats(-1e4, 1e4)] * 8), max_size=30))
def test_every_line_comes_once(numbers: list[tuple[float, ...]]) -> None:
    boxes: list[Box] = [((a, b), (c, d), (e, f), (g, h)) for a, b, c, d, e, f, g, h in numbers]
    assert sorted(reading_order(boxes)) == list(range(len(boxes)))
