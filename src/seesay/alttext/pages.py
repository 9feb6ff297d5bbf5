"""The pictures of HTML and XHTML source, with what stands around each, and the source with other texts in place.

Shared by the kinds of documents that hold such source: pages, Markdown, books. Knows nothing about files.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from .document import check_count
from .found import Change, Context, Found, Link, Mark, digest_of
from .markup import UNSEEN, Element, parse
from .places import Place, Places

MARK = "data-alt-by"
"""The attribute that says who wrote a text."""
CONTEXT = 300
"""Characters kept of what stands before and after a picture."""
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_LAZY = ("data-src", "data-original", "data-lazy-src")
SRC_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a picture's tag stands."""

    found: Found
    element: Element


def spots(
    source: str,
    places: Places,
    *,
    xml: bool = False,
    marked: bool = True,
    language: str = "",
    entry: str = "",
    first_line: int = 1,
) -> list[Spot]:
    """Every picture in a source: `img`, `input type="image"`, `area` with an address, and `svg` without a name.

    Args:
        marked: whether the source can carry `data-alt-by`.
        language: that of the whole, where the source does not say.
        entry, first_line: where the source stands in its document.
    """
    root = parse(source, xml=xml)
    base = next((element.get("href") for element in root.all() if element.tag == "base"), None)
    if base:
        places.base = base
    around = _Around(root)
    counted: Counter[str] = Counter()
    made: list[Spot] = []
    line, counted_to = first_line, 0
    for element in root.all():
        if not _is_picture(element):
            continue
        check_count(len(made) + 1, entry or "the document")
        line, counted_to = line + source.count("\n", counted_to, element.start), element.start
        src = _address(element)
        shown = shown_address(src)
        counted[src] += 1
        key = f"{entry}|{element.tag}|{src if len(src) <= 500 else hash_of(src)}|{counted[src]}"
        place = _place(element, src, places)
        alt = element.get("alt")
        name = svg_name(place.svg) if place.svg is not None else ""
        found = Found(
            key=key,
            line=line,
            element=element.tag,
            src=shown,
            alt=alt,
            mark=Mark.parse(element.get(MARK)) if marked else None,
            context=around.context(element, root, places, language),
            picture=place.source,
            problem="an SVG drawing without a title is not readable" if place.svg and not name else place.problem,
            broken=bool(place.problem) and not place.remote and element.tag in ("img", "input"),
            locked="an SVG drawing in the page needs a <title> of its own" if element.tag == "svg" else "",
            entry=entry,
            svg=name,
        )
        made.append(Spot(found, element))
    return made


def shown_address(src: str) -> str:
    """An address as messages show it."""
    return src if len(src) <= SRC_SHOWN or src[:5].lower() != "data:" else f"{src[:SRC_SHOWN]}..."


def hash_of(src: str) -> str:
    """A short name of a long address."""
    return f"{src[:40]}#{digest_of(src)}"


def edited(
    source: str,
    spots: Iterable[Spot],
    changes: Mapping[str, Change],
    *,
    marked: bool = True,
    safe: Callable[[str], str] = str,
) -> str:
    """The source with new texts; everything else stands as it was. `safe` is asked for the form of what is put in."""
    pieces: list[str] = []
    done = 0
    for spot in sorted(spots, key=lambda spot: spot.element.start):
        change = changes.get(spot.found.key)
        if change is not None:
            tag = source[spot.element.start : spot.element.end]
            pieces += (source[done : spot.element.start], _tag_with(tag, spot.element, change, marked, safe))
            done = spot.element.end
    return "".join((*pieces, source[done:]))


def escaped(text: str) -> str:
    """A text as the value of an attribute in double quotes, in HTML and in XML."""
    return html.escape(text, quote=False).replace('"', "&quot;")


def _tag_with(tag: str, element: Element, change: Change, marked: bool, safe: Callable[[str], str]) -> str:
    """A start tag with another `alt`. What it lacks is put behind its name: that is right whatever follows."""
    new = {"alt": safe(f'alt="{escaped(change.alt)}"')}
    if marked:
        new[MARK] = safe(f'{MARK}="{escaped(str(change.mark))}"') if change.mark else ""
    first = {name: next((a for a in element.attributes if a.name == name), None) for name in new}
    for attribute in sorted((a for a in first.values() if a), key=lambda a: -a.start):
        start, end = attribute.start - element.start, attribute.end - element.start
        text = new[attribute.name]
        if not text:  # a mark that no longer holds goes with the space before it
            start = len(tag[:start].rstrip())
        elif tag[end : end + 1] not in (" ", "\t", "\n", "\r", "\f", "/", ">"):
            text += " "
        tag = tag[:start] + text + tag[end:]
    added = "".join(f" {text}" for name, text in new.items() if first[name] is None and text)
    name = re.match(r"<[^\t\n\f\r />]*", tag)
    at = name.end() if name else 0
    return tag[:at] + added + tag[at:]


def _is_picture(element: Element) -> bool:
    if element.tag not in ("img", "input", "area", "svg") or any(outer.tag in UNSEEN for outer in element.up()):
        return False
    if element.tag == "svg":
        outermost = element.parent is not None and element.parent.nearest("svg") is None
        return outermost and not _hidden(element) and not _names_itself(element)
    if element.tag == "input":
        return (element.get("type") or "").strip().lower() == "image"
    return element.tag == "img" or element.get("href") is not None


def _address(element: Element) -> str:
    """Where the picture is; pages that load pictures late name them elsewhere and show a placeholder."""
    if element.tag == "area":
        return (element.get("href") or "").strip()
    src = (element.get("src") or "").strip()
    if not src or src[:5].lower() == "data:":
        late = next((value for name in _LAZY if (value := (element.get(name) or "").strip())), "")
        first = (element.get("srcset") or "").split()
        src = late or src or (first[0].rstrip(",") if first else "")
    return src


def _place(element: Element, src: str, places: Places) -> Place:
    if element.tag == "area":
        return Place(problem="a part of an image map")
    if element.tag == "svg":
        return Place(problem="an SVG drawing in the page is not readable")
    return places.find(src)


def svg_name(source: str) -> str:
    """The title of an SVG drawing, else its description; empty where it has neither."""
    root = next((element for element in parse(source, xml=True).all() if _local(element) == "svg"), None)
    if root is None:
        return ""
    texts = {_local(child): child.text() for child in root.children if isinstance(child, Element)}
    return (root.get("aria-label") or "").strip() or texts.get("title", "") or texts.get("desc", "")


def _names_itself(drawing: Element) -> bool:
    titled = any(isinstance(child, Element) and child.tag == "title" and child.text() for child in drawing.children)
    return titled or bool(drawing.get("aria-label") or drawing.get("aria-labelledby"))


def _local(element: Element) -> str:
    return element.tag.rpartition(":")[2]


def _hidden(element: Element) -> str:
    role = (element.get("role") or "").strip().lower()
    if role in ("presentation", "none"):
        return f'role="{role}"'
    hidden = any((outer.get("aria-hidden") or "").strip().lower() == "true" for outer in element.up())
    return 'aria-hidden="true"' if hidden else ""


class _Around:
    """The words of a page in their order, so that those before and after a picture are found at once."""

    def __init__(self, root: Element) -> None:
        self._words: list[str] = []
        self._at: dict[int, int] = {}
        self._headings: dict[int, str] = {}
        self._ids: dict[str, Element] = {}
        heading = ""
        waiting: list[Element | str] = [root]
        while waiting:
            item = waiting.pop()
            if isinstance(item, str):
                self._words += item.split()
                continue
            if item.tag in UNSEEN:
                continue
            if item.tag in _HEADINGS:
                heading = item.text(alts=True) or heading
            for attribute in item.attributes:
                if attribute.name == "id":
                    self._ids.setdefault(attribute.value, item)
            self._at[id(item)] = len(self._words)
            self._headings[id(item)] = heading
            waiting += reversed(item.children)

    def context(self, element: Element, root: Element, places: Places, language: str) -> Context:
        figure = element.nearest("figure")
        captions = [child for child in figure.all() if child.tag == "figcaption"] if figure else []
        at = self._at.get(id(element), 0)
        before, after = " ".join(self._words[max(0, at - 60) : at]), " ".join(self._words[at : at + 60])
        return Context(
            language=_language(element) or language,
            heading=self._headings.get(id(element), ""),
            before=before[-CONTEXT:],
            after=after[:CONTEXT],
            caption=captions[0].text() if captions else "",
            link=self._link(element, places),
            hidden=_hidden(element),
            name=self._name(element),
            size=(_pixels(element, "width"), _pixels(element, "height")),
            map=element.get("usemap") is not None or element.get("ismap") is not None,
        )

    def _name(self, element: Element) -> str:
        names = [self._ids[name].text() for name in (element.get("aria-labelledby") or "").split() if name in self._ids]
        labelled = " ".join(filter(None, names)) or (element.get("aria-label") or "").strip()
        return labelled or (element.get("title") or "").strip()

    def _link(self, element: Element, places: Places) -> Link | None:
        if element.tag == "input":
            title = (element.get("value") or element.get("title") or "").strip()
            return Link(button=True, title=title)
        if element.tag == "area":
            return self._target(element, places, text="")
        outer = element.parent.nearest("a", "button") if element.parent else None
        if outer is None or (outer.tag == "a" and outer.get("href") is None):
            return None
        pictures = sum(1 for inner in outer.all() if inner.tag in ("img", "svg"))
        others = [inner for inner in outer.all() if inner.tag == "img" and inner is not element]
        text = " ".join([outer.text(), *(inner.get("alt") or "" for inner in others)]).strip()
        if outer.tag == "button":
            title = (outer.get("title") or outer.get("value") or "").strip()
            label = (outer.get("aria-label") or "").strip()
            return Link(button=True, text=text, label=label, title=title, pictures=pictures)
        return self._target(outer, places, text=text, pictures=pictures)

    def _target(self, outer: Element, places: Places, *, text: str, pictures: int = 1) -> Link:
        target = (outer.get("href") or "").strip()
        named = ""
        if target.startswith("#"):
            there = self._ids.get(target[1:])
            named = there.text()[:CONTEXT] if there is not None and there.tag in _HEADINGS else ""
        elif target:
            title = next((one for one in parse(places.page(target)).all() if one.tag == "title"), None)
            named = title.text() if title is not None else ""
        return Link(
            text=text,
            label=(outer.get("aria-label") or "").strip(),
            title=(outer.get("title") or "").strip(),
            target=target,
            target_title=named,
            pictures=pictures,
        )


def _language(element: Element) -> str:
    stated = ((outer.get("lang") or outer.get("xml:lang") or "").strip() for outer in element.up())
    return next(filter(None, stated), "")


def _pixels(element: Element, name: str) -> int | None:
    """A width or height in pixels, by its attribute or its style."""
    styled = re.search(rf"(?:^|[;\s]){name}\s*:\s*(\d+)(?:\.\d+)?px", element.get("style") or "")
    plain = re.fullmatch(r"\s*(\d{1,5})(?:\.\d+)?(?:px)?\s*", element.get(name) or "")
    found = styled or plain
    return int(found[1]) if found else None
