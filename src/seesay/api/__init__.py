"""What callers do with pictures and models. Each function is short: it puts the layers below in order and decides nothing.

import seesay

model = seesay.load()
answer = model.ask("photo.jpg", "What animal is this?", top_k=5)
print(answer.text, answer.score)

A new noun is a new file here, its functions named below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazily

if TYPE_CHECKING:
    from .alttext import alt as alt
    from .alttext import decide_alt as decide_alt
    from .alttext import suggest_alt as suggest_alt
    from .batches import batch as batch
    from .batches import batch_computes as batch_computes
    from .batches import batch_job as batch_job
    from .batches import batch_questions as batch_questions
    from .batches import batch_size as batch_size
    from .batches import make_batch_export as make_batch_export
    from .data import check as check
    from .data import load_conversations as load_conversations
    from .data import load_data as load_data
    from .data import load_recordings as load_recordings
    from .data import preview as preview
    from .engines import Measured as Measured
    from .engines import bench as bench
    from .engines import explain_engine as explain_engine
    from .engines import kept_exports as kept_exports
    from .engines import list_models as list_models
    from .engines import make_export_ahead as make_export_ahead
    from .learning import evaluate_caption as evaluate_caption
    from .learning import evaluate_speech as evaluate_speech
    from .learning import evaluate_vqa as evaluate_vqa
    from .learning import train_caption as train_caption
    from .learning import train_chat as train_chat
    from .learning import train_speech as train_speech
    from .learning import train_vqa as train_vqa
    from .model import Model as Model
    from .model import clean_question as clean_question
    from .model import load as load
    from .pictures import ask as ask
    from .pictures import caption as caption
    from .pictures import open_chat as open_chat
    from .pictures import read as read
    from .pictures import save_conversation as save_conversation
    from .search import Index as Index
    from .search import find as find
    from .search import find_by as find_by
    from .search import index as index
    from .search import make_index as make_index
    from .speech import Voice as Voice
    from .speech import hear as hear
    from .speech import listen as listen
    from .speech import load_voice as load_voice
    from .speech import save_speech as save_speech
    from .speech import say as say
    from .speech import speak as speak
    from .speech import speaker as speaker

__getattr__, __dir__ = lazily(__name__, __file__)
