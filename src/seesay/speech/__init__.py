"""Text to sound and back: voices, sentences, files, loudspeakers, and questions asked by voice. Knows nothing about
pictures."""

from __future__ import annotations

from dataclasses import replace

from ..errors import ModelError, UsageError
from ..models.checkpoint import Checkpoint, find, place
from ..registry import discover
from ..settings import ModelSettings, VoiceSettings
from .checkpoint_voice import CheckpointVoice
from .engine import Engine
from .listen import Listener, load_listener
from .play import player
from .speak import omitted, speak, stream
from .write import captions_path, encoder, save

__all__ = [
    "CheckpointVoice",
    "Engine",
    "Listener",
    "all_engines",
    "alphabet_of",
    "captions_path",
    "encoder",
    "load",
    "load_listener",
    "omitted",
    "player",
    "save",
    "speak",
    "stream",
]


def all_engines() -> dict[str, type[Engine]]:
    """Every voice by its name."""
    return discover("seesay.speech.engines", Engine)


def load(settings: VoiceSettings | None = None) -> Engine:
    """The voice that `settings` name (by default the embedded one): one that comes with the package, or a checkpoint,
    found by its config.json.

    Raises:
        UsageError: it has no such speaker, or one pace only.
        ModelNotFound, ModelError: there is none of that name, or it cannot speak.
        MissingExtra: packages that it needs are not installed.
    """
    settings = settings or VoiceSettings()
    engines = all_engines()
    packaged = engines.get(settings.model)
    if packaged is not None and not issubclass(packaged, CheckpointVoice):
        if settings.speaker:
            hint = "leave out --speaker, or name a checkpoint with --model"
            raise UsageError(
                f"{settings.model} has one speaker, not {settings.speaker!r}", where="--speaker", hint=hint
            )
        return packaged(settings.speed)
    checkpoint = find(settings.model, settings.revision)
    voice = _voice_of(checkpoint, engines)
    # Half the number of bits is heard in vocoders, so `auto` never takes it here.
    placement = replace(place(ModelSettings(device=settings.device)), dtype="float32")
    return voice.open(checkpoint, placement, settings)


def alphabet_of(model: str) -> frozenset[str]:
    """The characters that the tokenizer of a SpeechT5 has.

    Raises:
        ModelNotFound, ModelError: there is none of that name, or it is another voice.
    """
    from ..models.checkpoint import import_torch
    from .checkpoint_voice import read_tokenizer
    from .engines.speecht5 import SpeechT5, alphabet

    checkpoint = find(model)
    if checkpoint.model_type not in SpeechT5.model_types:
        found = checkpoint.model_type or "none"
        raise ModelError(f"model_type {found!r} is no SpeechT5, whose tokenizer is looked at", where=checkpoint.name)
    import_torch()
    import transformers

    return alphabet(read_tokenizer(transformers.SpeechT5Tokenizer, checkpoint))


def _voice_of(checkpoint: Checkpoint, engines: dict[str, type[Engine]]) -> type[CheckpointVoice]:
    by_type: dict[str, type[CheckpointVoice]] = {}
    for engine in engines.values():
        if not issubclass(engine, CheckpointVoice):
            continue
        for model_type in engine.model_types:
            if by_type.setdefault(model_type, engine) is not engine:
                raise ValueError(f"{model_type!r} is claimed by {by_type[model_type].name} and {engine.name}")
    if checkpoint.model_type not in by_type:
        found = checkpoint.model_type or "none"
        hint = f"voices: {', '.join(sorted(by_type))}"
        raise ModelError(f"model_type {found!r} is not a voice", where=checkpoint.name, hint=hint)
    return by_type[checkpoint.model_type]
