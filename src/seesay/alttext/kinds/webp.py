"""WebP: XMP is a chunk of the extended layout (RFC 9649); a file of a simple layout is given the extended one."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import ClassVar, NamedTuple

from ..document import DocumentError
from ..picture_file import PictureFile

HAS_XMP, HAS_ALPHA = 0x04, 0x10


class _Chunk(NamedTuple):
    kind: bytes
    start: int
    end: int
    body: bytes


class Webp(PictureFile):
    """A WebP file."""

    name: ClassVar[str] = "webp"
    summary: ClassVar[str] = "the picture's own alternative text, in its XMP"
    endings: ClassVar[tuple[str, ...]] = (".webp",)
    magic: ClassVar[tuple[bytes, ...]] = (b"RIFF....WEBP",)

    @staticmethod
    def packet(data: bytes, where: str) -> bytes | None:
        return next((chunk.body for chunk in _chunks(data, where) if chunk.kind == b"XMP "), None)

    @staticmethod
    def with_packet(data: bytes, packet: bytes, where: str) -> bytes:
        chunks = list(_chunks(data, where))
        kept = [data[chunk.start : chunk.end] for chunk in chunks if chunk.kind not in (b"VP8X", b"XMP ")]
        head = next((chunk.body for chunk in chunks if chunk.kind == b"VP8X"), None) or _extended(chunks[0], where)
        head = bytes([head[0] | HAS_XMP]) + head[1:]
        body = b"WEBP" + b"".join((_chunk(b"VP8X", head), *kept, _chunk(b"XMP ", packet)))
        return b"RIFF" + struct.pack("<I", len(body)) + body

    @staticmethod
    def refusal(data: bytes) -> str:
        signed = any(chunk.kind == b"C2PA" for chunk in _chunks(data, ""))
        return "signed content credentials (C2PA), which a change would break" if signed else ""


def _extended(picture: _Chunk, where: str) -> bytes:
    """The head of the extended layout for a picture of a simple one: flags, then the canvas less one pixel each way."""
    if picture.kind == b"VP8L" and len(picture.body) >= 5:
        bits = int.from_bytes(picture.body[1:5], "little")
        width, height, flags = bits & 0x3FFF, bits >> 14 & 0x3FFF, HAS_ALPHA if bits >> 28 & 1 else 0
    elif picture.kind == b"VP8 " and len(picture.body) >= 10:
        sides = (int.from_bytes(picture.body[at : at + 2], "little") & 0x3FFF for at in (6, 8))
        width, height, flags = (*(side - 1 for side in sides), 0)
    else:
        raise DocumentError("a broken WebP", where=where)
    return bytes([flags, 0, 0, 0]) + width.to_bytes(3, "little") + height.to_bytes(3, "little")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def _chunks(data: bytes, where: str) -> Iterator[_Chunk]:
    at, end = 12, min(len(data), 8 + int.from_bytes(data[4:8], "little"))
    while at + 8 <= end:
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        stop = at + 8 + size + size % 2
        # The last byte of padding is missing now and then.
        if at + 8 + size > end:
            raise DocumentError("a broken or cut-short WebP", where=where)
        yield _Chunk(data[at : at + 4], at, min(stop, end), data[at + 8 : at + 8 + size])
        at = stop
    if at == 12:
        raise DocumentError("a broken or cut-short WebP", where=where)
