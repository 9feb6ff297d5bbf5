"""What can be told from a picture's pixels without a model: its size, whether it is empty, whether it is drawn in few colors,
and the text in it. Nothing here knows what is shown, or where the picture stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .. import reading
from ..media import open_image
from ..types import ImageSource, Line

if TYPE_CHECKING:
    import PIL.Image

READABLE = 24
"""Pixels along both sides from which on letters can be in a picture."""
SAMPLED = 128
"""Pixels a side that colors are counted on."""
EVEN = 4
"""Steps of 256 within which a picture is of one color."""
COMMONEST = 8


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of one picture."""

    sha256: str
    width: int
    """In pixels, upright."""
    height: int
    even: bool
    """Whether all of it has one color (transparent ones lie on white)."""
    flat: float
    """Share of it in its eight commonest colors, 0 to 1: drawings have much, photographs little."""
    lines: tuple[Line, ...] = ()
    """The text in it."""

    @property
    def text(self) -> str:
        """The lines, a space between them."""
        return " ".join(line.text for line in self.lines)

    @property
    def confidence(self) -> float:
        """Of the line read with the least."""
        return min((line.confidence for line in self.lines), default=0.0)

    @property
    def covered(self) -> float:
        """Share of the picture that its lines of text take, 0 to 1."""
        return min(1.0, sum(_area(line) for line in self.lines) / (self.width * self.height))


def look(source: ImageSource) -> Look:
    """Open a picture and look at it.

    Raises:
        ImageError: it cannot be used.
    """
    picture = open_image(source)
    pixels = picture.pixels
    width, height = pixels.size
    even = all(high - low <= EVEN for low, high in _extrema(pixels))
    lines = reading.read(pixels).lines if not even and min(width, height) >= READABLE else ()
    told = tuple(line for line in lines if sum(character.isalnum() for character in line.text) >= 2)
    return Look(picture.sha256, width, height, even, _flatness(pixels), told)


def _extrema(pixels: PIL.Image.Image) -> list[tuple[int, int]]:
    import numpy

    array = numpy.asarray(pixels)
    return list(zip(array.min((0, 1)).tolist(), array.max((0, 1)).tolist(), strict=True))


def _flatness(pixels: PIL.Image.Image) -> float:
    from PIL import Image

    small = pixels.resize((min(SAMPLED, pixels.width), min(SAMPLED, pixels.height)), Image.Resampling.NEAREST)
    coarse = small.point(lambda value: value & 0xF8)
    counts = sorted((count for count, _ in coarse.getcolors(SAMPLED * SAMPLED) or ()), reverse=True)
    return sum(counts[:COMMONEST]) / (small.width * small.height)


def _area(line: Line) -> float:
    """Of the box of a line, in square pixels (shoelace formula)."""
    points = line.box
    return 0.5 * abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in zip(points, points[1:] + points[:1], strict=True)))
