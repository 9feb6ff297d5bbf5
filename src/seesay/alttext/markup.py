"""HTML and XHTML read for their pictures, with the place of everything in the source, so that it can be edited there.

The tokens are those of the HTML standard (WHATWG, 13.2.5); the tree is a light one: elements that everybody leaves open are
closed as browsers do, formatting that overlaps is not sorted out. `html.parser` is not used because what it takes for a
comment or for raw text differs between releases of Python; tests hold the pictures found here against html5lib.
It knows nothing about pictures, addresses or alternative texts.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.entities import html5

_GAP = re.compile(r"[\t\n\f\r /]*")
_NAME = re.compile(r"=?[^\t\n\f\r />=]*")
_TAG = re.compile(r"[A-Za-z][^\t\n\f\r />]*")
_EQUALS = re.compile(r"[\t\n\f\r ]*=[\t\n\f\r ]*")
_UNQUOTED = re.compile(r"[^\t\n\f\r >]*")
_REFERENCE = re.compile(r"&(?P<name>#[xX]?[0-9a-fA-F]+|[A-Za-z][A-Za-z0-9]*)(?P<end>[;=]?)")
_NO_COMMENT = re.compile("-?>")
_COMMENT_END = re.compile(r"--!?>")
RAW = frozenset("script style textarea title xmp iframe noembed noframes".split())
"""Elements in which a "<" begins nothing, up to their own end tag."""
VOID = frozenset("area base br col embed hr img input link meta param source track wbr image".split())
_BLOCKS = frozenset(
    "address article aside blockquote center details dialog dir div dl fieldset figcaption figure footer form h1 h2 h3 h4"
    " h5 h6 header hgroup hr main menu nav ol p pre section summary table ul".split()
)
_CLOSED_BY = {
    "p": _BLOCKS,
    "li": {"li"},
    "dt": {"dt", "dd"},
    "dd": {"dt", "dd"},
    "td": {"td", "th", "tr", "tbody", "tfoot"},
    "th": {"td", "th", "tr", "tbody", "tfoot"},
    "tr": {"tr", "tbody", "tfoot"},
    "option": {"option", "optgroup"},
    "a": {"a"},
    "button": {"button"},
    "head": {"body"},
}
"""Elements whose end tag may be left out, and the start tags that then end them."""
_CLOSING = frozenset(tag for tags in _CLOSED_BY.values() for tag in tags)
BREAKS = _BLOCKS | frozenset("li dt dd td th tr br body title".split())
UNSEEN = frozenset("script style template head".split())


@dataclass(slots=True)
class Attribute:
    """One attribute as it stands in the source: `start:end` is all of it, `value` is unescaped."""

    name: str
    value: str
    start: int
    end: int


@dataclass(slots=True, eq=False)
class Element:
    """An element: where its start tag stands, what it holds."""

    tag: str
    start: int
    end: int
    """Of the start tag."""
    attributes: list[Attribute]
    parent: Element | None = None
    children: list[Element | str] = field(default_factory=list)
    close: int = 0
    """Where its content ends."""

    def get(self, name: str) -> str | None:
        """The value of an attribute; the first of that name counts."""
        return next((attribute.value for attribute in self.attributes if attribute.name == name), None)

    def up(self) -> Iterator[Element]:
        """The element and those around it, outwards."""
        here: Element | None = self
        while here is not None:
            yield here
            here = here.parent

    def nearest(self, *tags: str) -> Element | None:
        """The element itself or the nearest one around it with one of these tags."""
        return next((element for element in self.up() if element.tag in tags), None)

    def all(self) -> Iterator[Element]:
        """Every element below, in the order of the source."""
        waiting = [child for child in reversed(self.children) if isinstance(child, Element)]
        while waiting:
            element = waiting.pop()
            yield element
            waiting += [child for child in reversed(element.children) if isinstance(child, Element)]

    def text(self, *, without: Element | None = None, alts: bool = False) -> str:
        """What can be read in it, on one line; `alts` adds the texts of its pictures."""
        return " ".join("".join(self._pieces(without, alts)).split())

    def _pieces(self, without: Element | None, alts: bool) -> Iterator[str]:
        waiting: list[Element | str] = [self]
        while waiting:
            item = waiting.pop()
            if isinstance(item, str):
                yield item
            elif item is not without and (item.tag not in UNSEEN or item is self):
                if item.tag in BREAKS:
                    yield " "
                    waiting.append(" ")
                if alts and item.tag in ("img", "input"):
                    yield f" {item.get('alt') or ''} "
                waiting += reversed(item.children)


class _Open:
    """The elements that are open, and how many of each tag: a page may be nested ten thousand deep."""

    def __init__(self, root: Element) -> None:
        self.elements, self.counts = [root], Counter[str]()

    @property
    def inner(self) -> Element:
        return self.elements[-1]

    @property
    def foreign(self) -> bool:
        """Whether an SVG or MathML element is open, in which other rules hold."""
        return bool(self.counts["svg"] or self.counts["math"])

    def push(self, element: Element) -> None:
        self.elements.append(element)
        self.counts[element.tag] += 1

    def close(self, index: int, at: int) -> None:
        """Close the element with that index and all within it."""
        for element in self.elements[index:]:
            element.close = at
            self.counts[element.tag] -= 1
        del self.elements[index:]


def parse(source: str, *, xml: bool = False) -> Element:
    """The tree of a source text; its root has an empty tag. `xml` follows the rules of XHTML where they differ."""
    root = Element("", 0, 0, [], close=len(source))
    open_, at = _Open(root), 0
    while at < len(source):
        less = source.find("<", at)
        if less < 0 or less + 1 >= len(source):
            less = len(source)
        if less > at:
            open_.inner.children.append(html.unescape(source[at:less]))
        if less == len(source):
            break
        at = _markup(source, less, open_, xml)
    open_.close(1, len(source))
    return root


def _markup(source: str, at: int, open_: _Open, xml: bool) -> int:
    """What begins with the "<" at `at`; gives the place behind it."""
    if source.startswith("<!--", at):
        if not xml and _NO_COMMENT.match(source, at + 4):
            return source.index(">", at) + 1
        closing = _COMMENT_END.search(source, at + 4)
        return closing.end() if closing else len(source)
    if source.startswith("<![CDATA[", at) and (xml or open_.foreign):
        end_at = source.find("]]>", at)
        end_at = len(source) if end_at < 0 else end_at
        open_.inner.children.append(source[at + 9 : end_at])
        return end_at + 3
    if source.startswith(("<!", "<?"), at):
        return _after(source, "?>" if xml and source[at + 1] == "?" else ">", at)
    if source.startswith("</", at):
        return _end_tag(source, at, open_)
    name = _TAG.match(source, at + 1)
    if not name:
        open_.inner.children.append("<")
        return at + 1
    scanned = _attributes(source, name.end())
    if scanned is None:
        return len(source)
    attributes, end, closed = scanned
    tag = name[0].lower()
    _close_open_ones(open_, tag, at)
    element = Element(tag, at, end, attributes, open_.inner, close=end)
    open_.inner.children.append(element)
    foreign = open_.foreign or tag in ("svg", "math")
    if (closed and (xml or foreign)) or (tag in VOID and not foreign):
        return end
    if tag == "plaintext" and not xml:
        return len(source)
    if tag in RAW and not xml and not foreign:
        return _raw(source, element)
    open_.push(element)
    return end


def _after(source: str, mark: str, at: int) -> int:
    found = source.find(mark, at)
    return len(source) if found < 0 else found + len(mark)


def _end_tag(source: str, at: int, open_: _Open) -> int:
    name = _TAG.match(source, at + 2)
    if not name:
        return _after(source, ">", at)
    # End tags have attributes too, for the tokenizer, and a ">" in one of them does not end it.
    scanned = _attributes(source, name.end())
    tag = name[0].lower()
    if open_.counts[tag]:
        last = next(index for index in range(len(open_.elements) - 1, 0, -1) if open_.elements[index].tag == tag)
        open_.close(last, at)
    return scanned[1] if scanned else len(source)


def _close_open_ones(open_: _Open, tag: str, at: int) -> None:
    """Elements that this start tag ends, though nothing says so."""
    if tag not in _CLOSING:
        return
    for index in range(len(open_.elements) - 1, 0, -1):
        outer = open_.elements[index].tag
        if tag in _CLOSED_BY.get(outer, ()):
            open_.close(index, at)
            return
        if outer in _BLOCKS or outer in ("td", "th", "table"):
            return


def _raw(source: str, element: Element) -> int:
    closing = re.compile(f"</{re.escape(element.tag)}(?=[\\t\\n\\f\\r />])", re.IGNORECASE).search(source, element.end)
    element.close = closing.start() if closing else len(source)
    text = source[element.end : element.close]
    element.children.append(html.unescape(text) if element.tag in ("title", "textarea") else text)
    return _after(source, ">", element.close)


def _attributes(source: str, at: int) -> tuple[list[Attribute], int, bool] | None:
    """The attributes from `at` on, the place behind the tag and whether it ends in "/>"; None where the source ends first."""
    found: list[Attribute] = []
    while True:
        gap = _GAP.match(source, at)
        at = gap.end() if gap else at
        if at >= len(source):
            return None
        if source[at] == ">":
            return found, at + 1, bool(gap and gap[0].endswith("/"))
        start = at
        name = _NAME.match(source, at)
        at = name.end() if name else at
        value, equals = "", _EQUALS.match(source, at)
        if equals:
            at = equals.end()
            quote = source[at : at + 1]
            if quote in ("'", '"') and quote:
                closing = source.find(quote, at + 1)
                if closing < 0:
                    return None
                value, at = source[at + 1 : closing], closing + 1
            else:
                plain = _UNQUOTED.match(source, at)
                value, at = (plain[0], plain.end()) if plain else ("", at)
        found.append(Attribute(name[0].lower() if name else "", _unescaped(value), start, at))


def _unescaped(value: str) -> str:
    """An attribute's value as it is meant. In `?a=1&copy=2` nothing is: a reference without ";" counts only where neither
    a letter, a digit nor "=" follows."""
    return _REFERENCE.sub(_resolved, value) if "&" in value else value


def _resolved(found: re.Match[str]) -> str:
    if found["end"] == ";" or found["name"].startswith("#"):
        return html.unescape(found[0])
    return html.unescape(found[0]) if found["name"] in html5 and found["end"] != "=" else found[0]
