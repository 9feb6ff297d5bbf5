"""Make an index, or bring one up to date: every picture is opened and encoded once, by its content.

A file whose size and time of change are as they were is not opened. Another one is hashed, and where its content is known
(it was moved, copied or touched) only its path is written down. What is left is decoded ahead in threads and encoded in groups;
each group is written before the next is encoded, so that the same command goes on after any stop. Files that their listing no
longer holds are dropped last, when a moved picture has been found under its new name. It knows no architecture.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import ImageError, ModelError, Problem, RunError
from ..media.ahead import CHANNELS, LARGE, opened_ahead
from ..models import Family
from ..types import Picture
from .places import listed
from .store import Known, Store

Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What was done to bring an index up to date."""

    path: str
    """Of the index."""
    files: int
    """Files that were listed."""
    pictures: int
    """Pictures of different content that the index now holds."""
    encoded: int
    """Pictures that were opened and encoded."""
    moved: int
    """New files with pictures that were known."""
    changed: int
    """Known files with another picture than before."""
    dropped: int
    """Files that are gone."""
    removed: int
    """Pictures that no file holds any more."""
    problems: tuple[Problem, ...]
    """Files that hold no usable picture."""
    seconds: float


@dataclass
class _Counts:
    """What happened so far."""

    encoded: int = 0
    moved: int = 0
    changed: int = 0
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Found:
    """A file as it is on the disk now."""

    number: int
    """Which of all files it is, from 1."""
    path: str
    source: str
    size: int
    changed: int


def refresh(store: Store, family: Family, sources: Sequence[Path], batch_size: int, tell: Tell) -> IndexReport:
    """Bring an open index up to date with `sources`; those it knows from before are left as they are.

    Args:
        sources: folders, manifests and pictures.
        tell: called with (files looked at, files in all).

    Raises:
        InputError, DataError: a source that is not there or cannot be read; the index is as it was.
        ModelError: the family keeps nothing of a picture.
        RunError: the index was made by another model.
        ResourceError: the disk is full, or another process is writing.
    """
    started = time.perf_counter()
    _claim(store, family)
    files = {path: os.path.abspath(source) for source in sources for path in listed(source)}
    known = store.files()
    counts = _Counts()
    looked_at: deque[_Found] = deque()
    group: list[tuple[_Found, Picture]] = []

    def differing() -> Iterator[str]:
        for number, (path, source) in enumerate(files.items(), 1):
            found = _differs(store, number, path, source, known.get(path), counts)
            if found is not None:
                looked_at.append(found)
                yield path

    tell(0, len(files))
    with closing(opened_ahead(differing(), family.fits, lambda digest: store.picture_of(digest) is None)) as pictures:
        for digest, picture in pictures:
            file = looked_at.popleft()
            if isinstance(picture, ImageError):
                _refuse(store, file, picture.message, picture.hint, counts)
            elif picture is None or store.picture_of(digest) is not None:  # known before, or by now
                _take(store, file, digest, known.get(file.path), counts)
            else:
                group.append((file, picture))
            if len(group) == batch_size or sum(_bytes(one) for _, one in group) > LARGE:
                _encode(store, family, group, known, counts)
                group.clear()
                tell(file.number, len(files))
            del picture  # a large one would stay while the next is decoded
    _encode(store, family, group, known, counts)
    tell(len(files), len(files))
    named = {os.path.abspath(source) for source in sources}
    gone = [path for path, one in known.items() if one.source in named and path not in files]
    removed = store.drop(gone)
    return IndexReport(
        path=str(store.path),
        files=len(files),
        pictures=len(store),
        encoded=counts.encoded,
        moved=counts.moved,
        changed=counts.changed,
        dropped=len(gone),
        removed=removed,
        problems=tuple(counts.problems),
        seconds=time.perf_counter() - started,
    )


def _claim(store: Store, family: Family) -> None:
    """Make sure that the index holds, and will hold, features of this family and no other."""
    name, encoding = family.checkpoint.name, family.encoding
    if not encoding:
        hint = "seesay-mini, BLIP and GIT can; this model can still answer: seesay find ... --model " + name
        raise ModelError("nothing of a picture can be kept for this model", where=name, hint=hint)
    about = store.about
    if not about:
        revision = family.checkpoint.revision
        store.set_about({"encoding": encoding, "model": name, "revision": revision, "family": family.name})
    elif about["encoding"] != encoding:
        hint = f"--model {about['model']}, or make another index with -o"
        raise RunError(f"made by {about['model']!r}, or by other weights of it", where=str(store.path), hint=hint)


def _differs(store: Store, number: int, path: str, source: str, before: Known | None, counts: _Counts) -> _Found | None:
    """The file, where it must be read; one that is as it was is dealt with."""
    try:
        state = os.stat(path)
    except OSError as error:
        _refuse(store, _Found(number, path, source, 0, 0), error.strerror or "cannot be read", "", counts)
        return None
    found = _Found(number, path, source, state.st_size, state.st_mtime_ns)
    if before is None or (before.size, before.changed) != (found.size, found.changed):
        return found
    if before.problem:
        counts.problems.append(Problem(path, before.problem))
    return None


def _take(store: Store, file: _Found, digest: str, before: Known | None, counts: _Counts) -> None:
    """Write down the path of a picture that is known."""
    counts.moved += before is None
    counts.changed += before is not None and before.picture != store.picture_of(digest)
    store.add([], {file.path: (file.source, file.size, file.changed, digest)})


def _encode(
    store: Store, family: Family, group: Sequence[tuple[_Found, Picture]], known: dict[str, Known], counts: _Counts
) -> None:
    """Encode a group and write it."""
    if not group:
        return
    encoded = family.encode([picture for _, picture in group])
    files = {file.path: (file.source, file.size, file.changed, picture.sha256) for file, picture in group}
    store.add(encoded, files)
    counts.encoded += len({one.digest for one in encoded})
    counts.changed += sum(path in known for path in files)


def _refuse(store: Store, file: _Found, message: str, hint: str, counts: _Counts) -> None:
    counts.problems.append(Problem(file.path, message, hint))
    store.add_problem(file.path, file.source, file.size, file.changed, message)


def _bytes(picture: Picture) -> int:
    width, height = picture.pixels.size
    return CHANNELS * width * height
