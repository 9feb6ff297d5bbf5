"""The pictures of a data set opened, each once, whatever its rows are: examples or conversations. What is broken, what stands in
more than one split. It knows nothing of what is said about them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from ..errors import ImageError, Problem
from ..media import open_image, probe_image
from ..types import ImageSource


class Row(Protocol):
    """A row that shows pictures."""

    @property
    def images(self) -> tuple[ImageSource, ...]: ...
    @property
    def origin(self) -> str: ...


@dataclass(frozen=True, slots=True)
class OpenedPicture:
    """What is known of a picture that opened."""

    digest: str
    """sha256 of its bytes."""
    size: tuple[int, int]
    """Width and height."""


Pictures: TypeAlias = Mapping[int, OpenedPicture | ImageError]
"""Every picture, or why there is none, by `id` of its source."""
Splits: TypeAlias = Mapping[str, Sequence[Row]]


def open_pictures(splits: Splits, progress: Callable[[int, int], None] | None) -> dict[int, OpenedPicture | ImageError]:
    """Every picture, by `id` of its source; rows of one picture share the work where they share the path."""
    by_name: dict[object, list[ImageSource]] = {}
    for rows in splits.values():
        for row in rows:
            for source in row.images:
                by_name.setdefault(source if isinstance(source, bytes) else str(source), []).append(source)
    results: dict[int, OpenedPicture | ImageError] = {}
    # Decoding releases the interpreter's lock, so threads use all cores.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(_open, (sources[0] for sources in by_name.values()), chunksize=16)
        for done, (sources, outcome) in enumerate(zip(by_name.values(), found, strict=True), start=1):
            results.update({id(source): outcome for source in sources})
            if progress is not None:
                progress(done, len(by_name))
    return results


def _open(source: ImageSource) -> OpenedPicture | ImageError:
    try:
        info = probe_image(source)
        # All of its bytes are read, whatever it is decoded to.
        picture = open_image(source, fits=lambda width, height: (1, 1))
    except ImageError as error:
        return error
    return OpenedPicture(picture.sha256, (info.width, info.height))


def content(source: ImageSource, opened: Pictures) -> str:
    """What tells whether two pictures are the same: the digest, or of one that is broken its source."""
    found = opened[id(source)]
    return found.digest if isinstance(found, OpenedPicture) else str(id(source))


def shared(splits: Splits, opened: Pictures) -> tuple[tuple[tuple[str, str], ...], ...]:
    """Pictures that stand in more than one split: for each, the splits and a place in each."""
    places: dict[str, dict[str, str]] = {}
    for name, rows in splits.items():
        for row in rows:
            for source in row.images:
                places.setdefault(content(source, opened), {}).setdefault(name, row.origin)
    return tuple(tuple(found.items()) for found in places.values() if len(found) > 1)


def broken(splits: Splits, opened: Pictures) -> Iterator[Problem]:
    """One problem a broken picture, at the first row that has it."""
    told: set[int] = set()
    for rows in splits.values():
        for row in rows:
            for source in row.images:
                error = opened[id(source)]
                if isinstance(error, ImageError) and id(error) not in told:
                    told.add(id(error))
                    name = Path(error.where).name or "the picture"
                    yield Problem(
                        row.origin, f"{name}: {error.message}", error.hint or "replace it or take the row out"
                    )
