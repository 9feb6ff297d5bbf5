"""The contact sheet: what was found, as parts of a page, each picture with a description for those who do not see it.

It knows HTML and nothing about what a page around it looks like.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from ..errors import ImageError
from ..media.thumbnail import thumbnail_url
from ..types import Hit
from .find import Findings

SIDE = 240
"""Pixels of the longer side of a thumbnail."""


def sections(found: Findings, index: str) -> Iterator[str]:
    """The parts of the page below its title."""
    count = (
        f"{len(found.hits):,} of {found.pictures:,} pictures" if found.hits else f"none of {found.pictures:,} pictures"
    )
    asked = "" if found.asked == found.pictures else f" The model was asked about {found.asked:,} of them."
    yield f'<p class="headline">{count}</p>'
    yield f'<p class="soft">Found in {escape(index)} by asking “{escape(found.question)}”.{asked}</p>'
    if found.hits and found.calibrated:
        yield '<p class="soft">The figure below a picture says how likely it is right.</p>'
    if found.hits:
        yield f'<h2>Pictures</h2>\n<ol class="cards">{"".join(map(_card, found.hits))}</ol>'
    if found.problems:
        rows = "".join(f"<li>{escape(problem.where)}: {escape(problem.message)}</li>" for problem in found.problems)
        yield f"<h2>Pictures that could not be opened</h2>\n<ul>{rows}</ul>"


def _card(hit: Hit) -> str:
    copies = "".join(f'<p class="label">also {escape(path)}</p>' for path in hit.copies)
    said = f'<p class="said">{escape(hit.caption)}</p>' if hit.caption else ""
    return (
        f"<li>{_thumbnail(hit)}<div>{said}<p>{escape(hit.path)}</p>{copies}"
        f'<p class="chip">{hit.score:.0%} likely</p></div></li>'
    )


def _thumbnail(hit: Hit) -> str:
    """A small copy of the picture within the page, or the reason why there is none. Where the description stands below it as
    text, a screen reader should not read it twice, but the picture must not be silent either: it gets the description."""
    try:
        small = thumbnail_url(hit.path, SIDE)
    except ImageError as error:
        return f'<p class="label">{escape(error.message)}</p>'
    return f'<img alt="{escape(hit.caption or hit.path)}" loading="lazy" src="{small}">'
