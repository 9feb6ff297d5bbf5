"""What a format of data sets must do, and what formats share: how files and folders are looked through, which names speak
of a split. One format is one file in `formats/`, found by `discover()`."""

from __future__ import annotations

import json
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NoReturn

from ..errors import DataError, Problem
from ..media import image_name
from ..types import Example

HEAD_BYTES = 65_536
"""How much of a file's beginning, and of its end, a format may look at to recognise it."""
METADATA = "metadata"
"""What `datasets` calls the file of rows that lies in a folder of pictures; such a folder is a format of its own."""
PICTURE_ENDINGS = frozenset(
    ".jpg .jpeg .jpe .jfif .png .apng .webp .gif .bmp .dib .tif .tiff .mpo .avif .heic .heif .jxl .jp2 .psd .svg".split()
)
"""Names that pictures have, also those of kinds that are not accepted, so that they are refused and not overlooked."""

SPLIT_NAMES = {
    **dict.fromkeys(("train", "training", "train2014"), "train"),
    **dict.fromkeys(("validation", "val", "valid", "dev", "val2014"), "validation"),
    **dict.fromkeys(("test", "testing", "test2015", "test-dev2015"), "test"),
}


def split_in(name: str) -> str:
    """The split that a file's name speaks of (`captions_val2017`, `train-00001`), or empty."""
    words = re.findall("[a-z]+", name.lower())
    return next((SPLIT_NAMES[word] for word in words if word in SPLIT_NAMES), "")


def split_of_folders(names: Iterable[str]) -> str:
    """The split after which the first of these folders is called (`train`, `val2017`), or empty."""
    splits = (SPLIT_NAMES.get(name.lower().rstrip("0123456789"), "") for name in names)
    return next(filter(None, splits), "")


def picture_folders(tops: Iterable[Path], split: str = "") -> list[Path]:
    """Folders and those up to two levels below them, without those of another split: where pictures of `split` may lie.
    The folders of that split come first, because pictures of two splits may have the same name. Links to folders outside
    are left out."""
    found = []
    for top in tops:
        below = [folder for level in ("*/", "*/*/") for folder in sorted(top.glob(level))]
        below = [folder for folder in below if folder.resolve().is_relative_to(top.resolve())]
        named = [(split_of_folders(folder.relative_to(top).parts), folder) for folder in below]
        wanted = [(name, folder) for name, folder in named if not split or name in (split, "")]
        found += [top, *(folder for _, folder in sorted(wanted, key=lambda pair: pair[0] != split))]
    return found


def read_json(file: Path) -> Any:
    """The value in a JSON file.

    Raises:
        DataError: it is not JSON in UTF-8, or is nested too deeply.
    """
    try:
        return json.loads(file.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        place = f"{file.name}:{error.lineno}" if isinstance(error, json.JSONDecodeError) else file.name
        raise DataError("not JSON in UTF-8", where=place, hint="the file may be incomplete; write it again") from None


@dataclass(frozen=True, slots=True)
class Source:
    """Where the rows are, as the user said it."""

    text: str
    images: Path | None = None
    """A folder of pictures that the user named beside the data."""

    @property
    def path(self) -> Path:
        """The text as a path; there may be nothing there."""
        try:
            return Path(self.text).expanduser()
        except RuntimeError:
            # `~somebody` of an unknown user: then it is a name like any other.
            return Path(self.text)

    def head(self) -> bytes:
        """The first bytes of the file; empty for anything else, and where there is none."""
        return self._bytes(lambda size: 0)

    def tail(self) -> bytes:
        """The last bytes of the file; empty for anything else, and where there is none."""
        return self._bytes(lambda size: max(0, size - HEAD_BYTES))

    def _bytes(self, start: Callable[[int], int]) -> bytes:
        try:
            # Opening a pipe would wait for ever.
            if not self.path.is_file():
                return b""
            with self.path.open("rb") as file:
                file.seek(start(self.path.stat().st_size))
                return file.read(HEAD_BYTES)
        except (OSError, ValueError):
            return b""

    def walk(self) -> Iterator[tuple[Path, list[str]]]:
        """Every folder, relative to the source's, with the names of its files, sorted. Hidden ones are left out, and links
        to folders not followed.

        Raises:
            OSError: a folder cannot be looked into.
        """
        for folder, below, names in os.walk(self.path, onerror=_raise):
            below[:] = sorted(name for name in below if not name.startswith("."))
            yield Path(folder).relative_to(self.path), sorted(name for name in names if not name.startswith("."))

    def files(self, pattern: str) -> list[tuple[str, Path]]:
        """The split and path of each file: the file itself, or those in the folder that are named after a split. A
        single file, whatever its name but `metadata`, is `train`."""
        if not self.path.is_dir():
            return [("train", self.path)]
        found = sorted(file for file in self.path.glob(pattern) if file.is_file() and file.stem.lower() != METADATA)
        named = [(SPLIT_NAMES[file.stem.lower()], file) for file in found if file.stem.lower() in SPLIT_NAMES]
        return named or [("train", file) for file in found if len(found) == 1]

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders that pictures may lie in; nothing outside them is opened."""
        base = self.path if self.path.is_dir() else self.path.parent
        return (self.images, base) if self.images is not None else (base,)


class Format(ABC):
    """A way that data sets are written."""

    name: ClassVar[str]
    summary: ClassVar[str]
    """One line for people: how to recognise it."""

    @abstractmethod
    def recognises(self, source: Source) -> bool:
        """Whether the source is of this format, judged by its content; cheap."""

    @abstractmethod
    def read(self, source: Source) -> Iterator[tuple[str, Example | Problem]]:
        """Each row with its split: an example, or the problem that keeps it from being one.

        Raises:
            DataError: the source as a whole cannot be read.
        """


def shown_path(path: Path) -> str:
    """A path inside the data's folder as messages show it: on one line, whatever is in its name."""
    return image_name(path.as_posix())


def _raise(error: OSError) -> NoReturn:
    raise error
