"""Models trained and measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..settings import (
    EvaluateCaptionSettings,
    EvaluateSpeechSettings,
    EvaluateVqaSettings,
    TrainCaptionSettings,
    TrainChatSettings,
    TrainSpeechSettings,
    TrainVqaSettings,
)

if TYPE_CHECKING:
    from ..evaluation import CaptionReport, VqaReport
    from ..evaluation.speech import SpeechReport
    from ..training import ChatRun, Progress, Run, SpeechRun


def train_vqa(settings: TrainVqaSettings, progress: Callable[[Progress], None] | None = None) -> Run:
    """Train or fine-tune a model that answers; the same settings continue a run that was stopped.

    Raises:
        ModelError: the model cannot learn to answer, or has no part that `lora` or `freeze_vision` speak of.
        DataError: the data set has problems; it is read and checked in full before torch is imported.
        RunError: the folder holds a run with other settings or other data.
        Interrupted: stopped by the user; the run can be continued.
    """
    from .. import training

    return training.train(settings, progress)


def train_caption(settings: TrainCaptionSettings, progress: Callable[[Progress], None] | None = None) -> Run:
    """Fine-tune a model that describes pictures; as `train_vqa`, with the loss deciding which checkpoint is best.

    Raises:
        DataError, RunError, Interrupted: as `train_vqa`.
        ModelError: the model cannot learn captions.
    """
    from .. import training

    return training.train(settings, progress)


def train_chat(settings: TrainChatSettings, progress: Callable[[Progress], None] | None = None) -> ChatRun:
    """Fine-tune a model that chats on conversations about pictures, whole or by adapters; the same settings continue a run that
    was stopped.

    Raises:
        DataError: the data set has problems, or conversations that this model cannot read whole.
        ModelNotFound, ModelError: there is no such model, it does not chat, or its chat template cannot be learned from.
        RunError, Interrupted: as `train_vqa`.
    """
    from .. import training

    return training.train_chat(settings, progress)


def train_speech(settings: TrainSpeechSettings, progress: Callable[[Progress], None] | None = None) -> SpeechRun:
    """Fine-tune a SpeechT5 on recordings and what is said in them; the same settings continue a run that was stopped.

    Raises:
        DataError: the data set has problems, or nothing in it can be learned; it is checked before torch is imported.
        ModelNotFound, ModelError: there is no such model, or none that hears who speaks (`speaker_model`).
        RunError, Interrupted: as `train_vqa`.
    """
    from .. import training

    return training.train_speech(settings, progress)


def evaluate_vqa(settings: EvaluateVqaSettings, progress: Callable[[int, int], None] | None = None) -> VqaReport:
    """Measure a model on a data set by the official VQA accuracy, beside the baselines."""
    from .. import evaluation

    return evaluation.evaluate_vqa(settings, progress)


def evaluate_caption(
    settings: EvaluateCaptionSettings, progress: Callable[[int, int], None] | None = None
) -> CaptionReport:
    """Have the pictures of a data set described, as `Model.caption` does, and measure that against what people wrote.

    Every caption metric, how varied the captions are, and the baselines: the most frequent training caption, and that of
    the training picture which looks most alike. All captions of a picture, by content, are its references.

    Args:
        progress: told how many steps of how many are done.

    Raises:
        DataError: the data set has problems, or no captions to measure against.
        ModelError: the model cannot describe pictures.
    """
    from .. import evaluation

    return evaluation.evaluate_caption(settings, progress)


def evaluate_speech(
    settings: EvaluateSpeechSettings, progress: Callable[[int, int], None] | None = None
) -> SpeechReport:
    """Measure a voice against recordings: mel-cepstral distortion, pitch, duration, word error rate where `listen_model` is
    named, and speed, beside the recording, the recording through the vocoder, and espeak-ng where it is installed.

    Raises:
        DataError: no recordings to measure against, or none of their sentences could be spoken.
        ModelNotFound, ModelError: there is no such voice.
    """
    from ..evaluation.speech import evaluate_speech as measured

    return measured(settings, progress)
