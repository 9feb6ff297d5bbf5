"""Drawings from vector art: each icon once, as 256 pixels with transparency, cut to what is drawn. And what color a thing is.

Colors are measured from pixels: the words of the packages say what an emoji stands for, not how a style paints it.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from functools import cache as remembered
from multiprocessing import Pool
from pathlib import Path
from typing import Any

import numpy
import resvg_py
from PIL import Image

from .concepts import Concept
from .sources import STYLES

SIDE = 256
COLORS: dict[str, tuple[tuple[int, int, int], ...]] = {
    "red": ((221, 46, 68), (200, 30, 30), (160, 20, 30), (230, 70, 60)),
    "orange": ((244, 144, 12), (255, 130, 30), (230, 110, 20)),
    "yellow": ((255, 204, 77), (255, 230, 50), (240, 200, 20)),
    "green": ((119, 178, 85), (62, 114, 29), (20, 140, 60), (90, 190, 60)),
    "blue": ((85, 172, 238), (34, 102, 153), (30, 70, 200), (120, 200, 250)),
    "purple": ((146, 102, 204), (110, 50, 150), (170, 110, 200)),
    "pink": ((244, 171, 186), (234, 89, 110), (240, 120, 180)),
    "brown": ((193, 105, 79), (138, 75, 56), (102, 33, 19), (150, 100, 60)),
    "black": ((30, 30, 30), (41, 47, 51), (10, 10, 15)),
    "white": ((255, 255, 255), (240, 243, 245)),
    "gray": ((153, 170, 181), (130, 130, 130), (102, 117, 127), (190, 195, 200)),
}
"""Examples of each color word, sRGB; a pixel has the word of its nearest example in CIELAB."""
CLEAR, RIVAL = 0.55, 0.25
"""A thing has a color where that color covers this share of it and no other covers more than the second share."""

Array = numpy.ndarray[Any, Any]


def render_all(cache: Path, concepts: dict[str, Concept], processes: int) -> dict[tuple[str, str], Path]:
    """Every drawing of every concept as a PNG file; returns (style, icon) -> path. Those there already are kept."""
    jobs = []
    for style in STYLES:
        icons = {icon for concept in concepts.values() for icon in concept.art.get(style, [])}
        folder = cache / "sprites" / style
        folder.mkdir(parents=True, exist_ok=True)
        missing = sorted(icon for icon in icons if not (folder / f"{icon}.png").is_file())
        jobs += [(cache, style, part) for part in _parts(missing, 64)]
    with Pool(processes) as pool:
        for _ in pool.imap_unordered(_render, jobs):
            pass
    return {
        (style, icon): cache / "sprites" / style / f"{icon}.png"
        for concept in concepts.values()
        for style, icons in concept.art.items()
        for icon in icons
        if (cache / "sprites" / style / f"{icon}.png").is_file()
    }


def color_shares(pixels: Array, alpha: Array) -> dict[str, float]:
    """Share of each color word among the opaque pixels. `pixels` (H, W, 3) and `alpha` (H, W) in 0..255."""
    opaque = pixels[alpha > 128].reshape(-1, 3)
    if len(opaque) == 0:
        return {}
    opaque = opaque[:: max(1, len(opaque) // 4000)].astype(numpy.int32) >> 3
    words = _word_table()[opaque[:, 0] << 10 | opaque[:, 1] << 5 | opaque[:, 2]]
    counts = numpy.bincount(words, minlength=len(COLORS))
    return {word: float(count / len(opaque)) for word, count in zip(COLORS, counts, strict=True) if count}


def clear_color(shares: dict[str, float]) -> str:
    """The one color of a thing, or "" where it has several or none that is clear."""
    ranked = sorted(shares.items(), key=lambda item: -item[1])
    rival = ranked[1][1] if len(ranked) > 1 else 0.0
    return ranked[0][0] if ranked and ranked[0][1] >= CLEAR and rival <= RIVAL else ""


def _render(job: tuple[Path, str, list[str]]) -> None:
    cache, style, icons = job
    package = json.loads((cache / STYLES[style].folder / "package/icons.json").read_text(encoding="utf-8"))
    for icon in icons:
        art = package["icons"].get(icon)
        if art is None:
            continue
        width, height = art.get("width", package.get("width", 16)), art.get("height", package.get("height", 16))
        box = f"{art.get('left', 0)} {art.get('top', 0)} {width} {height}"
        head = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
        svg = f'<svg {head} viewBox="{box}" width="{width}" height="{height}">{art["body"]}</svg>'
        image = Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=svg, width=SIDE, height=SIDE))))
        image = image.convert("RGBA")
        drawn = image.getchannel("A").point(lambda value: 255 if value > 16 else 0).getbbox()
        if drawn is not None:
            image.crop(drawn).save(cache / "sprites" / style / f"{icon}.png")


def _parts(items: list[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _lab(rgb: Array) -> Array:
    """sRGB 0..255 (N, 3) to CIELAB under D65 (IEC 61966-2-1, CIE 15)."""
    linear = rgb.astype(numpy.float32) / 255
    linear = numpy.where(linear <= 0.04045, linear / 12.92, ((linear + 0.055) / 1.055) ** 2.4)
    matrix = numpy.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = linear @ matrix.T / numpy.array([0.95047, 1.0, 1.08883])
    f = numpy.where(xyz > 216 / 24389, numpy.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return numpy.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)


@remembered
def _word_table() -> Array:
    """The color word of each of 32 x 32 x 32 colors, as an index into COLORS."""
    levels = numpy.arange(32) * 8 + 4
    grid = numpy.stack(numpy.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(-1, 3)
    examples = _lab(numpy.array([example for group in COLORS.values() for example in group]))
    words = numpy.array([index for index, group in enumerate(COLORS.values()) for _ in group])
    nearest = [((lab[:, None] - examples[None]) ** 2).sum(-1).argmin(1) for lab in numpy.array_split(_lab(grid), 16)]
    return words[numpy.concatenate(nearest)]
