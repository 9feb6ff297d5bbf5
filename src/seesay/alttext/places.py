"""Which file an address in a document means, and whether it may be opened: inside the document's folder, or the root that
the user named. Nothing is fetched. It knows nothing about documents or pictures, but for the head of a data URL."""

from __future__ import annotations

import base64
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import ClassVar
from urllib.parse import unquote, unquote_to_bytes, urljoin, urlsplit

from ..media import image_name
from ..types import ImageSource, Note

TITLE_BYTES = 100_000
"""How much of a page that a link leads to is read for its title."""
SVG_BYTES = 5_000_000
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Place:
    """What an address means: something to open, or why there is nothing."""

    source: ImageSource | None = None
    svg: str | None = None
    """The source text, where it is an SVG drawing."""
    problem: str = ""
    remote: bool = False


class Places(ABC):
    """Where the addresses of one document lead."""

    base: str = ""
    """The document's own `<base href>`."""
    trusted: ClassVar[bool] = True
    """Whether the document is the user's own, and not one that somebody sent."""

    def find(self, address: str) -> Place:
        """The picture at an address as a document writes it."""
        address = address.strip()
        if not address:
            return Place(problem="it names no picture")
        if address[:5].lower() == "data:":
            return _data(address)
        try:
            joined = urljoin(self.base, address) if self.base else address
            parts = urlsplit(joined)
        except ValueError:
            return Place(problem=f"{image_name(address)} is not an address")
        if parts.netloc or parts.scheme.lower() in ("http", "https"):
            return Place(problem=Note("on the web; pictures are not fetched", "remote"), remote=True)
        if _SCHEME.match(joined):
            return Place(problem=f"addresses of the kind {parts.scheme}: are not opened")
        names = dict.fromkeys((unquote(parts.path), joined))
        places = [self._open(name) for name in names if name and "\0" not in name]
        return next((place for place in places if not place.problem), places[0] if places else Place(problem="no path"))

    def page(self, address: str) -> str:
        """The beginning of the page beside this one that a link leads to; empty where there is none to be read."""
        try:
            parts = urlsplit(urljoin(self.base, address) if self.base else address)
        except ValueError:
            return ""
        if parts.scheme or parts.netloc or not parts.path or "\0" in parts.path:
            return ""
        return self._page(unquote(parts.path))

    @abstractmethod
    def beside(self, name: str, most: int) -> bytes:
        """The file of that name beside the document; empty where there is none, or where it has more than `most` bytes."""

    @abstractmethod
    def _open(self, path: str) -> Place: ...

    @abstractmethod
    def _page(self, path: str) -> str: ...


class Folder(Places):
    """The files beside a document."""

    def __init__(self, document: Path, root: Path | None = None) -> None:
        self._folder = document.resolve().parent
        self._root = root.resolve() if root is not None else None

    def beside(self, name: str, most: int) -> bytes:
        data = _head(self._folder / name, most + 1)
        return data if len(data) <= most else b""

    def _open(self, path: str) -> Place:
        file, problem = self._file(path)
        if file is None:
            return Place(problem=problem)
        if file.suffix.lower() in (".svg", ".svgz"):
            return _svg(_head(file, SVG_BYTES))
        return Place(source=str(file))

    def _page(self, path: str) -> str:
        file, _ = self._file(path)
        if file is None or file.suffix.lower() not in (".html", ".htm", ".xhtml"):
            return ""
        return _head(file, TITLE_BYTES).decode("utf-8", "replace")

    def _file(self, path: str) -> tuple[Path | None, str]:
        allowed = [self._folder] if self._root is None else [self._folder, self._root]
        if path.startswith("/") and self._root is None:
            return None, "its address begins at the site's root; --root FOLDER says where that is"
        base = self._root if path.startswith("/") and self._root is not None else self._folder
        try:
            file = (base / path.lstrip("/")).resolve()
            if not any(file.is_relative_to(folder) for folder in allowed):
                return None, "outside the document's folder; --root FOLDER allows what lies in there"
            return (file, "") if file.is_file() else (None, "no such file")
        except (OSError, ValueError, RuntimeError):
            return None, "not a possible path"


class Archive(Places):
    """The entries of an archive, seen from one of them."""

    def __init__(self, entry: str, entries: Mapping[str, bytes]) -> None:
        self._folder, self._entries = PurePosixPath(entry).parent, entries

    def beside(self, name: str, most: int) -> bytes:
        data = self._entries.get(str(self._folder / name), b"")
        return data if len(data) <= most else b""

    def _open(self, path: str) -> Place:
        data = self._entries.get(self._name(path))
        if data is None:
            return Place(problem="no such file in the archive")
        if path.lower().endswith((".svg", ".svgz")):
            return _svg(data[:SVG_BYTES])
        return Place(source=data)

    def _page(self, path: str) -> str:
        return self._entries.get(self._name(path), b"")[:TITLE_BYTES].decode("utf-8", "replace")

    def _name(self, path: str) -> str:
        parts: list[str] = []
        for part in (self._folder / path.lstrip("/") if not path.startswith("/") else PurePosixPath(path[1:])).parts:
            if part == ".." and parts:
                parts.pop()
            elif part not in ("..", "."):
                parts.append(part)
        return "/".join(parts)


class Handed(Archive):
    """Files that somebody sent together. Where their folders are not known, a file is known by its name alone."""

    trusted: ClassVar[bool] = False

    def __init__(self, document: str, files: Mapping[str, bytes]) -> None:
        super().__init__(document, files)
        self._by_name: dict[str, list[str]] = {}
        for path in files:
            self._by_name.setdefault(PurePosixPath(path).name, []).append(path)

    def _open(self, path: str) -> Place:
        if super()._name(path) in self._entries:
            return super()._open(path)
        named = self._by_name.get(PurePosixPath(path).name, [])
        if len(named) != 1:
            return Place(problem=Note("it was not handed over with the document", "not_handed_over"))
        return super()._open(f"/{named[0]}")


def _data(address: str) -> Place:
    """A `data:` URL as `media` takes it: browsers allow spaces and %-escapes in it."""
    head, comma, payload = address.partition(",")
    if not comma:
        return Place(problem="a data URL without data")
    if "image/svg+xml" in head.lower():
        raw = unquote_to_bytes(payload)
        if head.lower().rstrip().endswith(";base64"):
            try:
                raw = base64.b64decode(raw)
            except ValueError:
                return Place(problem="a data URL whose base64 text is broken")
        return _svg(raw[:SVG_BYTES])
    if "%" in payload:
        payload = unquote(payload)
    return Place(source=f"{''.join(head.split())},{''.join(payload.split())}")


def _svg(data: bytes) -> Place:
    if data[:2] == b"\x1f\x8b":
        return Place(problem="a compressed SVG drawing, which is not opened")
    return Place(svg=data.decode("utf-8", "replace"))


def _head(file: Path, size: int) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(size)
    except OSError:
        return b""
