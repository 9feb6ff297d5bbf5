"""A measurement as files: report.json with every figure, report.html to look at."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path

from ..files import write_whole
from .measure import Mistake, Report, Row
from .page import page, table, thumbnail

BAR, GAP, LEFT, WIDTH = 14, 12, 150, 720


def write(report: Report, folder: Path) -> None:
    """Write report.json and report.html into `folder`, each whole or not at all."""
    write_whole(folder / "report.json", json.dumps(report.to_dict(), ensure_ascii=False, indent=1) + "\n")
    write_whole(folder / "report.html", page(f"Visual question answering: {report.model}", sections(report)))


def sections(report: Report) -> list[str]:
    """The parts of the HTML report: headline, chart, tables, worst examples."""
    first, *others = report.sentences()
    parts = [
        f'<p class="headline">{report.accuracy.mean * 100:.1f} %</p>',
        f"<p>{escape(first)}</p>",
        "".join(f'<p class="soft">{escape(sentence)}</p>' for sentence in others),
        "<h2>By type of question</h2>",
        chart([Row("all questions", report.accuracy, report.majority, report.question_only), *report.question_types]),
    ]
    parts += [table(title, header, rows) for title, header, rows in report.tables()]
    parts.append(_provenance(report))
    if report.mistakes:
        parts.append("<h2>The surest mistakes</h2>")
        parts.append(f'<ul class="cards">{"".join(map(_card, report.mistakes))}</ul>')
    return parts


def chart(rows: Sequence[Row]) -> str:
    """Accuracy by group as bars with their intervals, and the baselines as marks on the same line."""
    height = len(rows) * (BAR + GAP) + 46
    scale = WIDTH - LEFT - 60
    lines = [_axis(height - 30, scale), *(_bar(row, index, scale) for index, row in enumerate(rows))]
    words = "; ".join(f"{row.name} {row.accuracy.mean * 100:.1f} %" for row in rows)
    legend = (
        '<p class="soft"><span style="color:var(--model)">&#9632;</span> model with 95 % interval &#8195;'
        '<span style="color:var(--only)">&#9670;</span> by the question alone &#8195;'
        '<span style="color:var(--majority)">&#9679;</span> majority answer</p>'
    )
    return (
        f'<figure><div class="scroll" tabindex="0"><svg viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="Accuracy by type of question: {escape(words)}" '
        f'font-family="inherit" font-size="12" fill="currentColor">{"".join(lines)}</svg></div>{legend}</figure>'
    )


def _axis(bottom: int, scale: int) -> str:
    marks = []
    for percent in range(0, 101, 20):
        x = LEFT + scale * percent / 100
        marks.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{bottom}" stroke="var(--line)"/>'
            f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle" fill="var(--soft)">{percent} %</text>'
        )
    return "".join(marks)


def _bar(row: Row, index: int, scale: int) -> str:
    top = index * (BAR + GAP) + 8
    middle = top + BAR / 2
    x = [LEFT + scale * value for value in (row.accuracy.mean, row.accuracy.low, row.accuracy.high)]
    parts = [
        f'<text x="{LEFT - 8}" y="{middle + 4}" text-anchor="end">{escape(_short(row.name))}</text>',
        f'<rect x="{LEFT}" y="{top}" width="{x[0] - LEFT:.1f}" height="{BAR}" rx="2" fill="var(--model)" opacity=".85"/>',
        f'<line x1="{x[1]:.1f}" x2="{x[2]:.1f}" y1="{middle}" y2="{middle}" stroke="currentColor" stroke-width="2"/>',
        f'<text x="{x[2] + 8:.1f}" y="{middle + 4}">{row.accuracy.mean * 100:.1f}</text>',
    ]
    if row.majority is not None:
        at = LEFT + scale * row.majority.mean
        parts.append(f'<circle cx="{at:.1f}" cy="{middle}" r="5" fill="var(--majority)" stroke="var(--paper)"/>')
    if row.question_only is not None:
        at = LEFT + scale * row.question_only.mean
        shape = f"M{at:.1f} {middle - 7} l7 7 l-7 7 l-7 -7z"
        parts.append(f'<path d="{shape}" fill="var(--only)" stroke="var(--paper)"/>')
    return "".join(parts)


def _card(mistake: Mistake) -> str:
    example = mistake.example
    expected = ", ".join(mistake.expected)
    seen = thumbnail(example.images[0], f"the picture asked about: {example.question}")
    return (
        f"<li>{seen}<div><p><strong>{escape(example.question)}</strong></p>"
        f'<p><span class="label">answered</span> {escape(mistake.answer.text or "nothing")} ({mistake.answer.score:.2f})</p>'
        f'<p><span class="label">people said</span> {escape(expected)}</p></div></li>'
    )


def _provenance(report: Report) -> str:
    revision = f" at {report.revision[:12]}" if report.revision else ""
    return (
        f'<p class="soft">Model {escape(report.model)}{escape(revision)}; '
        f"{report.seconds_per_answer * 1000:.1f} ms an answer (median).</p>"
    )


def _short(name: str) -> str:
    return name if len(name) <= 22 else name[:21] + "…"
