"""The review page: one HTML file on which a person decides about every suggestion, by keyboard and screen reader alone if
need be, and which saves the decisions as a file. It makes no request, and needs no server.

The page itself is review.html, beside this file; here it is filled.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from itertools import groupby
from pathlib import Path

from ..errors import ImageError
from ..files import write_whole
from ..media.thumbnail import thumbnail_url
from ..settings import AltSettings
from .decisions import FORMAT
from .found import Context, Found, Suggestion
from .outcome import Outcome
from .propose import Finding

THUMBNAIL = 480
"""Pixels along the longer side; twice what is shown, for dense screens."""
AROUND = 160
"""Characters shown of what stands before and after a picture."""
PAGE = Path(__file__).with_name("review.html")
ROLES = {
    "decorative": "Decoration",
    "functional": "What a link or button does",
    "complex": "Chart, diagram or map",
    "text": "Picture of text",
    "informative": "Shows something",
}


def write_page(outcome: Outcome, settings: AltSettings) -> None:
    """Write the page that `settings.review` names, with every suggestion of `outcome`; sure ones are accepted beforehand.

    Raises:
        ResourceError: it cannot be written.
    """
    if settings.review is not None:
        write_whole(settings.review, page(outcome, settings))


def page(outcome: Outcome, settings: AltSettings) -> str:
    """The page as HTML."""
    shown = to_decide(outcome)
    rows = [row(finding, outcome) for finding in shown]
    open_ = sum(finding.action == "review" for finding in shown)
    documents = len({finding.document for finding in shown})
    summary = (
        f"{_count(len(shown), 'picture')} in {_count(documents, 'document')}. Without a decision: {open_:,}; the other suggestions"
        f" are sure, and accepted beforehand. Descriptions are by {escape(settings.model)}."
        if shown
        else "There is nothing to decide: no picture lacks a text that could be suggested."
    )
    data = {"format": FORMAT, "limit": settings.limit, "pictures": rows}
    # Inside a script element only "<" can do harm.
    embedded = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    filled = {"title": "Alternative texts to review", "summary": summary, "cards": _sections(shown), "data": embedded}
    template = PAGE.read_text(encoding="utf-8")
    pieces = template.split("{{")
    made = [pieces[0]]
    for piece in pieces[1:]:
        name, _, rest = piece.partition("}}")
        made += (filled[name], rest)
    return "".join(made)


def to_decide(outcome: Outcome) -> list[Finding]:
    """The findings that a review shows: those with a suggestion that would be written, or that a person must look at."""
    return [finding for finding in outcome.findings if finding.action in ("write", "review") and finding.suggestion]


def row(finding: Finding, outcome: Outcome) -> dict[str, str | None]:
    """What a decision about one picture is made of, beside what was decided."""
    told = finding.suggestion
    assert told is not None
    written = finding.document in outcome.written and finding.action == "write"
    was = told.alt if written else finding.found.alt
    return {
        "document": finding.document,
        "key": finding.found.key,
        "was": was,
        "alt": told.alt,
        "by": told.by,
        "long": told.description,
    }


def _sections(findings: Sequence[Finding]) -> str:
    made = []
    numbered = list(enumerate(findings))
    for number, (document, group) in enumerate(groupby(numbered, key=lambda pair: pair[1].document)):
        cards = "\n".join(_card(index, finding) for index, finding in group)
        made.append(
            f'<section aria-labelledby="document-{number}"><h2 id="document-{number}">{escape(document)}</h2>\n{cards}\n</section>'
        )
    return "\n".join(made)


def _card(index: int, finding: Finding) -> str:
    found, told = finding.found, finding.suggestion
    assert told is not None
    name, number = f"p{index}", index + 1
    place = ", ".join(filter(None, (found.entry, f"line {found.line}" if found.line else "")))
    doubts = "".join(f"<li>{escape(doubt)}</li>" for doubt in told.doubts)
    why = f'<p class="soft">Look at it because:</p><ul class="why">{doubts}</ul>' if doubts else ""
    return f"""<article class="card" data-index="{index}" aria-labelledby="{name}-name">
<div class="head"><h3 id="{name}-name" tabindex="-1">Picture {number}: {escape(found.src or found.element)}</h3>
<span class="soft">{escape(place)}</span><p class="state"></p></div>
<div class="thumb">{_thumbnail(found, number)}</div>
<div>
<p class="soft">Suggested</p>
<p class="said">{_said(told)}</p>
{why}
<dl>{_facts(found, told)}</dl>
{_choices(name, number, found, told, sure=finding.action == "write")}
</div>
</article>"""


def _said(told: Suggestion) -> str:
    return f"“{escape(told.alt)}”" if told.alt else "An empty text: decoration"


def _facts(found: Found, told: Suggestion) -> str:
    context: Context = found.context
    of_what = " of what was read in it" if told.by == "reader" else ""
    sure = f"{told.certainty} ({told.score:.2f}){of_what}" if told.score is not None else ""
    link = context.link
    facts = {
        "What it is": ROLES[told.role],
        "Why": told.reason,
        "How sure": sure,
        "Text now": "none" if found.alt is None else "empty" if not found.alt else f"“{found.alt}”",
        "Heading": context.heading,
        "Before": context.before[-AROUND:],
        "After": context.after[:AROUND],
        "Caption": context.caption,
        ("Button" if link.button else "Link") if link else "": (link.target or link.text or link.title) if link else "",
        "Language": context.language,
        "Text in it": told.long,
    }
    return "".join(f"<dt>{escape(key)}</dt><dd>{escape(value)}</dd>" for key, value in facts.items() if key and value)


def _choices(name: str, number: int, found: Found, told: Suggestion, *, sure: bool) -> str:
    def choice(value: str, label: str, *, checked: bool = False) -> str:
        mark = " checked" if checked else ""
        return f'<label class="choice"><input type="radio" name="{name}" value="{value}"{mark}> <span>{label}</span></label>'

    others = "".join(
        f'<button type="button" data-text="{escape(text)}">Use “{escape(text)}”</button>'
        for text in dict.fromkeys(told.others)
        if text and text != told.alt
    )
    accept = "Accept the suggestion" if told.alt else "Accept: it is decoration"
    decoration = (
        choice("decorative", "It is decoration: an empty text") if told.alt and not found.blank_is_decoration else ""
    )
    return f"""<fieldset class="choices"><legend>Decision on picture {number}</legend>
{choice("accept", accept, checked=sure)}
{choice("change", "Another text")}
<div class="own"><label for="{name}-own">Text for picture {number}</label>
<textarea id="{name}-own" rows="2" aria-describedby="{name}-count {name}-mistake">{escape(told.alt)}</textarea>
<p class="count" id="{name}-count"></p><p class="mistake" id="{name}-mistake" role="alert"></p>
<div class="others">{others}</div></div>
{decoration}
{choice("leave", "Leave it as it is")}
</fieldset>"""


def _thumbnail(found: Found, number: int) -> str:
    """A small copy of the picture inside the page, or why there is none."""
    if found.picture is None:
        return f"<p>{escape(found.problem or 'not shown')}</p>"
    try:
        small = thumbnail_url(found.picture, THUMBNAIL)
    except ImageError as error:
        return f"<p>{escape(error.message)}</p>"
    return f'<img alt="Picture {number}, which is to be described" src="{small}">'


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' if number != 1 else ''}"
