"""Where an answer comes from: parts of the picture are hidden one after another, and the answer's score is watched.

Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014 (occlusion); Petsiuk, Das and Saenko,
"RISE: Randomized Input Sampling for Explanation of Black-box Models", BMVC 2018 (deletion and insertion). It asks any family
that can score a given answer, and knows nothing of how it is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy
from PIL import Image, ImageFilter

from ..media import open_image
from ..models import Family
from ..types import Evidence, Example

GRID = 7
"""Rows and columns of parts; the encoder of seesay-mini looks at 7 x 7 cells."""
STEPS = 12
"""Points of the deletion and insertion curves."""
SIDE = 448
"""Pictures are worked on at this size at most: parts of a larger one look the same to any model here."""
BATCH = 16

Array = numpy.ndarray[Any, Any]


def evidence(family: Family, example: Example, answer: str) -> Evidence:
    """Which parts of the picture `answer` hangs on. Hidden parts show a blurred picture, not a hole.

    Raises:
        ImageError: the picture cannot be used.
    """
    picture = open_image(example.images[0]).pixels
    picture.thumbnail((SIDE, SIDE))
    hidden = picture.filter(ImageFilter.GaussianBlur(max(picture.size) / 12))
    single = numpy.eye(GRID * GRID, dtype=bool).reshape(-1, GRID, GRID)
    # A part and its neighbours are hidden together, or what is left at its edges would still tell.
    whole, *parts = _scores(family, example, answer, picture, hidden, [_none(), *map(_widened, single)])
    drops = whole - numpy.array(parts).reshape(GRID, GRID)
    order = numpy.argsort(-drops, axis=None, kind="stable")
    random = numpy.random.default_rng(0).permutation(GRID * GRID)
    masks = [*_growing(order), *_growing(random), *(~mask for mask in _growing(order))]
    left = numpy.array(_scores(family, example, answer, picture, hidden, masks)) / max(whole, 1e-9)
    deletion, chance, insertion = (float(numpy.clip(part, 0, 1).mean()) for part in numpy.split(left, 3))
    return Evidence(answer, whole, drops, deletion, insertion, chance)


def _scores(
    family: Family, example: Example, answer: str, picture: Image.Image, hidden: Image.Image, masks: Sequence[Array]
) -> list[float]:
    scores: list[float] = []
    for start in range(0, len(masks), BATCH):
        pictures = [_covered(picture, hidden, mask) for mask in masks[start : start + BATCH]]
        batch = family.prepare([Example((image,), example.question) for image in pictures])
        scores += family.score(batch, [answer] * len(pictures))
    return scores


def _covered(picture: Image.Image, hidden: Image.Image, mask: Array) -> Image.Image:
    """The picture with the parts of `mask` (GRID, GRID) hidden."""
    cover = Image.fromarray(mask.astype(numpy.uint8) * 255).resize(picture.size, Image.Resampling.BILINEAR)
    return Image.composite(hidden, picture, cover)


def _growing(order: Array) -> list[Array]:
    """STEPS masks, each hiding more parts in the given order, the last one all."""
    masks = []
    for step in range(1, STEPS + 1):
        mask = numpy.zeros(GRID * GRID, dtype=bool)
        mask[order[: round(len(order) * step / STEPS)]] = True
        masks.append(mask.reshape(GRID, GRID))
    return masks


def _widened(mask: Array) -> Array:
    padded = numpy.pad(mask, 1)
    wide: Array = padded[1:-1, 1:-1] | padded[:-2, 1:-1] | padded[2:, 1:-1] | padded[1:-1, :-2] | padded[1:-1, 2:]
    return wide


def _none() -> Array:
    return numpy.zeros((GRID, GRID), dtype=bool)
