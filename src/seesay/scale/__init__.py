"""Work spread over several machines by Ray, for when one is too small. It needs the extra seesay[ray]."""

from .batch import batch
from .serve import serve

__all__ = ["batch", "serve"]
