"""Small copies of pictures, for pages that show many."""

from __future__ import annotations

import base64
from io import BytesIO

from ..types import ImageSource
from .image import open_image

QUALITY = 82


def thumbnail(source: ImageSource, side: int) -> bytes:
    """A picture as a JPEG of at most `side` pixels along its longer side; smaller ones keep their size.

    Raises:
        ImageError: it cannot be used.
    """
    pixels = open_image(source).pixels
    pixels.thumbnail((side, side))
    buffer = BytesIO()
    pixels.save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()


def thumbnail_url(source: ImageSource, side: int) -> str:
    """As `thumbnail`, as a `data:` URL."""
    return f"data:image/jpeg;base64,{base64.b64encode(thumbnail(source, side)).decode('ascii')}"
