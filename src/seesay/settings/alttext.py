"""Settings of `seesay alt`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .fields import setting
from .models import GenerationSettings, ModelSettings


@dataclass(frozen=True, kw_only=True)
class AltSettings(GenerationSettings, ModelSettings):
    """Suggest alternative texts for the pictures in documents."""

    write: bool = False
    """Change the files. Without it they are left alone and a diff is shown."""
    review: Path | None = None
    """Write a page here on which each suggestion can be accepted, changed or refused; it saves a file of decisions."""
    apply: Path | None = None
    """Take the texts from this file of decisions, which a review page saved, and suggest none."""
    also_empty: bool = False
    """Also suggest texts where a page has an empty one, which otherwise counts as somebody's decision."""
    renew: bool = False
    """Also suggest anew where an earlier run wrote a text and nobody has changed or accepted it since."""
    root: Path | None = None
    """The folder that addresses beginning with `/` are in; pictures may then lie anywhere in it. Without it, only in the
    folder of their document."""
    limit: int = setting(125, low=20, high=1000)
    """Most characters of an alternative text."""
    min_certainty: float = setting(0.95, low=0.0, high=1.0)
    """Write descriptions and texts read in pictures from this score on; those below it are left for review. 0 writes all
    of them, those of models whose scores mean nothing too."""
    batch_size: int = setting(16, low=1, high=1024)
    """How many pictures are described at once; it never changes a description."""
