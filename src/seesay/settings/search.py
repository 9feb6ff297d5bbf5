"""Settings of indexing pictures and finding them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .fields import setting
from .models import ModelSettings


@dataclass(frozen=True, kw_only=True)
class IndexSettings(ModelSettings):
    """Encode pictures once, to ask about them many times."""

    output: Path = Path("photos.seesay")
    """The index: made where there is none, brought up to date where there is one."""
    batch_size: int = setting(16, low=1, high=1024)
    """Pictures encoded at once, and written before the next."""


@dataclass(frozen=True, kw_only=True)
class FindSettings(ModelSettings):
    """Find pictures by a question."""

    model: str = ""
    """The model that answers; the default is the one that made the index. Another one opens every picture again."""
    precision: float | None = setting(None, low=0.0, high=1.0)
    """Give so many pictures that at least this share of them is right, as far as that was measured; the default gives those
    that are more likely right than wrong."""
    candidates: int = setting(5_000, low=0)
    """Ask the model about this many pictures at most, those that look most like what is wanted; 0 asks about all."""
    limit: int = setting(0, low=0)
    """Give this many pictures at most, the best; 0 gives all."""
    output: Path | None = None
    """Write the pictures found into this HTML file, with their descriptions."""
    link: Path | None = None
    """Put links to the pictures found into this new folder, the best first."""
    copy: Path | None = None
    """Put copies of the pictures found into this new folder, the best first."""
    batch_size: int = setting(64, low=1, high=1024)
    """Pictures asked about at once; it never changes what is found."""
