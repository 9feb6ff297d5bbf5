"""Evidence as a picture: the photograph, and over it in orange where the answer hangs, with its figures in words below.

It knows nothing of models.
"""

from __future__ import annotations

import io
import textwrap

import numpy
from PIL import Image, ImageDraw, ImageFont

from ..media import open_image
from ..types import Evidence, ImageSource

WIDTH = 640
LETTERS = 18
COLOR = (255, 120, 0)


def draw_evidence(source: ImageSource, question: str, found: Evidence, *, words: bool = True) -> bytes:
    """A PNG of WIDTH pixels' width; `words` writes the figures below the picture.

    Raises:
        ImageError: the picture cannot be used.
    """
    picture = open_image(source).pixels
    picture = picture.resize((WIDTH, max(1, round(picture.height * WIDTH / picture.width))))
    strength = numpy.clip(found.drops / max(float(found.drops.max()), 1e-6), 0, 1) ** 1.5
    cover = Image.fromarray((strength * 170).astype(numpy.uint8)).resize(picture.size, Image.Resampling.BICUBIC)
    # Gray below, so that orange stands for evidence and never for an orange thing.
    muted = Image.blend(picture, picture.convert("L").convert("RGB"), 0.7)
    shown = Image.composite(Image.new("RGB", picture.size, COLOR), muted, cover)
    if not words:
        return _png(shown)
    page = Image.new("RGB", (WIDTH, picture.height + 6 * LETTERS + 16), "white")
    page.paste(shown)
    lines = [line for text in _sentences(question, found) for line in textwrap.wrap(text, 68)]
    font = ImageFont.load_default(LETTERS - 2)
    ImageDraw.Draw(page).multiline_text((10, picture.height + 8), "\n".join(lines[:6]), fill="black", font=font)
    return _png(page)


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _sentences(question: str, found: Evidence) -> list[str]:
    asked = question or "(describe it)"
    trust = (
        "The colored parts matter more than others."
        if found.trusted
        else "Do not trust it: hiding other parts hurts the answer as much."
    )
    return [
        f"{asked} {found.answer} ({found.score:.2f})",
        f"Colored: where the answer is lost when hidden. Left when hidden first: {found.deletion:.2f}, in random order: "
        f"{found.chance:.2f}; reached when shown first: {found.insertion:.2f}. {trust}",
    ]
