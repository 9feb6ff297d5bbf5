"""The token files of Flickr8k and Flickr30k: a line is `1000268201_693b08cb0e.jpg#0`, a tab, and a caption.

Hodosh et al., "Framing Image Description as a Ranking Task", JAIR 2013; Young et al., TACL 2014. All captions of a picture
are one example. Where the published lists of names lie beside it (`Flickr_8k.trainImages.txt`), they are the splits, and
pictures on none of them are left out.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from ...errors import DataError, Problem
from ...types import Example
from ..format import SPLIT_NAMES, Format, Source, picture_folders
from ..rows import Pictures, described

LINE = re.compile(r"(?P<picture>[^\t#]+)#\d+\t(?P<caption>.*)")
LISTED = re.compile(r"(?i:.*(train|dev|test)Images\.txt)")


class FlickrTokens(Format):
    """A line a caption, several lines a picture."""

    name: ClassVar[str] = "flickr-tokens"
    summary: ClassVar[str] = "Flickr8k.token.txt or Flickr30k's results_20130124.token, or the folder that holds it"

    def recognises(self, source: Source) -> bool:
        return bool(_files(source))

    def read(self, source: Source) -> Iterator[tuple[str, Example | Problem]]:
        pictures = Pictures(picture_folders(source.folders))
        for file in _files(source):
            splits = _splits(file.parent)
            captions: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
            for where, line in _lines(file):
                found = LINE.fullmatch(line)
                if found:
                    captions[found["picture"]].append((where, found["caption"]))
                else:
                    message = "not a picture, # and a number, a tab and a caption"
                    yield "train", Problem(where, message, "mend the line, or take it out")
            for name, said in captions.items():
                split = splits.get(name, "" if splits else "train")
                if split:
                    yield split, described(name, said, said[0][0], pictures, needed=True, name=name)


def _lines(file: Path) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(_text(file).split("\n"), start=1):
        if line.strip():
            yield f"{file.name}:{number}", line.rstrip("\r")


def _splits(folder: Path) -> dict[str, str]:
    """The split of each picture that a list beside the captions names."""
    lists = [(match[1], file) for file in sorted(folder.glob("*.txt")) if (match := LISTED.fullmatch(file.name))]
    return {name: SPLIT_NAMES[kind.lower()] for kind, file in lists for name in _text(file).split()}


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise DataError("not UTF-8 text", where=file.name, hint="save the file as UTF-8") from None


def _files(source: Source) -> list[Path]:
    files = sorted(source.path.glob("*.token*")) if source.path.is_dir() else [source.path]
    return [file for file in files if file.is_file() and _begins_with_a_caption(Source(str(file)))]


def _begins_with_a_caption(file: Source) -> bool:
    first = file.head().removeprefix(b"\xef\xbb\xbf").partition(b"\n")[0].decode("utf-8", "replace")
    return LINE.fullmatch(first.rstrip("\r")) is not None
