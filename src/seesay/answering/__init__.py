"""From examples and conversations to answers: in batches, in order, with provenance; or one while it is written. What an
answer hangs on is found and drawn by `evidence` and `draw`, which are imported where they are used."""

from ..data.messages import conversation_from_transformers
from .answer import answer, in_words
from .messages import (
    check,
    conversation_from_openai,
    conversation_to_openai,
    conversation_to_transformers,
)
from .stream import DEADLINE, MAX_NEW_TOKENS, AnswerStream, Limits, stream, whole

__all__ = [
    "DEADLINE",
    "MAX_NEW_TOKENS",
    "AnswerStream",
    "Limits",
    "answer",
    "check",
    "conversation_from_openai",
    "conversation_from_transformers",
    "conversation_to_openai",
    "conversation_to_transformers",
    "in_words",
    "stream",
    "whole",
]
