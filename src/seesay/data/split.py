"""Holding rows out without a leak: no picture, by content, is ever on both sides."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from ..errors import ImageError
from ..media import digest_image
from ..types import Example, ImageSource


def by_picture(
    examples: Sequence[Example], fraction: float, seed: int
) -> tuple[tuple[Example, ...], tuple[Example, ...]]:
    """Rows kept and rows held out; about `fraction` of the pictures are held out, drawn by sha256 of seed and content, so
    that the same picture falls on the same side in every run and whatever other rows there are."""
    limit = int(fraction * 2**64)
    digests: dict[str, str] = {}
    held = [_draw(example, seed, digests) < limit for example in examples]
    pairs = list(zip(examples, held, strict=True))
    return tuple(row for row, out in pairs if not out), tuple(row for row, out in pairs if out)


def _draw(example: Example, seed: int, digests: dict[str, str]) -> int:
    # An example of several pictures goes with its first one.
    identity = _digest(example.images[0], digests)
    return int.from_bytes(hashlib.sha256(f"{seed}:{identity}".encode()).digest()[:8], "big")


def _digest(source: ImageSource, digests: dict[str, str]) -> str:
    """sha256 of a picture's bytes, or its name where it cannot be read (which the check reports)."""
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    name = str(source)
    if name not in digests:
        try:
            digests[name] = digest_image(source)
        except ImageError:
            digests[name] = name
    return digests[name]
