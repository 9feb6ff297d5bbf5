"""What a format of data sets must do, and what it is given to judge. One format is one file in `formats/`, found by
`discover()`. It knows nothing about what is inside the rows (`rows`)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from ..errors import Problem
from ..types import Example

HEAD_BYTES = 65_536
"""How much of a file a format may look at to recognise it."""

SPLIT_NAMES = {
    **dict.fromkeys(("train", "training", "train2014"), "train"),
    **dict.fromkeys(("validation", "val", "valid", "dev", "val2014"), "validation"),
    **dict.fromkeys(("test", "testing", "test2015"), "test"),
    "test-dev2015": "test-dev",
}
"""What splits are called in files, and what they are called here."""

_ANSWERED = ("train", "validation")


def needs_answers(split: str) -> bool:
    """Whether a row without answers is a problem there; the answers of a test split are often kept back."""
    return split in _ANSWERED


@dataclass(frozen=True)
class Source:
    """Where the rows are, as the user said it. Asking it never raises: what cannot be read is not there."""

    text: str
    images: Path | None = None
    """A folder of pictures that the user named beside the data."""
    split: str = ""
    """The only split that is wanted, by its name here; empty wants all. A format may leave the others unread."""

    @cached_property
    def path(self) -> Path:
        """The text as a path; there may be nothing there."""
        try:
            return Path(self.text).expanduser()
        except RuntimeError:
            # `~somebody` of an unknown user: then it is a name like any other.
            return Path(self.text)

    @cached_property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return _answers(self.path.is_dir)

    @cached_property
    def is_file(self) -> bool:
        """Whether it is a regular file: a pipe is not, opening one could wait for ever."""
        return _answers(self.path.is_file)

    @cached_property
    def head(self) -> bytes:
        """The first bytes of the file; empty for a folder or where there is none."""
        if not self.is_file:
            return b""
        try:
            with self.path.open("rb") as file:
                return file.read(HEAD_BYTES)
        except OSError:
            return b""

    def files(self, *endings: str) -> list[tuple[str, Source]]:
        """The file itself, or the files of the folder with one of these endings, each with its split.

        A file belongs to the split that it is named after (`val.jsonl`, `train-00000-of-00002.parquet`). A single file of
        any other name is `train`; in a folder with named files, files of other names are left out.
        """
        if self.is_file:
            return [(_split_of(self.path) or "train", self)]
        found = sorted(file for file in self._entries() if file.suffix.lower() in endings)
        named = [(_split_of(file), file) for file in found if _split_of(file)]
        chosen = named or [("train", file) for file in found if len(found) == 1]
        return [(split, Source(str(file))) for split, file in chosen]

    def _entries(self) -> list[Path]:
        if not self.is_folder:
            return []
        try:
            return [entry for entry in self.path.iterdir() if entry.is_file()]
        except OSError:
            return []

    @property
    def folder(self) -> Path:
        """The data's folder."""
        return self.path if self.is_folder else self.path.parent

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders that pictures may lie in, first the one the user named; nothing outside them is opened."""
        return (self.images, self.folder) if self.images is not None else (self.folder,)


class Format(ABC):
    """A way that data sets are written."""

    name: ClassVar[str]
    summary: ClassVar[str]
    """One line for people: how to recognise it."""

    @abstractmethod
    def recognises(self, source: Source) -> bool:
        """Whether the source is of this format, judged by its content; cheap, and it raises nothing."""

    @abstractmethod
    def read(self, source: Source) -> Iterator[tuple[str, Example | Problem]]:
        """Each row with its split: an example, or the problem that keeps it from being one.

        Raises:
            DataError: the source as a whole cannot be read.
            MissingExtra: it needs a package that is not installed.
        """


def _split_of(file: Path) -> str:
    return SPLIT_NAMES.get(file.stem.lower().split("-00", 1)[0], "")


def _answers(question: Callable[[], bool]) -> bool:
    """The answer of a `Path` to a question about the file system; no for names that cannot be (too long, a NUL in it)."""
    try:
        return question()
    except (OSError, ValueError):
        return False
