"""Pictures prepared in Pillow and numpy alone, against the image processors of transformers."""

from __future__ import annotations

import json
from typing import Any

import numpy
import pytest
from PIL import Image

from seesay.models.pixels import PixelRecipe

SIZES = [(640, 480), (97, 131), (131, 97), (60, 60), (224, 224), (500, 80)]
STATISTICS = {"image_mean": [0.48, 0.46, 0.41], "image_std": [0.27, 0.26, 0.28]}


def processors() -> dict[str, Any]:
    from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
    from transformers.models.vilt.image_processing_pil_vilt import ViltImageProcessorPil

    square = {"height": 96, "width": 96}
    return {
        "vilt": ViltImageProcessorPil(size={"shortest_edge": 96}, size_divisor=16),
        "clip": CLIPImageProcessorPil(size={"shortest_edge": 96}, crop_size=square),
        "clip, cut wider than it is": CLIPImageProcessorPil(
            size={"shortest_edge": 64}, crop_size={"height": 80, "width": 81}
        ),
        "clip, squeezed": CLIPImageProcessorPil(size=square, do_center_crop=False),
        "blip": BlipImageProcessorPil(size=square, **STATISTICS),
        "bilinear": BlipImageProcessorPil(size=square, resample=2),
    }


@pytest.mark.parametrize("name", ["vilt", "clip", "clip, cut wider than it is", "clip, squeezed", "blip", "bilinear"])
def test_every_value_is_the_processors(name: str) -> None:
    processor = processors()[name]
    recipe = PixelRecipe.read(json.loads(json.dumps(PixelRecipe.of(processor).saved())))
    rng = numpy.random.default_rng(0)
    for width, height in SIZES:
        picture = Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=numpy.uint8))
        wanted = processor(picture, return_tensors="np").pixel_values[0]
        found = recipe(picture)
        assert found.shape == wanted.shape
        assert found.dtype == numpy.float32
        assert numpy.abs(found - wanted).max() < 1e-6


def test_a_processor_that_does_something_else_is_refused() -> None:
    from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

    from seesay.errors import ModelError

    with pytest.raises(ModelError, match="leaves out a step"):
        PixelRecipe.of(BlipImageProcessorPil(do_normalize=False))
