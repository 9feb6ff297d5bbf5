"""Prepared pictures in memory, so that five questions about one picture, and the next epoch, prepare it once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, TypeVar

Prepared = TypeVar("Prepared", bound=Any)
"""An array or a tensor: what has `nbytes`."""
BYTES = 2**30


class PictureMemory(Generic[Prepared]):
    """The prepared pictures that were asked for last, by digest, up to BYTES."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Prepared] = OrderedDict()
        self._bytes = 0

    def get(self, digest: str, prepare: Callable[[], Prepared]) -> Prepared:
        """The picture of that digest; `prepare` makes it where it is not here."""
        if digest in self._kept:
            self._kept.move_to_end(digest)
            return self._kept[digest]
        found = self._kept[digest] = prepare()
        self._bytes += found.nbytes
        while self._bytes > BYTES:
            self._bytes -= self._kept.popitem(last=False)[1].nbytes
        return found
