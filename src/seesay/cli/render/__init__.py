"""Everything the command line prints. On a terminal with color and progress; elsewhere plain text that stays the same, or JSON.

Results go to standard output, everything else (progress, errors) to standard error. It computes nothing.
"""

from .answers import answer, caption, heard, reading, speech, transcript, turn
from .engines import explained, measured, models
from .folders import alternative_texts, batch, batch_progress, findings, index_report
from .learning import chat_run, check_report, evaluation, run, speech_evaluation, speech_run, training
from .plain import counting, error, note, piece, serving

__all__ = [
    "alternative_texts",
    "answer",
    "batch",
    "batch_progress",
    "caption",
    "chat_run",
    "check_report",
    "counting",
    "error",
    "evaluation",
    "explained",
    "findings",
    "heard",
    "index_report",
    "measured",
    "models",
    "note",
    "piece",
    "reading",
    "run",
    "serving",
    "speech",
    "speech_evaluation",
    "speech_run",
    "training",
    "transcript",
    "turn",
]
