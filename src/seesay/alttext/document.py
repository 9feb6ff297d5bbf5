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

    found: tuple[Found, ...]
    """In the order of the document."""

    @classmethod
    @abstractmethod
    def open(cls, path: Path, data: bytes, places: Places) -> Document:
        """The document in `data`, which was read from `path`.

        Raises:
            DocumentError: it is not of this kind, broken, or over a limit.
        """

    @abstractmethod
    def written(self, changes: Mapping[str, Change]) -> dict[Path, bytes]:
        """The files to write, each with its new content, the document itself last; `changes` are by `Found.key`.

        Raises:
            DocumentError: a text would end up elsewhere, or as another text, than was meant. Nothing was written.
        """

    @abstractmethod
    def views(self, data: bytes) -> list[View]:
        """What a diff compares: `data` is the document as it was, or as `written` gives it."""


def check_edit(where: str, before: Sequence[Found], after: Sequence[Found], changes: Mapping[str, Change]) -> None:
    """Read what is about to be written: the same pictures, with the new texts where they are meant and the old elsewhere.

    Raises:
        DocumentError: they are not.
    """
    meant = [(one.key, changes[one.key].alt if one.key in changes else one.alt) for one in before]
    if [(one.key, one.alt) for one in after] != meant:
        hint = "its markup is broken near a picture; nothing was written. Please report it with the document"
        raise DocumentError("the texts cannot be put in safely", where=where, hint=hint)
