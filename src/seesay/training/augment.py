"""Changing a training picture without changing what is true about it.

`shift` moves a picture by up to a sixteenth of its sides and repeats its edge where it leaves a gap: nothing is mirrored,
turned or recolored, so that left, right, letters and colors stay what they are. The draw is a function of
(seed, epoch, row).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .plan import Visit

if TYPE_CHECKING:
    import torch

SHARE = 16


def shift(pixels: torch.Tensor, mask: torch.Tensor, visits: Sequence[Visit], seed: int) -> torch.Tensor:
    """Pictures (B, 3, H, W), each moved on its own; `mask` (B, H, W) says where each picture is, the rest stays zero."""
    import numpy
    import torch

    heights, widths = mask[:, :, 0].sum(1).numpy(), mask[:, 0].sum(1).numpy()
    moved = pixels.clone()
    for index, visit in enumerate(visits):
        height, width = int(heights[index]), int(widths[index])
        draw = numpy.random.default_rng([seed, visit.epoch, visit.row])
        down = int(draw.integers(-(height // SHARE), height // SHARE + 1))
        right = int(draw.integers(-(width // SHARE), width // SHARE + 1))
        # Pixel y of the result is pixel y - down of the picture, or its edge where that lies outside.
        rows = (torch.arange(height) - down).clamp_(0, height - 1)
        columns = (torch.arange(width) - right).clamp_(0, width - 1)
        moved[index, :, :height, :width] = pixels[index].index_select(1, rows).index_select(2, columns)
    return moved
