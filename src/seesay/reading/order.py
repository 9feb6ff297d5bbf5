"""The order in which people read lines of text: down a column, columns from left to right, rows from left to right.

It knows where lines stand and nothing else: neither what they say nor how they were found. Everything is computed in the
frame of the text, so lines that run upside down, up, down or askew are ordered as they read and not as they lie.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Point = tuple[float, float]
Box = tuple[Point, Point, Point, Point]

GUTTER = 0.8
"""A gap between two columns is at least this wide, in heights of a line; words stand closer."""
COLUMN_WIDTH = 4.5
"""Columns of running text are at least this wide, in heights of a line. Narrower ones (prices) are cells of a table,
which is read row by row."""
COLUMN_LINES = 2
"""A column has at least so many lines."""

BANDS_TRIED = 6
"""Columns must show within so many bands, or every row of a long table would be tried with all that follow."""


@dataclass(frozen=True, slots=True)
class _Extent:
    """What a line covers, in the frame of the text, and its index among the lines given."""

    index: int
    left: float
    top: float
    right: float
    bottom: float


def reading_order(boxes: Sequence[Box]) -> list[int]:
    """The indices of `boxes` as they are read.

    Args:
        boxes: corners of each line from where its text begins: top left, top right, bottom right, bottom left *of the
            text*, in pixels of the picture (x to the right, y down).
    """
    return [extent.index for extent in _ordered(_extents(boxes))]


def _extents(boxes: Sequence[Box]) -> list[_Extent]:
    """The boxes turned by the direction in which most of the text runs."""
    across = sum(right[0] - left[0] for left, right, _, _ in boxes)
    down = sum(right[1] - left[1] for left, right, _, _ in boxes)
    length = math.hypot(across, down) or 1.0
    cos, sin = across / length, down / length
    extents = []
    for index, box in enumerate(boxes):
        xs = [x * cos + y * sin for x, y in box]
        ys = [y * cos - x * sin for x, y in box]
        extents.append(_Extent(index, min(xs), min(ys), max(xs), max(ys)))
    return extents


def _ordered(extents: list[_Extent]) -> list[_Extent]:
    """Bands of the page from top to bottom; successive bands that one gutter crosses are columns."""
    bands = list(_bands(extents))
    ordered: list[_Extent] = []
    start = 0
    while start < len(bands):
        end, columns = _columns_from(bands, start)
        ordered += [extent for column in columns for extent in _ordered(column)] or _rows(bands[start])
        start = end
    return ordered


def _bands(extents: list[_Extent]) -> Iterator[list[_Extent]]:
    """Groups of lines that no horizontal cut could part, from top to bottom."""
    band: list[_Extent] = []
    bottom = -math.inf
    for extent in sorted(extents, key=lambda extent: extent.top):
        # Boxes are cut generously, so lines that stand close overlap by a little.
        if band and extent.top > bottom - 0.25 * (extent.bottom - extent.top):
            yield band
            band = []
            bottom = -math.inf
        band.append(extent)
        bottom = max(bottom, extent.bottom)
    if band:
        yield band


def _columns_from(bands: list[list[_Extent]], start: int) -> tuple[int, list[list[_Extent]]]:
    """The longest run of bands from `start` on that stands in two columns: where it ends, and the columns.

    Where `start` begins no columns: the next band, and none.
    """
    run = (start + 1, list[list[_Extent]]())
    together: list[_Extent] = []
    for end, band in enumerate(bands[start:], start + 1):
        together = [*together, *band]
        gutter = _gutter(together)
        if gutter is None and len(together) > len(band):
            break
        if gutter is not None:
            left = [extent for extent in together if extent.right <= gutter]
            right = [extent for extent in together if extent.right > gutter]
            if _is_column(left) and _is_column(right):
                run = (end, [left, right])
        if not run[1] and end - start >= BANDS_TRIED:
            break
    return run


def _gutter(extents: list[_Extent]) -> float | None:
    """Where the first gap begins that parts the lines into left and right and is wide enough."""
    height = _median([extent.bottom - extent.top for extent in extents])
    reach = -math.inf
    for extent in sorted(extents, key=lambda extent: extent.left):
        if -math.inf < reach < extent.left and extent.left - reach >= GUTTER * height:
            return reach
        reach = max(reach, extent.right)
    return None


def _is_column(extents: list[_Extent]) -> bool:
    height = _median([extent.bottom - extent.top for extent in extents])
    width = _median([extent.right - extent.left for extent in extents])
    return len(extents) >= COLUMN_LINES and width >= COLUMN_WIDTH * height


def _rows(band: list[_Extent]) -> list[_Extent]:
    """A band without columns: rows from top to bottom, each from left to right."""
    rows: list[list[_Extent]] = []
    for extent in sorted(band, key=lambda extent: extent.top + extent.bottom):
        middle = (extent.top + extent.bottom) / 2
        if rows and middle < rows[-1][0].bottom:
            rows[-1].append(extent)
        else:
            rows.append([extent])
    return [extent for row in rows for extent in sorted(row, key=lambda extent: extent.left)]


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]
