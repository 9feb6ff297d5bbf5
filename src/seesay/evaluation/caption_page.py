"""The HTML of a caption report: headline, chart, tables, and pictures with what people and the model say about them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from html import escape

from .captions import SYSTEMS, CaptionReport, Described, Figure
from .chart import Bar, chart
from .page import provenance, table, thumbnail

SHOWN = 8
"""Pictures of each kind."""
REFERENCES = 3
LONGEST = 280
"""Characters of a caption that a card shows."""


def headline(report: CaptionReport) -> list[str]:
    """What was found, in a figure and in sentences."""
    name, value = report.headline()
    first, *others = report.sentences()
    return [
        f'<p class="headline">{value.mean:.3f} <small>{escape(name)}</small></p>',
        f"<p>{escape(first)}</p>",
        "".join(f'<p class="soft">{escape(sentence)}</p>' for sentence in others),
    ]


def details(report: CaptionReport) -> list[str]:
    """The chart, the tables, and the grid of pictures."""
    bars = [_bar(figure) for figure in report.figures.values()]
    baselines = [SYSTEMS["nearest"], SYSTEMS["commonest"]] if report.baselines else []
    parts = ["<h2>By metric</h2>"]
    parts.append(chart("Figures by metric", "model with 95 % interval", baselines, bars))
    if any(bar.full != 1 for bar in bars):
        parts.append('<p class="soft">Bars without a grid have scales of their own; the others run from 0 to 1.</p>')
    parts += [table(title, header, rows) for title, header, rows in report.tables()]
    parts.append(provenance(report.model, report.revision, f"{report.seconds_per_caption:.2f} s a caption (median)"))
    return [*parts, *_pictures(report)]


def _bar(figure: Figure) -> Bar:
    marks = (figure.nearest, figure.commonest)
    highest = max([figure.model.high, *(mark.mean for mark in marks if mark)])
    return Bar(
        name=figure.name if figure.greater_is_better else f"{figure.name} (lower is better)",
        value=figure.model,
        text=f"{figure.model.mean:.3f}",
        marks=tuple(mark.mean if mark else None for mark in marks),
        full=1.0 if figure.bounds[1] == 1 else max(1.0, highest * 1.04),
    )


def _pictures(report: CaptionReport) -> list[str]:
    """Some at random, the best and the worst; all of them where there are not many more."""
    ordered = report.best_first
    if len(ordered) <= 3 * SHOWN:
        return _grid("All pictures", "The best captions by CIDEr-D come first.", ordered, report)
    drawn = random.Random(report.seed).sample(report.pictures, SHOWN)
    return [
        *_grid("At random", f"{SHOWN} pictures drawn by the seed {report.seed}: what to expect.", drawn, report),
        *_grid("The best", f"The {SHOWN} captions with the highest CIDEr-D.", ordered[:SHOWN], report),
        *_grid("The worst", f"The {SHOWN} captions with the lowest CIDEr-D.", ordered[: -SHOWN - 1 : -1], report),
    ]


def _grid(title: str, said: str, shown: Sequence[Described], report: CaptionReport) -> list[str]:
    cards = "".join(_card(one) for one in shown)
    return [f"<h2>{title}</h2>", f'<p class="soft">{escape(said)}</p>', f'<ul class="cards">{cards}</ul>']


def _card(one: Described) -> str:
    known = one.example.answers
    more = f'<p class="label">and {len(known) - REFERENCES} more</p>' if len(known) > REFERENCES else ""
    wrote = "".join(f'<p dir="auto">{escape(_short(reference))}</p>' for reference in known[:REFERENCES])
    nearest = (
        f'<p class="label">nearest training picture</p><p dir="auto">{escape(_short(one.nearest))}</p>'
        if one.nearest
        else ""
    )
    return (
        f"<li>{thumbnail(one.example.images[0], _short(known[0]))}<div>"
        f'<p class="label">the model</p><p class="said" dir="auto">{escape(_short(one.caption)) or "<em>nothing</em>"}</p>'
        f'<p class="label">people</p>{wrote}{more}{nearest}'
        f'<p class="chip">CIDEr-D {one.score:.2f}</p></div></li>'
    )


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
