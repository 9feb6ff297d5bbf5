"""What a kind of document must do: say which pictures it holds, and give its bytes with other texts in place.

One kind is one file in `kinds/`, found by `discover()`. Whatever stands outside a changed text stays byte for byte the same.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ..errors import InputError
from .found import Change, Found
from .places import Places

PICTURES = 10_000
"""Most in one document."""


class DocumentError(InputError):
    """A document cannot be read, or cannot be changed without harm."""


@dataclass(frozen=True, slots=True)
class View:
    """A document, or a part of it, as text to compare: what a diff shows."""

    name: str
    text: str


class Document(ABC):
    """A document whose pictures have been found."""

    name: ClassVar[str]
    summary: ClassVar[str]
    """One line for people."""
    endings: ClassVar[tuple[str, ...]]
    """Of file names, in lower case; each belongs to one kind."""
    in_folders: ClassVar[bool] = True
    """Whether such files are taken when a folder is named, or only when they are named themselves."""

    sent_markup: ClassVar[int] = 2_000_000
    """Most bytes of markup that are read in a document which somebody sent: some seconds, whatever it holds."""

    found: tuple[Found, ...]
    """In the order of the document."""

    @classmethod
    @abstractmethod
    def open(cls, path: Path, data: bytes, places: Places) -> Document:
        """The document in `data`, which was read from `path`.

        Raises:
            DocumentError: it is not of this kind, broken, or over a limit.
        """

    @classmethod
    def unpacked(cls, data: bytes) -> int:
        """Bytes of all that is in such a file, told without unpacking it."""
        return len(data)

    @classmethod
    def check_markup(cls, size: int, places: Places, where: str) -> None:
        """Raises a DocumentError where `size` bytes of markup are more than is read of what somebody sent."""
        if not places.trusted and size > cls.sent_markup:
            hint = "divide it, or use the command line: seesay alt"
            raise DocumentError(f"{size:,} bytes of text; the limit is {cls.sent_markup:,}", where=where, hint=hint)

    @abstractmethod
    def written(self, changes: Mapping[str, Change]) -> dict[Path, bytes]:
        """The files to write, each with its new content, the document itself last; `changes` are by `Found.key`.

        Raises:
            DocumentError: a text would end up elsewhere, or as another text, than was meant. Nothing was written.
        """

    @abstractmethod
    def views(self, data: bytes) -> list[View]:
        """What a diff compares: `data` is the document as it was, or as `written` gives it."""


def check_count(pictures: int, where: str) -> None:
    """Raises a DocumentError where there are more pictures than anybody would look at."""
    if pictures > PICTURES:
        raise DocumentError(f"more than {PICTURES:,} pictures", where=where, hint="divide the document")


def check_edit(where: str, before: Sequence[Found], after: Sequence[Found], changes: Mapping[str, Change]) -> None:
    """Read what is about to be written: the same pictures, with the new texts where they are meant and the old elsewhere.

    Raises:
        DocumentError: they are not.
    """
    meant = [(one.key, changes[one.key].alt if one.key in changes else one.alt) for one in before]
    if [(one.key, one.alt) for one in after] != meant:
        hint = "its markup is broken near a picture; nothing was written. Please report it with the document"
        raise DocumentError("the texts cannot be put in safely", where=where, hint=hint)
