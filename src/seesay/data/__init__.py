"""Data sets: found by content, read into examples, checked in full before any model is loaded."""

from .check import check
from .check_conversations import ConversationReport, check_conversations, too_long
from .check_recordings import RecordingReport, check_recordings
from .conversations import ConversationFormat, ConversationSet, holds_conversations, load_conversations
from .dataset import Dataset, load
from .format import Format, Source
from .recordings import RecordingFormat, RecordingSet, holds_recordings, load_recordings
from .report import CheckReport
from .vocabulary import build_vocabulary, coverage

__all__ = [
    "CheckReport",
    "ConversationFormat",
    "ConversationReport",
    "ConversationSet",
    "Dataset",
    "Format",
    "RecordingFormat",
    "RecordingReport",
    "RecordingSet",
    "Source",
    "build_vocabulary",
    "check",
    "check_conversations",
    "check_recordings",
    "coverage",
    "holds_conversations",
    "holds_recordings",
    "load",
    "load_conversations",
    "load_recordings",
    "too_long",
]
