"""Settings of speaking and listening."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from .fields import setting
from .models import Device


@dataclass(frozen=True, kw_only=True)
class VoiceSettings:
    """What decides which voice speaks, and how."""

    model: str = "hibari"
    """`hibari`, the English voice that comes with the package, the folder of a Bark, SpeechT5, VITS (MMS) or
    FastSpeech2Conformer checkpoint, or a Hub repository."""
    revision: str = ""
    """Branch, tag or commit of a Hub repository."""
    device: Device = "auto"
    """Where to compute; `auto` takes CUDA, then Apple's MPS, then the processor. `hibari` takes no notice."""
    speaker: str = ""
    """Who speaks, where a checkpoint has a choice. Bark: a preset (`v2/en_speaker_6`) or an .npz file. SpeechT5: a .npy,
    .json or .safetensors file of its speaker embedding, or a recording of the speaker. VITS: a number."""
    speaker_model: str = "microsoft/wavlm-base-plus-sv"
    """Checkpoint that makes speaker embeddings (x-vectors) of recordings."""
    vocoder: str = ""
    """Folder or Hub repository of the vocoder of a SpeechT5 or FastSpeech2Conformer; the default is the checkpoint's own
    (`vocoder/` in its folder), else the one published with it. For a SpeechT5 also `griffin-lim`, which needs no weights and
    sounds hollow."""
    seed: int = setting(0, low=0, high=2**32 - 1)
    """Decides the chance in checkpoints' voices; the same seed says a sentence the same way."""
    speed: float = setting(1.0, low=0.5, high=2.0)
    """How fast to speak; 2 is twice as fast as the voice's natural pace. Bark and SpeechT5 have one pace."""


class VoiceKeywords(TypedDict, total=False):
    """`VoiceSettings` as keywords of `seesay.load_voice`; a test keeps the two alike."""

    revision: str
    device: Device
    speaker: str
    speaker_model: str
    vocoder: str
    seed: int
    speed: float


@dataclass(frozen=True, kw_only=True)
class SpeakSettings(VoiceSettings):
    """Speak a text."""

    output: Path | None = None
    """Sound file to write; the ending decides the kind: .wav, .flac, .ogg or .mp3."""
    captions: bool = False
    """Write WebVTT captions beside the sound file, with the times of its sentences."""
    play: bool = False
    """Play it on this machine's loudspeaker."""


@dataclass(frozen=True, kw_only=True)
class ListenSettings:
    """Write down what is said in a recording."""

    model: str = "openai/whisper-base.en"
    """The folder of a Whisper checkpoint (of transformers, or converted for CTranslate2), or a Hub repository."""
    revision: str = ""
    """Branch, tag or commit of a Hub repository."""
    device: Device = "auto"
    """Where to compute; `auto` takes CUDA, then Apple's MPS, then the processor."""
    language: str = ""
    """Language that is spoken, as a code such as `en`; the default is what the model hears."""
