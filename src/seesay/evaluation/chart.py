"""Figures as bars with their intervals, and baselines as marks on the same lines: plain HTML, which fits any width.

It knows numbers and names, and nothing about what was measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from ..metrics import Interval

MARKS = ("diamond", "circle")


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a chart."""

    name: str
    value: Interval
    text: str
    """The value as it stands behind the bar."""
    marks: tuple[float | None, ...]
    """The baselines' values, in the order of the legend; at most as many as MARKS."""
    full: float = 1.0
    """The value at the right end."""


def chart(title: str, model: str, baselines: Sequence[str], bars: Sequence[Bar]) -> str:
    """Bars under a legend. `model` says what a bar is, `baselines` what its marks are."""
    words = "; ".join(f"{bar.name} {bar.text}" for bar in bars)
    shapes = "".join(
        f'<li><i class="{shape}"></i> {escape(name)}</li>' for shape, name in zip(MARKS, baselines, strict=False)
    )
    legend = f'<ul class="legend"><li><i class="square"></i> {escape(model)}</li>{shapes}</ul>'
    lines = "".join(map(_line, bars))
    return f'<figure>{legend}<div class="chart" role="img" aria-label="{escape(title)}: {escape(words)}">{lines}</div></figure>'


def _line(bar: Bar) -> str:
    low, high = _place(bar.value.low, bar), _place(bar.value.high, bar)
    parts = [
        f'<i class="fill" style="width:{_place(bar.value.mean, bar):.2f}%"></i>',
        f'<i class="span" style="left:{low:.2f}%;width:{high - low:.2f}%"></i>',
    ]
    parts += [
        f'<i class="{shape}" style="left:{_place(mark, bar):.2f}%"></i>'
        for shape, mark in zip(MARKS, bar.marks, strict=False)
        if mark is not None
    ]
    track = f'<span class="track{"" if bar.full == 1 else " own"}">{"".join(parts)}</span>'
    return f'<div class="bar"><span>{escape(bar.name)}</span>{track}<strong>{escape(bar.text)}</strong></div>'


def _place(value: float, bar: Bar) -> float:
    """In percent from the left."""
    return 100 * min(1.0, max(0.0, value / bar.full))
