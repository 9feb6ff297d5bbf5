"""Pictures composed of drawings, with the truth about them: what stands where, of what color, on what background.

A picture is a function of (seed, split, number) alone. Views show one thing for its name; scenes show several, for
presence, number, color and place.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from .concepts import Concept
from .sprites import clear_color, color_shares

SIDE = 224
Random = numpy.random.Generator


@dataclass(frozen=True)
class Thing:
    """A drawing in a picture. `box` is left, top, right, bottom in pixels."""

    name: str
    category: str
    color: str
    box: tuple[int, int, int, int]

    @property
    def center(self) -> tuple[float, float]:
        left, top, right, bottom = self.box
        return (left + right) / 2, (top + bottom) / 2


@dataclass(frozen=True)
class Truth:
    """What is true about a picture. `background` is a color word where it is plain, else ""."""

    things: tuple[Thing, ...]
    background: str


@dataclass
class Stock:
    """The drawings that a split may use, by concept, and of which more general concepts a concept is a kind."""

    concepts: dict[str, Concept]
    sprites: dict[str, list[Path]]
    kinds: dict[str, list[str]]

    def __post_init__(self) -> None:
        self.names = sorted(self.sprites)
        self.by_category: dict[str, list[str]] = {}
        for name in self.names:
            self.by_category.setdefault(self.concepts[name].category, []).append(name)


def view(stock: Stock, name: str, sprite: Path, random: Random) -> tuple[Image.Image, Truth]:
    """One thing, large, anywhere, on any background."""
    canvas, background = _background(random)
    size = SIDE * random.uniform(0.4, 1.0)
    drawing = _vary(_sprite(sprite), size, random, turn=20)
    x = int(random.uniform(-0.05, 1.05) * max(0, SIDE - drawing.width))
    y = int(random.uniform(-0.05, 1.05) * max(0, SIDE - drawing.height))
    thing = _place(canvas, drawing, x, y, stock.concepts[name])
    return _finish(canvas, random), Truth((thing,), background)


def scene(stock: Stock, random: Random) -> tuple[Image.Image, Truth]:
    """Two to six things that do not hide one another; often several of one kind, to be counted."""
    kinds = int(random.choice([1, 2, 3, 4], p=[0.25, 0.4, 0.25, 0.1]))
    names = [str(name) for name in random.choice(stock.names, kinds, replace=False)]
    counts = [1] * kinds
    if kinds == 1 or random.random() < 0.45:
        counts[0] = int(random.integers(1, 7 if kinds == 1 else 7 - kinds + 1))
    chosen = [name for name, count in zip(names, counts, strict=True) for _ in range(count)]
    return _compose(stock, chosen, random)


def _compose(stock: Stock, names: Sequence[str], random: Random) -> tuple[Image.Image, Truth]:
    canvas, background = _background(random)
    total = len(names)
    low, high = {1: (0.35, 0.8), 2: (0.3, 0.5), 3: (0.26, 0.42), 4: (0.24, 0.38)}.get(total, (0.2, 0.32))
    same = {name: stock.sprites[name][int(random.integers(len(stock.sprites[name])))] for name in set(names)}
    sizes: dict[str, float] = {}
    things: list[Thing] = []
    for name in names:
        # Things of one kind mostly look alike and are about equally large, as in pictures that people count in.
        sprite = (
            same[name] if random.random() < 0.8 else stock.sprites[name][int(random.integers(len(stock.sprites[name])))]
        )
        size = sizes.setdefault(name, random.uniform(low, high)) * random.uniform(0.85, 1.15)
        drawing = _vary(_sprite(sprite), SIDE * size, random, turn=15)
        spot = _free_spot(drawing.size, [thing.box for thing in things], random)
        if spot is not None:
            things.append(_place(canvas, drawing, *spot, stock.concepts[name]))
    return _finish(canvas, random), Truth(tuple(things), background)


def _free_spot(
    size: tuple[int, int], taken: Sequence[tuple[int, int, int, int]], random: Random
) -> tuple[int, int] | None:
    width, height = size
    for _ in range(60):
        x, y = (int(random.integers(0, max(1, SIDE - side))) for side in (width, height))
        if all(_overlap((x, y, x + width, y + height), box) < 0.06 for box in taken):
            return x, y
    return None


def _overlap(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> float:
    """Share of the smaller box that both cover."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    smaller = min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))
    return max(0, width) * max(0, height) / max(1, smaller)


@lru_cache(maxsize=6000)
def _sprite(path: Path) -> Image.Image:
    image = Image.open(path)
    image.load()
    return image


def _vary(sprite: Image.Image, size: float, random: Random, turn: float) -> Image.Image:
    """The drawing at `size` pixels (its longer side), mirrored, turned, its colors a little changed."""
    scale = size / max(sprite.size)
    stretch = random.uniform(0.88, 1.14)
    width, height = max(8, round(sprite.width * scale * stretch)), max(8, round(sprite.height * scale / stretch))
    image = sprite.resize((width, height), Image.Resampling.BILINEAR if scale > 0.5 else Image.Resampling.BOX)
    if random.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if random.random() < 0.6:
        image = image.rotate(random.normal(0, turn / 2), Image.Resampling.BILINEAR, expand=True)
    if random.random() < 0.5:
        image = _recolor(image, random)
    box = image.getchannel("A").getbbox()
    return image.crop(box) if box else image


def _recolor(image: Image.Image, random: Random) -> Image.Image:
    alpha = image.getchannel("A")
    colors = image.convert("RGB")
    if random.random() < 0.4:
        hue, saturation, value = colors.convert("HSV").split()
        turned = int(random.normal(0, 14))
        colors = Image.merge("HSV", (hue.point(lambda h: (h + turned) % 256), saturation, value)).convert("RGB")
    colors = ImageEnhance.Color(colors).enhance(random.uniform(0.5, 1.3))
    colors = ImageEnhance.Brightness(colors).enhance(random.uniform(0.75, 1.15))
    colors = ImageEnhance.Contrast(colors).enhance(random.uniform(0.75, 1.2))
    if random.random() < 0.06:
        colors = colors.convert("L").convert("RGB")
    colors.putalpha(alpha)
    return colors


def _place(canvas: Image.Image, drawing: Image.Image, x: int, y: int, concept: Concept) -> Thing:
    canvas.paste(drawing, (x, y), drawing)
    pixels = numpy.asarray(drawing)
    color = clear_color(color_shares(pixels[..., :3], pixels[..., 3]))
    box = (max(0, x), max(0, y), min(SIDE, x + drawing.width), min(SIDE, y + drawing.height))
    return Thing(concept.name, concept.category, color, box)


def _background(random: Random) -> tuple[Image.Image, str]:
    """A plain, shaded, textured or patterned picture, and its color word where it is plain."""
    kind = random.choice(["plain", "shaded", "texture", "blobs", "pattern"], p=[0.4, 0.2, 0.2, 0.12, 0.08])
    first, second = _color(random), _color(random)
    if kind == "plain":
        word = clear_color(color_shares(numpy.array([[first]], numpy.uint8), numpy.array([[255]])))
        return Image.new("RGB", (SIDE, SIDE), first), word
    if kind == "pattern":
        return _pattern(first, second, random), ""
    if kind == "shaded":
        angle = random.uniform(0, 2 * math.pi)
        ys, xs = numpy.mgrid[0:SIDE, 0:SIDE] / SIDE
        mix = numpy.clip((math.cos(angle) * (xs - 0.5) + math.sin(angle) * (ys - 0.5)) + 0.5, 0, 1)[..., None]
    else:
        mix = _noise(random, octaves=(3, 6) if kind == "blobs" else (4, 12, 40))[..., None]
    pixels = numpy.array(first) * (1 - mix) + numpy.array(second) * mix
    if kind == "texture":
        pixels = pixels + random.normal(0, random.uniform(0, 14), (SIDE, SIDE, 1))
    return Image.fromarray(numpy.clip(pixels, 0, 255).astype(numpy.uint8)), ""


def _noise(random: Random, octaves: Sequence[int]) -> numpy.ndarray[Any, Any]:
    total = numpy.zeros((SIDE, SIDE))
    for octave in octaves:
        small = Image.fromarray(random.uniform(0, 255, (octave, octave)).astype(numpy.uint8))
        total += numpy.asarray(small.resize((SIDE, SIDE), Image.Resampling.BICUBIC), float) / octave**0.7
    low, high = total.min(), total.max()
    return (total - low) / max(1e-6, high - low)


def _pattern(first: tuple[int, int, int], second: tuple[int, int, int], random: Random) -> Image.Image:
    image = Image.new("RGB", (SIDE, SIDE), first)
    draw = ImageDraw.Draw(image)
    step = int(random.integers(12, 48))
    kind = random.choice(["stripes", "checks", "dots"])
    for row, y in enumerate(range(0, SIDE, step)):
        for column, x in enumerate(range(0, SIDE, step)):
            if (kind == "stripes" and row % 2) or (kind == "checks" and (row + column) % 2):
                draw.rectangle((x, y, x + step, y + step), fill=second)
            elif kind == "dots":
                draw.ellipse((x + step // 4, y + step // 4, x + step * 3 // 4, y + step * 3 // 4), fill=second)
    return image


def _color(random: Random) -> tuple[int, int, int]:
    """Any color, white and pale ones more often than chance."""
    if random.random() < 0.3:
        level = int(random.choice([255, 245, 230, 20, 128], p=[0.5, 0.2, 0.15, 0.05, 0.1]))
        return level, level, level
    color = random.uniform(0, 255, 3)
    if random.random() < 0.5:
        color = 255 - (255 - color) * random.uniform(0.2, 0.7)
    return int(color[0]), int(color[1]), int(color[2])


def _finish(canvas: Image.Image, random: Random) -> Image.Image:
    """What a camera or a copy does: a little blur, light, noise."""
    if random.random() < 0.15:
        canvas = canvas.filter(ImageFilter.GaussianBlur(random.uniform(0.3, 1.2)))
    if random.random() < 0.2:
        canvas = ImageEnhance.Brightness(canvas).enhance(random.uniform(0.7, 1.15))
    if random.random() < 0.15:
        pixels = numpy.asarray(canvas, numpy.float32) + random.normal(0, random.uniform(2, 10), (SIDE, SIDE, 3))
        canvas = Image.fromarray(numpy.clip(pixels, 0, 255).astype(numpy.uint8))
    return canvas
