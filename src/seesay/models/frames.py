"""What pictures of some architectures need before and after they are scaled, whatever computes: no longer than a processor takes
them, and of one size in a batch. Knows nothing of networks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy

if TYPE_CHECKING:
    import PIL.Image

Array = numpy.ndarray[Any, Any]
GRAY = (127, 127, 127)
WIDEST = 8
"""Longer side by shorter one, beyond which GIT keeps only the middle: its processor keeps no more than a square of it."""


def widened(image: PIL.Image.Image, shortest_edge: int, size_divisor: int) -> PIL.Image.Image:
    """The picture, with gray bars where it is so narrow that scaling would leave it no width at all.

    ViLT limits the longer side to 1333/800 of the shorter one's target and rounds down to the patch size.
    """
    from PIL import Image

    longest_edge = int(1333 / 800 * shortest_edge)
    # At this ratio the narrow side still comes out at one patch; the margin covers the rounding.
    limit = longest_edge / (size_divisor + 1)
    width, height = image.size
    if max(width, height) <= limit * min(width, height):
        return image
    narrow = math.ceil(max(width, height) / limit)
    size = (max(width, narrow), max(height, narrow))
    padded = Image.new("RGB", size, GRAY)
    padded.paste(image, ((size[0] - width) // 2, (size[1] - height) // 2))
    return padded


def middle(image: PIL.Image.Image) -> PIL.Image.Image:
    """The picture, of one that is very long only the middle."""
    width, height = image.size
    limit = WIDEST * min(width, height)
    if max(width, height) <= limit:
        return image
    left, top = max(0, (width - limit) // 2), max(0, (height - limit) // 2)
    return image.crop((left, top, left + min(width, limit), top + min(height, limit)))


def pad_pictures(pictures: Sequence[Array]) -> tuple[Array, Array]:
    """Pictures (3, H, W) as one batch (B, 3, H, W) and its mask (B, H, W), zeros to the right and below."""
    height = max(picture.shape[1] for picture in pictures)
    width = max(picture.shape[2] for picture in pictures)
    pixels = numpy.zeros((len(pictures), 3, height, width), numpy.float32)
    mask = numpy.zeros((len(pictures), height, width), numpy.int64)
    for row, picture in enumerate(pictures):
        pixels[row, :, : picture.shape[1], : picture.shape[2]] = picture
        mask[row, : picture.shape[1], : picture.shape[2]] = 1
    return pixels, mask
