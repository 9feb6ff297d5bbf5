"""Recordings and what is said in them: found by content, read into rows by split, before anything is decoded.

    rows = load_recordings(DataSettings(data="LJSpeech-1.1"))
    rows.splits["train"][0]          # Recording(audio=.../wavs/LJ001-0001.wav, text="Printing, in the only sense ...")

A format of recordings is a file in `formats/` with a subclass of `RecordingFormat`. What is inside the recordings is for
`check_recordings`. It opens no recording and imports no torch.
"""

from __future__ import annotations

import hashlib
import os
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from ..errors import DataError, Problem, UsageError
from ..registry import discover
from ..settings import DataSettings
from ..types import AudioSource, Recording
from .format import Source
from .rows import LABEL_CHARACTERS, BadRow, Pictures, clean, shown
from .split import by_sentence

AUDIO_FIELDS = ("audio", "path", "file_name", "audio_path", "audio_file", "wav", "wav_path", "filename", "file")
# What is to be said comes before what was written: VoxPopuli and LJSpeech have both.
TEXT_FIELDS = ("normalized_text", "normalized", "sentence", "text", "transcription", "transcript", "raw_text")
SPEAKER_FIELDS = ("speaker_id", "speaker", "client_id", "voice")
ID_FIELDS = ("id", "audio_id")
AUDIO_ENDINGS = frozenset(".wav .flac .ogg .oga .opus .mp3 .m4a .aac .aif .aiff .wma .webm".split())
"""Names that recordings have, also those of kinds that are not accepted, so that they are refused and not overlooked."""
TEXT_CHARACTERS = 5_000


@dataclass(frozen=True, slots=True)
class RecordingSet:
    """Recordings by split. Splits are called train, validation and test, or as the source calls them."""

    name: str
    format: str
    splits: Mapping[str, tuple[Recording, ...]]
    problems: tuple[Problem, ...]
    """Rows that could not be read, in their order."""
    fingerprint: str
    """sha256 over every row's text and speaker, and every recording's name and size."""

    @property
    def evaluation(self) -> tuple[Recording, ...]:
        """The rows to measure on: test, else validation, else the only split there is."""
        for name in ("test", "validation", *self.splits):
            if self.splits.get(name):
                return self.splits[name]
        return ()


class RecordingFormat(ABC):
    """A way that recordings and their texts are written."""

    name: ClassVar[str]
    summary: ClassVar[str]
    """One line for people: how to recognise it."""

    @abstractmethod
    def recognises(self, source: Source) -> bool:
        """Whether the source is of this format, judged by its content: pictures are never recordings."""

    @abstractmethod
    def read(self, source: Source) -> Iterator[tuple[str, Recording | Problem]]:
        """Each row with its split: a recording, or the problem that keeps it from being one.

        Raises:
            DataError: the source as a whole cannot be read.
        """


def holds_recordings(settings: DataSettings) -> bool:
    """Whether this data is of recordings, and not of pictures.

    Raises:
        DataError, ResourceError: a data set of the Hub cannot be had.
    """
    return any(form.recognises(Source(settings.data, settings.images)) for form in _formats())


def load_recordings(settings: DataSettings, *, training: bool = False) -> RecordingSet:
    """Read the recordings that `settings` name; splits are held out and chosen as `load` does, by sentence.

    Args:
        training: the rows are trained on.

    Raises:
        DataError: nothing there, no format recognises it, or it cannot be read.
        UsageError: no data, no such split or folder of recordings.
        MissingExtra: the format needs a package that is not installed.
    """
    from .dataset import select

    if not settings.data:
        raise UsageError("no data set named", hint="give --data FOLDER, FILE or hf:OWNER/NAME")
    if settings.images is not None and not settings.images.is_dir():
        raise UsageError(f"no such folder: {settings.images}", where="--images", hint="name the folder of recordings")
    name, splits, problems = _read(Source(settings.data, settings.images))
    if training and settings.split:
        splits = select(splits, settings)
    if len(splits) == 1 and (training or settings.test_fraction):
        splits = {"train": next(iter(splits.values()))}
    splits = _hold_out(splits, settings)
    if settings.split and not training:
        splits = select(splits, settings)
    return RecordingSet(settings.data, name, splits, problems, _fingerprint(splits))


def recording(row: Mapping[str, Any], where: str, files: Pictures) -> Recording | Problem:
    """One row as a recording, or what is wrong with it."""
    try:
        return Recording(
            audio=_audio(row, files),
            text=_text(row),
            speaker=_label(row, SPEAKER_FIELDS),
            id=_label(row, ID_FIELDS),
            origin=where,
        )
    except BadRow as bad:
        return Problem(where, bad.message, bad.hint)


def speaks(row: Mapping[str, Any]) -> bool:
    """Whether a row names a recording and what is said in it, and no picture."""
    name = _audio_field(row)
    value = row.get(name)
    is_file = name == "audio" or (isinstance(value, str) and Path(value).suffix.lower() in AUDIO_ENDINGS)
    return bool(name) and is_file and any(field in row for field in TEXT_FIELDS)


def _formats() -> list[RecordingFormat]:
    return [form() for form in discover("seesay.data.formats", RecordingFormat).values()]


def _read(source: Source) -> tuple[str, dict[str, tuple[Recording, ...]], tuple[Problem, ...]]:
    rows: defaultdict[str, list[Recording]] = defaultdict(list)
    problems: list[Problem] = []
    try:
        form = next((form for form in _formats() if form.recognises(source)), None)
        if form is None:
            known = "; ".join(f"{form.name} ({form.summary})" for form in _formats())
            found = "no recordings with their texts" if source.path.exists() else "no such file or folder"
            raise DataError(found, where=source.text, hint=f"known: {known}")
        for split, row in form.read(source):
            if isinstance(row, Problem):
                problems.append(row)
            else:
                rows[split].append(row)
    except OSError as error:
        where = os.path.basename(error.filename or source.text)
        hint = "check that it is there, and its permissions"
        raise DataError(f"cannot be read: {error.strerror or error}", where=where, hint=hint) from None
    return form.name, {name: tuple(found) for name, found in rows.items()}, tuple(problems)


def _hold_out(splits: dict[str, tuple[Recording, ...]], settings: DataSettings) -> dict[str, tuple[Recording, ...]]:
    validation = 0.0 if "validation" in splits else settings.validation_fraction
    test = 0.0 if "test" in splits else settings.test_fraction
    if "train" not in splits or not (validation or test):
        return splits
    if validation + test >= 1:
        hint = "validation_fraction and test_fraction must stay below 1 together"
        raise UsageError(f"{validation:g} and {test:g} leave nothing to train on", where="--test-fraction", hint=hint)
    drawn = by_sentence(splits["train"], settings.seed, validation=validation, test=test)
    if test and not (drawn["train"] and drawn["test"]):
        hint = "give another fraction or --seed, or more recordings"
        raise DataError(f"--test-fraction {test:g} of so few sentences leaves a split empty", where=settings.data,
                        hint=hint)  # fmt: skip
    return {**splits, **{name: rows for name, rows in drawn.items() if rows}} if drawn["train"] else splits


def _audio_field(row: Mapping[str, Any]) -> str:
    return next((field for field in AUDIO_FIELDS if row.get(field) not in (None, "")), "")


def _audio(row: Mapping[str, Any], files: Pictures) -> AudioSource:
    name = _audio_field(row)
    if not name:
        raise BadRow("no 'audio' field", _fields(row, "audio, path or file_name"))
    value = row[name]
    if isinstance(value, Mapping):
        value = value.get("bytes") or value.get("path")
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise BadRow(f"the field {name!r} holds {shown(value)}, not the path of a recording", "name a file")
    return files.find(value)


def _text(row: Mapping[str, Any]) -> str:
    name = next((field for field in TEXT_FIELDS if row.get(field) not in (None, "")), None)
    if name is None:
        here = next((field for field in TEXT_FIELDS if field in row), None)
        if here:
            raise BadRow(f"the field {here!r} is empty", "write down what is said, or take the row out")
        raise BadRow("no field says what is said", _fields(row, ", ".join(TEXT_FIELDS)))
    if not isinstance(row[name], str):
        raise BadRow(f"the field {name!r} holds {shown(row[name])}, not text", "write down what is said")
    return clean(row[name], TEXT_CHARACTERS, f"the field {name!r}")


def _label(row: Mapping[str, Any], fields: tuple[str, ...]) -> str:
    name = next((field for field in fields if row.get(field) not in (None, "")), "")
    text = str(row[name]).strip() if name else ""
    return clean(text, LABEL_CHARACTERS, f"the field {name!r}") if text else ""


def _fields(row: Mapping[str, Any], wanted: str) -> str:
    here = ", ".join(shown(str(name))[1:-1] for name in list(row)[:12]) or "none"
    return f"fields here: {here}; needed: {wanted}"


def _fingerprint(splits: Mapping[str, tuple[Recording, ...]]) -> str:
    digest = hashlib.sha256()
    for name, rows in splits.items():
        digest.update(name.encode())
        for row in rows:
            digest.update(repr((_identity(row.audio), row.text, row.speaker, row.id)).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _identity(audio: AudioSource) -> str:
    """A file's name and size; the digest of what came as bytes."""
    if isinstance(audio, bytes):
        return hashlib.sha256(audio).hexdigest()
    try:
        size = os.stat(str(audio)).st_size
    except OSError:
        size = -1
    return f"{os.path.basename(str(audio))}:{size}"
