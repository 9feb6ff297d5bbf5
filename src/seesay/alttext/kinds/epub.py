"""EPUB 2 and 3: the chapters of a book. Only the chapters that change are written anew; every other entry keeps its bytes,
its name and its place, `mimetype` first and unpacked.

EPUB 3 takes `data-alt-by`; EPUB 2 does not (it is XHTML 1.1), so there a record beside the book says who wrote a text.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import ClassVar
from urllib.parse import unquote

from ..document import Document, DocumentError, View, check_count, check_edit
from ..encoding import Text, decode
from ..found import Change, Found, digest_of
from ..markup import Element, parse
from ..pages import Spot, edited, spots
from ..places import Archive, Places
from ..record import Record, record_path

MIMETYPE = b"application/epub+zip"
UNPACKED_BYTES = 1_000_000_000
"""Most that all entries together may hold."""
CHAPTER_BYTES = 20_000_000
ENTRIES = 65_000


@dataclass(frozen=True, slots=True)
class _Chapter:
    entry: str
    text: Text
    spots: list[Spot]


class Epub(Document):
    """A book."""

    name: ClassVar[str] = "epub"
    summary: ClassVar[str] = "the chapters of a book, EPUB 2 or 3"
    sent_markup: ClassVar[int] = 5_000_000
    endings: ClassVar[tuple[str, ...]] = (".epub",)

    def __init__(self, path: Path, data: bytes, places: Places, record: Record) -> None:
        self.path, self._data = path, data
        self._entries = _unpack(data, str(path))

        def check(size: int) -> None:
            self.check_markup(size, places, str(path))

        package = _package(self._entries, str(path), check)
        check(sum(len(self._entries[entry]) for entry in package.chapters))
        self._marked = package.version >= 3
        self._record = record
        self._places, self._chapters = places, list[_Chapter]()
        for entry in package.chapters:
            self._chapters.append(self._chapter(entry, package.language))
            check_count(sum(len(chapter.spots) for chapter in self._chapters), str(path))
        self._all = tuple(self._with_mark(spot.found) for chapter in self._chapters for spot in chapter.spots)
        self.found = self._all

    @classmethod
    def open(cls, path: Path, data: bytes, places: Places) -> Epub:
        return cls(path, data, places, Record.read(path, places))

    @classmethod
    def unpacked(cls, data: bytes) -> int:
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                return sum(info.file_size for info in archive.infolist())
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
            return len(data)  # opening it tells what is wrong

    def _chapter(self, entry: str, language: str) -> _Chapter:
        text = decode(self._entries[entry], f"{self.path}:{entry}")
        places = Archive(entry, self._entries)
        found = spots(text.source, places, xml=True, marked=self._marked, language=language, entry=entry)
        return _Chapter(entry, text, found)

    def _with_mark(self, found: Found) -> Found:
        signed = "META-INF/signatures.xml" in self._entries
        locked = found.locked or ("the book is signed, and a change would break that" if signed else "")
        if self._marked or found.alt is None:
            return replace(found, locked=locked)
        mark = self._record.mark(f"{found.entry} {found.src}", digest_of(found.alt))
        return replace(found, mark=mark, locked=locked)

    def written(self, changes: Mapping[str, Change]) -> dict[Path, bytes]:
        new: dict[str, bytes] = {}
        for chapter in self._chapters:
            if any(spot.found.key in changes for spot in chapter.spots):
                made = edited(chapter.text.source, chapter.spots, changes, marked=self._marked, safe=chapter.text.safe)
                new[chapter.entry] = chapter.text.encoded(made)
        if not new:
            return {self.path: self._data}
        data = _packed(self._data, new)
        check_edit(str(self.path), self.found, Epub(self.path, data, self._places, self._record).found, changes)
        if self._marked:
            return {self.path: data}
        texts = [
            (f"{one.entry} {one.src}", changes[one.key].mark if one.key in changes else one.mark)
            for one in self.found
            if one.key in changes or one.standing != "human"
        ]
        return {record_path(self.path): self._record.written(texts), self.path: data}

    def views(self, data: bytes) -> list[View]:
        entries = _unpack(data, str(self.path))
        return [View(f"{self.path}/{one.entry}", decode(entries[one.entry], "").source) for one in self._chapters]


@dataclass(frozen=True, slots=True)
class _Package:
    version: float
    language: str
    chapters: list[str]


def _unpack(data: bytes, where: str) -> dict[str, bytes]:
    hint = "make the book again, or check it with epubcheck"
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            if len(infos) > ENTRIES or sum(info.file_size for info in infos) > UNPACKED_BYTES:
                raise DocumentError(f"unpacks to more than {UNPACKED_BYTES:,} bytes", where=where)
            if len({info.filename for info in infos}) < len(infos):
                raise DocumentError("two entries have one name", where=where, hint=hint)
            if not infos or infos[0].filename != "mimetype" or archive.read(infos[0]).strip() != MIMETYPE:
                raise DocumentError("not an EPUB: its first entry is not its mimetype", where=where, hint=hint)
            return {info.filename: archive.read(info) for info in infos if not info.is_dir()}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, OSError):
        raise DocumentError("not an archive that can be read", where=where, hint=hint) from None


def _package(entries: Mapping[str, bytes], where: str, check: Callable[[int], None]) -> _Package:
    """Version, language and chapters, in the order of the manifest (EPUB 3.3, 5; OPF 2.0.1). `check` is told how many bytes of
    markup are about to be read."""
    check(sum(len(entries.get(name, b"")) for name in ("META-INF/container.xml", "META-INF/encryption.xml")))
    container = _tree(entries.get("META-INF/container.xml", b""), where)
    path = next((one.get("full-path") or "" for one in _named(container, "rootfile")), "")
    if path not in entries:
        raise DocumentError("names no package document", where=where, hint="check it with epubcheck")
    check(len(entries[path]))
    package = _tree(entries[path], where)
    head = next(_named(package, "package"), package)
    try:
        version = float(head.get("version") or "2")
    except ValueError:
        version = 2.0
    language = next((one.text() for one in _named(package, "language")), "")
    locked = _encrypted(entries, where)
    chapters = []
    for item in _named(package, "item"):
        name = _joined(PurePosixPath(path).parent, unquote(item.get("href") or ""))
        wanted = item.get("media-type") == "application/xhtml+xml" and name in entries and name not in locked
        if wanted and len(entries[name]) <= CHAPTER_BYTES and name not in chapters:
            chapters.append(name)
    return _Package(version, language, chapters)


def _encrypted(entries: Mapping[str, bytes], where: str) -> set[str]:
    listed = _named(_tree(entries.get("META-INF/encryption.xml", b""), where), "cipherreference")
    return {unquote(one.get("uri") or "") for one in listed}


def _joined(folder: PurePosixPath, name: str) -> str:
    parts: list[str] = []
    for part in (folder / name).parts:
        if part == "..":
            parts = parts[:-1]
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _tree(data: bytes, where: str) -> Element:
    return parse(decode(data, where).source, xml=True)


def _named(tree: Element, name: str) -> Iterator[Element]:
    return (one for one in tree.all() if one.tag.rpartition(":")[2] == name)


def _packed(data: bytes, new: Mapping[str, bytes]) -> bytes:
    """The archive with some entries replaced, in the same order, each packed as it was."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w") as made:
        made.comment = old.comment
        for info in old.infolist():
            content = new.get(info.filename)
            made.writestr(_same(info), old.read(info) if content is None else content)
    return buffer.getvalue()


def _same(info: zipfile.ZipInfo) -> zipfile.ZipInfo:
    """The head of an entry without what only fits its old bytes; `mimetype` must have no extra field."""
    made = zipfile.ZipInfo(info.filename, info.date_time)
    made.compress_type = info.compress_type
    made.external_attr, made.create_system, made.comment = info.external_attr, info.create_system, info.comment
    return made
