"""From examples and conversations to answers: in batches, in order, with provenance; or one while it is written. What an
answer hangs on is found and drawn by `evidence` and `draw`, which are imported where they are used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazily
from .answer import answer, in_words
from .stream import DEADLINE, MAX_NEW_TOKENS, AnswerStream, Limits, stream, whole

if TYPE_CHECKING:
    from ..data.messages import conversation_from_transformers as conversation_from_transformers
    from .messages import check as check
    from .messages import conversation_from_openai as conversation_from_openai
    from .messages import conversation_to_openai as conversation_to_openai
    from .messages import conversation_to_transformers as conversation_to_transformers

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

__getattr__, __dir__ = lazily(__name__, __file__)
