"""The frozen encoder of `seesay-mini` under onnxruntime: a picture to features, without torch.

EfficientNet-Lite0 as `efficientnet_lite.py` states it, exported once. Pictures are scaled to 224 x 224 as a whole: nothing
is cut off, and one that is longer than 1.6 times its width is first widened with its own mean color. It knows nothing of
what is done with the features.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy

from .colors import color_grid

if TYPE_CHECKING:
    import PIL.Image

Array = numpy.ndarray[Any, Any]
SIDE = 224
LONGEST = 1.6
"""Up to this ratio of its sides a picture is stretched to a square; beyond, it is widened first."""
LARGEST = 8 * SIDE
"""Longer sides are first scaled to this."""
SHAPES = {"fine": (112, 14, 14), "coarse": (320, 7, 7), "pooled": (1280,), "logits": (1000,), "colors": (14, 14, 14)}


class Features(NamedTuple):
    """What the encoder says about B pictures, float32."""

    fine: Array
    """(B, 112, 14, 14)"""
    coarse: Array
    """(B, 320, 7, 7)"""
    pooled: Array
    """(B, 1280)"""
    logits: Array
    """(B, 1000) ImageNet's classes"""
    colors: Array
    """(B, 14, 14, 14) the mean color of each cell, as the pixels are scaled, and the share of each color word"""


class Encoder:
    """One onnxruntime session of the encoder."""

    def __init__(self, path: Path, threads: int = 0) -> None:
        self.session, self.path = open_session(path, threads), path

    @cached_property
    def identity(self) -> str:
        """Of weights and preparation; features of different identities are never mixed."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()[:16] + f"-{SIDE}-{LARGEST}-reduced"

    def __call__(self, pixels: Array) -> Features:
        """pixels (B, 3, 224, 224) as `prepare` makes them."""
        fine, coarse, pooled, logits = self.session.run(list(SHAPES)[:-1], {"pixels": pixels})
        return Features(fine, coarse, pooled, logits, colors_of(pixels))


def fits(width: int, height: int) -> tuple[int, int]:
    """What a picture of this size is scaled to, for `media.open_image`; twice that, because scaling is done in two steps."""
    return 2 * SIDE, 2 * SIDE


def prepare(image: PIL.Image.Image) -> Array:
    """(3, 224, 224) float32, (value - 127) / 128. The picture must be RGB."""
    from PIL import Image

    if max(image.size) > LARGEST:  # a long thin picture would be widened to gigabytes
        image = image.copy()
        image.thumbnail((LARGEST, LARGEST), Image.Resampling.BICUBIC, reducing_gap=3.0)
    image = _widened(image)
    if image.size != (SIDE, SIDE):
        image = image.resize((SIDE, SIDE), Image.Resampling.BICUBIC, reducing_gap=3.0)
    pixels = numpy.asarray(image, numpy.float32).transpose(2, 0, 1)
    return (pixels - 127.0) / 128.0


def colors_of(pixels: Array) -> Array:
    """(B, 3, 224, 224) as `prepare` makes them -> (B, 14, 14, 14); see `color_grid`."""
    return color_grid((pixels * 128 + 127).round().astype(numpy.uint8).transpose(0, 2, 3, 1), 14)


def open_session(path: Path, threads: int = 0) -> Any:
    """An onnxruntime session on the processor; `threads` 0 leaves their number to onnxruntime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # Threads that wait would else spin, on the processors that decoding, a server's event loop or another process need: under
    # load an answer took three times the processor time.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Weights in 8 bits are widened once, now; else they would be for every answer.
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _widened(image: PIL.Image.Image) -> PIL.Image.Image:
    from PIL import Image

    width, height = image.size
    if max(width, height) <= LONGEST * min(width, height):
        return image
    size = (max(width, round(height / LONGEST)), max(height, round(width / LONGEST)))
    mean = tuple(round(float(value)) for value in numpy.asarray(image.resize((16, 16))).reshape(-1, 3).mean(0))
    wide = Image.new("RGB", size, mean)
    wide.paste(image, ((size[0] - width) // 2, (size[1] - height) // 2))
    return wide
