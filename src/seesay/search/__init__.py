"""Pictures encoded once, and found by any number of questions."""

from .find import Findings, find
from .index import IndexReport, refresh
from .store import Store

__all__ = ["Findings", "IndexReport", "Store", "find", "refresh"]
