"""A data set in memory: examples by split, the problems met on the way, and a fingerprint.

It opens no picture and imports no torch. What is inside the pictures, and whether the rows can be trained on, is for `check`.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from ..errors import DataError, Problem, UsageError
from ..registry import discover
from ..settings import DataSettings
from ..types import Example
from .format import SPLIT_NAMES, Format, Source
from .split import Shown, by_picture

Row = TypeVar("Row")
SPLIT = re.compile(r"(?P<name>[\w.-]+)(\[(?P<start>\d*):(?P<stop>\d*)\])?")


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rows by split. Splits are called train, validation and test, or as the source calls them."""

    name: str
    format: str
    splits: Mapping[str, tuple[Example, ...]]
    problems: tuple[Problem, ...]
    """Rows that could not be read, in their order."""
    fingerprint: str
    """sha256 over every row's text and every picture's name and size."""

    @property
    def evaluation(self) -> tuple[Example, ...]:
        """The rows to measure on: test, else validation, else the only split there is."""
        for name in ("test", "validation", *self.splits):
            if self.splits.get(name):
                return self.splits[name]
        return ()


def load(settings: DataSettings, *, training: bool = False) -> Dataset:
    """Read the rows that `settings` name.

    Where there are training rows and no validation or no test split, some of the training pictures are held out for it, as
    the settings say. Where there is one split alone, whatever its name, it is the training split if it is trained on or a
    test split is to be held out. `settings.split` is a part of the data where it is trained on, and else one of the
    splits that training leaves.

    Args:
        training: the rows are trained on.

    Raises:
        DataError: nothing there, no format recognises it, two do, it cannot be read, or it is too small to hold pictures
            out for a test.
        UsageError: no data, no such split or folder of pictures, or fractions that leave nothing to train on.
        MissingExtra: the format needs a package that is not installed.
    """
    if not settings.data:
        raise UsageError("no data set named", hint="give --data FILE, FOLDER, hf:OWNER/NAME or easy-vqa")
    if settings.images is not None and not settings.images.is_dir():
        raise UsageError(f"no such folder: {settings.images}", where="--images", hint="name the folder of the pictures")
    name, read, problems = _read(Source(settings.data, settings.images))
    splits = arrange(read, settings, training=training)
    return Dataset(settings.data, name, splits, problems, _fingerprint(splits))


def arrange(
    splits: dict[str, tuple[Shown, ...]], settings: DataSettings, *, training: bool
) -> dict[str, tuple[Shown, ...]]:
    """Splits as they were read, with what is to be held out held out, and what is wanted alone; see `load`."""
    if training and settings.split:
        splits = select(splits, settings)
    if len(splits) == 1 and (training or settings.test_fraction):
        splits = {"train": next(iter(splits.values()))}
    splits = _hold_out(splits, settings)
    return select(splits, settings) if settings.split and not training else splits


def _read(source: Source) -> tuple[str, dict[str, tuple[Example, ...]], tuple[Problem, ...]]:
    """The name of the format, the rows by split, and what is wrong."""
    rows: defaultdict[str, list[Example]] = defaultdict(list)
    problems: list[Problem] = []
    try:
        form = _format_of(source)
        for split, row in form.read(source):
            if isinstance(row, Problem):
                problems.append(row)
            else:
                rows[split].append(row)
    except OSError as error:
        where = os.path.basename(error.filename or source.text)
        hint = "check that it is there, and its permissions"
        raise DataError(f"cannot be read: {error.strerror or error}", where=where, hint=hint) from None
    return form.name, {name: tuple(examples) for name, examples in rows.items()}, tuple(problems)


def _format_of(source: Source) -> Format:
    formats: list[Format] = [form() for form in discover("seesay.data.formats", Format).values()]
    fitting = [form for form in formats if form.recognises(source)]
    if len(fitting) > 1:
        names = " and ".join(form.name for form in fitting)
        raise DataError(f"could be {names}", where=source.text, hint="give one of its files instead of the folder")
    if fitting:
        return fitting[0]
    if not source.path.exists():
        raise DataError("no such file or folder", where=source.text, hint="known: " + _known(formats))
    entries = sorted(entry.name for entry in source.path.iterdir())[:8] if source.path.is_dir() else []
    found = (
        f"a folder with {', '.join(entries) or 'nothing in it'}" if source.path.is_dir() else "a file of another kind"
    )
    raise DataError(f"no format recognises it: {found}", where=source.text, hint="known: " + _known(formats))


def _known(formats: list[Format]) -> str:
    return "; ".join(f"{form.name} ({form.summary})" for form in formats)


def _hold_out(splits: dict[str, tuple[Shown, ...]], settings: DataSettings) -> dict[str, tuple[Shown, ...]]:
    validation = 0.0 if "validation" in splits else settings.validation_fraction
    test = 0.0 if "test" in splits else settings.test_fraction
    if "train" not in splits or not (validation or test):
        return splits
    if validation + test >= 1:
        hint = "validation_fraction and test_fraction must stay below 1 together"
        raise UsageError(f"{validation:g} and {test:g} leave nothing to train on", where="--test-fraction", hint=hint)
    drawn = by_picture(splits["train"], settings.seed, validation=validation, test=test)
    if test and not (drawn["train"] and drawn["test"]):
        # Going on would measure on rows of another split without a word.
        message = (
            f"--test-fraction {test:g} of so few pictures leaves {'nothing' if drawn['test'] else 'all'} to train on"
        )
        raise DataError(message, where=settings.data, hint="give another fraction or --seed, or more pictures")
    return {**splits, **{name: rows for name, rows in drawn.items() if rows}} if drawn["train"] else splits


def select(splits: Mapping[str, tuple[Row, ...]], settings: DataSettings) -> dict[str, tuple[Row, ...]]:
    """The split that `settings.split` names, as the Hub writes it: `validation`, `train[:200]`, `test[100:200]`."""
    wanted = SPLIT.fullmatch(settings.split)
    if wanted is None:
        raise UsageError(f"{settings.split!r} is not a split", where="--split", hint="such as test or validation[:200]")
    name = SPLIT_NAMES.get(wanted["name"].lower(), wanted["name"])
    if name not in splits:
        raise UsageError(f"no split {name!r}", where=settings.data, hint=f"splits here: {', '.join(splits) or 'none'}")
    start, stop = int(wanted["start"] or 0), int(wanted["stop"]) if wanted["stop"] else None
    return {name: splits[name][start:stop]}


def _fingerprint(splits: Mapping[str, tuple[Example, ...]]) -> str:
    sizes: dict[str, int] = {}
    digest = hashlib.sha256()
    for name, examples in splits.items():
        digest.update(name.encode())
        for example in examples:
            pictures = [picture_identity(source, sizes) for source in example.images]
            row = (pictures, example.question, example.answers, example.weights, example.id)
            digest.update(repr(row).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def picture_identity(source: object, sizes: dict[str, int]) -> str:
    """A picture's name and size; the digest of one that came as bytes."""
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    name = str(source)
    if name not in sizes:
        try:
            sizes[name] = os.stat(name).st_size
        except OSError:
            sizes[name] = -1
    return f"{os.path.basename(name)}:{sizes[name]}"
