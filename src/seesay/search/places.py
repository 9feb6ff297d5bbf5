"""Which files are meant by a folder, a manifest or a picture. It opens no picture.

A folder stands for all pictures below it; what begins with a dot, and folders behind links, are passed over. A manifest is
text with a path a line (`.txt`), objects with an `image` a line (`.jsonl`) or a table with a column `image` (`.csv`); its
paths are relative to its own folder. Any other file is a picture.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path

from ..errors import DataError, InputError

KINDS = (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif")
"""How the names of pictures end; small or large letters."""
MANIFESTS = (".txt", ".jsonl", ".csv")


def listed(source: Path) -> Iterator[str]:
    """The absolute paths of the pictures that `source` stands for; those of a folder sorted, each once.

    Raises:
        InputError: there is no such file or folder.
        DataError: a manifest that cannot be read; the message names its line.
    """
    if source.is_dir():
        yield from _below(os.path.abspath(source))
        return
    if not source.is_file():
        raise InputError("no such file or folder", where=str(source))
    if source.suffix.lower() not in MANIFESTS:
        yield os.path.abspath(source)
        return
    folder = os.path.abspath(source.parent)
    for path in dict.fromkeys(_named(source)):
        yield os.path.abspath(os.path.join(folder, path))


def _below(folder: str) -> Iterator[str]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise InputError(f"cannot be listed: {error.strerror}", where=folder) from None
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _below(entry.path)
        elif entry.name.lower().endswith(KINDS) and entry.is_file():
            yield entry.path


def _named(manifest: Path) -> Iterator[str]:
    try:
        with manifest.open(encoding="utf-8-sig", newline="") as file:
            if manifest.suffix.lower() == ".csv":
                for row in csv.DictReader(file):
                    yield _image(row, f"{manifest}")
                return
            for number, line in enumerate(file, 1):
                text = line.strip()
                if text and manifest.suffix.lower() == ".jsonl":
                    yield _image(_object(text, f"{manifest}:{number}"), f"{manifest}:{number}")
                elif text:
                    yield text
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"cannot be read: {error}", where=str(manifest)) from None


def _object(line: str, where: str) -> object:
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        raise DataError(f"not JSON: {error.msg}", where=where) from None


def _image(row: object, where: str) -> str:
    path = row.get("image") if isinstance(row, dict) else None
    if not isinstance(path, str) or not path:
        known = ", ".join(map(str, row)) if isinstance(row, dict) else type(row).__name__
        raise DataError("no 'image' with a path", where=where, hint=f"found: {known}")
    return path
