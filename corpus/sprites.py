"""Drawings from vector art: each icon once, as 256 pixels with transparency, cut to what is drawn. And what color a thing is.

Colors are measured from pixels: the words of the packages say what an emoji stands for, not how a style paints it.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from multiprocessing import Pool
from pathlib import Path
from typing import Any

import numpy
import resvg_py
from PIL import Image

from seesay.models.mini.colors import COLORS, color_words

from .concepts import Concept
from .sources import STYLES

SIDE = 256
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
    words = color_words(opaque[:: max(1, len(opaque) // 4000)])
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
