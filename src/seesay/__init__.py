"""seesay: ask pictures questions, and train, measure and keep the models that answer.

    import seesay

    model = seesay.load()
    print(model.ask("photo.jpg", "What animal is this?").text)

The names below are the public interface. They are loaded when first used, so `import seesay` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .lazy import lazily

if TYPE_CHECKING:
    from .answering import AnswerStream as AnswerStream
    from .answering import conversation_from_openai as conversation_from_openai
    from .answering import conversation_from_transformers as conversation_from_transformers
    from .answering import conversation_to_openai as conversation_to_openai
    from .answering import conversation_to_transformers as conversation_to_transformers
    from .api import Index as Index
    from .api import Model as Model
    from .api import Voice as Voice
    from .api import alt as alt
    from .api import check as check
    from .api import evaluate_caption as evaluate_caption
    from .api import evaluate_speech as evaluate_speech
    from .api import evaluate_vqa as evaluate_vqa
    from .api import find as find
    from .api import index as index
    from .api import listen as listen
    from .api import load as load
    from .api import load_conversations as load_conversations
    from .api import load_data as load_data
    from .api import load_recordings as load_recordings
    from .api import load_voice as load_voice
    from .api import read as read
    from .api import save_conversation as save_conversation
    from .api import save_speech as save_speech
    from .api import speak as speak
    from .api import train_caption as train_caption
    from .api import train_chat as train_chat
    from .api import train_speech as train_speech
    from .api import train_vqa as train_vqa
    from .data import Dataset as Dataset
    from .data import Format as Format
    from .errors import AudioError as AudioError
    from .errors import AudioNotFound as AudioNotFound
    from .errors import AudioTooLarge as AudioTooLarge
    from .errors import AudioUnreadable as AudioUnreadable
    from .errors import DataError as DataError
    from .errors import ImageError as ImageError
    from .errors import ImageNotFound as ImageNotFound
    from .errors import ImageTooLarge as ImageTooLarge
    from .errors import ImageUnreadable as ImageUnreadable
    from .errors import InputError as InputError
    from .errors import Interrupted as Interrupted
    from .errors import MissingExtra as MissingExtra
    from .errors import ModelError as ModelError
    from .errors import ModelNotFound as ModelNotFound
    from .errors import Problem as Problem
    from .errors import ResourceError as ResourceError
    from .errors import RunError as RunError
    from .errors import SeesayError as SeesayError
    from .errors import SpeechError as SpeechError
    from .errors import TextError as TextError
    from .errors import UsageError as UsageError
    from .models import Family as Family
    from .pipelines import pipeline as pipeline
    from .search import Findings as Findings
    from .search import IndexReport as IndexReport
    from .settings import AltSettings as AltSettings
    from .settings import CheckSettings as CheckSettings
    from .settings import DataSettings as DataSettings
    from .settings import EvaluateCaptionSettings as EvaluateCaptionSettings
    from .settings import EvaluateSpeechSettings as EvaluateSpeechSettings
    from .settings import EvaluateVqaSettings as EvaluateVqaSettings
    from .settings import FindSettings as FindSettings
    from .settings import IndexSettings as IndexSettings
    from .settings import ListenSettings as ListenSettings
    from .settings import ReadSettings as ReadSettings
    from .settings import SpeakSettings as SpeakSettings
    from .settings import TrainCaptionSettings as TrainCaptionSettings
    from .settings import TrainChatSettings as TrainChatSettings
    from .settings import TrainSpeechSettings as TrainSpeechSettings
    from .settings import TrainVqaSettings as TrainVqaSettings
    from .settings import VoiceSettings as VoiceSettings
    from .types import Answer as Answer
    from .types import AudioSource as AudioSource
    from .types import Candidate as Candidate
    from .types import Conversation as Conversation
    from .types import Cue as Cue
    from .types import Evidence as Evidence
    from .types import Example as Example
    from .types import Hit as Hit
    from .types import ImagePart as ImagePart
    from .types import ImageSource as ImageSource
    from .types import Line as Line
    from .types import Message as Message
    from .types import Provenance as Provenance
    from .types import Reading as Reading
    from .types import Recording as Recording
    from .types import Speech as Speech
    from .types import TextPart as TextPart
    from .types import Transcript as Transcript
    from .types import Utterance as Utterance

__version__ = "0.1.0"
__getattr__, __dir__ = lazily(__name__, __file__)
