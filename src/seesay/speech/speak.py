"""From text to speech: sentence by sentence, evenly loud, with short pauses. Knows nothing about files or loudspeakers."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..errors import SpeechError
from ..types import Cue, Speech, Utterance
from .engine import Engine
from .sentences import Piece, split

if TYPE_CHECKING:
    import numpy

    Samples = numpy.ndarray[tuple[int], numpy.dtype[numpy.float32]]

LOUDNESS = 0.07
"""Root mean square of the spoken parts of every sentence, full scale being 1; about -23 dB, as in broadcasting."""
PEAK = 0.95
PAUSE = 0.3
"""Seconds between two sentences."""
BREATH = 0.1
"""Seconds between two parts of a sentence that was too long to be said at once."""


def speak(text: str, engine: Engine) -> Speech:
    """All of `text` as sound, with the times of its sentences.

    Raises:
        SpeechError: there is nothing in it that the voice can say, or the voice failed on a sentence.
    """
    import numpy

    utterances = list(stream(text, engine))
    return Speech(
        samples=numpy.concatenate([utterance.samples for utterance in utterances]),
        sample_rate=engine.sample_rate,
        cues=tuple(utterance.cue for utterance in utterances),
        omitted=omitted(text, engine),
    )


def stream(text: str, engine: Engine) -> Iterator[Utterance]:
    """The sentences of `text`, each as soon as it is spoken; their samples, one after the other, are the whole.

    Raises:
        SpeechError: as `speak`; what was spoken before it stands.
    """
    pieces = [piece for piece in split(text, engine.max_characters) if any(map(engine.can_say, piece.text))]
    if not pieces:
        raise _nothing_to_say(text, engine)
    position = 0
    for index, piece in enumerate(pieces):
        sound = _say(piece.text, engine)
        samples = sound if index + 1 == len(pieces) else _with_pause(sound, piece, engine.sample_rate)
        start, end = position / engine.sample_rate, (position + len(sound)) / engine.sample_rate
        yield Utterance(Cue(piece.text, start, end), samples, engine.sample_rate)
        position += len(samples)


def omitted(text: str, engine: Engine) -> tuple[str, ...]:
    """The letters, digits and symbols of `text` that the voice cannot say, each once, in order. Marks count as silent."""
    return tuple(dict.fromkeys(c for c in text if _stands_for_sound(c) and not engine.can_say(c)))


def _stands_for_sound(character: str) -> bool:
    category = unicodedata.category(character)
    # Sk are accents that stand alone and the skin colors of emoji, Cn what Unicode has not assigned yet.
    return category == "Cn" or (category[0] in "LNS" and category != "Sk")


def _nothing_to_say(text: str, engine: Engine) -> SpeechError:
    left_out = omitted(text, engine)
    if not left_out:
        return SpeechError("there is nothing to say in it, only punctuation", where="text")
    found = " ".join(left_out[:20]) + (" ..." if len(left_out) > 20 else "")
    hint = f"the voice {engine.name} speaks {engine.speaks}"
    return SpeechError(f"nothing in it can be spoken: {found}", where="text", hint=hint)


def _say(sentence: str, engine: Engine) -> Samples:
    try:
        samples = engine.synthesize(sentence)
    # Whatever breaks inside a voice, the user must learn which sentence it was.
    except Exception as error:
        raise _failed(sentence, engine, f"{type(error).__name__}: {error}") from error
    if not samples.any():
        raise _failed(sentence, engine, "it gave no sound")
    return _even(samples, engine.sample_rate)


def _failed(sentence: str, engine: Engine, reason: str) -> SpeechError:
    hint = "leave the sentence out or write it another way"
    return SpeechError(f"the voice {engine.name} failed on {sentence!r}: {reason}", where="text", hint=hint)


def _even(samples: Samples, sample_rate: int) -> Samples:
    """The same sound at the loudness of all others, or as near to it as its highest peak allows."""
    import numpy

    frame = min(len(samples), sample_rate // 50)
    frames = samples[: len(samples) // frame * frame].reshape(-1, frame)
    power: numpy.ndarray[tuple[int], numpy.dtype[numpy.float64]] = numpy.square(frames, dtype=numpy.float64).mean(
        axis=1
    )
    # Silence before, within and after a sentence says nothing about how loud its speech is.
    level = float(numpy.sqrt(numpy.mean(power[power >= power.max() / 100])))
    peak = float(numpy.abs(samples).max())
    gain = min(LOUDNESS / level if level else PEAK / peak, PEAK / peak)
    return (samples * numpy.float32(gain)).astype(numpy.float32, copy=False)


def _with_pause(sound: Samples, piece: Piece, sample_rate: int) -> Samples:
    import numpy

    pause = numpy.zeros(round((PAUSE if piece.final else BREATH) * sample_rate), numpy.float32)
    return numpy.concatenate([sound, pause])
