"""Settings of the commands that look at engines: what computes an answer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .fields import setting
from .models import GenerationSettings, ModelSettings


@dataclass(frozen=True, kw_only=True)
class ModelsSettings(ModelSettings):
    """List models and engines."""

    explain: bool = False
    """Say which engine answers with `--model`, why, and what else there is, in place of the list."""


@dataclass(frozen=True, kw_only=True)
class BenchSettings(GenerationSettings, ModelSettings):
    """Measure which engine is best on this machine for a model."""

    picture: Path | None = None
    """Ask about this picture; the default is one that is made up."""
    answers: int = setting(5, low=1, high=1000)
    """Answers that each process gives, beside the first."""
    rounds: int = setting(3, low=1, high=100)
    """Processes of each engine, in turns."""
