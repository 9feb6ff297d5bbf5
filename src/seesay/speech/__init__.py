"""Text to sound: voices, sentences, files and loudspeakers. Knows nothing about pictures and models."""

from __future__ import annotations

from ..errors import UsageError
from ..registry import discover
from .engine import Engine
from .play import player
from .speak import omitted, speak, stream
from .write import captions_path, encoder, save

__all__ = ["Engine", "all_engines", "captions_path", "encoder", "load", "omitted", "player", "save", "speak", "stream"]


def all_engines() -> dict[str, type[Engine]]:
    """Every voice by its name."""
    return discover("seesay.speech.engines", Engine)


def load(name: str = "hibari", *, speed: float = 1.0) -> Engine:
    """The voice of that name, at that speed (1 is its natural pace).

    Raises:
        UsageError: there is none of that name; the hint lists them.
    """
    engines = all_engines()
    if name not in engines:
        raise UsageError(f"no voice named {name!r}", hint=f"voices known: {', '.join(engines)}")
    return engines[name](speed)
