"""Settings of work over many pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from .fields import setting
from .models import Engine, GenerationSettings, ModelSettings


@dataclass(frozen=True, kw_only=True)
class BatchOutput:
    """Where rows go and what computes them; none of it decides what is in them."""

    output: Path | None = None
    """File for the rows: `.jsonl`, or `.parquet`."""
    retry_failed: bool = False
    """Take the rows that failed before out of the output and compute them again."""
    engine: Engine = "auto"
    """What computes on this machine, as elsewhere; or `ray`, which spreads the work over a Ray cluster, for when one machine is
    too small, each taking what `auto` takes; needs seesay[ray]."""
    ray_address: str = ""
    """Address of a running cluster, or `auto`; without it Ray is started on this machine."""
    workers: int = setting(0, low=0, high=4096)
    """Most workers that a Ray cluster runs; 0 takes as many as it has processors for."""


@dataclass(frozen=True, kw_only=True)
class BatchAskSettings(BatchOutput, GenerationSettings, ModelSettings):
    """Ask many questions about many pictures."""

    questions: Path | None = None
    """A text file of questions, one a line, asked about every picture (beside those given with -q)."""
    top_k: int = setting(1, low=1, high=1000)
    """How many answers to give, best first."""
    choices: str = ""
    """Answer with one of these, separated by commas, such as `yes,no`; scores say how likely each is among them."""
    abstain_at_risk: float | None = setting(None, low=0.0, high=1.0)
    """Give no answer where too many such answers are wrong: of those given at most this share is. 1 always answers; the
    default is the model's own, 0.1 for `seesay-mini`."""
    batch_size: int = setting(16, low=1, high=1024)
    """How many questions are computed at once; it never changes an answer."""


@dataclass(frozen=True, kw_only=True)
class BatchCaptionSettings(BatchOutput, GenerationSettings, ModelSettings):
    """Describe many pictures."""

    batch_size: int = setting(16, low=1, high=1024)
    """How many pictures are computed at once; it never changes a caption."""


@dataclass(frozen=True, kw_only=True)
class BatchReadSettings(BatchOutput):
    """Read the text in many pictures."""

    min_confidence: float = setting(0.5, low=0.0, high=1.0)
    """Leave out lines of less confidence than this."""


BatchSettings: TypeAlias = BatchAskSettings | BatchCaptionSettings | BatchReadSettings
"""Those of one of the three."""
