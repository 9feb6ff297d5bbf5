"""The text in a picture: reading it, and telling which questions ask for it. Importing this package imports no engine."""

from __future__ import annotations

from .questions import answer_from, asks_for_text
from .read import read

__all__ = ["answer_from", "asks_for_text", "read"]
