"""Every setting of every command, once: these dataclasses are the flags, the TOML keys, the environment variables, the
keywords of the Python functions and what a run saves.

A field's type, default and the text below it are all there is to say about a setting (see `fields`). To add a setting, add
a field; settings of a new noun are a new file. Nothing here computes, or knows where values come from (`config`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazily

if TYPE_CHECKING:
    from .alttext import AltSettings as AltSettings
    from .answering import AskSettings as AskSettings
    from .answering import CaptionSettings as CaptionSettings
    from .answering import ChatSettings as ChatSettings
    from .answering import ReadSettings as ReadSettings
    from .batch import BatchAskSettings as BatchAskSettings
    from .batch import BatchCaptionSettings as BatchCaptionSettings
    from .batch import BatchOutput as BatchOutput
    from .batch import BatchReadSettings as BatchReadSettings
    from .batch import BatchSettings as BatchSettings
    from .data import AnswerSettings as AnswerSettings
    from .data import CheckSettings as CheckSettings
    from .data import DataSettings as DataSettings
    from .data import Normalizer as Normalizer
    from .engines import BenchSettings as BenchSettings
    from .engines import ModelsSettings as ModelsSettings
    from .evaluation import EvaluateCaptionSettings as EvaluateCaptionSettings
    from .evaluation import EvaluateSpeechSettings as EvaluateSpeechSettings
    from .evaluation import EvaluateVqaSettings as EvaluateVqaSettings
    from .fields import Field as Field
    from .fields import fields_of as fields_of
    from .fields import setting as setting
    from .models import Device as Device
    from .models import Dtype as Dtype
    from .models import Engine as Engine
    from .models import GenerationSettings as GenerationSettings
    from .models import ModelKeywords as ModelKeywords
    from .models import ModelSettings as ModelSettings
    from .models import Quantize as Quantize
    from .recipes import GUIDES as GUIDES
    from .recipes import LORA_LEARNING_RATE as LORA_LEARNING_RATE
    from .recipes import Recipe as Recipe
    from .search import FindSettings as FindSettings
    from .search import IndexSettings as IndexSettings
    from .server import ServeSettings as ServeSettings
    from .speech import ListenSettings as ListenSettings
    from .speech import SpeakSettings as SpeakSettings
    from .speech import VoiceKeywords as VoiceKeywords
    from .speech import VoiceSettings as VoiceSettings
    from .training import FineTuneSettings as FineTuneSettings
    from .training import SpeechRecipe as SpeechRecipe
    from .training import TrainCaptionSettings as TrainCaptionSettings
    from .training import TrainChatSettings as TrainChatSettings
    from .training import Training as Training
    from .training import TrainSettings as TrainSettings
    from .training import TrainSpeechSettings as TrainSpeechSettings
    from .training import TrainVqaSettings as TrainVqaSettings
    from .training import answers_of as answers_of
    from .training import settle as settle
    from .training import settle_speech as settle_speech

__getattr__, __dir__ = lazily(__name__, __file__)
