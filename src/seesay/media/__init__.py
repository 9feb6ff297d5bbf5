"""The one guarded door: whatever opens a picture in seesay opens it here, and whatever takes a question cleans it here.

Importing this package imports neither Pillow nor numpy, so that a mistyped path fails before either is paid for.
"""

from __future__ import annotations

from .image import ImageInfo, Picture, digest_image, open_image, probe_image
from .source import ImageLimits, image_name
from .text import clean_text

__all__ = [
    "ImageInfo",
    "ImageLimits",
    "Picture",
    "clean_text",
    "digest_image",
    "image_name",
    "open_image",
    "probe_image",
]
