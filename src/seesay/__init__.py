"""seesay: ask pictures questions, and train, measure and keep the models that answer.

    import seesay

    model = seesay.load()
    print(model.ask("photo.jpg", "What animal is this?").text)

The names below are the public interface. They are loaded when first used, so `import seesay` costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .api import (
        Model,
        Voice,
        check,
        evaluate_caption,
        evaluate_vqa,
        listen,
        load,
        load_data,
        load_voice,
        read,
        save_speech,
        speak,
        train_caption,
        train_vqa,
    )
    from .data import Dataset, Format
    from .errors import (
        AudioError,
        AudioNotFound,
        AudioTooLarge,
        AudioUnreadable,
        DataError,
        ImageError,
        ImageNotFound,
        ImageTooLarge,
        ImageUnreadable,
        InputError,
        Interrupted,
        MissingExtra,
        ModelError,
        ModelNotFound,
        Problem,
        ResourceError,
        RunError,
        SeesayError,
        SpeechError,
        TextError,
        UsageError,
    )
    from .models import Family
    from .pipelines import pipeline
    from .settings import (
        CheckSettings,
        DataSettings,
        EvaluateCaptionSettings,
        EvaluateVqaSettings,
        ListenSettings,
        ReadSettings,
        SpeakSettings,
        TrainCaptionSettings,
        TrainVqaSettings,
        VoiceSettings,
    )
    from .types import (
        Answer,
        AudioSource,
        Candidate,
        Cue,
        Evidence,
        Example,
        ImageSource,
        Line,
        Provenance,
        Reading,
        Speech,
        Transcript,
        Utterance,
    )

_HOMES = {
    ".api": (
        "Model",
        "Voice",
        "check",
        "evaluate_caption",
        "evaluate_vqa",
        "listen",
        "load",
        "load_data",
        "load_voice",
        "read",
        "save_speech",
        "speak",
        "train_caption",
        "train_vqa",
    ),
    ".data": ("Dataset", "Format"),
    ".errors": (
        "AudioError",
        "AudioNotFound",
        "AudioTooLarge",
        "AudioUnreadable",
        "DataError",
        "ImageError",
        "ImageNotFound",
        "ImageTooLarge",
        "ImageUnreadable",
        "InputError",
        "Interrupted",
        "MissingExtra",
        "ModelError",
        "ModelNotFound",
        "Problem",
        "ResourceError",
        "RunError",
        "SeesayError",
        "SpeechError",
        "TextError",
        "UsageError",
    ),
    ".models": ("Family",),
    ".pipelines": ("pipeline",),
    ".settings": (
        "CheckSettings",
        "DataSettings",
        "EvaluateCaptionSettings",
        "EvaluateVqaSettings",
        "ListenSettings",
        "ReadSettings",
        "SpeakSettings",
        "TrainCaptionSettings",
        "TrainVqaSettings",
        "VoiceSettings",
    ),
    ".types": (
        "Answer",
        "AudioSource",
        "Candidate",
        "Cue",
        "Evidence",
        "Example",
        "ImageSource",
        "Line",
        "Provenance",
        "Reading",
        "Speech",
        "Transcript",
        "Utterance",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__version__ = "0.1.0"
__all__ = [
    "Answer",
    "AudioError",
    "AudioNotFound",
    "AudioSource",
    "AudioTooLarge",
    "AudioUnreadable",
    "Candidate",
    "CheckSettings",
    "Cue",
    "DataError",
    "DataSettings",
    "Dataset",
    "EvaluateCaptionSettings",
    "EvaluateVqaSettings",
    "Evidence",
    "Example",
    "Family",
    "Format",
    "ImageError",
    "ImageNotFound",
    "ImageSource",
    "ImageTooLarge",
    "ImageUnreadable",
    "InputError",
    "Interrupted",
    "Line",
    "ListenSettings",
    "MissingExtra",
    "Model",
    "ModelError",
    "ModelNotFound",
    "Problem",
    "Provenance",
    "ReadSettings",
    "Reading",
    "ResourceError",
    "RunError",
    "SeesayError",
    "SpeakSettings",
    "Speech",
    "SpeechError",
    "TextError",
    "TrainCaptionSettings",
    "TrainVqaSettings",
    "Transcript",
    "UsageError",
    "Utterance",
    "Voice",
    "VoiceSettings",
    "__version__",
    "check",
    "evaluate_caption",
    "evaluate_vqa",
    "listen",
    "load",
    "load_data",
    "load_voice",
    "pipeline",
    "read",
    "save_speech",
    "speak",
    "train_caption",
    "train_vqa",
]


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'seesay' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME_OF[name], __name__), name)


def __dir__() -> list[str]:
    return __all__
