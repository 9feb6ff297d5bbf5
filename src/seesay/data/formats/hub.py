"""Data sets of the `datasets` library: saved on disk by `save_to_disk`, or on the Hub as `hf:owner/name`, with a
configuration where it has several: `hf:facebook/voxpopuli/nl`.

Fields are those of every row; so `Graphcore/vqa` (`image_id` is a path, `label` holds ids and weights) and sets of `image`
and `text` (lambdalabs/pokemon-blip-captions) are read as they are. Pictures stay encoded bytes. `datasets` no longer runs
the loading scripts of old repositories; where one is met, the Parquet files that the Hub makes of it (branch
refs/convert/parquet) are tried.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.util import find_spec
from typing import Any, ClassVar

from ...errors import DataError, MissingExtra, Problem, ResourceError
from ...types import Example
from ..format import SPLIT_NAMES, Format, Source
from ..rows import Pictures, examples

PREFIX = "hf:"
CONVERTED = "refs/convert/parquet"


class HubDatasets(Format):
    """Arrow tables, on disk or on the Hub."""

    name: ClassVar[str] = "datasets"
    summary: ClassVar[str] = (
        "a folder written by save_to_disk, or hf:OWNER/NAME (or hf:OWNER/NAME/CONFIGURATION) on the Hub"
    )

    def recognises(self, source: Source) -> bool:
        if source.text.startswith(PREFIX):
            return True
        names = ("dataset_dict.json", "state.json")
        return source.path.is_dir() and any((source.path / name).is_file() for name in names)

    def read(self, source: Source) -> Iterator[tuple[str, Example | Problem]]:
        if find_spec("datasets") is None:
            raise MissingExtra("reading data sets of the datasets library", "seesay[models]")
        pictures = Pictures(source.folders)
        for name, rows in open_splits(source).items():
            split = SPLIT_NAMES.get(name.lower(), name)
            yield from examples(split, stored_rows(rows, name), pictures)


def open_splits(source: Source) -> Mapping[str, Any]:
    """The tables of each split, opened, nothing decoded.

    Raises:
        DataError, ResourceError: there is no such set, or it cannot be had.
    """
    import datasets

    if not sys.stderr.isatty():
        datasets.disable_progress_bars()
    loaded = _download(source.text.removeprefix(PREFIX)) if source.text.startswith(PREFIX) else _from_disk(source)
    return loaded if isinstance(loaded, dict) else {"train": loaded}


def stored_rows(rows: Any, name: str) -> Iterator[tuple[str, dict[str, Any] | Problem]]:
    """Each row with its place, `name` and its number, as it is stored: a picture is its bytes and path, never decoded here,
    because it goes through the door like all others, and later."""
    number = 0
    try:
        for table in rows.with_format("arrow").iter(batch_size=1_000):
            for row in table.to_pylist():
                number += 1
                yield f"{name}:{number}", row
    except (OSError, ValueError, OverflowError):
        where = f"{name}:{number + 1}"
        yield where, Problem(where, "not readable as Arrow", "save or download the data set again")


def _from_disk(source: Source) -> Any:
    import datasets

    try:
        return datasets.load_from_disk(str(source.path))
    except Exception as error:
        # Whatever the library meets first in a broken file; its words are about its own insides.
        kind = type(error).__name__
        hint = "save it again with save_to_disk"
        raise DataError(f"not what save_to_disk writes ({kind})", where=source.text, hint=hint) from None


@lru_cache(maxsize=1)
def _download(name: str) -> Any:
    """Kept, because a set is looked at (are these recordings?) before it is read."""
    import datasets

    repository, configuration = name, ""
    if name.count("/") > 1:
        repository, _, configuration = name.rpartition("/")
    try:
        return datasets.load_dataset(repository, configuration or None)
    except RuntimeError:
        # "Dataset scripts are no longer supported"
        try:
            return datasets.load_dataset(repository, configuration or None, revision=CONVERTED)
        except (OSError, ValueError, RuntimeError):
            hint = "download its files, and give the folder with --data and its pictures with --images"
            raise DataError(
                "this data set is a loading script, which datasets no longer runs", where=name, hint=hint
            ) from None
    except datasets.exceptions.DatasetNotFoundError:
        raise DataError(
            "no such data set on the Hub", where=name, hint="check the name; a private one needs HF_TOKEN"
        ) from None
    except (OSError, ValueError) as error:
        # The library's own words name folders of this machine.
        hint = "check the name and the connection; HF_HUB_OFFLINE=1 uses what was downloaded before"
        raise ResourceError(f"cannot be loaded ({type(error).__name__})", where=name, hint=hint) from None
