"""The file that rows go to: one line of JSON each, every key once, whole whatever stops the process.

- One process at a time (`flock` on the file beside it, which also says what the rows are rows of).
- Lines are only ever added, and brought to disk at intervals. What a kill or a power cut tore at the end is cut off at the
  next start, and computed again.
- Where the disk is full the line that was begun is taken back, and the error says so.

It knows lines and keys, and nothing of pictures or models. It needs a POSIX system.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from ..errors import ResourceError, RunError
from .rows import KEY_BYTES, Job, Row

SYNC_SECONDS = 5.0
"""So much work at most is lost in a power cut. A kill loses only what was not computed."""
MOST_TORN = 64 * 2**20
"""More bytes than are written between two syncs: behind a broken line no more than this is given up without asking."""


class Journal:
    """The rows of one job; see the top of this file.

    with Journal(Path("out.jsonl"), job, beside=Path("out.jsonl.job.json")) as journal:
        journal.append(rows)
    """

    def __init__(self, path: Path, job: Job, *, beside: Path) -> None:
        self.path = path
        self.keys: set[bytes] = set()
        """Of the rows that are there. 100 bytes each; docs/batch.md says what that means for millions."""
        self.failed = 0
        """Rows with an error."""
        self.error = ""
        """The first of them."""
        self.torn = 0
        """Bytes that were cut off at the start."""
        self._job = job
        self._beside = beside
        self._size = 0
        self._synced = 0.0

    def __enter__(self) -> Self:
        with _os_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self._beside, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            self._claim()
            with _os_errors(self.path):
                self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
                _sync_folder(self.path.parent)
        except BaseException:
            os.close(self._lock)
            raise
        try:
            self._load()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            with _os_errors(self.path):
                os.fsync(self._file)
        finally:
            self._close()

    def append(self, rows: Iterable[Row]) -> int:
        """Write the rows whose keys are not there, all or none of them; how many they were.

        Raises:
            ResourceError: the disk is full or the file may not grow; the file is as it was before.
        """
        fresh = {row.key: row for row in rows if row.key not in self.keys}
        if not fresh:
            return 0
        data = b"".join(row.line for row in fresh.values())
        with _os_errors(self.path):
            try:
                written = 0
                while written < len(data):
                    written += os.write(self._file, data[written:])
            except OSError:
                os.ftruncate(self._file, self._size)
                raise
        self._size += len(data)
        for row in fresh.values():
            self._note(row.key, row.error)
        if time.monotonic() - self._synced > SYNC_SECONDS:
            with _os_errors(self.path):
                os.fsync(self._file)
            self._synced = time.monotonic()
        return len(fresh)

    def lines(self) -> Iterator[bytes]:
        """The rows as they stand in the file."""
        with self.path.open("rb") as file:
            yield from file

    def drop_failed(self) -> None:
        """Take the rows with an error out, so that they are computed again."""
        if not self.failed:
            return
        partial = self.path.with_name(f".{self.path.name}.partial")
        with _os_errors(self.path):
            with partial.open("wb") as file:
                for line in self.lines():
                    if json.loads(line)["error"] is None:
                        file.write(line)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self.path)
            _sync_folder(self.path.parent)
            os.close(self._file)
            self._file = os.open(self.path, os.O_RDWR | os.O_APPEND)
        self.keys.clear()
        self.failed, self.error = 0, ""
        self._load()

    def remove(self) -> None:
        """Delete the rows, where they stand in a better place."""
        with _os_errors(self.path):
            self.path.unlink()
            _sync_folder(self.path.parent)

    def note_elsewhere(self, key: bytes, error: str) -> None:
        """Count a row that stands in another file and must not come again."""
        self._note(key, error)

    def _note(self, key: bytes, error: str) -> None:
        self.keys.add(key)
        if error:
            self.failed += 1
            self.error = self.error or error

    def _claim(self) -> None:
        """Lock the file beside the rows, and see that it speaks of the same job; write it where it is new."""
        import fcntl  # not on every system that the package can be imported on

        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            hint = "wait until it has finished or stop it, or choose another --output"
            raise RunError("another process is writing this file", where=str(self.path), hint=hint) from None
        stated = {"verb": self._job.verb, **self._job.facts}
        try:
            before = json.loads(os.pread(self._lock, os.fstat(self._lock).st_size, 0))
        except ValueError:
            before = None
        if not isinstance(before, dict):
            if self.path.exists() and self.path.stat().st_size:
                hint = "restore it from a copy, or choose another --output"
                raise RunError("does not say any more what the rows are", where=str(self._beside), hint=hint)
            with _os_errors(self._beside):
                os.ftruncate(self._lock, 0)
                os.pwrite(self._lock, json.dumps(stated, indent=1).encode() + b"\n", 0)
                os.fsync(self._lock)
        elif before != stated:
            raise RunError(
                f"these rows were made with other settings: {_differences(before, stated)}",
                where=str(self.path),
                hint="choose another --output, or give the same settings and model",
            )

    def _load(self) -> None:
        """Read the keys, and cut off what is no whole row."""
        good = 0
        with _os_errors(self.path), self.path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                row = _whole(line)
                if row is None:
                    self._cut(good, number)
                    break
                self._note(bytes.fromhex(row["key"]), str(row["error"] or ""))
                good += len(line)
        self._size = good
        self._synced = time.monotonic()

    def _cut(self, good: int, number: int) -> None:
        self.torn = os.fstat(self._file).st_size - good
        if self.torn > MOST_TORN:
            raise RunError(
                f"is not a row, and {self.torn:,} bytes follow that would be given up",
                where=f"{self.path}:{number}",
                hint="take that line out, or repair it, and give the same command again",
            )
        os.ftruncate(self._file, good)
        os.fsync(self._file)

    def _close(self) -> None:
        import fcntl

        os.close(self._file)
        # Closing alone would leave the lock to child processes that were forked with the file open.
        fcntl.flock(self._lock, fcntl.LOCK_UN)
        os.close(self._lock)


def _whole(line: bytes) -> dict[str, Any] | None:
    """The row in a line; None where it is torn or no row."""
    if not line.endswith(b"}\n"):
        return None
    try:
        row = json.loads(line)
        return row if len(row["key"]) == 2 * KEY_BYTES and bytes.fromhex(row["key"]) and "error" in row else None
    except (ValueError, KeyError, TypeError):
        return None


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    return ", ".join(f"{name} was {before.get(name)!r} and is {now.get(name)!r}" for name in names)


@contextmanager
def _os_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        hint = "what is written stays; make room and give the same command again"
        raise ResourceError(f"cannot be written: {error.strerror or error}", where=str(path), hint=hint) from None


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
