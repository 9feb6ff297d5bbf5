"""Values in memory by content, within a limit of bytes: prepared pictures, what was seen in them, what was read."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

Prepared = TypeVar("Prepared", bound=Any)
"""An array or a tensor: what has `nbytes`."""
LIMIT = 2**30
"""Bytes that one memory keeps, at most."""


class Memory:
    """Where there are more bytes than the limit, those go that were asked for longest ago."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self.bytes = 0
        """Bytes that are kept."""
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()

    def get(self, key: Hashable) -> Any:
        """The value, or None."""
        if key not in self._kept:
            return None
        self._kept.move_to_end(key)
        return self._kept[key][0]

    def put(self, key: Hashable, value: Any, size: int) -> None:
        """Keep `value`, which takes `size` bytes. One that is larger than the limit alone is not kept."""
        self.drop(key)
        if size > self.limit:
            return
        self._kept[key] = (value, size)
        self.bytes += size
        while self.bytes > self.limit:
            self.drop(next(iter(self._kept)))

    def drop(self, key: Hashable) -> None:
        """Forget a value, where it is kept."""
        self.bytes -= self._kept.pop(key, (None, 0))[1]

    def values(self) -> list[tuple[Hashable, Any]]:
        """All of them with their keys; none counts as asked for."""
        return [(key, value) for key, (value, _) in self._kept.items()]

    def made(self, key: Hashable, prepare: Callable[[], Prepared]) -> Prepared:
        """The value of that key; `prepare` makes it where it is not here."""
        found: Prepared | None = self.get(key)
        if found is None:
            found = prepare()
            self.put(key, found, found.nbytes)
        return found
