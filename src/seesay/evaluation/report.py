"""A measurement as files: report.json with every figure, report.html to look at."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import TypeAlias

from ..files import write_whole
from . import caption_page
from .captions import CaptionReport
from .chart import Bar, chart
from .measure import Mistake, Row, VqaReport
from .page import page, provenance, table, thumbnail

Report: TypeAlias = VqaReport | CaptionReport
"""Both have `task`, `model`, `headline()`, `compared()`, `sentences()`, `tables()` and `to_dict()`."""
TITLES = {"vqa": "Visual question answering", "caption": "Image captioning"}


def write(report: Report, folder: Path) -> None:
    """Write report.json and report.html into `folder`, each whole or not at all."""
    write_whole(folder / "report.json", json.dumps(report.to_dict(), ensure_ascii=False, indent=1) + "\n")
    parts = [*headline(report), *details(report)]
    write_whole(folder / "report.html", page(f"{TITLES[report.task]}: {report.model}", parts))


def headline(report: Report) -> list[str]:
    """The beginning of the HTML report: what was found, in a figure and in sentences."""
    if isinstance(report, CaptionReport):
        return caption_page.headline(report)
    first, *others = report.sentences()
    return [
        f'<p class="headline">{report.accuracy.mean * 100:.1f} %</p>',
        f"<p>{escape(first)}</p>",
        "".join(f'<p class="soft">{escape(sentence)}</p>' for sentence in others),
    ]


def details(report: Report) -> list[str]:
    """The rest of it: chart, tables, pictures."""
    if isinstance(report, CaptionReport):
        return caption_page.details(report)
    rows = [Row("all questions", report.accuracy, report.majority, report.question_only), *report.question_types]
    baselines = ["by the question alone", "majority answer"] if report.majority else []
    parts = ["<h2>By type of question</h2>"]
    parts.append(chart("Accuracy by type of question", "model with 95 % interval", baselines, list(map(_bar, rows))))
    parts += [table(title, header, rows) for title, header, rows in report.tables()]
    parts.append(
        provenance(report.model, report.revision, f"{report.seconds_per_answer * 1000:.1f} ms an answer (median)")
    )
    if report.mistakes:
        parts.append("<h2>The surest mistakes</h2>")
        parts.append(f'<ul class="cards">{"".join(map(_card, report.mistakes))}</ul>')
    return parts


def _bar(row: Row) -> Bar:
    marks = tuple(value.mean if value else None for value in (row.question_only, row.majority))
    return Bar(row.name, row.accuracy, f"{row.accuracy.mean * 100:.1f} %", marks)


def _card(mistake: Mistake) -> str:
    example = mistake.example
    expected = ", ".join(mistake.expected)
    seen = thumbnail(example.images[0], f"the picture asked about: {example.question}")
    return (
        f"<li>{seen}<div><p><strong>{escape(example.question)}</strong></p>"
        f'<p><span class="label">answered</span> {escape(mistake.answer.text or "nothing")} ({mistake.answer.score:.2f})</p>'
        f'<p><span class="label">people said</span> {escape(expected)}</p></div></li>'
    )
