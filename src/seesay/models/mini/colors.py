"""Which color word a pixel has, and how much of each cell of a picture each word covers.

A network that was trained to tell things apart says little of their colors, so they are measured. The same table decides what
the training questions call red. It knows nothing of things.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy

EXAMPLES: dict[str, tuple[tuple[int, int, int], ...]] = {
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
COLORS = tuple(EXAMPLES)

Array = numpy.ndarray[Any, Any]


def color_words(pixels: Array) -> Array:
    """pixels (..., 3) uint8 -> (...) uint8, indices into `COLORS`. Colors are told apart in steps of 8."""
    levels = (pixels >> 3).astype(numpy.uint16)
    words: Array = _table()[levels[..., 0] << 10 | levels[..., 1] << 5 | levels[..., 2]]
    return words


def color_grid(pixels: Array, cells: int) -> Array:
    """pixels (B, H, W, 3) uint8, H and W multiples of `cells` -> (B, 3 + words, cells, cells) float32: the mean color of each
    cell in -1..1, then the share of each word in 0..1."""
    batch, height, width, _ = pixels.shape
    words = color_words(pixels)[..., None] == numpy.arange(len(COLORS), dtype=numpy.uint8)
    parts = numpy.concatenate([(pixels.astype(numpy.float32) - 127) / 128, words], axis=-1, dtype=numpy.float32)
    split = parts.reshape(batch, cells, height // cells, cells, width // cells, 3 + len(COLORS))
    means: Array = split.mean(axis=(2, 4), dtype=numpy.float32).transpose(0, 3, 1, 2)
    return numpy.ascontiguousarray(means)


def _lab(rgb: Array) -> Array:
    """sRGB 0..255 (N, 3) to CIELAB under D65 (IEC 61966-2-1, CIE 15)."""
    linear = rgb.astype(numpy.float32) / 255
    linear = numpy.where(linear <= 0.04045, linear / 12.92, ((linear + 0.055) / 1.055) ** 2.4)
    matrix = numpy.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = linear @ matrix.T / numpy.array([0.95047, 1.0, 1.08883])
    f = numpy.where(xyz > 216 / 24389, numpy.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return numpy.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)


@cache
def _table() -> Array:
    """The color word of each of 32 x 32 x 32 colors, as an index into COLORS."""
    levels = numpy.arange(32) * 8 + 4
    grid = numpy.stack(numpy.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(-1, 3)
    examples = _lab(numpy.array([example for group in EXAMPLES.values() for example in group]))
    words = numpy.array([index for index, group in enumerate(EXAMPLES.values()) for _ in group], numpy.uint8)
    nearest = [((lab[:, None] - examples[None]) ** 2).sum(-1).argmin(1) for lab in numpy.array_split(_lab(grid), 16)]
    table: Array = words[numpy.concatenate(nearest)]
    return table
