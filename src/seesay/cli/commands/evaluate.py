"""`seesay evaluate vqa|caption`: answers by the official accuracy, captions as generated, with intervals, beside the baselines."""

from __future__ import annotations

from typing import Any

import click

from ... import api
from ...settings import EvaluateCaptionSettings, EvaluateSpeechSettings, EvaluateVqaSettings
from .. import render
from ..options import json_option, settings_options, settle


@click.group(short_help="Measure a model on a data set.")
def command() -> None:
    """Measure a model on a data set."""


@command.command()
@json_option
@settings_options(EvaluateVqaSettings)
def vqa(as_json: bool, **given: Any) -> None:
    """Measure answers by the official VQA accuracy, with intervals, per type, beside majority and question-only.

    \b
        seesay evaluate vqa --data easy-vqa --model runs/easy --split test --output runs/easy/test
    """
    settings = settle(EvaluateVqaSettings, "evaluate.vqa", given)
    with render.counting("answering") as progress:
        report = api.evaluate_vqa(settings, progress)
    render.evaluation(report, settings.output, as_json=as_json)


@command.command()
@json_option
@settings_options(EvaluateCaptionSettings)
def caption(as_json: bool, **given: Any) -> None:
    """Measure captions as a user gets them: BLEU, ROUGE-L, CIDEr-D, word error rate, exact match and how varied they are,
    with intervals, beside the caption of the nearest training picture and the most frequent one.

    \b
        seesay evaluate caption --data my/captions --model runs/mine
        seesay evaluate caption --data my/test.jsonl --model runs/mine --limit 200 --output runs/mine/test
    """
    settings = settle(EvaluateCaptionSettings, "evaluate.caption", given)
    with render.counting("describing") as progress:
        report = api.evaluate_caption(settings, progress)
    render.evaluation(report, settings.output, as_json=as_json)


@command.command()
@json_option
@settings_options(EvaluateSpeechSettings)
def speech(as_json: bool, **given: Any) -> None:
    """Measure a voice against recordings of the same sentences: mel-cepstral distortion, pitch and voicing errors, duration,
    word error rate by a Whisper, and speed, with intervals, beside the recordings and espeak-ng.

    \b
        seesay evaluate speech --data data/fillets --model runs/speech --output runs/speech/test
        seesay evaluate speech --data LJSpeech-1.1 --model microsoft/speecht5_tts --listen-model openai/whisper-base.en
    """
    settings = settle(EvaluateSpeechSettings, "evaluate.speech", given)
    with render.counting("speaking") as progress:
        report = api.evaluate_speech(settings, progress)
    render.speech_evaluation(report, settings.output, as_json=as_json)
