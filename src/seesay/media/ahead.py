"""Pictures read and decoded ahead, in threads and in bounded memory, while others are computed.

It knows nothing of what is done with them.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from ..errors import ImageError
from ..types import Picture
from .image import Scaling, digest_image, open_image, probe_image
from .source import DEFAULT_LIMITS, image_name, read_encoded

BYTES_TOGETHER = 150_000_000
"""Pictures that are computed together, encoded and decoded: beyond this many bytes fewer of them are."""
LARGE = BYTES_TOGETHER // 2
"""A picture of more bytes is decoded when it is its turn, in the caller's thread: threads would keep as much memory each."""
CHANNELS = 3
"""Bytes of a decoded pixel."""
FILES_AHEAD = 16
"""Files that are read, and as many that are decoded, before the one that is used next, at most."""


class Read(NamedTuple):
    """A picture as it was read, its header looked at. Of one that cannot be used `error` says why, and `sha256` is empty where it
    cannot even be read."""

    data: bytes
    sha256: str
    bytes: int
    """Encoded, and decoded in all the sizes that are wanted."""
    name: str = ""
    """What to call it in a message."""
    error: ImageError | None = None


def read_picture(source: str, sizes: Sequence[Scaling | None]) -> Read:
    """Read a file or a `data:` URL whose picture will be decoded in these `sizes`, the `fits` of `open_image`."""
    name = image_name(source)
    try:
        data = read_encoded(source, name, DEFAULT_LIMITS)
    except ImageError as error:
        return Read(b"", "", 0, name, error)
    sha256 = digest_image(data)
    try:
        infos = [probe_image(data, fits=size) for size in sizes]
    except ImageError as error:
        return Read(b"", sha256, 0, name, error)
    return Read(data, sha256, len(data) + sum(CHANNELS * info.width * info.height for info in infos), name)


def opened_ahead(
    sources: Iterable[str], fits: Scaling | None, needed: Callable[[str], bool]
) -> Generator[tuple[str, Picture | ImageError | None], None, None]:
    """Of each source, in order, its sha256 and its picture; None where it is not `needed`. At most `BYTES_TOGETHER` of them are
    decoded ahead, or one that is larger.

    Args:
        fits: as of `open_image`.
        needed: told a sha256, says whether the picture must be decoded. Called in the caller's thread.
    """
    eyes = ThreadPoolExecutor(cores(), "seesay-look")
    waiting = iter(sources)
    reading: deque[Future[Read]] = deque()
    # sha256, bytes that are held, and what gives the picture
    opening: deque[tuple[str, int, Callable[[], Picture | ImageError | None]]] = deque()
    held = 0

    def read_on() -> None:
        while len(reading) < FILES_AHEAD and (source := next(waiting, None)) is not None:
            reading.append(eyes.submit(read_picture, source, (fits,)))

    def room() -> bool:
        fits_in = len(opening) < FILES_AHEAD and held + reading[0].result().bytes <= BYTES_TOGETHER
        return not opening or fits_in

    try:
        read_on()
        while reading or opening:
            while reading and room():
                read = reading.popleft().result()
                read_on()
                if read.error is not None or not needed(read.sha256):
                    opening.append((read.sha256, 0, partial(_given, read.error)))
                elif read.bytes > LARGE:
                    opening.append((read.sha256, 0, partial(open_read, read, fits)))
                else:
                    opening.append((read.sha256, read.bytes, eyes.submit(open_read, read, fits).result))
                    held += read.bytes
                del read
            digest, size, opened = opening.popleft()
            yield digest, opened()
            held -= size
            del opened  # and with it the picture, before the next one is decoded
    finally:
        eyes.shutdown(wait=False, cancel_futures=True)


def _given(error: ImageError | None) -> ImageError | None:
    return error


def open_read(read: Read, fits: Scaling | None) -> Picture | ImageError:
    """The picture of a file that was read, or why it cannot be used."""
    if read.error is not None:
        return read.error
    try:
        return replace(open_image(read.data, fits=fits), name=read.name)
    except ImageError as error:
        return error


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
