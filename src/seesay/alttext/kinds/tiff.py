"""TIFF and BigTIFF: XMP is tag 700 of the first directory (XMP specification, part 3, 1.1.8).

A new packet and a new first directory are put at the end of the file and the head is turned to that directory; nothing else
moves, so every offset in the file stays right.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import ClassVar

from ..document import DocumentError
from ..picture_file import PictureFile

TAG, BYTE, UNDEFINED = 700, 1, 7


class Tiff(PictureFile):
    """A TIFF file."""

    name: ClassVar[str] = "tiff"
    summary: ClassVar[str] = "the picture's own alternative text, in its XMP"
    endings: ClassVar[tuple[str, ...]] = (".tif", ".tiff")
    magic: ClassVar[tuple[bytes, ...]] = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

    @staticmethod
    def packet(data: bytes, where: str) -> bytes | None:
        directory = _Directory.read(data, where)
        entry = directory.entries.get(TAG)
        if entry is None:
            return None
        kind, count = struct.unpack(directory.form.kind_and_count, entry[: directory.form.value_at])
        (at,) = struct.unpack(directory.form.offset, entry[directory.form.value_at :])
        if kind not in (BYTE, UNDEFINED) or at + count > len(data):
            raise DocumentError("its XMP is broken", where=where)
        # So few bytes stand in the entry itself, and are no packet.
        return None if count <= directory.form.value_bytes else data[at : at + count]

    @staticmethod
    def with_packet(data: bytes, packet: bytes, where: str) -> bytes:
        directory = _Directory.read(data, where)
        form = directory.form
        made = data + b"\0" * (len(data) % 2)
        at = len(made)
        made += packet + b"\0" * (len(packet) % 2)
        entry = struct.pack(form.kind_and_count, BYTE, len(packet)) + struct.pack(form.offset, at)
        entries = sorted({**directory.entries, TAG: entry}.items())
        head = struct.pack(form.offset, len(made))
        made += struct.pack(form.number, len(entries))
        made += b"".join(struct.pack(form.tag, tag) + rest for tag, rest in entries) + directory.following
        if form.value_bytes == 4 and len(made) >= 2**32:
            raise DocumentError("no room for metadata: a TIFF holds 4 GB", where=where)
        return made[: form.first_at] + head + made[form.first_at + len(head) :]


@dataclass(frozen=True, slots=True)
class _Form:
    """How numbers are written in a file, as `struct` has it."""

    tag: str
    number: str
    kind_and_count: str
    offset: str
    first_at: int
    entry_bytes: int
    value_at: int
    value_bytes: int


@dataclass(frozen=True, slots=True)
class _Directory:
    """The first directory: each tag's entry without the tag, and the bytes behind them, which point to the next."""

    form: _Form
    entries: dict[int, bytes]
    following: bytes

    @classmethod
    def read(cls, data: bytes, where: str) -> _Directory:
        order = "<" if data[:2] == b"II" else ">"
        big = data[2:4] in (b"+\0", b"\0+")
        form = (
            _Form(f"{order}H", f"{order}Q", f"{order}HQ", f"{order}Q", 8, 20, 10, 8)
            if big
            else _Form(f"{order}H", f"{order}H", f"{order}HL", f"{order}L", 4, 12, 6, 4)
        )
        try:
            (first,) = struct.unpack_from(form.offset, data, form.first_at)
            (count,) = struct.unpack_from(form.number, data, first)
            start = first + struct.calcsize(form.number)
            stop = start + count * form.entry_bytes
            if stop + form.value_bytes > len(data):
                raise struct.error
            rows = [data[at : at + form.entry_bytes] for at in range(start, stop, form.entry_bytes)]
            entries = {struct.unpack_from(form.tag, row)[0]: row[2:] for row in rows}
        except struct.error:
            raise DocumentError("a broken or cut-short TIFF", where=where) from None
        return cls(form, entries, data[stop : stop + form.value_bytes])
