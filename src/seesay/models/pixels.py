"""Pictures as the image processors of transformers prepare them, in Pillow and numpy alone.

`PixelRecipe.of` reads off such a processor what it does; a processor that does anything else is refused. Values are equal to
the processor's within 1e-6 (tests/parity/test_pixels_against_transformers.py). Knows nothing of networks or files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy

from ..errors import ModelError

if TYPE_CHECKING:
    import PIL.Image

Array = numpy.ndarray[Any, Any]
LONGER_BY = 1333 / 800
"""ViLT: the longer side is at most this many times the shorter one's target."""
CHANNELS = 3


@dataclass(frozen=True, slots=True)
class PixelRecipe:
    """What is done to a picture, in this order: scale, cut, multiply, subtract the mean, divide by the deviation."""

    resample: int
    """Pillow's number of the interpolation."""
    scale: float
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    shortest_edge: int = 0
    """Scale so that the shorter side is this long; 0: to `size`."""
    divisor: int = 0
    """ViLT: then limit the longer side, and round both down to a multiple of this."""
    size: tuple[int, int] = (0, 0)
    """(height, width) to scale to, whatever the picture's shape."""
    crop: tuple[int, int] = (0, 0)
    """(height, width) of the middle that is kept; 0: all of it."""

    @classmethod
    def of(cls, processor: Any) -> Self:
        """What an image processor of transformers does.

        Raises:
            ModelError: something that no recipe can say.
        """
        if not (processor.do_resize and processor.do_rescale and processor.do_normalize):
            raise ModelError("its image processor leaves out a step", hint="--engine torch")
        size, crop = dict(processor.size), getattr(processor, "do_center_crop", False)
        square = (int(size["height"]), int(size["width"])) if size.get("height") else (0, 0)
        if not any(square) and not size.get("shortest_edge"):
            raise ModelError(f"its image processor scales to {size}", hint="--engine torch")
        cut = dict(processor.crop_size) if crop else {"height": 0, "width": 0}
        return cls(
            int(processor.resample),
            float(processor.rescale_factor),
            tuple(map(float, processor.image_mean)),
            tuple(map(float, processor.image_std)),
            shortest_edge=0 if any(square) else int(size["shortest_edge"]),
            divisor=int(getattr(processor, "size_divisor", None) or 0),
            size=square,
            crop=(int(cut["height"]), int(cut["width"])),
        )

    @classmethod
    def read(cls, saved: Mapping[str, Any]) -> Self:
        """What `saved` wrote."""
        values: dict[str, Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in saved.items()}
        return cls(**values)

    def saved(self) -> dict[str, Any]:
        """In a form that JSON keeps."""
        return asdict(self)

    def target(self, width: int, height: int) -> tuple[int, int]:
        """(height, width) that a picture of this size is scaled to, before anything is cut off."""
        if not self.shortest_edge:
            return self.size
        if self.divisor:
            return _vilt_size(height, width, self.shortest_edge, self.divisor)
        # As transformers' `get_resize_output_image_size`: the longer side is cut to whole pixels, not rounded.
        short, long = sorted((height, width))
        longer = int(self.shortest_edge * long / short)
        return (self.shortest_edge, longer) if height <= width else (longer, self.shortest_edge)

    def fits(self, width: int, height: int) -> tuple[int, int]:
        """(width, height) likewise, as `media.open_image` asks for it."""
        down, across = self.target(width, height)
        return across, down

    def __call__(self, image: PIL.Image.Image) -> Array:
        """(3, H, W) float32 of a picture in mode RGB."""
        height, width = self.target(*image.size)
        if image.size != (width, height):
            from PIL import Image

            image = image.resize((width, height), Image.Resampling(self.resample))
        values = numpy.asarray(image)
        if any(self.crop):
            values = _middle(values, *self.crop)
        # (256, 3): there are no other values; looking them up is three times as fast as computing them.
        return numpy.stack([table[values[..., channel]] for channel, table in enumerate(self._tables())])

    def _tables(self) -> list[Array]:
        levels = numpy.arange(256, dtype=numpy.float64) * self.scale
        return [
            ((levels.astype(numpy.float32) - numpy.float32(mean)) / numpy.float32(deviation)).astype(numpy.float32)
            for mean, deviation in zip(self.mean, self.deviation, strict=True)
        ]


def fits_of(processor: Any) -> Callable[[int, int], tuple[int, int]] | None:
    """To what an image processor of transformers scales a picture, where a recipe can say it."""
    try:
        return PixelRecipe.of(processor).fits
    except (ModelError, AttributeError, TypeError, KeyError):
        return None


def _vilt_size(height: int, width: int, shorter: int, divisor: int) -> tuple[int, int]:
    """As `get_resize_output_image_size` of transformers' ViLT."""
    longest = int(LONGER_BY * shorter)
    scale = shorter / min(height, width)
    new_height, new_width = (shorter, scale * width) if height < width else (scale * height, shorter)
    if max(new_height, new_width) > longest:
        scale = longest / max(new_height, new_width)
        new_height, new_width = scale * new_height, scale * new_width
    return int(new_height + 0.5) // divisor * divisor, int(new_width + 0.5) // divisor * divisor


def _middle(values: Array, height: int, width: int) -> Array:
    """(height, width, 3) of the middle, with zeros around a picture that is smaller, as transformers' `center_crop`."""
    missing = [max(0, wanted - has) for wanted, has in zip((height, width), values.shape, strict=False)]
    if any(missing):
        before = [-(-count // 2) for count in missing]
        edges = [(first, count - first) for first, count in zip(before, missing, strict=True)]
        values = numpy.pad(values, [*edges, (0, 0)])
    top, left = (values.shape[0] - height) // 2, (values.shape[1] - width) // 2
    return values[top : top + height, left : left + width]
