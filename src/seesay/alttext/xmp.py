"""XMP packets (ISO 16684-1) read for their texts and given new ones, everything else staying byte for byte as it is.

The properties are those of the IPTC Photo Metadata Standard 2021.1: `Iptc4xmpCore:AltTextAccessibility` and
`Iptc4xmpCore:ExtDescrAccessibility`, both alternatives by language; who wrote them stands in `seesay:AltBy`. Parsed by
expat, which tells the place of every element; nothing is serialized again. Knows nothing about picture files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape
from typing import Any
from xml.parsers import expat

from .document import DocumentError
from .found import Change

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
IPTC = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
DC = "http://purl.org/dc/elements/1.1/"
OURS = "urn:seesay:alttext#"
ALT, LONG, BY = (IPTC, "AltTextAccessibility"), (IPTC, "ExtDescrAccessibility"), (OURS, "AltBy")
DESCRIPTION = (DC, "description")
_PREFIXES = {IPTC: "Iptc4xmpCore", OURS: "seesay"}
_XML = "http://www.w3.org/XML/1998/namespace"
_TAG_END = re.compile(rb"""(?:[^>"']|"[^"]*"|'[^']*')*>""")
_EMPTY = (
    b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n</rdf:RDF>\n</x:xmpmeta>\n<?xpacket end="w"?>'
)


@dataclass(slots=True, eq=False)
class _Node:
    name: tuple[str, str]
    attributes: dict[tuple[str, str], str]
    start: int
    end: int = 0
    text: str = ""
    children: list[_Node] = field(default_factory=list)


class Packet:
    """A packet and what stands in it."""

    def __init__(self, data: bytes | None, where: str) -> None:
        """Raises a DocumentError where it is not XML in UTF-8, or has a document type of its own."""
        self.data = _EMPTY if data is None else data.rstrip(b"\0")
        self._where = where
        root = _parse(self.data, where)
        found = [root, *_below(root)]
        self._rdf = next((node for node in found if node.name == (RDF, "RDF")), None)
        self._described = [node for node in found if node.name == (RDF, "Description")]

    def text(self, name: tuple[str, str]) -> str | None:
        """A property: of its languages the default one, else the first; None where it is not there."""
        for node in self._described:
            if name in node.attributes:
                return node.attributes[name]
        property_ = self._property(name)
        if property_ is None:
            return None
        items = [node for node in _below(property_) if node.name == (RDF, "li")]
        if not items:
            return property_.text.strip()
        default = [node for node in items if node.attributes.get((_XML, "lang")) == "x-default"]
        return (default or items)[0].text.strip()

    def edited(self, change: Change) -> bytes:
        """The packet with other texts.

        Raises:
            DocumentError: it is written in a form in which they cannot be replaced.
        """
        new = {
            ALT: _languages(ALT, change.alt),
            LONG: _languages(LONG, change.long),
            BY: _plain(BY, str(change.mark or "")),
        }
        if not change.long:
            new[LONG] = b""
        if change.mark is None:
            new[BY] = b""
        places: list[tuple[int, int, bytes]] = []
        added = b""
        for name, text in new.items():
            if any(name in node.attributes for node in self._described):
                hint = "remove its alternative text with the program that wrote it"
                raise DocumentError(f"its {name[1]} is written as an attribute", where=self._where, hint=hint)
            there = self._property(name)
            if there is not None and (text or name == BY):
                places.append((there.start, there.end, text))
            elif there is None:
                added += text
        if added:
            at = self._end_of_rdf()
            about = next((a for node in self._described if (a := _about(node))), "")
            head = f'<rdf:Description xmlns:rdf="{RDF}" rdf:about="{escape(about)}">\n'.encode()
            places.append((at, at, b" " + head + added + b" </rdf:Description>\n"))
        data = self.data
        for start, end, text in sorted(places, reverse=True):
            data = data[:start] + text + data[end:]
        return data

    def _property(self, name: tuple[str, str]) -> _Node | None:
        return next((child for node in self._described for child in node.children if child.name == name), None)

    def _end_of_rdf(self) -> int:
        at = self.data.rfind(b"</", 0, self._rdf.end) if self._rdf is not None else -1
        if self._rdf is None or at < self._rdf.start:
            raise DocumentError("its XMP holds nothing to add to", where=self._where, hint="remove the empty packet")
        return at


def _languages(name: tuple[str, str], text: str) -> bytes:
    prefix = _PREFIXES[name[0]]
    item = f'<rdf:Alt xmlns:rdf="{RDF}"><rdf:li xml:lang="x-default">{escape(text)}</rdf:li></rdf:Alt>'
    return f'<{prefix}:{name[1]} xmlns:{prefix}="{name[0]}">{item}</{prefix}:{name[1]}>\n'.encode()


def _plain(name: tuple[str, str], text: str) -> bytes:
    prefix = _PREFIXES[name[0]]
    return f'<{prefix}:{name[1]} xmlns:{prefix}="{name[0]}">{escape(text)}</{prefix}:{name[1]}>\n'.encode()


def _about(node: _Node) -> str:
    return node.attributes.get((RDF, "about"), "") or node.attributes.get(("", "about"), "")


def _below(node: _Node) -> list[_Node]:
    found, waiting = [], list(reversed(node.children))
    while waiting:
        one = waiting.pop()
        found.append(one)
        waiting += reversed(one.children)
    return found


def _parse(data: bytes, where: str) -> _Node:
    """The elements of a packet with their places, under one node that stands for all."""
    root = _Node(("", ""), {}, 0, len(data))
    open_ = [root]
    # Its places are bytes of what was given, as long as that is UTF-8.
    parser: Any = expat.ParserCreate(namespace_separator=" ")

    def begin(name: str, attributes: dict[str, str]) -> None:
        node = _Node(_split(name), {_split(key): value for key, value in attributes.items()}, parser.CurrentByteIndex)
        open_[-1].children.append(node)
        open_.append(node)

    def finish(_: str) -> None:
        node = open_.pop()
        # Of an empty element this is the place of its one tag.
        tag = _TAG_END.match(data, parser.CurrentByteIndex)
        node.end = tag.end() if tag else len(data)

    def characters(text: str) -> None:
        open_[-1].text += text

    def doctype(*_: object) -> None:
        raise DocumentError("its XMP has a document type of its own", where=where, hint="write the metadata again")

    parser.StartElementHandler, parser.EndElementHandler = begin, finish
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = characters, doctype
    try:
        data.decode("utf-8")
        parser.Parse(data, True)
    except (expat.ExpatError, UnicodeDecodeError):
        raise DocumentError("its XMP is broken", where=where, hint="exiftool can write it again") from None
    return root


def _split(name: str) -> tuple[str, str]:
    namespace, _, local = name.rpartition(" ")
    return namespace, local
