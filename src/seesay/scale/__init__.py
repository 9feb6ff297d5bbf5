"""Work spread over several machines by Ray, for when one is too small. It needs the extra seesay[ray]."""

from .batch import batch

__all__ = ["batch"]
