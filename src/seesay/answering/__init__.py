"""From examples to answers: in batches, in order, with provenance."""

from .answer import answer

__all__ = ["answer"]
