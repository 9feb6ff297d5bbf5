"""Bars, intervals and marks at their places."""

import re

from seesay.evaluation.chart import Bar, chart
from seesay.metrics import Interval


def places(html: str, kind: str) -> list[str]:
    return re.findall(rf'class="{kind}" style="([^"]*)"', html)


def test_bars_intervals_and_marks_stand_where_their_values_are() -> None:
    bars = [
        Bar("a & b", Interval(0.5, 0.4, 0.65, 9, 9), "50 %", (0.25, None)),
        Bar("c", Interval(2.0, 1.0, 3.0, 9, 9), "2.0", (4.0, 5.0), full=4.0),
    ]
    html = chart("Figures", "the model", ["one", "two"], bars)
    assert places(html, "fill") == ["width:50.00%", "width:50.00%"]
    assert places(html, "span") == ["left:40.00%;width:25.00%", "left:25.00%;width:50.00%"]
    assert places(html, "diamond") == ["left:25.00%", "left:100.00%"]
    assert places(html, "circle") == ["left:100.00%"]
    assert 'aria-label="Figures: a &amp; b 50 %; c 2.0"' in html
    assert html.count('class="track own"') == 1


def test_without_baselines_there_are_no_marks() -> None:
    html = chart("Figures", "the model", [], [Bar("a", Interval(0.5, 0.4, 0.6, 9, 9), "0.5", (None, None))])
    assert "diamond" not in html
    assert "circle" not in html
