"""What callers do with pictures and models. Each function is short: it puts the layers below in order and decides nothing.

import seesay

model = seesay.load()
answer = model.ask("photo.jpg", "What animal is this?", top_k=5)
print(answer.text, answer.score)

A new noun is a new file here, its functions named below.
"""

from .alttext import alt, decide_alt, suggest_alt
from .batch import batch, batch_computes, batch_job, batch_questions, batch_size, make_batch_export
from .data import check, load_conversations, load_data, load_recordings, preview
from .engines import Measured, bench, explain_engine, kept_exports, list_models, make_export_ahead
from .learning import (
    evaluate_caption,
    evaluate_speech,
    evaluate_vqa,
    train_caption,
    train_chat,
    train_speech,
    train_vqa,
)
from .model import Model, clean_question, load
from .pictures import ask, caption, open_chat, read, save_conversation
from .search import Index, find, find_by, index, make_index
from .speech import Voice, hear, listen, load_voice, save_speech, say, speak, speaker

__all__ = [
    "Index",
    "Measured",
    "Model",
    "Voice",
    "alt",
    "ask",
    "batch",
    "batch_computes",
    "batch_job",
    "batch_questions",
    "batch_size",
    "bench",
    "caption",
    "check",
    "clean_question",
    "decide_alt",
    "evaluate_caption",
    "evaluate_speech",
    "evaluate_vqa",
    "explain_engine",
    "find",
    "find_by",
    "hear",
    "index",
    "kept_exports",
    "list_models",
    "listen",
    "load",
    "load_conversations",
    "load_data",
    "load_recordings",
    "load_voice",
    "make_batch_export",
    "make_export_ahead",
    "make_index",
    "open_chat",
    "preview",
    "read",
    "save_conversation",
    "save_speech",
    "say",
    "speak",
    "speaker",
    "suggest_alt",
    "train_caption",
    "train_chat",
    "train_speech",
    "train_vqa",
]
