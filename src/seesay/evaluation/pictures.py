"""Pictures by content: all that people wrote about each, and what the embedded encoder sees in it. Knows no captioner."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..errors import DataError, ResourceError
from ..media import digest_image, open_image
from ..models.families.mini import EMBEDDED
from ..models.feature_cache import FeatureCache
from ..types import Example, ImageSource

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

AT_ONCE = 16
"""Pictures looked at between two reports of progress."""


def by_content(rows: Iterable[Example]) -> dict[str, Example]:
    """One example per picture, by its sha256, in the order of the rows; its answers are the captions of all its rows.

    Files of equal bytes are one picture, so a set with a row per caption gives what one with a row per picture gives.

    Raises:
        DataError: a row of several pictures.
        ImageError: a picture cannot be read.
    """
    known: dict[str, str] = {}
    found: dict[str, Example] = {}
    for row in rows:
        digest = _digest(_only_picture(row), known)
        before = found.get(digest)
        found[digest] = dataclasses.replace(before, answers=before.answers + row.answers) if before else row
    return found


class Looking:
    """The embedded encoder's pooled features of pictures, (N, 1280) in 0..6, kept on disk by content.

    They say what is in a picture well enough to find one like it, and need no torch. Where the folder they are kept in cannot
    be written, they are computed again each time: nothing that was trained or described is lost for that.
    """

    width = 1280

    def __init__(self) -> None:
        from ..models.mini.encoder import Encoder

        self._encoder = Encoder(EMBEDDED / "encoder.onnx")
        self.identity = f"{self._encoder.identity}-reduced-pooled"
        self._cache: FeatureCache | None = None
        with suppress(ResourceError):
            self._cache = FeatureCache(self.identity, self.width)

    def __call__(self, pictures: Mapping[str, ImageSource], tell: Callable[[int], None] | None = None) -> Array:
        """(len(pictures), 1280) float32, in order; `tell` is called with how many more pictures are done.

        Raises:
            ImageError: a picture cannot be used.
        """
        import numpy

        from ..models.mini.encoder import fits, prepare

        def compute(missing: list[str]) -> Array:
            pixels = numpy.stack([prepare(open_image(pictures[digest], fits=fits).pixels) for digest in missing])
            return self._encoder(pixels).pooled

        digests, parts = list(pictures), [numpy.zeros((0, self.width), numpy.float32)]
        for start in range(0, len(digests), AT_ONCE):
            group = digests[start : start + AT_ONCE]
            parts.append(self._kept(group, compute))
            if tell is not None:
                tell(len(group))
        return numpy.concatenate(parts)

    def _kept(self, digests: list[str], compute: Callable[[list[str]], Array]) -> Array:
        import numpy

        if self._cache is not None:
            try:
                return self._cache.get(digests, compute)
            except OSError:  # the disk is full, or the folder is gone
                self._cache = None
        rounded: Array = compute(digests).astype(numpy.float16).astype(numpy.float32)  # as the cache gives them
        return rounded


def _digest(source: ImageSource, known: dict[str, str]) -> str:
    """Each file is read once, however many rows name it."""
    if isinstance(source, bytes):
        return digest_image(source)
    name = str(source)
    if name not in known:
        known[name] = digest_image(source)
    return known[name]


def _only_picture(row: Example) -> ImageSource:
    if len(row.images) != 1:
        hint = "give each picture a row of its own"
        raise DataError(f"a caption describes one picture, not {len(row.images)}", where=row.origin, hint=hint)
    return row.images[0]
