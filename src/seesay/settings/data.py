"""Which rows are read, and what is looked at in them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .fields import setting

Normalizer = Literal["english", "unicode", "none"]


@dataclass(frozen=True, kw_only=True)
class DataSettings:
    """What decides which rows are read."""

    data: str = ""
    """A file, a folder, a Hub data set (`hf:owner/name`) or `easy-vqa`; the format is found by content."""
    images: Path | None = None
    """Folder of the pictures or recordings, where it is not the folder of the data."""
    split: str = ""
    """Read this split alone (such as `validation[:200]`)."""
    validation_fraction: float = setting(0.1, low=0.0, high=0.9)
    """Share of the training pictures held out for validation where the data has no validation split of its own."""
    test_fraction: float = setting(0.0, low=0.0, high=0.9)
    """Share of the training pictures held out for a test where the data has no test split of its own. Training never sees
    them, and `evaluate` with the same data, seed and fractions measures on them."""
    seed: int = setting(42, low=0, high=2**32 - 1)
    """Decides every random choice: splits, order, augmentation, dropout, fresh weights."""


@dataclass(frozen=True, kw_only=True)
class AnswerSettings:
    """How the answers to questions are counted."""

    vocabulary_size: int = setting(0, low=0)
    """Keep the most frequent training answers only; 0 keeps all."""
    normalizer: Normalizer = "english"
    """How answers are made comparable for vocabulary, targets and accuracy."""


@dataclass(frozen=True, kw_only=True)
class CheckSettings(AnswerSettings, DataSettings):
    """Read a data set as training would, and say what is in it and what is wrong with it."""

    model: str = ""
    """Show the first rows as this model's tokens, those marked that it would learn to write; of recordings, tell which
    characters the tokenizer of this voice lacks."""
    plots: Path | None = None
    """Of recordings: write a page with plots of lengths, paces, levels and speakers into this HTML file."""
