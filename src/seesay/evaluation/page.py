"""The shell of a report: one HTML file that needs nothing else, readable by screen readers, on phones, in light and dark.

No scripts, no requests. It knows HTML, and nothing about what is reported.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape

from ..errors import ImageError
from ..media.thumbnail import thumbnail_url
from ..types import ImageSource

THUMBNAIL = 240
STYLE = """
:root { color-scheme: light dark; --ink: #1a1c20; --soft: #5a5f68; --paper: #fcfcfa; --card: #ffffff; --line: #d9dad5;
  --model: #1f5fbf; --only: #b4570a; --majority: #767a80; }
@media (prefers-color-scheme: dark) { :root { --ink: #e9eaec; --soft: #a9aeb7; --paper: #16181c; --card: #1f2227;
  --line: #3a3e45; --model: #7db0ff; --only: #ffab5e; --majority: #9a9fa8; } }
@media (prefers-contrast: more) { :root { --soft: var(--ink); --line: var(--ink); } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 62rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .25rem; } h2 { font-size: 1.25rem; margin: 2.5rem 0 .75rem; }
p { margin: .4rem 0; } .soft { color: var(--soft); }
.headline { font-size: 3.2rem; font-weight: 650; line-height: 1.1; margin: 1rem 0 0; letter-spacing: -.02em; }
.headline small { font-size: 1.25rem; font-weight: 500; color: var(--soft); letter-spacing: 0; }
.scroll { overflow-x: auto; margin-bottom: 1.25rem; }
table { border-collapse: separate; border-spacing: 0; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); padding-bottom: .4rem; }
th, td { padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); text-align: right; }
td, .bar strong { white-space: nowrap; } td small { color: var(--soft); font-size: .85em; }
th { font-weight: 600; vertical-align: bottom; } td, tbody th { vertical-align: baseline; }
th:first-child { text-align: left; min-width: 6.5rem; position: sticky; left: 0; background: var(--paper); }
figure { margin: 1rem 0; } figure img { max-width: 100%; height: auto; }
.plots img { background: #fff; border: 1px solid var(--line); border-radius: .5rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(12.5rem, 1fr)); gap: 1rem; padding: 0; margin: 0; }
.cards > li { list-style: none; background: var(--card); border: 1px solid var(--line); border-radius: .6rem;
  overflow: hidden; display: flex; flex-direction: column; }
.cards img { display: block; width: 100%; height: 10rem; object-fit: contain; background: var(--paper); image-rendering: auto;
  border-bottom: 1px solid var(--line); }
.cards div { padding: .6rem .8rem .8rem; flex: 1; display: flex; flex-direction: column; }
.cards p { margin: .15rem 0; overflow-wrap: anywhere; } .cards .said { font-weight: 600; line-height: 1.35; }
.cards p.label { font-size: .8rem; line-height: 1.2; margin: .6rem 0 0; } .cards p.label:first-child { margin-top: 0; }
.cards .chip { margin: auto 0 0; padding-top: .6rem; color: var(--model); font-size: .85rem; font-weight: 600; }
.label { color: var(--soft); } pre { overflow-x: auto; padding: .9rem 1rem; background: var(--card);
  border: 1px solid var(--line); border-radius: .6rem; font-size: .85rem; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: 0 0 .75rem; padding: 0; list-style: none;
  color: var(--soft); font-size: .9rem; }
.chart { display: grid; gap: .55rem; }
.bar { display: grid; grid-template-columns: 11rem 1fr 3.2rem; gap: 0 .75rem; align-items: center; font-size: .9rem; }
.bar > span:first-child { text-align: right; overflow-wrap: anywhere; line-height: 1.25; }
.bar strong { font-weight: 600; font-variant-numeric: tabular-nums; }
.track { position: relative; height: 1.15rem; border-radius: .2rem; outline: 1px solid var(--line); background: var(--card);
  background-image: repeating-linear-gradient(to right, transparent 0 calc(20% - 1px), var(--line) calc(20% - 1px) 20%);
  forced-color-adjust: none; }
.track.own { background-image: none; }
.track i { position: absolute; } .track .fill { inset: 0 auto 0 0; border-radius: .2rem; background: var(--model); opacity: .85; }
.track .span { top: calc(50% - 1px); height: 2px; background: var(--ink); }
.diamond, .circle { width: .7rem; height: .7rem; border: 1px solid var(--paper); background: var(--only); }
.diamond { transform: rotate(45deg); } .circle { border-radius: 50%; background: var(--majority); }
.track .diamond, .track .circle { top: calc(50% - .35rem); margin-left: -.35rem; }
.legend i { display: inline-block; forced-color-adjust: none; }
.square { width: .75rem; height: .75rem; background: var(--model); }
@media (max-width: 36rem) { table { font-size: .875rem; } td small { display: block; }
  .bar { grid-template-columns: 1fr auto; } .bar > span:first-child { text-align: left; }
  .track { grid-row: 2; grid-column: 1 / -1; } }
"""


def page(title: str, sections: Iterable[str]) -> str:
    """A whole HTML document. `title` is plain text; each section is HTML already."""
    body = "\n".join(sections)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n<h1>{escape(title)}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    )


def table(caption: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of plain text whose first column names its rows."""
    head = "".join(f'<th scope="col">{escape(name) or "group"}</th>' for name in header)
    lines = [f'<tr><th scope="row">{escape(row[0])}</th>{"".join(map(_cell, row[1:]))}</tr>' for row in rows]
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def _cell(text: str) -> str:
    """What stands in parentheses behind a figure, its interval, is smaller."""
    figure, parenthesis, interval = text.partition(" (")
    if not parenthesis:
        return f"<td>{escape(text)}</td>"
    return f"<td>{escape(figure)} <small>({escape(interval)}</small></td>"


def provenance(model: str, revision: str, pace: str) -> str:
    """Which model was measured, and how fast it was."""
    at = f" at {revision[:12]}" if revision else ""
    return f'<p class="soft">Model {escape(model)}{escape(at)}; {escape(pace)}.</p>'


def picture(png: bytes, alternative: str) -> str:
    """A PNG inside the page."""
    data = base64.b64encode(png).decode("ascii")
    return f'<figure><img alt="{escape(alternative)}" src="data:image/png;base64,{data}"></figure>'


def thumbnail(source: ImageSource, alternative: str) -> str:
    """A small copy of a picture inside the page, or the reason why there is none."""
    try:
        small = thumbnail_url(source, THUMBNAIL)
    except ImageError as error:
        return f'<p class="label">{escape(error.message)}</p>'
    return f'<img alt="{escape(alternative)}" loading="lazy" src="{small}">'
