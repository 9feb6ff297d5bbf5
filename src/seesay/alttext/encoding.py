"""A document's bytes as text and back, exactly: what no decoding can keep is refused. Knows HTML's and XML's declarations."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from .document import DocumentError

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_DECLARED = re.compile(
    rb"""(?:<\?xml[^>]*?\sencoding|<meta[^>]*?\scharset|<meta[^>]*?;\s*charset)\s*=\s*["']?([\w.:-]+)""", re.I
)
# What HTML calls Latin-1 and ASCII is this (WHATWG, Encoding, 4.2).
_WINDOWS = frozenset("iso8859-1 latin-1 latin1 ascii us-ascii cp1252 windows-1252".split())


@dataclass(frozen=True, slots=True)
class Text:
    """A decoded document."""

    source: str
    """With its byte order mark, if it had one."""
    codec: str

    def encoded(self, source: str) -> bytes:
        """Another text as this document was encoded."""
        return source.encode(self.codec, "surrogateescape")

    def safe(self, markup: str) -> str:
        """Markup in which characters that the encoding lacks are references."""
        return markup.encode(self.codec, "xmlcharrefreplace").decode(self.codec)


def decode(data: bytes, where: str, *, declared: bool = True) -> Text:
    """The text in `data`.

    Args:
        declared: look for what HTML or XML say about themselves; otherwise it is UTF-8.

    Raises:
        DocumentError: it cannot be decoded so that encoding it gives the same bytes.
    """
    codec = next((name for mark, name in _BOMS if data.startswith(mark)), "")
    if not codec:
        found = _DECLARED.search(data[:4096]) if declared else None
        codec = _known(found[1].decode("ascii", "replace")) if found else "utf-8"
    try:
        source = data.decode(codec, "surrogateescape")
        if source.encode(codec, "surrogateescape") == data:
            return Text(source, codec)
    except (UnicodeError, LookupError):
        pass
    raise DocumentError(f"cannot be read as {codec}", where=where, hint="save it as UTF-8")


def _known(name: str) -> str:
    name = name.lower()
    try:
        normal = codecs.lookup(name).name
    except LookupError:
        return "utf-8"
    # A document that says so in ASCII is not in UTF-16, whatever it says.
    return "cp1252" if normal in _WINDOWS or name in _WINDOWS else "utf-8" if normal.startswith("utf-16") else normal
