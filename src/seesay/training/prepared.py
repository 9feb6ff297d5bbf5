"""Recordings made ready to learn from, once a run, and kept in its folder: tokens, spectrograms, speaker embeddings.

    prepared = prepare(rows, learner, settings, folder)      # computes, or reads what is there
    prepared.splits["train"][0]                              # Prepared(ids, start, frames, ...)
    prepared.lesson(row)                                     # what a batch is made of

What is left out is counted by reason. It knows nothing of optimizers.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data import RecordingSet
from ..data.check_recordings import ANY_LENGTH
from ..errors import DataError, RunError, UsageError
from ..media import open_audio, trimmed
from ..settings import TrainSpeechSettings
from ..speech.learner import Learner, Lesson
from ..speech.speakers import read_arrays, xvector
from ..types import Recording
from .run_folder import RunFolder

if TYPE_CHECKING:
    import numpy

FOLDER = "prepared"
NONE = "none"
"""The name of the speaker model that hears nothing."""
SPEAKERS_SAVED = 300
"""Speakers that a finished model brings by name: those with the most rows."""
UNNAMED = "speaker"
"""What a speaker is called where the data does not name them."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """One row: its tokens, and where its frames and its speaker stand in the arrays."""

    ids: tuple[int, ...]
    start: int
    frames: int
    number: int
    speaker: str
    text: str
    """As it is spelled for the voice."""
    where: str


@dataclass(frozen=True)
class PreparedSet:
    """All rows of a run."""

    splits: dict[str, tuple[Prepared, ...]]
    left_out: dict[str, int]
    """Rows that are not learned, by reason."""
    unsaid: dict[str, int]
    """Characters that the voice cannot say, and in how many rows they were left out."""
    spectrograms: numpy.ndarray[Any, Any] = field(repr=False)
    """(frames of all rows, mel bins)."""
    embeddings: numpy.ndarray[Any, Any] = field(repr=False)
    """(rows, width)."""

    def lesson(self, row: Prepared) -> Lesson:
        """The row as the network takes it."""
        return Lesson(row.ids, self.spectrograms[row.start : row.start + row.frames], self.embeddings[row.number])

    def speakers(self) -> dict[str, numpy.ndarray[Any, Any]]:
        """The embedding of each speaker of the training rows, the mean of theirs, brought to its usual length."""
        import numpy

        rows: defaultdict[str, list[int]] = defaultdict(list)
        for row in self.splits["train"]:
            rows[row.speaker].append(row.number)
        found = {}
        for name in sorted(rows, key=lambda name: (-len(rows[name]), name))[:SPEAKERS_SAVED]:
            vectors = self.embeddings[rows[name]].astype(numpy.float64)
            mean = vectors.mean(axis=0)
            length = numpy.linalg.norm(vectors, axis=1).mean() / max(float(numpy.linalg.norm(mean)), 1e-12)
            found[name] = (mean * length).astype(numpy.float32)
        return found


def prepare(found: RecordingSet, learner: Learner, settings: TrainSpeechSettings, folder: RunFolder) -> PreparedSet:
    """The rows of `found` made ready in `folder`, whose lock the caller holds; what is there already is read.

    Raises:
        DataError: nothing is left to learn from, or to validate with.
        UsageError: a speaker has no embedding in the file, or one of another width.
        ModelNotFound, ModelError: the model that hears speakers cannot be had.
        AudioError: a recording cannot be opened any more.
    """
    target = folder.path / FOLDER
    if not target.is_dir() or folder.verify(target):
        folder.write_folder(FOLDER, 0, lambda place: _write(found, learner, settings, place))
    return _read(target)


def _write(found: RecordingSet, learner: Learner, settings: TrainSpeechSettings, place: Path) -> None:
    import numpy

    left_out: Counter[str] = Counter()
    unsaid: Counter[str] = Counter()
    kept = _speakers_kept(found.splits["train"], settings)
    hear = _Speakers(learner, settings)
    splits: defaultdict[str, list[Prepared]] = defaultdict(list)
    vectors: list[Any] = []
    start = 0
    with (place / "spectrograms.f32").open("wb") as file:
        for split in ("train", "validation"):
            for row in found.splits[split]:
                reason = "" if row.speaker in kept else "its speaker has too few or too many rows"
                ready = None if reason else _frames(row, learner, settings)
                if isinstance(ready, str) or ready is None:
                    left_out[reason or str(ready)] += 1
                    continue
                ids, frames, sound = ready
                unsaid.update({one for one in row.text if not one.isspace() and one.isalnum()
                               and not learner.speller.can_say(one)})  # fmt: skip
                file.write(frames.astype("<f4").tobytes())
                spelled = learner.speller.spell(row.text)
                named = row.speaker or UNNAMED
                splits[split].append(Prepared(ids, start, len(frames), len(vectors), named, spelled, row.origin))
                vectors.append(hear(row, sound))
                start += len(frames)
    for split in ("train", "validation"):
        if not splits[split]:
            reasons = "; ".join(f"{count:,} because {reason}" for reason, count in left_out.items())
            hint = (
                "seesay check tells what the recordings are like; see --min-speaker-rows, --max-tokens, --max-seconds"
            )
            raise DataError(f"no {split} rows are left: {reasons}", where=found.name, hint=hint)
    numpy.save(place / "speakers.npy", numpy.stack(vectors).astype("<f4"))
    facts = {
        "bins": int(learner.network.config.num_mel_bins),
        "left_out": left_out,
        "unsaid": unsaid,
        "splits": {name: [asdict(row) for row in rows] for name, rows in splits.items()},
    }
    (place / "rows.json").write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")


def _read(place: Path) -> PreparedSet:
    import numpy

    try:
        facts = json.loads((place / "rows.json").read_text(encoding="utf-8"))
        frames = numpy.memmap(place / "spectrograms.f32", "<f4", "r").reshape(-1, facts["bins"])
        splits = {
            name: tuple(Prepared(**{**row, "ids": tuple(row["ids"])}) for row in rows)
            for name, rows in facts["splits"].items()
        }
        vectors = numpy.load(place / "speakers.npy", allow_pickle=False)
        return PreparedSet(splits, facts["left_out"], facts["unsaid"], frames, vectors)
    except (OSError, ValueError, KeyError, TypeError):
        hint = "delete that folder and give the same command again"
        raise RunError("the prepared recordings cannot be read", where=str(place), hint=hint) from None


def _frames(row: Recording, learner: Learner, settings: TrainSpeechSettings) -> tuple[tuple[int, ...], Any, Any] | str:
    """Tokens, spectrogram and trimmed sound of a row, or why it is left out."""
    config = learner.network.config
    text = learner.speller.spell(row.text)
    if not any(map(str.isalnum, text)):
        return "nothing in its text can be said"
    ids = tuple(learner.ids(text))
    if len(ids) > min(settings.max_tokens, config.max_text_positions):
        return f"its text has more than {min(settings.max_tokens, config.max_text_positions)} tokens"
    sound = open_audio(row.audio, learner.sample_rate, limits=ANY_LENGTH)
    samples = trimmed(sound.samples, sound.sample_rate)
    if len(samples) < learner.sample_rate // 10:
        return "nothing is heard in it"
    if len(samples) > settings.max_seconds * learner.sample_rate:
        return f"it is longer than {settings.max_seconds:g} seconds"
    frames = learner.spectrogram(samples)
    if len(frames) // learner.reduction > config.max_speech_positions:
        return "it is longer than the network has positions for"
    return ids, frames, dataclasses.replace(sound, samples=samples)


def _speakers_kept(rows: Sequence[Recording], settings: TrainSpeechSettings) -> set[str]:
    counts = Counter(row.speaker for row in rows)
    high = settings.max_speaker_rows or max(counts.values(), default=0)
    return {name for name, count in counts.items() if settings.min_speaker_rows <= count <= high}


class _Speakers:
    """The embedding of who speaks in a row: from a file, heard in the recording, or drawn by the name."""

    def __init__(self, learner: Learner, settings: TrainSpeechSettings) -> None:
        self._learner, self._settings = learner, settings
        file = settings.speaker_embeddings
        self._named = read_arrays(file) if file is not None else None

    def __call__(self, row: Recording, sound: Any) -> Any:
        width, name = self._learner.speaker_width, row.speaker or UNNAMED
        if self._named is not None:
            if name not in self._named:
                known = ", ".join(sorted(self._named)[:8]) or "none"
                raise UsageError(
                    f"no embedding of the speaker {name!r}", where="--speaker-embeddings", hint=f"there: {known}"
                )
            vector = self._named[name]
        elif self._settings.speaker_model == NONE:
            vector = drawn(name, width)
        else:
            vector = xvector(sound, self._settings.speaker_model, self._learner.placement)
        if vector.shape != (width,):
            message = f"a speaker embedding of shape {vector.shape}; this network takes {width} numbers"
            raise UsageError(message, where=row.origin, hint="--speaker-model none draws vectors of the right width")
        return vector


def drawn(name: str, width: int) -> Any:
    """(width,), of length 1: a direction that belongs to a name and says nothing about a voice."""
    import numpy

    seed = int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()[:8], "big")
    vector = numpy.random.default_rng(seed).standard_normal(width)
    return (vector / numpy.linalg.norm(vector)).astype(numpy.float32)


def statements(prepared: PreparedSet, settings: TrainSpeechSettings) -> Iterator[str]:
    """What people should know of the rows, in words."""
    rows = {name: len(found) for name, found in prepared.splits.items()}
    speakers = len({row.speaker for row in prepared.splits["train"]})
    yield f"{rows['train']:,} rows to learn from, {rows['validation']:,} to validate with, {speakers:,} speakers"
    for reason, count in sorted(prepared.left_out.items()):
        yield f"{count:,} rows are left out, because {reason}"
    if prepared.unsaid:
        shown = ", ".join(f"{name} ({count:,} rows)" for name, count in sorted(prepared.unsaid.items())[:20])
        yield f"characters that the voice cannot say are left out of the texts: {shown}"
    if settings.speaker_embeddings is None and settings.speaker_model == NONE:
        yield "speakers are told apart by vectors drawn by their names: the voice speaks as its training speakers only"
