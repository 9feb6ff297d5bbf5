"""A picture file as a document of one picture: its own. The texts stand in its XMP; the picture itself stays as it is, bit by
bit. What is left to the kinds is where a packet lies in a file."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from ..media import open_image
from .document import Document, DocumentError, View, check_edit
from .found import Change, Context, Found, Mark
from .places import Places
from .xmp import ALT, BY, DESCRIPTION, LONG, Packet

PACKET_BYTES = 5_000_000
"""Largest packet that is read."""
KEY = "file"


class PictureFile(Document):
    """A picture whose own alternative text is read and written."""

    in_folders: ClassVar[bool] = False
    magic: ClassVar[tuple[bytes, ...]]
    """What such a file begins with; a "." stands for any byte."""

    def __init__(self, path: Path, data: bytes) -> None:
        self.path, self._data = path, data
        if not self.recognizes(data):
            raise DocumentError(f"not a {self.name.upper()} picture, whatever its name", where=str(path))
        self._packet = Packet(self.packet(data, str(path)), str(path))
        mark = Mark.parse(self._packet.text(BY))
        alt = self._packet.text(ALT)
        described = (self._packet.text(DESCRIPTION) or self.description(data)).strip()
        found = Found(
            key=KEY,
            line=0,
            element="file",
            src=path.name,
            alt=alt or None,
            mark=mark,
            context=Context(caption=described),
            picture=data,
            locked=self.refusal(data),
            blank_is_decoration=True,
        )
        self.found = (found,)

    @classmethod
    def open(cls, path: Path, data: bytes, places: Places) -> PictureFile:
        return cls(path, data)

    @classmethod
    def recognizes(cls, data: bytes) -> bool:
        """Whether the bytes are of this kind."""
        return any(
            len(data) >= len(head) and all(b == ord(".") or b == a for a, b in zip(data, head, strict=False))
            for head in cls.magic
        )

    @staticmethod
    @abstractmethod
    def packet(data: bytes, where: str) -> bytes | None:
        """The XMP packet in a file; None where there is none.

        Raises:
            DocumentError: the file is broken.
        """

    @staticmethod
    @abstractmethod
    def with_packet(data: bytes, packet: bytes, where: str) -> bytes:
        """The file with that packet in place of its own.

        Raises:
            DocumentError: there is no room for it.
        """

    @staticmethod
    def refusal(data: bytes) -> str:
        """Why nothing can be written into this file; empty where it can."""
        return ""

    @staticmethod
    def description(data: bytes) -> str:
        """What older metadata than XMP say is shown; empty where there are none."""
        return ""

    def written(self, changes: Mapping[str, Change]) -> dict[Path, bytes]:
        where = str(self.path)
        if KEY not in changes:
            return {self.path: self._data}
        made = self.with_packet(self._data, self._packet.edited(changes[KEY]), where)
        check_edit(where, self.found, type(self)(self.path, made).found, changes)
        if open_image(made).pixels.tobytes() != open_image(self._data).pixels.tobytes():
            raise DocumentError("its pixels would change; nothing was written", where=where, hint="please report it")
        return {self.path: made}

    def views(self, data: bytes) -> list[View]:
        packet = Packet(self.packet(data, str(self.path)), str(self.path))
        told = ((name, packet.text(name)) for name in (ALT, LONG, BY))
        return [View(str(self.path), "".join(f"{name[1]}: {text}\n" for name, text in told if text))]
