"""Makers of pictures that are broken, hostile or merely odd. Tests get them through the fixtures of `conftest.py`.

`make_all` writes files that must be refused, `make_good` files that must be opened right; both return them by name.
The broken ones are written byte by byte where no library would write them.
"""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy
from PIL import Image, ImageCms

HIDDEN = (200, 30, 60)
"""The colour that lies under transparency in the odd pictures. It must never be seen."""
CORNERS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0))
"""Top left, top right, bottom left and bottom right of the picture that is stored in eight orientations."""


def make_all(folder: Path) -> dict[str, Path]:
    """Files that must be refused, each with an error that names it. `missing` and `folder` are not files."""
    whole = encoded(Image.linear_gradient("L").convert("RGB"), "JPEG")
    contents = {
        "truncated.jpg": whole[: len(whole) * 2 // 3],
        "header_only.jpg": whole[:200],
        "text.jpg": b"This is not a picture, it only says so.\n",
        "empty.jpg": b"",
        "bomb.png": png(60_000, 60_000),
        "bomb_144_megapixels.png": png(12_000, 12_000),
        "wide.png": png(30_001, 1),
        "no_width.png": png(0, 10),
        "large.png": encoded(Image.new("1", (7_200, 7_000)), "PNG"),
        "drawing.svg": b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
        "page.jpg": b"<!DOCTYPE html>\n<html><body>404 Not Found</body></html>",
        "document.pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
        "photo.heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        "pointer.jpg": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
        "noise.jpg": bytes(range(256)) * 4,
        "text_bomb.png": png(8, 8, extra=chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(3_000_000)))),
        "text_bombs.png": png(8, 8, extra=_text_chunks(80)),
        "profile_bomb.png": png(8, 8, extra=chunk(b"iCCP", b"k\0\0" + zlib.compress(bytes(3_000_000)))),
        "scan_bomb.jpg": _jpeg_of_many_scans(500),
        "exif_bomb.jpg": whole[:2] + segment(0xE1, b"Exif\0\0" + bytes(90)) * 1_000 + whole[2:],
        "tile_bomb.tiff": tiff_of_tiles(30_000),
        "canvas_bomb.webp": _webp_of_canvas(16_384, 16_384),
        "broken.tiff": b"II*\0" + struct.pack("<L", 9_999_999),
        "broken.gif": encoded(Image.linear_gradient("L"), "GIF")[:900],
        "broken.webp": encoded(Image.linear_gradient("L"), "WEBP")[:300],
        "broken.avif": encoded(Image.linear_gradient("L"), "AVIF")[:300],
        "broken.bmp": encoded(Image.linear_gradient("L"), "BMP")[:2000],
        "broken.png": encoded(Image.linear_gradient("L"), "PNG")[:300],
    }
    paths = {name: _written(folder / name, data) for name, data in contents.items()}
    paths["heavy.bmp"] = folder / "heavy.bmp"
    with paths["heavy.bmp"].open("wb") as file:
        # Over the limit of bytes, and sparse: it takes no room on the disk.
        file.truncate(20_000_001)
    paths["folder"] = folder / "folder.jpg"
    paths["folder"].mkdir()
    paths["missing"] = folder / "missing.jpg"
    if hasattr(os, "mkfifo"):
        paths["pipe"] = folder / "pipe.jpg"
        os.mkfifo(paths["pipe"])
    return paths


def make_good(folder: Path) -> dict[str, Path]:
    """Files that must be opened, and whose pixels `convert("RGB")` alone would get wrong in many cases."""
    pictures = _plain_pictures() | _transparent_pictures() | _deep_pictures()
    paths = {name: _written(folder / name, data) for name, data in pictures.items()}
    for kind in ("jpg", "png", "webp", "tiff", "avif"):
        for orientation in range(1, 9):
            path = folder / f"orientation_{orientation}.{kind}"
            paths[path.name] = _written(path, oriented(orientation, kind))
    return paths


def _plain_pictures() -> dict[str, bytes]:
    colour = Image.new("RGB", (32, 24), (10, 120, 240))
    other = Image.new("RGB", (32, 24), (240, 120, 10))
    gif = {"save_all": True, "append_images": [other.quantize()], "duration": 50}
    return {
        "rgb.png": encoded(colour, "PNG"),
        "rgb.bmp": encoded(colour, "BMP"),
        "rgb.webp": encoded(colour, "WEBP", lossless=True),
        "rgb.avif": encoded(colour, "AVIF", quality=100, subsampling="4:4:4"),
        "two_frames.gif": encoded(colour.quantize(), "GIF", **gif),
        "two_frames.webp": encoded(colour, "WEBP", save_all=True, append_images=[other], lossless=True),
        "two_pages.tiff": encoded(colour, "TIFF", save_all=True, append_images=[other]),
        "two_pictures.mpo": encoded(colour, "MPO", save_all=True, append_images=[other], quality=100, subsampling=0),
        "one_bit.png": encoded(Image.linear_gradient("L").convert("1", dither=Image.Dither.NONE), "PNG"),
        "palette.png": encoded(colour.quantize(), "PNG"),
        "gray.jpg": encoded(Image.new("L", (32, 24), 77), "JPEG"),
        # Pillow writes CMYK JPEGs as Adobe does, inverted and with Adobe's marker.
        "cmyk.jpg": encoded(Image.new("CMYK", (32, 24), (255, 0, 0, 0)), "JPEG", quality=100, subsampling=0),
        "cmyk.tiff": encoded(Image.new("CMYK", (32, 24), (0, 255, 0, 51)), "TIFF"),
        "lab.tiff": encoded(_lab((200, 50, 100)), "TIFF"),
        "profile.jpg": encoded(colour, "JPEG", quality=100, subsampling=0, icc_profile=_srgb_profile()),
        "broken_exif.jpg": encoded(colour, "JPEG", quality=100, subsampling=0, exif=b"Exif\0\0II*\0\xff\xff\xff\xff"),
        "endless_exif.jpg": encoded(colour, "JPEG", quality=100, subsampling=0, exif=_exif_beyond_its_end()),
        "orientation_9.jpg": encoded(colour, "JPEG", quality=100, subsampling=0, exif=_exif(9)),
    }


def _transparent_pictures() -> dict[str, bytes]:
    """The left half is transparent over `HIDDEN`; the right half is opaque black."""
    rgba = Image.new("RGBA", (32, 24), (*HIDDEN, 0))
    rgba.paste((0, 0, 0, 255), (16, 0, 32, 24))
    gray_alpha = Image.new("LA", (32, 24), (90, 0))
    gray_alpha.paste((0, 255), (16, 0, 32, 24))
    palette = Image.new("P", (32, 24), 1)
    palette.putpalette([0, 0, 0, *HIDDEN])
    palette.paste(0, (16, 0, 32, 24))
    rgb = rgba.convert("RGB")
    gray = gray_alpha.convert("L")
    return {
        "alpha.png": encoded(rgba, "PNG"),
        "alpha.webp": encoded(rgba, "WEBP", lossless=True, exact=True),
        "alpha.tiff": encoded(rgba, "TIFF"),
        "gray_alpha.png": encoded(gray_alpha, "PNG"),
        "palette_alpha.png": encoded(palette, "PNG", transparency=bytes([255, 0])),
        "palette_key.png": encoded(palette, "PNG", transparency=1),
        "palette_key.gif": encoded(palette, "GIF", transparency=1),
        "colour_key.png": encoded(rgb, "PNG", transparency=HIDDEN),
        "gray_key.png": encoded(gray, "PNG", transparency=90),
        # Depths for which Pillow writes no such files; rows of 16 key and 16 black pixels.
        "gray_2_bit_key.png": _png_with_key(2, 0, bytes([0x55] * 4 + [0] * 4), struct.pack(">H", 1)),
        "gray_4_bit_key.png": _png_with_key(4, 0, bytes([0x77] * 8 + [0] * 8), struct.pack(">H", 7)),
        "gray_16_bit_key.png": _png_with_key(16, 0, bytes([0x12, 0x34] * 16 + [0] * 32), bytes([0x12, 0x34])),
        "colour_16_bit_key.png": _png_with_key(
            16, 2, bytes([9, 1, 8, 2, 7, 3] * 16 + [0] * 96), bytes([9, 1, 8, 2, 7, 3])
        ),
    }


def _deep_pictures() -> dict[str, bytes]:
    """One row each: black, middle and white of the depth; 32768 of 65535 is the middle."""
    row = numpy.array([[0, 32768, 65535]], dtype=numpy.uint16)
    floats = numpy.array([[-1.0, 0.0, 1.0]], dtype=numpy.float32)
    return {
        "deep.png": encoded(Image.fromarray(row), "PNG"),
        "deep.tiff": encoded(Image.fromarray(row), "TIFF"),
        "deep_lzw.tiff": encoded(Image.fromarray(row), "TIFF", compression="tiff_lzw"),
        "deep_big_endian.tiff": _tiff_of_row(row.astype(">u2").tobytes(), bits=16, order=">"),
        "deep_white_is_zero.tiff": _tiff_of_row((65535 - row).astype("<u2").tobytes(), bits=16, photometric=0),
        "deep_12_bit.tiff": _tiff_of_row(bytes([0x00, 0x08, 0x00, 0xFF, 0xF0]), bits=12),
        "integers.tiff": encoded(Image.fromarray(row.astype(numpy.int32) * 1000 - 70_000), "TIFF"),
        "floats.tiff": encoded(Image.fromarray(floats), "TIFF"),
    }


def oriented(orientation: int, kind: str) -> bytes:
    """A picture of 48 x 32 with four coloured corners, stored turned or mirrored as `orientation` says (EXIF 2.32)."""
    upright = Image.new("RGB", (48, 32), "white")
    for colour, at in zip(CORNERS, ((0, 0), (32, 0), (0, 16), (32, 16)), strict=True):
        upright.paste(colour, (*at, at[0] + 16, at[1] + 16))
    turn = Image.Transpose
    # What turns upright pixels into stored ones: the inverse of what a viewer does.
    store: dict[int, Callable[[Image.Image], Image.Image]] = {
        1: lambda image: image,
        2: lambda image: image.transpose(turn.FLIP_LEFT_RIGHT),
        3: lambda image: image.rotate(180),
        4: lambda image: image.transpose(turn.FLIP_TOP_BOTTOM),
        5: lambda image: image.transpose(turn.TRANSPOSE),
        6: lambda image: image.rotate(90, expand=True),
        7: lambda image: image.transpose(turn.TRANSVERSE),
        8: lambda image: image.rotate(-90, expand=True),
    }
    formats: dict[str, tuple[str, dict[str, object]]] = {
        "jpg": ("JPEG", {"quality": 95, "subsampling": 0}),
        "png": ("PNG", {}),
        "webp": ("WEBP", {"lossless": True}),
        "tiff": ("TIFF", {}),
        "avif": ("AVIF", {"quality": 95, "subsampling": "4:4:4"}),
    }
    name, options = formats[kind]
    return encoded(store[orientation](upright), name, exif=_exif(orientation), **options)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """The bytes of a picture as a file of that kind, by Pillow's name of it."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def segment(marker: int, data: bytes) -> bytes:
    """One marker segment of a JPEG."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def png(
    width: int, height: int, *, extra: bytes = b"", rows: bytes = bytes(64), depth: int = 8, colour: int = 2
) -> bytes:
    """A PNG that claims a size, whatever its data holds."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def tiff_of_tiles(side: int) -> bytes:
    """A TIFF of 16 x 16 pixels in one tile of `side` x `side`."""
    data = zlib.compress(bytes(1000))
    tags = [(256, 16), (257, 16), (258, 8), (259, 8), (262, 1), (277, 1)]
    return tiff(data, [*tags, (322, side), (323, side), (324, 8), (325, len(data))])


def _tiff_of_row(data: bytes, *, bits: int, photometric: int = 1, order: str = "<") -> bytes:
    tags = [(256, 3), (257, 1), (258, bits), (259, 1), (262, photometric), (277, 1), (278, 1)]
    return tiff(data, sorted([*tags, (273, 8), (279, len(data))]), order)


def tiff(data: bytes, tags: list[tuple[int, int]], order: str = "<") -> bytes:
    """A TIFF of one directory: the data, which begins at byte 8, then the tags, sorted by number."""
    short = {258, 259, 262, 277}
    directory = b"".join(
        struct.pack(f"{order}HHLHH", tag, 3, 1, value, 0)
        if tag in short
        else struct.pack(f"{order}HHLL", tag, 4, 1, value)
        for tag, value in tags
    )
    data += b"\0" * (len(data) % 2)
    magic = b"II*\0" if order == "<" else b"MM\0*"
    count = struct.pack(f"{order}H", len(tags))
    return magic + struct.pack(f"{order}L", 8 + len(data)) + data + count + directory + bytes(4)


def _png_with_key(depth: int, colour: int, row: bytes, key: bytes) -> bytes:
    return png(32, 24, extra=chunk(b"tRNS", key), rows=(b"\0" + row) * 24, depth=depth, colour=colour)


def _text_chunks(count: int) -> bytes:
    million = zlib.compress(bytes(1_000_000))
    return b"".join(chunk(b"zTXt", b"k%d\0\0" % index + million) for index in range(count))


def _jpeg_of_many_scans(count: int) -> bytes:
    """A progressive JPEG whose last scan is repeated: valid, tiny, and as slow as one likes."""
    data = encoded(Image.new("L", (64, 64), 90), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + data[-2:]


def _webp_of_canvas(width: int, height: int) -> bytes:
    """The extended layout of a WebP, with a small picture on a large canvas."""
    small = encoded(Image.new("RGB", (8, 8)), "WEBP", lossless=True)[12:]
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBP" + b"VP8X" + struct.pack("<I", 10) + bytes(4) + size + small
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _exif(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


def _exif_beyond_its_end() -> bytes:
    """EXIF with one entry whose text lies a gigabyte behind the end of the file."""
    return b"Exif\0\0II*\0\x08\0\0\0\x01\0" + struct.pack("<HHLL", 0x010F, 2, 1_000, 1_000_000_000) + bytes(4)


def _lab(rgb: tuple[int, int, int]) -> Image.Image:
    forth = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    lab = ImageCms.applyTransform(Image.new("RGB", (32, 24), rgb), forth)
    assert lab is not None
    lab.info.clear()
    return lab


def _srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path
