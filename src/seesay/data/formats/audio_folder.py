"""A folder of recordings with a table beside them: `metadata.csv` or `.jsonl` as `datasets` has it ("audiofolder"), Common
Voice's `train.tsv` with `clips/`, LJSpeech's `metadata.csv` (`id|text|normalized`, no header) with `wavs/`, or any table
whose rows name a recording and what is said in it.

A table called after a split, or in a folder called so, says which split its rows are of. Recordings without a row are not
looked at. Tables of Common Voice that are no split (validated, other, ...) are left out where there is a split.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from ...errors import Problem
from ...types import Recording
from ..format import METADATA, SPLIT_NAMES, Source, picture_folders, shown_path, split_of_folders
from ..recordings import RecordingFormat, recording, speaks
from ..rows import Pictures
from . import csv, jsonl, parquet

READERS = {".jsonl": jsonl.read_rows, ".csv": csv.read_rows, ".tsv": csv.read_rows, ".parquet": parquet.read_rows}
LJSPEECH_FIELDS = ("id", "text", "normalized")


class AudioFolder(RecordingFormat):
    """Recordings, and a table of what is said in them."""

    name: ClassVar[str] = "audio-folder"
    summary: ClassVar[str] = (
        "a folder of recordings with metadata.csv or metadata.jsonl, Common Voice, LJSpeech, or such a table itself"
    )

    def recognises(self, source: Source) -> bool:
        return any(_speaks(file) for file in _tables(source))

    def read(self, source: Source) -> Iterator[tuple[str, Recording | Problem]]:
        base = source.path if source.path.is_dir() else source.path.parent
        for file in filter(_speaks, _tables(source)):
            inside = file.relative_to(base)
            named = SPLIT_NAMES.get(file.stem.lower()) or split_of_folders(inside.parent.parts)
            folders = [*([source.images] if source.images else []), file.parent, file.parent / "clips",
                       file.parent / "wavs", base, *picture_folders([base])]  # fmt: skip
            files = Pictures(list(dict.fromkeys(folders)), "recording")
            for where, row in _rows(file, shown_path(inside)):
                if isinstance(row, Problem):
                    yield named or "train", row
                    continue
                above = Path(str(row.get("file_name") or row.get("path") or "")).parent.parts
                yield named or split_of_folders(above) or "train", recording(row, where, files)


def _tables(source: Source) -> list[Path]:
    """The file itself; else the tables called `metadata`, else those called after a split, else the only one."""
    if not source.path.is_dir():
        return [source.path] if source.path.is_file() and source.path.suffix.lower() in READERS else []
    named = [
        source.path / folder / name
        for folder, names in source.walk()
        for name in names
        if Path(name).stem.lower() == METADATA and Path(name).suffix.lower() in READERS
    ]
    here = sorted(file for file in source.path.iterdir() if file.suffix.lower() in READERS and file.is_file())
    splits = [file for file in here if file.stem.lower() in SPLIT_NAMES]
    return named or splits or (here if len(here) == 1 else [])


def _speaks(file: Path) -> bool:
    first = next((row for _, row in _rows(file, file.name) if not isinstance(row, Problem)), None)
    return first is not None and speaks(first)


def _rows(file: Path, name: str) -> Iterator[tuple[str, dict[str, Any] | Problem]]:
    if file.suffix.lower() == ".csv" and _is_ljspeech(file):
        return _ljspeech(file, name)
    return READERS[file.suffix.lower()](file, name)


def _is_ljspeech(file: Path) -> bool:
    """Its first line is `LJ001-0001|text|text`: bars, no header, and recordings in `wavs/`."""
    with file.open(encoding="utf-8-sig", errors="replace") as stream:
        fields = stream.readline().rstrip("\n").split("|")
    return len(fields) in (2, 3) and (file.parent / "wavs" / f"{fields[0]}.wav").is_file()


def _ljspeech(file: Path, name: str) -> Iterator[tuple[str, dict[str, Any] | Problem]]:
    """Quotes mean nothing in it, so it is no CSV."""
    with file.open("rb") as stream:
        for number, raw in enumerate(stream, start=1):
            where = f"{name}:{number}"
            try:
                fields = raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n").split("|")
            except UnicodeDecodeError as error:
                yield where, Problem(where, f"byte {error.start + 1} is not UTF-8", "save the file as UTF-8")
                continue
            if fields == [""]:
                continue
            if len(fields) not in (2, 3):
                yield where, Problem(where, f"{len(fields)} fields between bars, not 2 or 3", "id|text|normalized text")
                continue
            row: dict[str, Any] = dict(zip(LJSPEECH_FIELDS, fields, strict=False))
            yield where, {"audio": f"wavs/{fields[0]}.wav", **row}
