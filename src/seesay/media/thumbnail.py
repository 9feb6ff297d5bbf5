"""Small copies of pictures, for pages that show many."""

from __future__ import annotations

import base64
from io import BytesIO

from ..types import ImageSource
from .image import Scaling, open_image

QUALITY = 82


def within(side: int) -> Scaling:
    """To what `thumbnail` scales a picture."""

    def scaled(width: int, height: int) -> tuple[int, int]:
        share = min(1.0, side / max(width, height))
        return max(1, round(width * share)), max(1, round(height * share))

    return scaled


def thumbnail(source: ImageSource, side: int) -> bytes:
    """A picture as a JPEG of at most `side` pixels along its longer side; smaller ones keep their size.

    Raises:
        ImageError: it cannot be used.
    """
    pixels = open_image(source, fits=within(side)).pixels
    pixels.thumbnail((side, side))
    buffer = BytesIO()
    pixels.save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()


def thumbnail_url(source: ImageSource, side: int) -> str:
    """As `thumbnail`, as a `data:` URL."""
    return f"data:image/jpeg;base64,{base64.b64encode(thumbnail(source, side)).decode('ascii')}"
