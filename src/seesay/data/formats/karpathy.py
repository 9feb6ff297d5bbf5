"""Karpathy's splits of COCO, Flickr8k and Flickr30k: `dataset_coco.json` and its like, one list of pictures with sentences.

Karpathy and Fei-Fei, "Deep Visual-Semantic Alignments for Generating Image Descriptions", CVPR 2015. Published captioning
figures on COCO are on its test split. `restval` belongs to the training rows, as everyone has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from ...errors import DataError, Problem
from ...types import Example
from ..format import SPLIT_NAMES, Format, Source, picture_folders, read_json
from ..rows import Pictures, described

LIST = re.compile(rb'\s*\{.*"images"\s*:\s*\[\s*\{', re.DOTALL)
SENTENCES = re.compile(rb'"sentences"\s*:\s*\[')
SPLITS = {**SPLIT_NAMES, "restval": "train"}


class Karpathy(Format):
    """Pictures with their sentences and split."""

    name: ClassVar[str] = "karpathy"
    summary: ClassVar[str] = "Karpathy's dataset_coco.json, dataset_flickr8k.json or dataset_flickr30k.json"

    def recognises(self, source: Source) -> bool:
        return bool(_files(source))

    def read(self, source: Source) -> Iterator[tuple[str, Example | Problem]]:
        pictures = Pictures(picture_folders(source.folders))
        for file in _files(source):
            for where, entry in _entries(file):
                split = SPLITS.get(str(entry.get("split", "train")), "")
                if not split:
                    message = f"the split {str(entry['split'])[:40]!r} is unknown"
                    yield "train", Problem(where, message, "it is train, restval, val or test")
                    continue
                sentences = entry.get("sentences")
                said = [(where, sentence) for sentence in sentences] if isinstance(sentences, list) else []
                name, needed = entry.get("imgid", ""), split != "test"
                yield split, described(entry.get("filename"), said, where, pictures, needed=needed, name=name)


def _entries(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    content = read_json(file)
    entries = content.get("images") if isinstance(content, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise DataError("no list of objects called 'images'", where=file.name, hint="download the file again")
    for number, entry in enumerate(entries, start=1):
        yield f"{file.name}:image {number}", entry


def _files(source: Source) -> list[Path]:
    files = sorted(source.path.glob("*.json")) if source.path.is_dir() else [source.path]
    heads = [(file, Source(str(file)).head()) for file in files if file.is_file()]
    return [file for file, head in heads if LIST.match(head) and SENTENCES.search(head)]
