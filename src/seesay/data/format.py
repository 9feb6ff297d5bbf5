"""What a format of data sets must do. One format is one file in `formats/`, found by `discover()`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ..errors import Problem
from ..types import Example

HEAD_BYTES = 65_536
"""How much of a file a format may look at to recognise it."""

SPLIT_NAMES = {
    **dict.fromkeys(("train", "training", "train2014"), "train"),
    **dict.fromkeys(("validation", "val", "valid", "dev", "val2014"), "validation"),
    **dict.fromkeys(("test", "testing", "test2015", "test-dev2015"), "test"),
}


@dataclass(frozen=True, slots=True)
class Source:
    """Where the rows are, as the user said it."""

    text: str
    images: Path | None = None
    """A folder of pictures that the user named beside the data."""

    @property
    def path(self) -> Path:
        """The text as a path; there may be nothing there."""
        return Path(self.text).expanduser()

    def head(self) -> bytes:
        """The first bytes of the file; empty for a folder or where there is none."""
        try:
            with self.path.open("rb") as file:
                return file.read(HEAD_BYTES)
        except OSError:
            return b""

    def files(self, pattern: str) -> list[tuple[str, Path]]:
        """The split and path of each file: the file itself, or those in the folder that are named after a split. A
        single file, whatever its name, is `train`."""
        if not self.path.is_dir():
            return [("train", self.path)]
        found = sorted(self.path.glob(pattern))
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
