"""PNG: XMP is a chunk iTXt with the keyword XML:com.adobe.xmp (XMP specification, part 3, 1.1.5)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import ClassVar, NamedTuple

from ..document import DocumentError
from ..picture_file import PACKET_BYTES, PictureFile

SIGNATURE = b"\x89PNG\r\n\x1a\n"
KEYWORD = b"XML:com.adobe.xmp\0"


class _Chunk(NamedTuple):
    kind: bytes
    start: int
    end: int
    body: bytes


class Png(PictureFile):
    """A PNG file."""

    name: ClassVar[str] = "png"
    summary: ClassVar[str] = "the picture's own alternative text, in its XMP"
    endings: ClassVar[tuple[str, ...]] = (".png", ".apng")
    magic: ClassVar[tuple[bytes, ...]] = (SIGNATURE,)

    @staticmethod
    def packet(data: bytes, where: str) -> bytes | None:
        chunk = next(filter(_is_xmp, _chunks(data, where)), None)
        if chunk is None:
            return None
        compressed, rest = chunk.body[len(KEYWORD)], chunk.body[len(KEYWORD) + 2 :]
        # Language and translated keyword, each ended by a zero.
        text = rest.split(b"\0", 2)[-1]
        if not compressed:
            return text
        try:
            unpacked = zlib.decompressobj().decompress(text, PACKET_BYTES)
        except zlib.error:
            raise DocumentError("its XMP is broken", where=where) from None
        return unpacked

    @staticmethod
    def with_packet(data: bytes, packet: bytes, where: str) -> bytes:
        body = KEYWORD + b"\0\0\0\0" + packet
        made = struct.pack(">I", len(body)) + b"iTXt" + body + struct.pack(">I", zlib.crc32(b"iTXt" + body))
        chunks = list(_chunks(data, where))
        there = next(filter(_is_xmp, chunks), None)
        # Behind the header: a reader then has it before the pixels.
        start, end = (there.start, there.end) if there is not None else (chunks[0].end, chunks[0].end)
        return data[:start] + made + data[end:]

    @staticmethod
    def refusal(data: bytes) -> str:
        signed = any(chunk.kind == b"caBX" for chunk in _chunks(data, ""))
        return "signed content credentials (C2PA), which a change would break" if signed else ""


def _is_xmp(chunk: _Chunk) -> bool:
    return chunk.kind == b"iTXt" and chunk.body.startswith(KEYWORD) and len(chunk.body) > len(KEYWORD) + 4


def _chunks(data: bytes, where: str) -> Iterator[_Chunk]:
    at = len(SIGNATURE)
    while at + 12 <= len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        end = at + 12 + size
        if end > len(data):
            break
        yield _Chunk(kind, at, end, data[at + 8 : end - 4])
        if kind == b"IEND":
            return
        at = end
    raise DocumentError("a broken or cut-short PNG", where=where)
