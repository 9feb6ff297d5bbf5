"""What the encoder of `seesay-mini` says about pictures, once for each: kept in memory, or on disk while a model learns. Knows
nothing of what is done with it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy

from ...media import open_image
from ...types import ImageSource
from ..feature_cache import FeatureCache
from .encoder import SHAPES, Encoder, fits, prepare

Array = numpy.ndarray[Any, Any]
REMEMBERED = 64
"""Pictures whose features are kept in memory, so that the next question about them looks at nothing again."""


class Seen:
    """Features by the content of pictures."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self._rows: OrderedDict[str, Array] = OrderedDict()
        self._disk: FeatureCache | None = None

    def __len__(self) -> int:
        """Pictures that are kept in memory."""
        return len(self._rows)

    def keep_on_disk(self) -> None:
        """From now on; nothing more is kept in memory."""
        self._disk = FeatureCache(self.encoder.identity, sum(int(numpy.prod(shape)) for shape in SHAPES.values()))

    def __call__(self, digests: Sequence[str], sources: Mapping[str, ImageSource]) -> dict[str, Array]:
        """Each of SHAPES of the pictures of these contents, float32, rows in their order."""

        def compute(missing: Sequence[str]) -> Array:
            pixels = numpy.stack([prepare(open_image(sources[digest], fits=fits).pixels) for digest in missing])
            parts = [part.reshape(len(missing), -1) for part in self.encoder(pixels)]
            return numpy.concatenate(parts, axis=1)

        if self._disk is not None:
            return _parts(self._disk.get(digests, compute))
        missing = [digest for digest in digests if digest not in self._rows]
        if missing:
            for digest, row in zip(missing, compute(missing), strict=True):
                self._rows[digest] = row
        rows = numpy.stack([self._rows[digest] for digest in digests])
        while len(self._rows) > REMEMBERED:
            self._rows.popitem(last=False)
        return _parts(rows)


def _parts(flat: Array) -> dict[str, Array]:
    found, start = {}, 0
    for name, shape in SHAPES.items():
        size = int(numpy.prod(shape))
        found[name] = numpy.ascontiguousarray(flat[:, start : start + size], numpy.float32).reshape(len(flat), *shape)
        start += size
    return found
