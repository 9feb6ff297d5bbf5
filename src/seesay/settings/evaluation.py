"""Settings of measuring models."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .data import DataSettings, Normalizer
from .fields import setting
from .models import GenerationSettings, ModelSettings
from .speech import VoiceSettings


@dataclass(frozen=True, kw_only=True)
class EvaluateVqaSettings(DataSettings, ModelSettings):
    """Measure answers by the official VQA accuracy, with intervals and the baselines beside it."""

    split: str = ""
    """The split to measure on; the default is test, else validation, else all rows."""
    output: Path | None = None
    """Folder for report.json and report.html; nothing is written without it."""
    batch_size: int = setting(32, low=1, high=1024)
    """Rows computed at once; it never changes a figure."""
    limit: int = setting(0, low=0)
    """Measure on this many rows only, drawn by the seed; 0 takes all."""
    normalizer: Normalizer = "english"
    """How answers are made comparable."""
    accuracy: Literal["official", "always-normalize"] = "official"
    """`official` leaves answers as they are where all annotators agree to the letter, as the published code does."""


@dataclass(frozen=True, kw_only=True)
class EvaluateCaptionSettings(DataSettings, GenerationSettings, ModelSettings):
    """Measure generated captions by BLEU, ROUGE-L, CIDEr-D and others, with intervals and the baselines beside them."""

    split: str = ""
    """The split to measure on; the default is test, else validation, else all rows."""
    output: Path | None = None
    """Folder for report.json and report.html; nothing is written without it."""
    batch_size: int = setting(16, low=1, high=1024)
    """Pictures computed at once; it never changes a figure."""
    limit: int = setting(0, low=0)
    """Measure on this many pictures only, drawn by the seed; 0 takes all."""


@dataclass(frozen=True, kw_only=True)
class EvaluateSpeechSettings(DataSettings, VoiceSettings):
    """Measure a voice against recordings of the same sentences."""

    split: str = ""
    """The split to measure on; the default is test, else validation, else all rows."""
    output: Path | None = None
    """Folder for report.json and report.html; nothing is written without it."""
    limit: int = setting(50, low=0)
    """Measure on this many rows only, drawn by the seed; 0 takes all."""
    listen_model: str = ""
    """The Whisper checkpoint that writes down what is heard, for the word error rate; without one there is none."""
    language: str = ""
    """Language that is spoken, as a code such as `nl`, for Whisper and for espeak-ng; the default is the voice's own."""
