"""Data sets of the `datasets` library: saved on disk by `save_to_disk`, or on the Hub as `hf:owner/name`.

Fields are those of every row, and `Graphcore/vqa`'s: `image_id` is a path, `label` holds ids and weights. Pictures stay
encoded bytes. `datasets` no longer runs the loading scripts of old repositories; where one is met, the Parquet files that
the Hub makes of it (branch refs/convert/parquet) are tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Any, ClassVar

from ...errors import DataError, MissingExtra, Problem, ResourceError
from ...types import Example
from ..format import SPLIT_NAMES, Format, Source
from ..rows import Pictures, parse

PREFIX = "hf:"
CONVERTED = "refs/convert/parquet"


class HubDatasets(Format):
    """Arrow tables, on disk or on the Hub."""

    name: ClassVar[str] = "datasets"
    summary: ClassVar[str] = "a folder written by save_to_disk, or hf:OWNER/NAME for a data set on the Hub"

    def recognises(self, source: Source) -> bool:
        if source.text.startswith(PREFIX):
            return True
        names = ("dataset_dict.json", "state.json")
        return source.path.is_dir() and any((source.path / name).is_file() for name in names)

    def read(self, source: Source) -> Iterator[tuple[str, Example | Problem]]:
        if find_spec("datasets") is None:
            raise MissingExtra("reading data sets of the datasets library", "seesay[models]")
        pictures = Pictures(source.folders)
        for name, rows in _splits(source).items():
            split = SPLIT_NAMES.get(name.lower(), name)
            for number, row in enumerate(rows, start=1):
                where = f"{name}:{number}"
                yield split, parse(row, where, pictures, answers_needed=split != "test")


def _splits(source: Source) -> Mapping[str, Any]:
    """Split -> rows. Pictures are not decoded: they go through the door like all others, and later."""
    import datasets

    loaded = _download(source) if source.text.startswith(PREFIX) else _from_disk(source)
    splits = loaded if isinstance(loaded, dict) else {"train": loaded}
    return {name: _undecoded(rows, datasets.Image) for name, rows in splits.items()}


def _from_disk(source: Source) -> Any:
    import datasets

    try:
        return datasets.load_from_disk(str(source.path))
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"cannot be read: {str(error).splitlines()[0]}", where=source.text) from None


def _download(source: Source) -> Any:
    import datasets

    name = source.text.removeprefix(PREFIX)
    try:
        return datasets.load_dataset(name)
    except RuntimeError:
        # "Dataset scripts are no longer supported"
        try:
            return datasets.load_dataset(name, revision=CONVERTED)
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
        hint = "check the connection; HF_HUB_OFFLINE=1 uses what was downloaded before"
        raise ResourceError(f"cannot be loaded: {str(error).splitlines()[0]}", where=name, hint=hint) from None


def _undecoded(rows: Any, image: type) -> Any:
    for column, feature in rows.features.items():
        if isinstance(feature, image):
            rows = rows.cast_column(column, image(decode=False))
    return rows
