"""Data sets: found by content, read into examples, checked in full before any model is loaded."""

from .check import check
from .dataset import Dataset, load
from .format import Format, Source
from .report import CheckReport
from .vocabulary import build_vocabulary, coverage

__all__ = ["CheckReport", "Dataset", "Format", "Source", "build_vocabulary", "check", "coverage", "load"]
