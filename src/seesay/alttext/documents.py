"""Files and folders to documents. Which kinds there are, `discover()` knows; what cannot be read is told, and the others are
read all the same."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError, SeesayError, UsageError
from ..media import image_name
from ..registry import discover
from .document import Document, DocumentError
from .places import Folder, Handed

DOCUMENT_BYTES = 500_000_000
"""Largest document; books carry their pictures."""


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """A document that was read."""

    name: str
    """As the user named it, or as it was found in a folder that the user named."""
    data: bytes
    document: Document


def kinds() -> dict[str, type[Document]]:
    """Every kind of document, by its name."""
    return discover("seesay.alttext.kinds", Document)


def kind_of(path: Path) -> type[Document] | None:
    """The kind that a file is by the ending of its name."""
    ending = path.suffix.lower()
    return next((kind for kind in kinds().values() if ending in kind.endings), None)


def open_documents(paths: Sequence[str], root: Path | None) -> tuple[list[Opened], list[SeesayError]]:
    """The documents that are named or lie in the folders that are named, and what keeps others from being read.

    Raises:
        UsageError: nothing was named, or a root that is no folder.
    """
    if not paths:
        raise UsageError("no document named", hint="name a page, a Markdown file, a book, a picture, or a folder")
    if root is not None and not root.is_dir():
        raise UsageError(f"{image_name(root)} is not a folder", where="--root")
    opened: list[Opened] = []
    problems: list[SeesayError] = []
    seen: set[Path] = set()
    for name in paths:
        try:
            for file in _files(name):
                if file.resolve() not in seen:
                    seen.add(file.resolve())
                    _open(file, root, opened, problems)
        except SeesayError as error:
            problems.append(error)
    return opened, problems


def open_handed(files: Mapping[str, bytes], unpacked: int) -> tuple[list[Opened], list[SeesayError]]:
    """The documents among files that were handed over together, and what keeps others from being read; the disk is not looked
    at. Pictures are documents of their own only where no page, Markdown file or book came with them, which may show them.

    Args:
        files: by relative path, with "/" between its parts.
        unpacked: most bytes of all that is in a document.
    """
    known = {name: kind for name in files if (kind := kind_of(Path(name))) is not None}
    together = any(kind.in_folders for kind in known.values())
    opened: list[Opened] = []
    problems: list[SeesayError] = []
    for name, kind in known.items():
        if kind.in_folders or not together:
            try:
                if kind.unpacked(files[name]) > unpacked:
                    raise DocumentError(f"unpacks to more than {unpacked:,} bytes", where=name)
                opened.append(Opened(name, files[name], kind.open(Path(name), files[name], Handed(name, files))))
            except SeesayError as error:
                problems.append(error)
    return opened, problems


def _open(file: Path, root: Path | None, opened: list[Opened], problems: list[SeesayError]) -> None:
    kind = kind_of(file)
    assert kind is not None
    try:
        data = _read(file)
        opened.append(Opened(str(file), data, kind.open(file, data, Folder(file, root))))
    except SeesayError as error:
        problems.append(error)


def _read(file: Path) -> bytes:
    where = image_name(file)
    try:
        if file.stat().st_size > DOCUMENT_BYTES:
            raise DocumentError(f"more than {DOCUMENT_BYTES:,} bytes", where=where)
        return file.read_bytes()
    except OSError as error:
        raise DocumentError(f"cannot be read: {error.strerror or error}", where=where) from None


def _files(name: str) -> Iterator[Path]:
    path = Path(name)
    known = ", ".join(ending for kind in kinds().values() for ending in kind.endings)
    if path.is_dir():
        inside = list(_walk(path))
        if not inside:
            hint = f"pictures themselves must be named: seesay alt {image_name(name)}/*.jpg"
            raise InputError("no page, Markdown file or book in this folder", where=image_name(name), hint=hint)
        yield from inside
    elif not path.exists():
        raise InputError("no such file", where=image_name(name))
    elif not path.is_file():
        raise InputError("not a regular file", where=image_name(name))
    elif kind_of(path) is None:
        raise InputError("not a kind of document that is known", where=image_name(name), hint=f"known: {known}")
    else:
        yield path


def _walk(top: Path) -> Iterator[Path]:
    """The documents below a folder, sorted. Hidden folders are left out, and links to folders not followed."""
    for folder, below, names in os.walk(top):
        below[:] = sorted(name for name in below if not name.startswith(".") and name != "node_modules")
        for file in (Path(folder) / name for name in sorted(names)):
            kind = kind_of(file)
            if kind is not None and kind.in_folders and not file.name.startswith("."):
                yield file
