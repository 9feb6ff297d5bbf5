"""Every setting of every command, once: these dataclasses are the flags, the TOML keys, the environment variables, the
keywords of the Python functions and what a run saves.

A field's type, default and the text below it are all there is to say about a setting (see `fields`). To add a setting, add
a field; settings of a new noun are a new file. Nothing here computes, or knows where values come from (`config`).
"""

from .alttext import AltSettings
from .answering import AskSettings, CaptionSettings, ChatSettings, ReadSettings
from .batch import BatchAskSettings, BatchCaptionSettings, BatchOutput, BatchReadSettings, BatchSettings
from .data import AnswerSettings, CheckSettings, DataSettings, Normalizer
from .engines import BenchSettings, ModelsSettings
from .evaluation import EvaluateCaptionSettings, EvaluateSpeechSettings, EvaluateVqaSettings
from .fields import Field, fields_of, setting
from .models import Device, Dtype, Engine, GenerationSettings, ModelKeywords, ModelSettings, Quantize
from .search import FindSettings, IndexSettings
from .server import ServeSettings
from .speech import ListenSettings, SpeakSettings, VoiceKeywords, VoiceSettings
from .training import (
    GUIDES,
    LORA_LEARNING_RATE,
    FineTuneSettings,
    Recipe,
    SpeechRecipe,
    TrainCaptionSettings,
    TrainChatSettings,
    Training,
    TrainSettings,
    TrainSpeechSettings,
    TrainVqaSettings,
    answers_of,
    settle,
    settle_speech,
)

__all__ = [
    "GUIDES",
    "LORA_LEARNING_RATE",
    "AltSettings",
    "AnswerSettings",
    "AskSettings",
    "BatchAskSettings",
    "BatchCaptionSettings",
    "BatchOutput",
    "BatchReadSettings",
    "BatchSettings",
    "BenchSettings",
    "CaptionSettings",
    "ChatSettings",
    "CheckSettings",
    "DataSettings",
    "Device",
    "Dtype",
    "Engine",
    "EvaluateCaptionSettings",
    "EvaluateSpeechSettings",
    "EvaluateVqaSettings",
    "Field",
    "FindSettings",
    "FineTuneSettings",
    "GenerationSettings",
    "IndexSettings",
    "ListenSettings",
    "ModelKeywords",
    "ModelSettings",
    "ModelsSettings",
    "Normalizer",
    "Quantize",
    "ReadSettings",
    "Recipe",
    "ServeSettings",
    "SpeakSettings",
    "SpeechRecipe",
    "TrainCaptionSettings",
    "TrainChatSettings",
    "TrainSettings",
    "TrainSpeechSettings",
    "TrainVqaSettings",
    "Training",
    "VoiceKeywords",
    "VoiceSettings",
    "answers_of",
    "fields_of",
    "setting",
    "settle",
    "settle_speech",
]
