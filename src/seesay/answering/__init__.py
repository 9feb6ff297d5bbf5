"""From examples to answers: in batches, in order, with provenance. What an answer hangs on is found and drawn by `evidence`
and `draw`, which are imported where they are used."""

from .answer import answer

__all__ = ["answer"]
