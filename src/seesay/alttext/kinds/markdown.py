"""Markdown: `![](picture.png)`, `![][name]`, and HTML in it. Code is left alone. An empty text is a missing one, because
Markdown has no other way to write either. Who wrote a text stands in a record beside the document.

markdown-it-py tells what is a picture (CommonMark, and GitHub's tables); its rules are listened to for where each stands.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ..document import PICTURES, Document, View, check_count, check_edit
from ..encoding import decode
from ..found import Change, Context, Found, Link, digest_of
from ..pages import CONTEXT, edited, hash_of, shown_address, spots, svg_name
from ..places import Places
from ..record import Record, record_path

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_FRONT_MATTER = re.compile(r"\ufeff?---[ \t]*\r?\n(?:.*\n)*?(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)")
_LANGUAGE = re.compile(r"^lang(?:uage)?[ \t]*:[ \t]*[\"']?([A-Za-z]{2,3}(?:-[A-Za-z0-9]+)*)", re.MULTILINE)
_SPECIAL = re.compile(r"([\\`*_\[\]<>&!~])")
_PIPE = "&#124;"
"""Even an escaped one can make a table of the line it stands in, or split a cell."""


@dataclass(frozen=True, slots=True)
class _Spot:
    """A picture and where its text stands, `start:end` in the source."""

    found: Found
    start: int
    end: int
    html: bool = False


class Markdown(Document):
    """A Markdown file."""

    name: ClassVar[str] = "markdown"
    summary: ClassVar[str] = "pictures written as ![](address) or ![][name], and HTML among them"
    sent_markup: ClassVar[int] = 200_000
    endings: ClassVar[tuple[str, ...]] = (".md", ".markdown", ".mdown", ".mkd")

    def __init__(self, path: Path, data: bytes, places: Places, record: Record | None = None) -> None:
        self.path, self._places = path, places
        self._text = decode(data, str(path), declared=False)
        self._record = Record.read(path, places) if record is None else record
        reader = _Reader(self._text.source, places, self._record)
        self._spots = list(islice(reader.spots(), PICTURES + 1))
        check_count(len(self._spots), str(path))
        self.found = tuple(spot.found for spot in self._spots)

    @classmethod
    def open(cls, path: Path, data: bytes, places: Places) -> Markdown:
        cls.check_markup(len(data), places, str(path))
        return cls(path, data, places)

    def written(self, changes: Mapping[str, Change]) -> dict[Path, bytes]:
        if not changes:
            return {self.path: self._text.encoded(self._text.source)}
        source = self._text.source
        for spot in sorted(self._spots, key=lambda spot: -spot.start):
            change = changes.get(spot.found.key)
            if change is not None:
                source = source[: spot.start] + self._put(spot, change) + source[spot.end :]
        data = self._text.encoded(source)
        texts = [
            (one.src, changes[one.key].mark if one.key in changes else one.mark if one.standing != "human" else None)
            for one in self.found
        ]
        record = self._record.written(texts)
        check_edit(str(self.path), self.found, Markdown(self.path, data, self._places, self._record).found, changes)
        return {record_path(self.path): record, self.path: data}

    def _put(self, spot: _Spot, change: Change) -> str:
        old = self._text.source[spot.start : spot.end]
        if not spot.html:
            return _SPECIAL.sub(r"\\\1", change.alt).replace("|", _PIPE)
        inner = spots(old, self._places, marked=False)
        return edited(old, inner, {inner[0].found.key: change}, marked=False, safe=_in_table) if inner else old

    def views(self, data: bytes) -> list[View]:
        return [View(str(self.path), decode(data, str(self.path), declared=False).source)]


def _in_table(attribute: str) -> str:
    return attribute.replace("|", _PIPE)


class _Reader:
    """Finds the pictures of one source text."""

    def __init__(self, source: str, places: Places, record: Record) -> None:
        self._source, self._places, self._record = source, places, record
        front = _FRONT_MATTER.match(source)
        head = front[0] if front else source[:1] if source[:1] == "\ufeff" else ""
        stated = _LANGUAGE.search(head)
        self._language = stated[1] if stated else ""
        # The parser takes these as lines too, and its lines are counted.
        self._plain = "\n" * head.count("\n") + source[len(head) :]
        self._counted: Counter[str] = Counter()
        self._taken: dict[int, int] = {}
        lines = re.split(r"(?<=\n)|(?<=\r)(?!\n)", source)
        self._lines = [0]
        for line in lines:
            self._lines.append(self._lines[-1] + len(line))

    def spots(self) -> Iterator[_Spot]:
        tokens = _parser().parse(self._plain)
        words = _words(tokens)
        heading = ""
        for index, token in enumerate(tokens):
            if token.type == "inline":
                around = Context(
                    language=self._language,
                    heading=heading,
                    before=" ".join(words[max(0, index - 4) : index])[-CONTEXT:].strip(),
                    after=" ".join(words[index + 1 : index + 5])[:CONTEXT].strip(),
                )
                yield from self._inline(token, around)
                if index and tokens[index - 1].type == "heading_open":
                    heading = words[index]
            elif token.type == "html_block" and token.map:
                start, end = self._lines[token.map[0]], self._lines[min(token.map[1], len(self._lines) - 1)]
                for spot in spots(self._source[start:end], self._places, marked=False, language=self._language):
                    yield self._of_html(spot.found, start + spot.element.start, start + spot.element.end, heading)

    def _inline(self, token: Token, around: Context) -> Iterator[_Spot]:
        """The pictures of one paragraph, heading or cell."""
        place = _Mapping(self._source, token, self._lines, self._taken)
        link: int | None = None
        children = token.children or []
        for index, child in enumerate(children):
            if child.type == "link_open":
                link = index
            elif child.type == "link_close":
                link = None
            elif child.type == "image":
                context = replace(
                    around,
                    before=f"{around.before} {_flat(children[max(0, index - CONTEXT) : index])}".strip()[-CONTEXT:],
                    after=f"{_flat(children[index + 1 : index + 1 + CONTEXT])} {around.after}".strip()[:CONTEXT],
                    link=self._link(link, children) if link is not None else None,
                    name=str(child.attrs.get("title") or ""),
                )
                yield self._image(child, place, context)
            elif child.type == "html_inline":
                start, end = (place(at) for at in child.meta["span"])
                if self._source[start:end] == child.content:
                    for spot in spots(child.content, self._places, marked=False, language=self._language):
                        yield self._of_html(spot.found, start, end, around.heading)

    def _image(self, token: Token, place: _Mapping, context: Context) -> _Spot:
        address = str(token.attrs.get("src") or "")
        alt = token.content and "".join(_texts(token))
        start, end = (place(at) for at in token.meta["label"])
        found_there = self._source[start:end] == token.meta["text"] and self._source[start - 2 : start] == "!["
        where = self._places.find(address)
        name = svg_name(where.svg) if where.svg is not None else ""
        mark = self._record.mark(shown_address(address), digest_of(alt)) if alt else None
        found = Found(
            key=self._key("image", address),
            line=1 + self._source.count("\n", 0, start),
            element="image",
            src=shown_address(address),
            alt=alt or None,
            mark=mark,
            context=context,
            picture=where.source,
            problem="an SVG drawing without a title is not readable" if where.svg and not name else where.problem,
            broken=bool(where.problem) and not where.remote,
            blank_is_decoration=True,
            locked="" if found_there else "its place in the source cannot be told for certain",
            svg=name,
        )
        return _Spot(found, start, end)

    def _of_html(self, found: Found, start: int, end: int, heading: str) -> _Spot:
        mark = self._record.mark(found.src, digest_of(found.alt)) if found.alt is not None else None
        context = found.context if found.context.heading else replace(found.context, heading=heading)
        element, address = found.key.split("|")[1:3]
        key, line = self._key(element, address), 1 + self._source.count("\n", 0, start)
        return _Spot(replace(found, key=key, line=line, mark=mark, context=context), start, end, html=True)

    def _key(self, element: str, address: str) -> str:
        self._counted[address] += 1
        return f"|{element}|{address if len(address) <= 500 else hash_of(address)}|{self._counted[address]}"

    def _link(self, first: int, children: list[Token]) -> Link:
        token = children[first]
        last = next((at for at in range(first, len(children)) if children[at].type == "link_close"), len(children))
        inside = children[first:last]
        return Link(
            text=_flat(inside).strip(),
            title=str(token.attrs.get("title") or ""),
            target=str(token.attrs.get("href") or ""),
            pictures=sum(1 for child in inside if child.type == "image"),
        )


class _Mapping:
    """Places in the content of an inline token as places in the source: a line loses its indent, quote marks and list
    marks on the way to the parser, never anything within."""

    def __init__(self, source: str, token: Token, lines: list[int], taken: dict[int, int]) -> None:
        self._starts: list[tuple[int, int]] = []
        first = token.map[0] if token.map else 0
        at = 0
        for number, line in enumerate(token.content.split("\n")):
            start = lines[min(first + number, len(lines) - 1)]
            end = lines[min(first + number + 1, len(lines) - 1)]
            # Cells of a row stand on one line, one after another; two of them may be the same.
            found = source.find(line, max(start, taken.get(first, 0)), end) if line else start
            if found >= 0:
                taken[first] = max(taken.get(first, 0), found + len(line))
            self._starts.append((at, found))
            at += len(line) + 1

    def __call__(self, at: int) -> int:
        """The place in the source; -1 where it cannot be told."""
        content, source = next(pair for pair in reversed(self._starts) if pair[0] <= at)
        return -1 if source < 0 else source + at - content


def _parser() -> MarkdownIt:
    """CommonMark with tables; pictures and HTML within lines carry where they were found."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    rules = {name: rule for rule, name in zip(parser.inline.ruler.getRules(""), _rule_names(parser), strict=True)}

    def image(state: Any, silent: bool) -> bool:
        start = state.pos
        label = state.md.helpers.parseLinkLabel(state, start + 1, False) if state.src[start : start + 2] == "![" else -1
        done: bool = rules["image"](state, silent)
        if done and not silent:
            state.tokens[-1].meta = {"label": (start + 2, label), "text": state.src[start + 2 : label]}
        return done

    def html_inline(state: Any, silent: bool) -> bool:
        start = state.pos
        done: bool = rules["html_inline"](state, silent)
        if done and not silent:
            state.tokens[-1].meta = {"span": (start, state.pos)}
        return done

    parser.inline.ruler.at("image", image)
    parser.inline.ruler.at("html_inline", html_inline)
    return parser


def _rule_names(parser: MarkdownIt) -> list[str]:
    return list(parser.get_active_rules()["inline"])


def _texts(token: Token) -> Iterator[str]:
    """The text of a picture as readers give it: what its label says without marks."""
    for child in token.children or []:
        if child.type in ("text", "code_inline"):
            yield child.content
        elif child.type in ("softbreak", "hardbreak"):
            yield "\n"
        elif child.type == "image":
            yield from _texts(child)


def _flat(tokens: list[Token]) -> str:
    """What can be read in tokens of one line."""
    pieces = (
        "".join(_texts(token)) if token.type == "image" else token.content
        for token in tokens
        if token.type in ("text", "code_inline", "image", "softbreak")
    )
    return " ".join("".join(piece or " " for piece in pieces).split())


def _words(tokens: list[Token]) -> list[str]:
    """What can be read in each token, by its place."""
    return [_flat(token.children or []) if token.type == "inline" else "" for token in tokens]
