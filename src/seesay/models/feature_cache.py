"""Features of a frozen encoder, kept on disk by content: computed once for a picture, whatever its name and whoever asks.

    <cache>/features/<identity>.rows       float16, one row a picture
    <cache>/features/<identity>.digests    32 bytes a picture, in the order of the rows

A row is written before its digest, so a process that dies leaves at most a row that nobody knows, which the next one cuts
off. Two processes take turns by a lock. The folder is `SEESAY_CACHE`, else `XDG_CACHE_HOME/seesay`, else `~/.cache/seesay`.
It knows nothing of encoders; `identity` must change with the weights and with how pictures are prepared.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy

from ..errors import ResourceError

Array = numpy.ndarray[Any, Any]
DIGEST = 32
GROUP = 16
"""Pictures computed at once."""


def cache_folder() -> Path:
    """Where seesay keeps what it can compute again."""
    if "SEESAY_CACHE" in os.environ:
        return Path(os.environ["SEESAY_CACHE"])
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "seesay"


class FeatureCache:
    """Rows of `width` numbers by sha256.

    Raises:
        ResourceError: the folder cannot be written.
    """

    def __init__(self, identity: str, width: int, folder: Path | None = None) -> None:
        self.width = width
        folder = folder or cache_folder() / "features"
        with _written(folder):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{identity}.lock").touch()
        self._rows, self._digests = folder / f"{identity}.rows", folder / f"{identity}.digests"
        self._row_of: dict[str, int] = {}
        self._read = 0

    def get(self, digests: Sequence[str], compute: Callable[[list[str]], Array]) -> Array:
        """(len(digests), width) float32, in order; `compute` is asked for those that are not there, some at a time."""
        if any(digest not in self._row_of for digest in digests):
            with self._locked():
                self._refresh()
                missing = [digest for digest in dict.fromkeys(digests) if digest not in self._row_of]
                for start in range(0, len(missing), GROUP):
                    group = missing[start : start + GROUP]
                    self._append(group, compute(group))
        if not digests:
            return numpy.zeros((0, self.width), numpy.float32)
        # Only what is known here: another process may be in the middle of the row after it.
        table = numpy.memmap(self._rows, numpy.float16, "r", shape=(self._read, self.width))
        rows: Array = table[[self._row_of[digest] for digest in digests]].astype(numpy.float32)
        return rows

    def _append(self, digests: list[str], rows: Array) -> None:
        with _written(self._rows.parent):
            with self._rows.open("ab") as target:
                target.write(rows.astype(numpy.float16).tobytes())
            with self._digests.open("ab") as target:
                target.write(b"".join(bytes.fromhex(digest) for digest in digests))
        for digest in digests:
            self._row_of[digest] = self._read
            self._read += 1

    def _refresh(self) -> None:
        """Read what other processes wrote, and cut off what a dead one left half written."""
        for path in (self._rows, self._digests):
            path.touch()
        bytes_a_row = self.width * 2
        whole = min(self._rows.stat().st_size // bytes_a_row, self._digests.stat().st_size // DIGEST)
        os.truncate(self._rows, whole * bytes_a_row)
        os.truncate(self._digests, whole * DIGEST)
        if whole < self._read:  # someone emptied the cache: what was known is elsewhere now, or nowhere
            self._row_of, self._read = {}, 0
        content = self._digests.read_bytes()
        for row in range(self._read, whole):
            self._row_of[content[row * DIGEST : (row + 1) * DIGEST].hex()] = row
        self._read = whole

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with lock_file(self._rows.with_suffix(".lock")):
            yield


@contextmanager
def _written(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        hint = "SEESAY_CACHE names another folder"
        raise ResourceError(f"the cache cannot be written: {error.strerror}", where=str(folder), hint=hint) from None


@contextmanager
def lock_file(path: Path) -> Iterator[None]:
    """Alone among processes that lock this file; where the system has no such lock, not."""
    with path.open("w") as lock:
        try:
            import fcntl
        except ImportError:
            yield
            return
        fcntl.flock(lock.fileno(), fcntl.LOCK_EX)
        yield
