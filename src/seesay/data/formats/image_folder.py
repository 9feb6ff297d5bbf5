"""A folder of pictures as `datasets` writes and reads it ("imagefolder"): rows in `metadata.jsonl`, `metadata.csv` or
`metadata.parquet`, each with the `file_name` of a picture relative to the file it stands in.

huggingface.co/docs/datasets/image_dataset. Such files may lie in the folder or in folders below it; a folder called after a
split, above the rows or above the picture, says which split they are of. Pictures without a row are not looked at, as
there. Zip archives are not opened.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from ...errors import DataError, Problem
from ...types import Example
from ..format import METADATA, Format, Source, shown_path, split_of_folders
from ..rows import Pictures, parse
from . import csv, jsonl, parquet

READERS = {
    f"{METADATA}.jsonl": jsonl.read_rows,
    f"{METADATA}.csv": csv.read_rows,
    f"{METADATA}.parquet": parquet.read_rows,
}


class ImageFolder(Format):
    """Pictures, and a file of rows beside them."""

    name: ClassVar[str] = "image-folder"
    summary: ClassVar[str] = "a folder of pictures with metadata.jsonl, metadata.csv or metadata.parquet in it or below"

    def recognises(self, source: Source) -> bool:
        return source.path.is_dir() and next(_tables(source), None) is not None

    def read(self, source: Source) -> Iterator[tuple[str, Example | Problem]]:
        for folder, names in _tables(source):
            if len(names) > 1:
                message = f"{' and '.join(names)} lie in one folder"
                raise DataError(message, where=shown_path(folder), hint="keep the one that is right")
            [file] = names
            base = source.path / folder
            pictures = Pictures([*([source.images] if source.images else []), base, source.path])
            for where, row in READERS[file](base / file, shown_path(folder / file)):
                if isinstance(row, Problem):
                    yield split_of_folders(folder.parts) or "train", row
                    continue
                picture = folder / str(row.get("file_name", ""))
                split = split_of_folders(picture.parent.parts) or "train"
                yield split, parse(row, where, pictures, answers_needed=split != "test")


def _tables(source: Source) -> Iterator[tuple[Path, list[str]]]:
    """Each folder with a file of rows, relative to the source's, and the names of all such files in it."""
    for folder, files in source.walk():
        names = [name for name in files if name in READERS]
        if names:
            yield folder, names
