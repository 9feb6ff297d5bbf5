"""Measuring a voice against recordings of the same sentences: how near it comes, with intervals, beside what it could reach.

Each sentence is spoken and compared with its recording (mel-cepstral distortion, pitch, duration), heard by Whisper where one
is named, and timed. Beside the voice stand the recording itself, the recording through the voice's vocoder (what no
spectrogram network can pass), and espeak-ng where it is installed (a voice of rules in the same language). None of these figures
says whether people like a voice.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import data, speech
from ..errors import DataError, SeesayError
from ..files import write_whole
from ..media import open_audio, trimmed
from ..metrics import Interval, interval
from ..metrics.pitch import errors, yin
from ..metrics.spectra import align, distortion, mel_cepstra
from ..metrics.wer import WordErrorRate
from ..settings import EvaluateSpeechSettings, ListenSettings
from ..types import Recording
from .page import page, table

if TYPE_CHECKING:
    import numpy

    from ..speech import Engine, Listener

    Samples = numpy.ndarray[tuple[int], numpy.dtype[numpy.float32]]

RATE = 16_000
"""Samples a second at which everything is compared."""
ESPEAK = "espeak-ng"
RECORDING, VOCODED = "the recording itself", "the recording through the vocoder"
HEADINGS = {
    "distortion": "mel-cepstral distortion, dB",
    "voicing": "voicing error",
    "cents": "pitch error, cents",
    "gross": "gross pitch error",
    "duration": "duration / recording's",
    "word_errors": "word error rate",
    "real_time": "seconds of work a second",
}
SHARES = ("voicing", "gross", "word_errors")


@dataclass(frozen=True, slots=True)
class Compared:
    """One sentence of one speaker, against its recording; None where it was not measured."""

    distortion: float
    voicing: float
    cents: float | None
    gross: float | None
    duration: float
    word_errors: float | None = None
    real_time: float | None = None


@dataclass(frozen=True, slots=True)
class System:
    """What one way of speaking reaches: each figure of `Compared` by name, with its 95 % bootstrap interval over sentences."""

    name: str
    figures: dict[str, Interval]


@dataclass(frozen=True, slots=True)
class SpeechReport:
    """Everything measured, the voice first."""

    model: str
    rows: int
    systems: tuple[System, ...]
    failed: tuple[str, ...]
    """Sentences that the voice could not say, with the reason."""
    statements: tuple[str, ...]

    def tables(self) -> list[tuple[str, list[str], list[list[str]]]]:
        """The figures as tables of text: title, header, rows."""
        names = [name for name in HEADINGS if any(name in system.figures for system in self.systems)]
        rows = [[system.name, *(_cell(system.figures.get(name), name) for name in names)] for system in self.systems]
        return [(f"{self.rows:,} sentences, mean and 95 % interval", ["", *(HEADINGS[name] for name in names)], rows)]

    def sentences(self) -> list[str]:
        """What to know of the figures, in words."""
        return [*self.statements, *(f"not spoken: {one}" for one in self.failed)]

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON values."""
        return asdict(self)


def evaluate_speech(
    settings: EvaluateSpeechSettings, progress: Callable[[int, int], None] | None = None
) -> SpeechReport:
    """Measure a voice on a split; see `api.evaluate_speech`."""
    rows = _rows(settings)
    engine = speech.load(settings)
    listener = _listener(settings)
    others, statements = _others(engine, settings)
    values: dict[str, dict[int, Compared]] = {}
    failed: list[str] = []
    for index, row in enumerate(rows):
        samples = open_audio(row.audio, RATE).samples
        reference = _Reference(trimmed(samples, RATE))
        try:
            _use_speaker(engine, row, settings)
            spoken, seconds = _timed(engine, row.text)
        except SeesayError as error:
            failed.append(f"{row.origin}: {error.message}")
        else:
            if len(trimmed(spoken, RATE)):
                heard = [(settings.model, spoken, seconds), (RECORDING, samples, None)]
                heard += [(name, sound, None) for name, speak in others if len(sound := speak(row, reference.samples))]
                for name, sound, took in heard:
                    found = reference.compare(trimmed(sound, RATE))
                    time_used = None if took is None else took / (len(sound) / RATE)
                    wrong = None if listener is None else _word_errors(listener, sound, row.text)
                    values.setdefault(name, {})[index] = replace(found, real_time=time_used, word_errors=wrong)
            else:
                failed.append(f"{row.origin}: nothing is heard in what it said")
        if progress is not None:
            progress(index + 1, len(rows))
    if not values:
        raise DataError("no sentence could be spoken", where=settings.data, hint=failed[0] if failed else "")
    if listener is None:
        statements.append("no word error rate: --listen-model names a Whisper that hears this language")
    systems = tuple(System(name, _figures(list(found.values()))) for name, found in values.items())
    report = SpeechReport(settings.model, len(values[settings.model]), systems, tuple(failed), tuple(statements))
    if settings.output is not None:
        write_speech(report, settings.output)
    return report


def write_speech(report: SpeechReport, folder: Path) -> None:
    """Write report.json and report.html into `folder`, each whole or not at all."""
    write_whole(folder / "report.json", json.dumps(report.to_dict(), ensure_ascii=False, indent=1) + "\n")
    parts = [table(*one) for one in report.tables()]
    parts += [f'<p class="soft">{escape(sentence)}</p>' for sentence in report.sentences()]
    write_whole(folder / "report.html", page(f"Speech: {report.model}", parts))


class _Reference:
    """A recording, with what others are compared by."""

    def __init__(self, samples: Samples) -> None:
        self.samples = samples
        self._log_mel = log_mel(samples)
        self._cepstra = mel_cepstra(self._log_mel)
        self._pitch = yin(samples, RATE, HOP, len(self._cepstra))

    def compare(self, samples: Samples) -> Compared:
        cepstra = mel_cepstra(log_mel(samples))
        here, there = align(self._cepstra, cepstra)
        pitch = yin(samples, RATE, HOP, len(cepstra))
        off = errors(self._pitch[here], pitch[there])
        return Compared(
            distortion=distortion(self._cepstra[here], cepstra[there]),
            voicing=off.voicing,
            cents=off.cents,
            gross=off.gross,
            duration=len(samples) / len(self.samples),
        )


HOP, WINDOW, BINS = 256, 1024, 80
FLOOR = 1e-5
"""Magnitude (100 dB below full scale) under which a spectrum says nothing more."""


def log_mel(samples: Samples) -> numpy.ndarray[Any, Any]:
    """(frames, 80), log10 of mel magnitudes at 16 kHz, 16 ms apart, 80 to 7,600 Hz: those of SpeechT5, without transformers and
    with the loudness of the whole brought to one level, so that no voice gains by being quiet."""
    import numpy

    level = max(float(numpy.sqrt(numpy.square(samples, dtype=numpy.float64).mean())), 1e-9)
    evened = numpy.asarray(samples, float) * (0.05 / level)
    padded = numpy.pad(evened, WINDOW // 2, "reflect" if len(samples) > WINDOW // 2 else "constant")
    padded = numpy.pad(padded, (0, max(0, WINDOW - len(padded))))
    frames = numpy.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    window = 0.5 - 0.5 * numpy.cos(2 * numpy.pi * numpy.arange(WINDOW) / WINDOW)
    magnitude = numpy.abs(numpy.fft.rfft(frames * window))
    found: numpy.ndarray[Any, Any] = numpy.log10(numpy.maximum(magnitude @ _filters(), FLOOR))
    return found


def _filters() -> numpy.ndarray[Any, Any]:
    """(frequencies, 80) triangles of Slaney's mel scale and area (Auditory Toolbox, 1998)."""
    import numpy

    def hertz(mel: Any) -> Any:
        return numpy.where(mel < 15, mel * 200 / 3, 1000 * numpy.exp((mel - 15) * numpy.log(6.4) / 27))

    def mels(frequency: float) -> float:
        return (
            frequency * 3 / 200 if frequency < 1000 else 15 + 27 * float(numpy.log(frequency / 1000) / numpy.log(6.4))
        )

    edges = hertz(numpy.linspace(mels(80), mels(7600), BINS + 2))
    bins = numpy.linspace(0, RATE / 2, WINDOW // 2 + 1)[:, None]
    rising, falling = (bins - edges[:-2]) / numpy.diff(edges)[:-1], (edges[2:] - bins) / numpy.diff(edges)[1:]
    found: numpy.ndarray[Any, Any] = numpy.maximum(0, numpy.minimum(rising, falling)) * (2 / (edges[2:] - edges[:-2]))
    return found


def _rows(settings: EvaluateSpeechSettings) -> Sequence[Recording]:
    found = data.load_recordings(settings)
    rows = found.evaluation
    if found.problems and not rows:
        raise DataError("no rows that can be used", where=found.name, problems=found.problems)
    if not rows:
        raise DataError("no recordings to measure against", where=found.name)
    if 0 < settings.limit < len(rows):
        rows = tuple(random.Random(settings.seed).sample(rows, settings.limit))
    return rows


def _listener(settings: EvaluateSpeechSettings) -> Listener | None:
    if not settings.listen_model:
        return None
    asked = ListenSettings(model=settings.listen_model, device=settings.device, language=settings.language)
    return speech.load_listener(asked)


def _use_speaker(engine: Engine, row: Recording, settings: EvaluateSpeechSettings) -> None:
    """Speak as the speaker of the row where the voice knows them by name and no other was asked for."""
    if not settings.speaker and row.speaker in getattr(engine, "speakers", ()):
        engine.use_speaker(row.speaker)  # type: ignore[attr-defined]


def _timed(engine: Engine, text: str) -> tuple[Samples, float]:
    """What the voice says, at 16 kHz, and the seconds it took to say it."""
    started = time.perf_counter()
    spoken = speech.speak(text, engine)
    seconds = time.perf_counter() - started
    return open_audio((spoken.samples, spoken.sample_rate), RATE).samples, seconds


def _others(
    engine: Engine, settings: EvaluateSpeechSettings
) -> tuple[list[tuple[str, Callable[[Recording, Samples], Samples]]], list[str]]:
    """The ways of speaking that stand beside the voice, and what to say about those that cannot."""
    others: list[tuple[str, Callable[[Recording, Samples], Samples]]] = []
    statements = []
    if hasattr(engine, "revoice"):
        others.append((VOCODED, lambda row, samples: engine.revoice(samples)))
    program = shutil.which(ESPEAK)
    if program:
        language = settings.language or str(getattr(getattr(engine, "speller", None), "language", "") or "en")
        others.append((f"{ESPEAK} ({language})", lambda row, samples: _espeak(program, language, row.text)))
    else:
        statements.append("espeak-ng is not installed, so it does not stand beside the voice")
    return others, statements


def _espeak(program: str, language: str, text: str) -> Samples:
    import numpy

    done = subprocess.run(
        [program, "-v", language, "--stdout", "--stdin"], input=text.encode(), capture_output=True, timeout=60
    )
    # Written to a pipe, its header does not know how long the sound is.
    if done.returncode or len(done.stdout) <= 44:
        return numpy.zeros(0, numpy.float32)
    rate = int.from_bytes(done.stdout[24:28], "little")
    return open_audio((numpy.frombuffer(done.stdout[44 : len(done.stdout) // 2 * 2], "<i2"), rate), RATE).samples


def _word_errors(listener: Listener, samples: Samples, text: str) -> float:
    heard = listener.listen((samples, RATE)).text
    return WordErrorRate().score([heard], [[text]]).captions[0]


def _figures(found: Sequence[Compared]) -> dict[str, Interval]:
    figures = {}
    for name in HEADINGS:
        values = [value for one in found if (value := getattr(one, name)) is not None]
        if values:
            figures[name] = interval(values, list(range(len(values))))
    return figures


def _cell(found: Interval | None, name: str) -> str:
    if found is None:
        return ""
    scale, digits = (100, 1) if name in SHARES else (1, 0 if name == "cents" else 3 if name == "real_time" else 2)
    mean, low, high = (f"{value * scale:.{digits}f}" for value in (found.mean, found.low, found.high))
    return f"{mean}{' %' if name in SHARES else ''} ({low} to {high})"
