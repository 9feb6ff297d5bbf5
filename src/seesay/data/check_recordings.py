"""Reading recordings as training would: each one opened once, measured, and every problem kept with its remedy.

Fatal problems are those with which training would fail: a recording that cannot be opened, no rows. What only makes a voice
worse (clipping, silence, a text that does not fit its length, characters that a tokenizer lacks) is a warning. It loads no
model and hears no words: whether a text is what is said is found by its length alone.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from ..errors import AudioError, Problem
from ..media import AudioLimits, audio_name, open_audio, sounding
from ..types import Recording
from .checked import Checked, Table
from .recordings import RecordingSet

CLIPPED_RUN = 3
"""Samples in a row at full scale that make a clip; two may be a peak that just reaches it."""
FULL_SCALE = 0.999
LONGEST_SECONDS = 30.0
"""What training takes."""
PACE_FACTOR = 2.5
"""A text is out of proportion where it is read this many times faster or slower than the median of its split."""
BREATH_CHARACTERS = 10
PLACES_NAMED = 3
ANY_LENGTH = AudioLimits(shortest=0.0)
"""An empty clip is told and left out, and is no reason not to train on the others."""
SPEAKERS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Measured:
    """What one recording is like."""

    seconds: float
    sample_rate: int
    clipped: bool
    """Whether it has runs of samples at full scale."""
    silence: float
    """Share of its 20 ms frames that are silent, 0 to 1; 1 where nothing is heard in it."""
    level: float
    """Root mean square of what is heard in it, in decibels below full scale; -inf where nothing is."""
    spoken: float
    """Seconds in which something is heard."""
    characters: int
    """Of its text."""
    digest: str

    @property
    def pace(self) -> float:
        """Characters of its text in a second of what is heard; 0 where nothing is."""
        return self.characters / self.spoken if self.spoken else 0.0

    @property
    def even_pace(self) -> float:
        """The same with the breath that goes with every text: a single word takes longer than its share of a sentence."""
        return (self.characters + BREATH_CHARACTERS) / self.spoken if self.spoken else 0.0


@dataclass(frozen=True, slots=True)
class RecordingSplit:
    """What the recordings of one split are like; those that could not be opened are left out. Triples are least, median,
    most."""

    name: str
    rows: int
    hours: float
    speakers: Mapping[str, int]
    """Rows by speaker, the most frequent first."""
    sample_rates: Mapping[int, int]
    seconds: tuple[float, float, float]
    pace: tuple[float, float, float]
    silence: float
    """Mean share."""
    clipped: int


@dataclass(frozen=True, slots=True)
class RecordingReport(Checked):
    """Everything found in a set of recordings."""

    name: str
    format: str
    splits: tuple[RecordingSplit, ...]
    missing: tuple[tuple[str, int], ...] | None
    """Characters that the tokenizer lacks and how many rows have them; None where no model was named."""
    problems: tuple[Problem, ...]
    measured: Mapping[str, tuple[Measured, ...]]
    """Each recording that opened, by split."""

    def tables(self) -> list[Table]:
        """The report as tables of text: title, header, rows."""
        header = ["split", "rows", "hours", "speakers", "seconds", "characters a second", "silence", "clipped", "rates"]
        tables = [(f"{self.name} ({self.format})", header, [_cells(split) for split in self.splits])]
        for split in self.splits:
            if split.name == "train" and len(split.speakers) > 1:
                rows = [[name or "(not named)", f"{count:,}"] for name, count in split.speakers.items()]
                tables.append(("speakers of train", ["speaker", "rows"], rows[:SPEAKERS_SHOWN]))
        if self.missing:
            rows = [[f"{character!r} U+{ord(character):04X}", f"{count:,}"] for character, count in self.missing]
            tables.append(("characters the tokenizer lacks", ["character", "rows"], rows))
        return tables

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON values, every problem included."""
        return {
            "name": self.name,
            "format": self.format,
            "splits": [asdict(split) for split in self.splits],
            "missing": None if self.missing is None else dict(self.missing),
            "problems": [asdict(problem) for problem in self.problems],
        }


def check_recordings(
    found: RecordingSet,
    *,
    can_say: Callable[[str], bool] | None = None,
    training: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> RecordingReport:
    """Open every recording, measure it, and collect all problems.

    Args:
        can_say: whether a tokenizer has a character; None where no model was named.
        training: the rows are to be trained on, so that rows to train on and to validate with must be there.
        progress: told how many recordings of how many are open.
    """
    opened = _open_all(found, progress)
    measured = {
        name: tuple(one for one in opened[name] if isinstance(one, Measured)) for name in found.splits if opened[name]
    }
    problems = [*found.problems]
    for name, rows in found.splits.items():
        problems += _row_problems(rows, opened[name])
    missing = _missing(found, can_say) if can_say else None
    problems += [*_whole_set(found, opened, missing, training=training)]
    splits = tuple(
        _split(name, found.splits[name], opened[name])
        for name in dict.fromkeys(("train", "validation", "test", *found.splits))
        if name in found.splits
    )
    return RecordingReport(found.name, found.format, splits, missing, tuple(problems), measured)


def _open_all(
    found: RecordingSet, progress: Callable[[int, int], None] | None
) -> dict[str, list[Measured | AudioError]]:
    total = sum(len(rows) for rows in found.splits.values())
    done = 0
    results: dict[str, list[Measured | AudioError]] = {}
    # Decoding and numpy release the interpreter's lock, so threads use all cores.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, rows in found.splits.items():
            results[name] = []
            for outcome in pool.map(_measure, rows):
                results[name].append(outcome)
                done += 1
                if progress is not None:
                    progress(done, total)
    return results


def _measure(row: Recording) -> Measured | AudioError:
    import numpy

    try:
        sound = open_audio(row.audio, limits=ANY_LENGTH)
    except AudioError as error:
        return error
    full = numpy.abs(sound.samples) >= FULL_SCALE
    run = numpy.convolve(full, numpy.ones(CLIPPED_RUN), "valid") if full.any() else numpy.zeros(1)
    heard = sounding(sound.samples, sound.sample_rate)
    share = float(heard.mean()) if len(heard) else 0.0
    spoken = sound.seconds * share
    level = -math.inf
    if heard.any():
        frame = -(-len(sound.samples) // len(heard))
        mask = numpy.repeat(heard, frame)[: len(sound.samples)]
        power = float(numpy.square(sound.samples[: len(mask)][mask], dtype=numpy.float64).mean())
        level = 10 * math.log10(max(power, 1e-20))
    return Measured(
        seconds=sound.seconds,
        sample_rate=sound.sample_rate,
        clipped=bool((run >= CLIPPED_RUN).any()),
        silence=1 - share,
        level=level,
        spoken=spoken,
        characters=len(row.text),
        digest=sound.sha256,
    )


def _split(name: str, rows: Sequence[Recording], opened: Sequence[Measured | AudioError]) -> RecordingSplit:
    pairs = [(row, one) for row, one in zip(rows, opened, strict=True) if isinstance(one, Measured)]
    measured = [one for _, one in pairs]
    speakers = Counter(row.speaker for row in rows)
    return RecordingSplit(
        name=name,
        rows=len(rows),
        hours=sum(one.seconds for one in measured) / 3600,
        speakers=dict(sorted(speakers.items(), key=lambda pair: (-pair[1], pair[0]))),
        sample_rates=dict(Counter(one.sample_rate for one in measured).most_common()),
        seconds=_spread([one.seconds for one in measured]),
        pace=_spread([one.pace for one in measured if one.pace]),
        silence=sum(one.silence for one in measured) / max(1, len(measured)),
        clipped=sum(one.clipped for one in measured),
    )


def _row_problems(rows: Sequence[Recording], opened: Sequence[Measured | AudioError]) -> Iterator[Problem]:
    """What is wrong with single recordings, each at its row."""
    paces = [one.even_pace for one in opened if isinstance(one, Measured) and one.pace]
    usual = median(paces) if paces else 0.0
    for row, one in zip(rows, opened, strict=True):
        what = os.path.basename(audio_name(row.audio))
        if isinstance(one, AudioError):
            yield Problem(row.origin, f"{what}: {one.message}", one.hint or "replace it or take the row out")
        elif not one.pace:
            message = f"{what}: nothing is heard in it"
            yield Problem(row.origin, message, "training leaves it out; record it again", fatal=False)
        elif one.seconds > LONGEST_SECONDS:
            message = f"{what}: {one.seconds:.1f} seconds; training takes {LONGEST_SECONDS:g} at most"
            yield Problem(row.origin, message, "training leaves it out; cut it into sentences", fatal=False)
        elif not usual / PACE_FACTOR <= one.even_pace <= usual * PACE_FACTOR:
            expected = (one.characters + BREATH_CHARACTERS) / usual
            message = f"{what}: {one.spoken:.1f} seconds of speech where such a text takes {expected:.1f}"
            yield Problem(row.origin, message, "is this text what is said, and all of it?", fatal=False)


def _whole_set(
    found: RecordingSet,
    opened: Mapping[str, Sequence[Measured | AudioError]],
    missing: Sequence[tuple[str, int]] | None,
    *,
    training: bool,
) -> Iterator[Problem]:
    """What is wrong with the rows taken together."""
    if not any(found.splits.values()):
        yield Problem(found.name, "no rows that can be used", "see the formats in docs/data.md")
    elif training:
        for name in ("train", "validation"):
            if not found.splits.get(name):
                hint = "give more recordings, or raise --validation-fraction, which holds some of the sentences out"
                yield Problem(found.name, f"no {name} rows", hint)
    for name, rows in found.splits.items():
        clipped = [
            row.origin for row, one in zip(rows, opened[name], strict=True) if isinstance(one, Measured) and one.clipped
        ]
        if clipped:
            message = f"{len(clipped):,} recordings of {name} are clipped: {_places(clipped)}"
            yield Problem(found.name, message, "record them at a lower level, or take them out", fatal=False)
    yield from _repeated(found, opened)
    if missing:
        shown = " ".join(repr(character) for character, _ in missing[:10])
        hint = "they are spelled, replaced or left out in training and when it speaks alike; see docs/speech.md"
        yield Problem(found.name, f"{len(missing)} characters the tokenizer lacks: {shown}", hint, fatal=False)


def _repeated(found: RecordingSet, opened: Mapping[str, Sequence[Measured | AudioError]]) -> Iterator[Problem]:
    """Recordings, by content, that stand in more than one split."""
    places: dict[str, dict[str, str]] = {}
    for name, rows in found.splits.items():
        for row, one in zip(rows, opened[name], strict=True):
            if isinstance(one, Measured):
                places.setdefault(one.digest, {}).setdefault(name, row.origin)
    shared = [list(where.values()) for where in places.values() if len(where) > 1]
    if shared:
        message = (
            f"{len(shared):,} recordings stand in more than one split: {_places([' and '.join(one) for one in shared])}"
        )
        yield Problem(found.name, message, "figures on them tell what was memorised; keep each in one", fatal=False)


def _missing(found: RecordingSet, can_say: Callable[[str], bool]) -> tuple[tuple[str, int], ...]:
    rows: Counter[str] = Counter()
    for split in found.splits.values():
        for row in split:
            rows.update({character for character in row.text if not character.isspace() and not can_say(character)})
    return tuple(sorted(rows.items(), key=lambda pair: (-pair[1], pair[0])))


def _places(origins: Sequence[str]) -> str:
    return ", ".join(origins[:PLACES_NAMED]) + (" ..." if len(origins) > PLACES_NAMED else "")


def _spread(values: Sequence[float]) -> tuple[float, float, float]:
    return (min(values), median(values), max(values)) if values else (0.0, 0.0, 0.0)


def _cells(split: RecordingSplit) -> list[str]:
    rates = ", ".join(f"{rate:,}" for rate in split.sample_rates)
    return [
        split.name,
        f"{split.rows:,}",
        f"{split.hours:.2f}",
        f"{len(split.speakers):,}",
        f"{split.seconds[0]:.1f} / {split.seconds[1]:.1f} / {split.seconds[2]:.1f}",
        f"{split.pace[0]:.1f} / {split.pace[1]:.1f} / {split.pace[2]:.1f}",
        f"{split.silence:.0%}",
        f"{split.clipped:,}",
        rates,
    ]
