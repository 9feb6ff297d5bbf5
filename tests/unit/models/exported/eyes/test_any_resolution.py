"""Tiles put together again, against what transformers does with them."""

from types import SimpleNamespace
from typing import Any

import numpy
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seesay.models.exported.eyes.any_resolution import LlavaNextEye, LlavaOnevisionEye

SHAPES = [[32, 32], [32, 64], [64, 32], [64, 64], [32, 96]]
NEWLINE = [5.0, 6.0, 7.0]


@pytest.mark.parametrize("most", [0, 1, 9])
@given(height=st.integers(3, 300), width=st.integers(3, 300))
def test_what_stands_in_the_text_is_what_transformers_puts_there(most: int, height: int, width: int) -> None:
    from transformers.models.llava_next.modeling_llava_next import LlavaNextModel
    from transformers.models.llava_onevision.modeling_llava_onevision import LlavaOnevisionModel

    kind = LlavaOnevisionEye if most else LlavaNextEye
    eye = kind({"shapes": SHAPES, "side": 32, "patches": 4, "newline": NEWLINE, "most": most})
    size = numpy.array([[height, width]])
    tiles = len(list(eye.glimpses({"pixel_values": numpy.zeros((1, 9, 3, 32, 32)), "image_sizes": size})))
    looked = [numpy.random.default_rng(index).normal(size=(1, 16, 3)).astype(numpy.float32) for index in range(tiles)]
    network: Any = SimpleNamespace(
        config=SimpleNamespace(vision_config=SimpleNamespace(image_size=32, patch_size=8), image_grid_pinpoints=SHAPES)
    )
    features, newline = [torch.from_numpy(numpy.concatenate(looked))], torch.tensor(NEWLINE)
    if most:
        (wanted,), _ = LlavaOnevisionModel.pack_image_features(
            network, features, torch.from_numpy(size), newline, f"anyres_max_{most}"
        )
    else:
        (wanted,), _ = LlavaNextModel.pack_image_features(network, features, torch.from_numpy(size), "default", newline)
    assert numpy.abs(eye.placed(looked, {"image_sizes": size}) - wanted.numpy()).max() < 1e-6


def test_several_pictures_are_seen_whole_alone_by_onevision() -> None:
    eye = LlavaOnevisionEye({"shapes": SHAPES, "side": 32, "patches": 1, "newline": NEWLINE, "most": 9})
    made = {"pixel_values": numpy.zeros((2, 5, 3, 32, 32)), "image_sizes": numpy.array([[64, 64], [32, 90]])}
    looked = [numpy.full((1, 1, 3), value) for value in (1.0, 2.0)]
    assert len(list(eye.glimpses(made))) == 2
    assert eye.placed(looked, made).tolist() == [[1.0] * 3, NEWLINE, [2.0] * 3, NEWLINE]
