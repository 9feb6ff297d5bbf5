"""Data sets: found by content, read into examples, checked in full before any model is loaded."""

from .check import check
from .check_recordings import RecordingReport, check_recordings
from .dataset import Dataset, load
from .format import Format, Source
from .recordings import RecordingFormat, RecordingSet, holds_recordings, load_recordings
from .report import CheckReport
from .vocabulary import build_vocabulary, coverage

__all__ = [
    "CheckReport",
    "Dataset",
    "Format",
    "RecordingFormat",
    "RecordingReport",
    "RecordingSet",
    "Source",
    "build_vocabulary",
    "check",
    "check_recordings",
    "coverage",
    "holds_recordings",
    "load",
    "load_recordings",
]
