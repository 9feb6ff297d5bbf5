"""The file of an index: SQLite in WAL mode, which survives a kill at any moment.

    about     what made the features: model, its revision, the name of its encoding
    picture   a row a content: sha256, and a vector of length 1 in half precision
    feature   what its family computed of it before any question
    file      where pictures lie: path, size, time of change, the listing it came from; or what is wrong with it

A picture is kept once, whatever the number of its files; one that no file holds any more is swept out. Paths below the folder
of the index are kept relative to it, so that both can be moved together. Vectors lie in the same file: docs/search.md has
what was measured. It knows no model and opens no picture.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError, ResourceError
from ..models import Encoded

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

APPLICATION = 0x5EE5A7
"""SQLite's application id of these files."""
VERSION = 1
PAGE = 32768
"""Bytes: the features of a picture by seesay-mini fit in one page."""
AT_ONCE = 8192
"""Vectors read in one go."""
SCHEMA = f"""
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION};
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE picture (id INTEGER PRIMARY KEY, sha256 BLOB NOT NULL UNIQUE, vector BLOB NOT NULL);
CREATE TABLE feature (picture INTEGER PRIMARY KEY REFERENCES picture ON DELETE CASCADE, value BLOB NOT NULL);
CREATE TABLE file (path BLOB PRIMARY KEY, source BLOB NOT NULL, size INTEGER NOT NULL, changed INTEGER NOT NULL,
  picture INTEGER REFERENCES picture, problem TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX file_of_picture ON file (picture);
"""


@dataclass(frozen=True, slots=True)
class Known:
    """What an index knows about a file."""

    source: str
    """The folder, manifest or picture that was named when it was listed."""
    size: int
    changed: int
    """Nanoseconds, as the system gives the time of its last change."""
    picture: int | None
    """None where the file holds no picture, and `problem` says why."""
    problem: str


class Store:
    """An open index.

    Args:
        create: make it where there is none, and write to it; else it is only read.

    Raises:
        InputError: there is no such file, or it is no index of this version.
        ResourceError: it cannot be opened, or another process is writing to it.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path, self._writes = path, create
        self._folder = os.path.abspath(path.parent)
        if not create and not path.is_file():
            raise InputError("no such index", where=str(path), hint=f"seesay index FOLDER -o {path}")
        with self._translated():
            if create:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._base = sqlite3.connect(path, timeout=5, isolation_level=None)
                self._prepare()
            else:
                self._base = self._read_only()
                self._check()

    def close(self) -> None:
        """Close the file. One that was written to becomes a single file again, which can be copied and read from anywhere."""
        if self._writes:
            with suppress(sqlite3.OperationalError):  # somebody reads it: it then stays as it is
                self._base.execute("PRAGMA journal_mode = DELETE")
        self._base.close()

    @property
    def about(self) -> dict[str, str]:
        """What made the features."""
        return dict(self._base.execute("SELECT name, value FROM about"))

    def set_about(self, values: Mapping[str, str]) -> None:
        with self._writing():
            self._base.executemany("INSERT OR REPLACE INTO about VALUES (?, ?)", values.items())

    def __len__(self) -> int:
        """How many pictures of different content there are."""
        return int(self._base.execute("SELECT count(*) FROM picture").fetchone()[0])

    @property
    def sources(self) -> list[str]:
        """What was listed so far, sorted."""
        return sorted(self._path(row[0]) for row in self._base.execute("SELECT DISTINCT source FROM file"))

    def files(self) -> dict[str, Known]:
        """Every file by its absolute path."""
        rows = self._base.execute("SELECT path, source, size, changed, picture, problem FROM file")
        return {self._path(row[0]): Known(self._path(row[1]), *row[2:]) for row in rows}

    def paths_of(self, pictures: Sequence[int]) -> dict[int, list[str]]:
        """The absolute paths of the files that hold these pictures, sorted."""
        found: dict[int, list[str]] = {picture: [] for picture in pictures}
        for picture in pictures:
            rows = self._base.execute("SELECT path FROM file WHERE picture = ? ORDER BY path", (picture,))
            found[picture] = [self._path(row[0]) for row in rows]
        return found

    def picture_of(self, digest: str) -> int | None:
        """The picture of that sha256."""
        found = self._base.execute("SELECT id FROM picture WHERE sha256 = ?", (bytes.fromhex(digest),)).fetchone()
        return None if found is None else int(found[0])

    def add(self, encoded: Iterable[Encoded], files: Mapping[str, tuple[str, int, int, str]]) -> None:
        """Pictures and the files that hold them, all or nothing.

        Args:
            files: by absolute path its source, size, time of change and the sha256 of its picture, which is among `encoded`
                or known already.
        """
        import numpy

        with self._writing():
            for one in encoded:
                row = (bytes.fromhex(one.digest), one.vector.astype(numpy.float16).tobytes())
                added = self._base.execute("INSERT OR IGNORE INTO picture (sha256, vector) VALUES (?, ?)", row)
                if added.rowcount:
                    self._base.execute("INSERT INTO feature VALUES (?, ?)", (added.lastrowid, one.features))
            self._base.executemany(
                "INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?, (SELECT id FROM picture WHERE sha256 = ?), '')",
                (
                    (self._stored(path), self._stored(source), size, changed, bytes.fromhex(digest))
                    for path, (source, size, changed, digest) in files.items()
                ),
            )

    def add_problem(self, path: str, source: str, size: int, changed: int, problem: str) -> None:
        """A file that holds no picture."""
        with self._writing():
            row = (self._stored(path), self._stored(source), size, changed, problem)
            self._base.execute("INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?, NULL, ?)", row)

    def drop(self, paths: Iterable[str]) -> int:
        """Forget files, and then all pictures that no file holds; returns how many pictures went."""
        with self._writing():
            self._base.executemany("DELETE FROM file WHERE path = ?", ((self._stored(path),) for path in paths))
            gone = self._base.execute(
                "DELETE FROM picture WHERE id NOT IN (SELECT picture FROM file WHERE picture NOT NULL)"
            )
            return gone.rowcount

    def pictures(self) -> list[int]:
        """The ids of all pictures, rising; they stand for the same content as long as the index is not written to."""
        return [row[0] for row in self._base.execute("SELECT id FROM picture ORDER BY id")]

    def vectors(self) -> Array:
        """(pictures, W) float16, in the order of `pictures`."""
        import numpy

        found: Array = numpy.zeros((0, 0), numpy.float16)
        cursor, start = self._base.execute("SELECT vector FROM picture ORDER BY id"), 0
        while rows := cursor.fetchmany(AT_ONCE):
            part = numpy.frombuffer(b"".join(row[0] for row in rows), numpy.float16).reshape(len(rows), -1)
            if not start:  # a million are a gigabyte: there is room for them once
                found = numpy.empty((len(self), part.shape[1]), numpy.float16)
            found[start : start + len(part)] = part
            start += len(part)
        return found

    def encoded(self, pictures: Sequence[int]) -> list[Encoded]:
        """What was computed of these pictures, in order."""
        import numpy

        places = ", ".join("?" * len(pictures))
        rows = self._base.execute(
            "SELECT id, sha256, vector, value FROM picture JOIN feature ON feature.picture = picture.id "
            f"WHERE id IN ({places})",
            list(pictures),
        )
        found = {
            row[0]: Encoded(row[1].hex(), row[3], numpy.frombuffer(row[2], numpy.float16).astype(numpy.float32))
            for row in rows
        }
        return [found[picture] for picture in pictures]

    def digests(self, pictures: Sequence[int]) -> list[str]:
        """The sha256 of these pictures, in order."""
        rows = (self._base.execute("SELECT sha256 FROM picture WHERE id = ?", (picture,)) for picture in pictures)
        return [row.fetchone()[0].hex() for row in rows]

    def _prepare(self) -> None:
        if self._base.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            self._check()
        else:
            self._base.execute(f"PRAGMA page_size = {PAGE}")
            self._base.executescript(f"BEGIN IMMEDIATE; {SCHEMA} COMMIT;")
        self._base.execute("PRAGMA journal_mode = WAL")
        self._base.execute("PRAGMA synchronous = NORMAL")
        self._base.execute("PRAGMA foreign_keys = ON")

    def _read_only(self) -> sqlite3.Connection:
        address = Path(os.path.abspath(self.path)).as_uri()
        base = sqlite3.connect(f"{address}?mode=ro", uri=True, timeout=5, isolation_level=None)
        try:
            base.execute("SELECT count(*) FROM sqlite_master")
        except sqlite3.OperationalError:
            # On a medium that cannot be written SQLite has no place for the lock of its readers; nobody writes there.
            base.close()
            base = sqlite3.connect(f"{address}?immutable=1", uri=True, isolation_level=None)
        return base

    def _check(self) -> None:
        application, version = (
            self._base.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
        )
        if application != APPLICATION:
            raise InputError("not an index of seesay", where=str(self.path), hint="name another file with -o")
        if version != VERSION:
            hint = "make it again: seesay index FOLDER -o NEW.seesay"
            raise InputError(
                f"an index of version {version}; this seesay reads {VERSION}", where=str(self.path), hint=hint
            )

    def _stored(self, path: str) -> bytes:
        inside = path.startswith(self._folder.rstrip(os.sep) + os.sep)
        return os.fsencode(os.path.relpath(path, self._folder) if inside else path)

    def _path(self, stored: bytes) -> str:
        return os.path.join(self._folder, os.fsdecode(stored))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._translated():
            self._base.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._base.execute("ROLLBACK")
                raise
            self._base.execute("COMMIT")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            busy = "locked" in str(error) or "busy" in str(error)
            found = "another process is writing to it" if busy else f"cannot be used: {error}"
            hint = "wait until it is done" if busy else "check the disk and the permissions"
            raise ResourceError(found, where=str(self.path), hint=hint) from None
        except sqlite3.DatabaseError as error:
            hint = "name another file with -o"
            raise InputError(f"not an index of seesay: {error}", where=str(self.path), hint=hint) from None
        except OSError as error:
            hint = "check the disk and the permissions"
            raise ResourceError(f"cannot be written: {error.strerror}", where=str(self.path), hint=hint) from None
