"""Encoded bytes to a Pillow image whose header has been checked; and every way in which that can fail, as our errors.

What a file is, its first bytes say, never its name. Each kind has exactly one decoder, and only that decoder sees the
file. Before it does, those headers are refused that would make Pillow work for minutes or take gigabytes from a small
file (each was measured with Pillow 13). This module knows nothing about colours (`rgb`) and nothing about where the
bytes came from (`source`).
"""

from __future__ import annotations

import importlib
import io
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from ..errors import ImageError, ImageTooLarge, ImageUnreadable
from .source import ImageLimits

if TYPE_CHECKING:
    import PIL.Image
    import PIL.ImageFile

ACCEPTED = {
    "JPEG": ("JpegImagePlugin",),
    "PNG": ("PngImagePlugin",),
    "WEBP": ("WebPImagePlugin",),
    "GIF": ("GifImagePlugin",),
    "BMP": ("BmpImagePlugin",),
    "TIFF": ("TiffImagePlugin",),
    "AVIF": ("AvifImagePlugin",),
}
"""The kinds that are decoded, by Pillow's name, and the modules that do it. An MPO is a JPEG that holds several."""
ACCEPTED_SHOWN = "JPEG, PNG, WebP, GIF, BMP, TIFF, MPO and AVIF"

JPEG_SCANS = 200
"""Most scans (refinements of the whole picture) of a JPEG; encoders write about ten. Each costs 17 ms at 49 megapixels
and takes 75 bytes, so a file of 20 MB could ask for more than an hour."""
JPEG_EXIF_SEGMENTS = 400
"""Most EXIF segments of a JPEG; cameras write one. Pillow joins them in time that grows with the square of their
number: 80,000 of them, 9 MB, take 7 s."""

_MAGIC = (
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG\r\n\x1a\n", "PNG"),
    (0, b"GIF87a", "GIF"),
    (0, b"GIF89a", "GIF"),
    (8, b"WEBP", "WEBP"),
    (0, b"BM", "BMP"),
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (0, b"II+\0", "TIFF"),
    (0, b"MM\0+", "TIFF"),
    (4, b"ftypavif", "AVIF"),
    (4, b"ftypavis", "AVIF"),
    (4, b"ftyphei", "a HEIC picture"),
    (4, b"ftypmif1", "a HEIF picture"),
    (4, b"ftyp", "a video"),
    (4, b"jP  ", "a JPEG 2000 picture"),
    (4, b"JXL ", "a JPEG XL picture"),
    (0, b"\xff\x0a", "a JPEG XL picture"),
    (0, b"8BPS", "a Photoshop document"),
    (0, b"\0\0\1\0", "an icon"),
    (0, b"%PDF", "a PDF document"),
    (0, b"PK\3\4", "a ZIP archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"version https://git-lfs", "a Git LFS pointer (run git lfs pull)"),
)
_JPEG_SCAN = re.compile(rb"\xff\xda\x00[\x08\x0a\x0c\x0e][\x01-\x04]")


@contextmanager
def opened(data: bytes, name: str, limits: ImageLimits) -> Iterator[PIL.ImageFile.ImageFile]:
    """The picture in `data`: header read and checked, nothing decoded. Pillow's failures within the block are ours.

    Raises:
        ImageUnreadable: not an accepted kind, or broken (also where the decoder finds that inside the block).
        ImageTooLarge: over a limit.
    """
    kind = _kind(data, name)
    if kind == "JPEG":
        _check_jpeg(data, name)
    declared = _declared_size(data, kind)
    if declared:
        check_size(declared, name, limits)
    with translated(f"a broken or cut-short {kind} picture", name, limits):
        from PIL import Image

        _import_decoder(kind)
        # The tuple names the decoder. Without it a file picks one of forty, and one of those runs another program.
        with Image.open(io.BytesIO(data), formats=(kind,)) as image:
            check_size(image.size, name, limits)
            if kind == "TIFF":
                _check_tiff(image, name, limits)
            yield image


@contextmanager
def translated(failure: str, name: str, limits: ImageLimits) -> Iterator[None]:
    """Turn whatever Pillow raises in the block into an error of ours that says `failure`, and keep its warnings in.

    Pillow has no one class of error for a bad file: SyntaxError, OSError, ValueError, EOFError, IndexError,
    struct.error, ZeroDivisionError and others were all seen. Their texts are meant for programmers and are dropped.
    """
    from PIL import Image

    try:
        with _SILENCE:
            yield
    except ImageError:
        raise
    except Image.DecompressionBombError:
        # Pillow's own limit, which is above ours, met before the size is known to us.
        allowed = 2 * (Image.MAX_IMAGE_PIXELS or 0)
        raise _too_large(f"over {allowed / 1e6:,.0f} megapixels", min(limits.pixels, allowed), name) from None
    except MemoryError:
        raise ImageTooLarge(
            "there is not enough memory to decode it", where=name, hint="make the picture smaller"
        ) from None
    except Exception as error:
        raise _broken(failure, error, name) from None


def _broken(failure: str, error: Exception, name: str) -> ImageError:
    if isinstance(error, ValueError) and "MAX_TEXT" in str(error):
        return ImageTooLarge(
            "its compressed texts or colour profile unpack to more than 1 MiB each or 64 MiB together",
            where=name,
            hint="save it again without its metadata",
        )
    return ImageUnreadable(
        failure, where=name, hint="copy or download it again; a picture viewer shows whether it is whole"
    )


def check_size(size: tuple[int, int], name: str, limits: ImageLimits) -> None:
    """Refuse a picture of (width, height) pixels that is empty or over a limit."""
    width, height = size
    found = f"{width:,} x {height:,} pixels"
    if width < 1 or height < 1:
        raise ImageUnreadable(f"{found}: there is nothing in it", where=name, hint="give a picture of 1 x 1 or more")
    if max(size) > limits.side:
        raise ImageTooLarge(
            f"{found}; the limit is {limits.side:,} pixels along a side",
            where=name,
            hint="scale it down or cut it; from Python, pass ImageLimits(side=...)",
        )
    if width * height > limits.pixels:
        raise _too_large(f"{found} ({width * height / 1e6:,.1f} megapixels)", limits.pixels, name)


def _too_large(found: str, allowed: int, name: str) -> ImageTooLarge:
    limit = f"{allowed / 1e6:,g} megapixels" if allowed >= 1e6 else f"{allowed:,} pixels"
    return ImageTooLarge(
        f"{found}; the limit is {limit}",
        where=name,
        hint="scale it down; from Python, pass ImageLimits(pixels=...)",
    )


@cache
def _import_decoder(kind: str) -> None:
    """Make Pillow know this kind. Left to itself it imports all of its forty decoders for any but the commonest."""
    import logging

    for module in ACCEPTED[kind]:
        importlib.import_module(f"PIL.{module}")
    # Pillow's TIFF reader logs an error for some broken files, and Python prints what no handler takes.
    logging.getLogger("PIL").addHandler(logging.NullHandler())


def _kind(data: bytes, name: str) -> str:
    """Which accepted kind these bytes are, by Pillow's name."""
    kind = next((kind for at, magic, kind in _MAGIC if data.startswith(magic, at)), None) or _kind_of_text(data)
    if kind in ACCEPTED:
        return kind
    if kind and kind.endswith("picture"):
        what, hint = f"{kind}, which is not accepted", f"save it as JPEG or PNG; accepted: {ACCEPTED_SHOWN}"
    else:
        what, hint = (
            f"{kind}, not a picture" if kind else "not a picture of a known kind",
            f"accepted: {ACCEPTED_SHOWN}",
        )
    raise ImageUnreadable(what, where=name, hint=hint)


def _kind_of_text(data: bytes) -> str | None:
    start = data[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in start:
        return "an SVG drawing"
    if start.startswith((b"<!doctype html", b"<html")):
        return "a web page (HTML)"
    try:
        # Cutting at 1,000 bytes may split a character; what is before it decides.
        text = data[:1000].decode("utf-8", "strict" if len(data) <= 1000 else "ignore")
    except UnicodeDecodeError:
        return None
    return "text" if all(character.isprintable() or character.isspace() for character in text) else None


def _check_jpeg(data: bytes, name: str) -> None:
    scans = sum(1 for _ in _JPEG_SCAN.finditer(data))
    if scans > JPEG_SCANS:
        raise ImageTooLarge(
            f"{scans:,} scans in one JPEG; the limit is {JPEG_SCANS:,}", where=name, hint="save it again"
        )
    segments = data.count(b"Exif\0\0")
    if segments > JPEG_EXIF_SEGMENTS:
        raise ImageTooLarge(
            f"{segments:,} EXIF segments in one JPEG; the limit is {JPEG_EXIF_SEGMENTS:,}",
            where=name,
            hint="save it again without its metadata",
        )


def _declared_size(data: bytes, kind: str) -> tuple[int, int] | None:
    """(width, height) that the first bytes of a PNG or WebP state; None for other kinds, or where they are cut short.

    A WebP decoder takes memory for the whole canvas as soon as it is made, so its size must be known before. Its three
    layouts (extended, lossless, lossy) are those of RFC 9649. For a PNG this only makes the better message.
    """
    head = data[20:30]
    if kind not in ("PNG", "WEBP") or len(head) < 10:
        return None
    if kind == "PNG":
        return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    chunk = data[12:16]
    if chunk == b"VP8X":
        return 1 + int.from_bytes(head[4:7], "little"), 1 + int.from_bytes(head[7:10], "little")
    if chunk == b"VP8L":
        bits = int.from_bytes(head[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return int.from_bytes(head[6:8], "little") & 0x3FFF, int.from_bytes(head[8:10], "little") & 0x3FFF


def _check_tiff(image: PIL.ImageFile.ImageFile, name: str, limits: ImageLimits) -> None:
    """Check the size of a TIFF's tiles. libtiff takes memory for a whole tile: 900 MB for a file of 300 bytes."""
    from PIL.TiffImagePlugin import TILELENGTH, TILEWIDTH, TiffImageFile

    if isinstance(image, TiffImageFile) and TILEWIDTH in image.tag_v2 and TILELENGTH in image.tag_v2:
        width, height = image.tag_v2[TILEWIDTH], image.tag_v2[TILELENGTH]
        if width * height > limits.pixels:
            raise _too_large(f"tiles of {width:,} x {height:,} pixels", limits.pixels, name)


class _Silence:
    """Keeps Pillow's warnings in while at least one thread is inside.

    `warnings.catch_warnings` swaps the filters of the whole process and would, with two threads inside, put back the
    wrong ones. So one entry is added when the first thread enters and that same entry is removed when the last leaves.
    It names Pillow's modules alone: nobody else's warnings are touched.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                warnings.filterwarnings("ignore", module=_PILLOW)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            filters = warnings.filters
            if self._inside == 0 and isinstance(filters, list):
                filters[:] = [entry for entry in filters if getattr(entry[3], "pattern", "") != _PILLOW]


_PILLOW = r"PIL\.(?#seesay)"
"""The modules whose warnings are kept in; the remark in it marks the entry as ours."""
_SILENCE = _Silence()
