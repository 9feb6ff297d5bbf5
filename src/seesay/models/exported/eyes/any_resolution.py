"""Eyes that see a picture twice: whole, and cut into tiles near its own shape. LLaVA-NeXT (Liu et al., "LLaVA-NeXT: Improved
reasoning, OCR, and world knowledge", 2024) and LLaVA-OneVision (Li et al., "LLaVA-OneVision: Easy Visual Task Transfer",
2024). Tiles are put together again, what was padded is cut off, and each row of patches ends with a vector of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy

from ...runtime import Array
from ..eye import ClipEye, Made


class LlavaNextEye(ClipEye):
    """LLaVA-NeXT."""

    name: ClassVar[str] = "llava_next"
    model_types: ClassVar[tuple[str, ...]] = ("llava_next",)

    @classmethod
    def facts_of(cls, network: Any) -> dict[str, Any]:
        vision = network.config.vision_config
        newline = network.base_model.image_newline
        return {
            "shapes": [list(shape) for shape in network.config.image_grid_pinpoints],
            "side": vision.image_size,
            "patches": vision.image_size // vision.patch_size,
            "newline": None if newline is None else newline.float().tolist(),
        }

    def glimpses(self, made: Made) -> Iterator[dict[str, Array]]:
        for picture, tiles in zip(made["pixel_values"], self._tiles(made), strict=True):
            for tile in picture[:tiles]:
                yield {"pixel_values": tile[None]}

    def placed(self, looked: Sequence[Array], made: Made) -> Array:
        found, start = list[Array](), 0
        for size, tiles in zip(made["image_sizes"].tolist(), self._tiles(made), strict=True):
            whole, *rest = (one[0] for one in looked[start : start + tiles])
            start += tiles
            found += [whole, self._together(rest, size)] if rest else [self._line_end(whole[None])[0]]
        return numpy.concatenate(found)

    def _tiles(self, made: Made) -> list[int]:
        """Of each picture how many tiles it is looked at in, the whole one counted."""
        shapes = [self._shape(size) for size in made["image_sizes"].tolist()]
        return [1 + rows * columns for rows, columns in shapes]

    def _shape(self, size: Sequence[int]) -> tuple[int, int]:
        """Rows and columns of tiles for a picture (height, width)."""
        from transformers.image_processing_utils import select_best_resolution

        height, width = select_best_resolution(tuple(size), self.facts["shapes"])
        return math.ceil(height / self.facts["side"]), math.ceil(width / self.facts["side"])

    def _together(self, tiles: Sequence[Array], size: Sequence[int]) -> Array:
        """(N, D): tiles of (patches squared, D) as one picture without its padding, with the ends of its rows."""
        rows, columns = self._shape(size)
        patches = self.facts["patches"]
        grid = numpy.stack(tiles).reshape(rows, columns, patches, patches, -1)
        grid = grid.transpose(0, 2, 1, 3, 4).reshape(rows * patches, columns * patches, -1)
        ended = self._line_end(self._fitted(_unpadded(grid, size)))
        return ended.reshape(-1, ended.shape[-1])

    def _fitted(self, grid: Array) -> Array:
        """(H, W, D) with as many patches as may be."""
        return grid

    def _line_end(self, grid: Array) -> Array:
        """(H, W, D) with a vector behind each row, where the model has one."""
        if self.facts["newline"] is None:
            return grid
        newline = numpy.array(self.facts["newline"], grid.dtype)
        return numpy.concatenate([grid, numpy.broadcast_to(newline, (len(grid), 1, len(newline)))], axis=1)


class LlavaOnevisionEye(LlavaNextEye):
    """LLaVA-OneVision: several pictures are seen whole alone; one is scaled down where it has more patches than may be."""

    name: ClassVar[str] = "llava_onevision"
    model_types: ClassVar[tuple[str, ...]] = ("llava_onevision",)

    @classmethod
    def why_not(cls, config: Mapping[str, Any]) -> str:
        aspect = str(config.get("vision_aspect_ratio", "anyres_max_9"))
        if not aspect.removeprefix("anyres_max_").isdigit():
            return f"no export is known of pictures cut by {aspect!r}"
        return super().why_not(config)

    @classmethod
    def facts_of(cls, network: Any) -> dict[str, Any]:
        most = int(network.config.vision_aspect_ratio.removeprefix("anyres_max_"))
        return {**super().facts_of(network), "most": most}

    def _tiles(self, made: Made) -> list[int]:
        return [1] * len(made["image_sizes"]) if len(made["image_sizes"]) > 1 else super()._tiles(made)

    def _fitted(self, grid: Array) -> Array:
        height, width, _ = grid.shape
        ratio = math.sqrt(height * width / (self.facts["most"] * self.facts["patches"] ** 2))
        if ratio <= 1.1:
            return grid
        import torch

        values = torch.from_numpy(grid).permute(2, 0, 1)[None]
        size = [int(height // ratio), int(width // ratio)]
        scaled = torch.nn.functional.interpolate(values, size, mode="bilinear")
        smaller: Array = scaled[0].permute(1, 2, 0).numpy()
        return smaller


def _unpadded(grid: Array, size: Sequence[int]) -> Array:
    """(H, W, D) of a picture that was scaled into a frame, without what was added on two sides. `size` is (height, width)."""
    height, width = grid.shape[:2]
    if size[1] / size[0] > width / height:
        padding = (height - int(round(size[0] * (width / size[1]), 7))) // 2
        return grid[padding : height - padding]
    padding = (width - int(round(size[1] * (height / size[0]), 7))) // 2
    return grid[:, padding : width - padding]
