"""COCO captions: `images` and `annotations` in one JSON file a split, pictures in folders called after the splits.

Chen et al., "Microsoft COCO Captions: Data Collection and Evaluation Server", 2015; cocodataset.org. NoCaps and VizWiz-Captions
come in this way as well. All captions of a picture are one example. Files of boxes or keypoints beside them are left out.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from ...errors import DataError, Problem
from ...media import image_name
from ...types import Example
from ..format import Format, Source, picture_folders, read_json, split_in
from ..rows import Pictures, described

FOLDER = "annotations"
LIST = re.compile(rb'"(images|annotations)"\s*:\s*\[\s*\{')
CAPTION = re.compile(rb'"caption"\s*:')


class CocoCaptions(Format):
    """Pictures and captions in two lists, joined by the picture's number."""

    name: ClassVar[str] = "coco-captions"
    summary: ClassVar[str] = "COCO's captions_train2017.json and its like, or the folder of annotations/ and train2017/"

    def recognises(self, source: Source) -> bool:
        return bool(_files(source))

    def read(self, source: Source) -> Iterator[tuple[str, Example | Problem]]:
        base = source.folders[-1]
        if source.path.is_file() and base.name == FOLDER:
            base = base.parent
        for file in _files(source):
            split = split_in(file.stem)
            pictures = Pictures(picture_folders([*([source.images] if source.images else []), base], split))
            for row in _pictures(file, pictures, needed=split != "test"):
                yield split or "train", row


def _pictures(file: Path, pictures: Pictures, *, needed: bool) -> Iterator[Example | Problem]:
    content = read_json(file)
    if not isinstance(content, dict):
        raise DataError("no lists called 'images' and 'annotations'", where=file.name)
    images: dict[int | str, str] = {}
    for where, image in _entries(content, "images", file):
        if isinstance(image.get("id"), (int, str)) and isinstance(image.get("file_name"), str):
            images[image["id"]] = image["file_name"]
        else:
            yield Problem(where, "no 'id', or no 'file_name' that is text", "see cocodataset.org/#format-data")
    captions: defaultdict[int | str, list[tuple[str, Any]]] = defaultdict(list)
    for where, annotation in _entries(content, "annotations", file):
        number = annotation.get("image_id")
        if isinstance(number, (int, str)) and number in images:
            captions[number].append((where, annotation.get("caption")))
        else:
            yield Problem(where, "its 'image_id' is that of no image", "take it out, or add the image to 'images'")
    for number, name in images.items():
        where = f"{file.name}:image {image_name(str(number))}"
        yield described(name, captions[number], where, pictures, needed=needed, name=number)


def _entries(content: Mapping[str, Any], key: str, file: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    entries = content.get(key)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        hint = "the file holds an object with 'images' and 'annotations'"
        raise DataError(f"no list of objects called {key!r}", where=file.name, hint=hint)
    for number, entry in enumerate(entries, start=1):
        yield f"{file.name}:entry {number} of {key}", entry


def _files(source: Source) -> list[Path]:
    folder = source.path
    files = sorted([*folder.glob("*.json"), *folder.glob(f"{FOLDER}/*.json")]) if folder.is_dir() else [folder]
    return [file for file in files if file.is_file() and _holds_captions(Source(str(file)))]


def _holds_captions(file: Source) -> bool:
    head = file.head().removeprefix(b"\xef\xbb\xbf").lstrip()
    # Hundreds of megabytes: one list begins where the file does, and captions stand there or where it ends.
    return (
        head[:1] == b"{" and LIST.search(head) is not None and bool(CAPTION.search(head) or CAPTION.search(file.tail()))
    )
