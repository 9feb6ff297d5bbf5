"""JPEG: XMP is a segment APP1 (XMP specification, part 3, 1.1.3); older captions are in APP13 (IPTC-IIM 2:120)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import ClassVar, NamedTuple

from ..document import DocumentError
from ..picture_file import PictureFile

XMP = b"http://ns.adobe.com/xap/1.0/\0"
PHOTOSHOP = b"Photoshop 3.0\0"
SEGMENT_BYTES = 65_533
APP0, APP1, APP2, APP11, APP13, START_OF_SCAN = 0xE0, 0xE1, 0xE2, 0xEB, 0xED, 0xDA


class _Segment(NamedTuple):
    marker: int
    start: int
    end: int
    body: bytes


class Jpeg(PictureFile):
    """A JPEG file."""

    name: ClassVar[str] = "jpeg"
    summary: ClassVar[str] = "the picture's own alternative text, in its XMP"
    endings: ClassVar[tuple[str, ...]] = (".jpg", ".jpeg", ".jpe", ".jfif")
    magic: ClassVar[tuple[bytes, ...]] = (b"\xff\xd8\xff",)

    @staticmethod
    def packet(data: bytes, where: str) -> bytes | None:
        bodies = (segment.body for segment in _segments(data, where) if _is_xmp(segment))
        found = next(bodies, None)
        return None if found is None else found[len(XMP) :]

    @staticmethod
    def with_packet(data: bytes, packet: bytes, where: str) -> bytes:
        body = XMP + packet
        if len(body) > SEGMENT_BYTES:
            raise DocumentError("its XMP would not fit into one segment of a JPEG", where=where)
        made = b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
        segments = list(_segments(data, where))
        there = next((segment for segment in segments if _is_xmp(segment)), None)
        if there is not None:
            return data[: there.start] + made + data[there.end :]
        # Behind JFIF and EXIF, which readers want first.
        first = [one for one in segments if one.marker == APP0 or (one.marker == APP1 and one.body[:4] == b"Exif")]
        at = max((one.end for one in first), default=2)
        return data[:at] + made + data[at:]

    @staticmethod
    def refusal(data: bytes) -> str:
        for segment in _segments(data, ""):
            if segment.marker == APP2 and segment.body[:4] == b"MPF\0":
                return "a JPEG that holds several pictures, whose places would shift"
            if segment.marker == APP11 and segment.body[:2] == b"JP":
                return "signed content credentials (C2PA), which a change would break"
        return ""

    @staticmethod
    def description(data: bytes) -> str:
        for segment in _segments(data, ""):
            if segment.marker == APP13 and segment.body.startswith(PHOTOSHOP):
                return _caption(_iptc(segment.body[len(PHOTOSHOP) :]))
        return ""


def _is_xmp(segment: _Segment) -> bool:
    return segment.marker == APP1 and segment.body.startswith(XMP)


def _segments(data: bytes, where: str) -> Iterator[_Segment]:
    """The segments before the first scan."""
    at = 2
    while at + 4 <= len(data):
        start = at
        if data[at] != 0xFF:
            break
        while at < len(data) - 3 and data[at + 1] == 0xFF:
            at += 1
        marker = data[at + 1]
        if marker == START_OF_SCAN:
            return
        size = int.from_bytes(data[at + 2 : at + 4], "big")
        end = at + 2 + size
        if size < 2 or end > len(data):
            break
        yield _Segment(marker, start, end, data[at + 4 : end])
        at = end
    raise DocumentError("a broken or cut-short JPEG", where=where)


def _iptc(resources: bytes) -> bytes:
    """The IPTC-IIM block among the resources of Photoshop (Adobe, Photoshop File Formats, image resource 0x0404)."""
    at = 0
    while resources[at : at + 4] == b"8BIM" and at + 12 <= len(resources):
        kind = int.from_bytes(resources[at + 4 : at + 6], "big")
        at += 6 + (resources[at + 6] + 2) // 2 * 2
        size = int.from_bytes(resources[at : at + 4], "big")
        if kind == 0x0404:
            return resources[at + 4 : at + 4 + size]
        at += 4 + size + size % 2
    return b""


def _caption(block: bytes) -> str:
    """Data set 2:120, Caption/Abstract (IPTC-IIM 4.2)."""
    at = 0
    while at + 5 <= len(block) and block[at] == 0x1C:
        record, number, size = block[at + 1], block[at + 2], int.from_bytes(block[at + 3 : at + 5], "big")
        if size & 0x8000:
            return ""
        if (record, number) == (2, 120):
            raw = block[at + 5 : at + 5 + size]
            try:
                return raw.decode("utf-8")
            except UnicodeDecodeError:
                return raw.decode("latin-1")
        at += 5 + size
    return ""
