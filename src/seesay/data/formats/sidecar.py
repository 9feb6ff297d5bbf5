"""Sidecar texts: pictures with a `.txt` or `.caption` file of the same name beside each, in a folder and those below it.

What trainers of picture generators read (kohya's sd-scripts, SimpleTuner) and img2dataset writes. Each line that is not
empty is a caption of its own, as in SimpleTuner, and in sd-scripts where it takes more than the first line. A folder called
after a split says which split it is. `README` and its like describe no picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from ...errors import Problem
from ...types import Example
from ..format import PICTURE_ENDINGS, Format, Source, shown_path, split_of_folders
from ..rows import BadRow, Pictures, described

TEXT_ENDINGS = (".txt", ".caption")
ABOUT_THE_FOLDER = frozenset("readme license licence copying notice changelog".split())
TEXT_BYTES = 1_000_000


class Sidecar(Format):
    """A text beside every picture."""

    name: ClassVar[str] = "sidecar"
    summary: ClassVar[str] = "a folder of pictures, each with a .txt or .caption file of the same name beside it"

    def recognises(self, source: Source) -> bool:
        if not source.path.is_dir():
            return False
        # Most folders of pictures have no text at all, and may be large.
        beside = (files for _, files in source.walk() if any(file.lower().endswith(TEXT_ENDINGS) for file in files))
        return any(pictures and texts for files in beside for pictures, texts in _by_stem(files).values())

    def read(self, source: Source) -> Iterator[tuple[str, Example | Problem]]:
        # Through `Pictures` go the texts as well: nothing outside the folder is read.
        inside = Pictures([source.path])
        for folder, files in source.walk():
            split = split_of_folders(folder.parts) or "train"
            for stem, (pictures, texts) in _by_stem(files).items():
                if not pictures and stem.lower() not in ABOUT_THE_FOLDER:
                    where = shown_path(folder / texts[0])
                    yield (
                        split,
                        Problem(where, "no picture of this name beside it", "add the picture, or take the text out"),
                    )
                for picture in pictures:
                    yield split, _pair(folder / picture, [folder / text for text in texts], inside, split)


def _by_stem(files: list[str]) -> dict[str, tuple[list[str], list[str]]]:
    """The pictures and the texts of each name without its ending."""
    found: dict[str, tuple[list[str], list[str]]] = {}
    for file in files:
        # Hundreds of thousands of names: several times faster than through pathlib.
        stem, _, ending = file.rpartition(".")
        for index, endings in enumerate((PICTURE_ENDINGS, TEXT_ENDINGS)):
            if f".{ending.lower()}" in endings:
                found.setdefault(stem, ([], []))[index].append(file)
    return found


def _pair(picture: Path, texts: list[Path], inside: Pictures, split: str) -> Example | Problem:
    where = shown_path(texts[0] if texts else picture)
    if len(texts) > 1:
        return Problem(where, f"{shown_path(texts[1])} is for the same picture", "keep the one that is right")
    if not texts and split != "test":
        hint = "describe the picture there, or take it out"
        return Problem(where, "no .txt or .caption file of this name beside it", hint)
    try:
        lines = _lines(inside.find(texts[0].as_posix())) if texts else []
    except BadRow as bad:
        return Problem(where, bad.message, bad.hint)
    captions = [(f"{where}:{number}", line) for number, line in enumerate(lines, start=1) if line.strip()]
    name = shown_path(picture.with_suffix(""))
    return described(picture.as_posix(), captions, f"{where}:1", inside, needed=split != "test", name=name)


def _lines(file: Path) -> list[str]:
    with file.open("rb") as stream:
        content = stream.read(TEXT_BYTES + 1)
    if len(content) > TEXT_BYTES:
        raise BadRow(f"more than {TEXT_BYTES:,} bytes", "a caption is a sentence or two")
    try:
        return content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise BadRow(f"byte {error.start + 1} is not UTF-8", "save the file as UTF-8") from None
