"""Recordings in data sets of the `datasets` library: saved on disk, or on the Hub (`hf:facebook/voxpopuli/nl`).

Recordings stay the encoded bytes that are stored (as `cast_column("audio", Audio(decode=False))` gives them): `datasets`
decodes them with torchcodec alone, and here they go through the door like all others.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any, ClassVar

from ...errors import MissingExtra, Problem
from ...types import Recording
from ..format import SPLIT_NAMES, Source
from ..recordings import TEXT_FIELDS, RecordingFormat, recording
from ..rows import Pictures
from .hub import HubDatasets, open_splits, stored_rows


class AudioDatasets(RecordingFormat):
    """Arrow tables with a column of recordings."""

    name: ClassVar[str] = "audio-datasets"
    summary: ClassVar[str] = "a folder written by save_to_disk, or hf:OWNER/NAME, with a column of recordings"

    def recognises(self, source: Source) -> bool:
        if not HubDatasets().recognises(source):
            return False
        if find_spec("datasets") is None:
            raise MissingExtra("reading data sets of the datasets library", "seesay[models]")
        return any(_audio_column(table) for table in open_splits(source).values())

    def read(self, source: Source) -> Iterator[tuple[str, Recording | Problem]]:
        files = Pictures(source.folders, "recording")
        for name, table in open_splits(source).items():
            column = _audio_column(table)
            for where, row in stored_rows(table, name):
                split = SPLIT_NAMES.get(name.lower(), name)
                if isinstance(row, Problem):
                    yield split, row
                else:
                    yield split, recording({"audio": row.get(column), **row}, where, files)


def _audio_column(table: Any) -> str:
    """The column of recordings: by its type, else by the name `audio`; empty where there is none."""
    import datasets

    names = {str(name): feature for name, feature in table.features.items()}
    typed = next((name for name, feature in names.items() if isinstance(feature, datasets.Audio)), "")
    return typed or ("audio" if "audio" in names and any(field in names for field in TEXT_FIELDS) else "")
