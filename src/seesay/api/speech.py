"""Texts spoken, recordings written down."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import Unpack

from .. import config, speech
from ..media import clean_text, probe_audio
from ..settings import (
    Device,
    ListenSettings,
    SpeakSettings,
    VoiceKeywords,
)
from ..types import (
    AudioSource,
    Speech,
    Transcript,
    Utterance,
)

SPEECH_CHARACTERS = 50_000
"""About an hour of speech, which is 300 MB of samples."""


class Voice:
    """A loaded voice. Made by `load_voice`; safe to keep for as many texts as you like."""

    def __init__(self, engine: speech.Engine) -> None:
        self.engine = engine

    @property
    def sample_rate(self) -> int:
        """Samples a second of what it says."""
        return self.engine.sample_rate

    def speak(self, text: str) -> Speech:
        """A text as speech.

        Args:
            text: up to 50,000 characters.

        Raises:
            TextError: the text is empty, too long, or holds control characters.
            SpeechError: nothing in it can be spoken, or the voice failed on a sentence, which is named.
        """
        return speech.speak(clean_text(text, SPEECH_CHARACTERS, where="text"), self.engine)

    def stream(self, text: str) -> Iterator[Utterance]:
        """The sentences of a text, each as soon as it is spoken. Raises as `speak`; what was spoken before stands."""
        return speech.stream(clean_text(text, SPEECH_CHARACTERS, where="text"), self.engine)


def load_voice(model: str | None = None, /, **keywords: Unpack[VoiceKeywords]) -> Voice:
    """Load the voice that comes with the package, or a Bark, SpeechT5, VITS (MMS) or FastSpeech2Conformer checkpoint.

    Args:
        model: `hibari`, a folder, or `owner/name` of a Hub repository; None takes the setting, which is `hibari`.
        keywords: `revision`, `device`, `speaker`, `speaker_model`, `vocoder`, `seed`, `speed`, as in `VoiceSettings`.

    Raises:
        UsageError: it has no such speaker, or one pace only.
        ModelNotFound, ModelError: there is none, or it cannot speak.
        AudioError: the reference recording cannot be used.
        MissingExtra: packages that it needs are not installed.
    """
    return Voice(speech.load(config.resolve(SpeakSettings, "speak", {"model": model, **keywords})))


def speak(text: str, /, model: str | None = None, **keywords: Unpack[VoiceKeywords]) -> Speech:
    """A text as speech; `load_voice(...).speak` for more than one.

    Args:
        text: up to 50,000 characters.
        model, keywords: as in `load_voice`.

    Raises:
        TextError, SpeechError: as `Voice.speak`.
        UsageError, ModelError, AudioError, MissingExtra: as `load_voice`.
    """
    return load_voice(model, **keywords).speak(text)


def listen(
    source: AudioSource, /, *, model: str | None = None, language: str | None = None, device: Device | None = None
) -> Transcript:
    """What is said in a recording, by a Whisper checkpoint.

    Args:
        source: a path, encoded bytes, or a pair of an array (samples,) or (samples, channels) and its rate.
        model: a folder or a Hub repository; None takes the setting, which is `openai/whisper-base.en`.
        language: code of the language that is spoken, such as `en`; None takes what the model hears.

    Raises:
        AudioError: the recording cannot be used.
        ModelNotFound, ModelError: there is no such model, or it does not write down speech.
        MissingExtra: packages that it needs are not installed.
    """
    given = {"model": model, "language": language, "device": device}
    return next(hear(config.resolve(ListenSettings, "listen", given), [source]))


def hear(settings: ListenSettings, sources: Sequence[AudioSource]) -> Iterator[Transcript]:
    """What is said in recordings. They are looked at before a model is loaded."""
    for source in sources:
        probe_audio(source)
    listener = speech.load_listener(settings)
    return (listener.listen(source) for source in sources)


def save_speech(spoken: Speech, path: str | PathLike[str], /, *, captions: bool = False) -> None:
    """Write speech as .wav, .flac, .ogg or .mp3, whole or not at all; with `captions` also as WebVTT beside it.

    Raises:
        UsageError: another ending.
        MissingExtra: all but .wav need `seesay[sound]`.
        ResourceError: the file cannot be written.
    """
    speech.save(spoken, Path(path), captions=captions)


def say(settings: SpeakSettings, text: str) -> Speech:
    """Speak a text into a file, on the loudspeaker, or both. The text is looked at before a voice is loaded."""
    cleaned = clean_text(text, SPEECH_CHARACTERS, where="text")
    return speaker(settings)(cleaned)


def speaker(settings: SpeakSettings) -> Callable[[str], Speech]:
    """What speaks a text into the file, on the loudspeaker, or both. Both are looked at here and the voice is loaded, before
    there is a text.

    Raises:
        UsageError, MissingExtra: a file of that ending cannot be written.
        ResourceError: nothing here plays sound.
        UsageError, ModelError, AudioError: as `load_voice`.
    """
    play = speech.player() if settings.play else None
    if settings.output:
        speech.encoder(settings.output)
    voice = Voice(speech.load(settings))

    def speak_it(text: str) -> Speech:
        spoken = voice.speak(text)
        if settings.output:
            save_speech(spoken, settings.output, captions=settings.captions)
        if play:
            play(spoken)
        return spoken

    return speak_it
