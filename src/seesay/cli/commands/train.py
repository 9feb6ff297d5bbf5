"""`seesay train vqa|caption|chat|speech`: fine-tune a model on questions, captions, conversations or recordings."""

from __future__ import annotations

import os
from typing import Any

import click

from ... import api
from ...settings import TrainCaptionSettings, TrainChatSettings, TrainSpeechSettings, TrainVqaSettings
from .. import render
from ..options import json_option, settings_options, settle


@click.group(short_help="Train or fine-tune a model.")
def command() -> None:
    """Train or fine-tune a model. A run that was stopped goes on with the same command."""


@command.command()
@json_option
@settings_options(TrainVqaSettings)
def vqa(as_json: bool, **given: Any) -> None:
    """Fine-tune a model on questions about pictures, or train a small one from scratch.

    Without --model it is seesay-mini that learns, which takes a minute for some hundred pictures. Settings without a
    default take the values of Hugging Face's guide for a checkpoint, and those of the configuration from scratch.
    The run's folder gets checkpoints, curves, report.html and, at the end, model/.

    \b
        seesay train vqa --data my/train.jsonl
        seesay train vqa --data my/train.jsonl --model dandelin/vilt-b32-mlm --output runs/mine
        seesay train vqa --data easy-vqa --from-scratch vilt-small --output runs/easy
        torchrun --nproc-per-node 2 -m seesay train vqa --data my/train.jsonl
    """
    settings = settle(TrainVqaSettings, "train.vqa", given)
    with render.training(as_json=as_json) as progress:
        run = api.train_vqa(settings, progress)
    if not _beside_the_first():
        render.run(run, as_json=as_json)


@command.command()
@json_option
@settings_options(TrainCaptionSettings)
def caption(as_json: bool, **given: Any) -> None:
    """Fine-tune a model that describes pictures: rows {"image": ..., "caption": ...}, or "captions" with several.

    Without --model it is seesay-mini that learns. GIT, BLIP and BLIP-2 learn as well, whole, by adapters (--lora) or with
    the part that looks at pictures left as it is (--freeze-vision). What they would learn is shown by seesay check --model.

    \b
        seesay train caption --data my/train.jsonl --output runs/mine
        seesay train caption --data my/train.jsonl --model microsoft/git-base --lora 8 --freeze-vision
        seesay train caption --data my/train.jsonl --from-scratch git-small
    """
    settings = settle(TrainCaptionSettings, "train.caption", given)
    with render.training(as_json=as_json) as progress:
        run = api.train_caption(settings, progress)
    if not _beside_the_first():
        render.run(run, as_json=as_json)


@command.command()
@json_option
@settings_options(TrainChatSettings)
def chat(as_json: bool, **given: Any) -> None:
    """Fine-tune a model that chats on conversations: ShareGPT or LLaVA files, Hugging Face or OpenAI messages.

    What is learned are the assistant's turns; seesay check --model shows them. --lora trains adapters, which takes less memory,
    and with --quantize int4 less again. The run's folder gets checkpoints, curves, report.html with answers beside those of
    the validation conversations and, at the end, model/.

    \b
        seesay train chat --data talks.jsonl --model HuggingFaceTB/SmolVLM-256M-Instruct --lora 16
        seesay train chat --data llava.json --images coco/train2017 --model llava-hf/llava-1.5-7b-hf --quantize int4 --lora 16
    """
    settings = settle(TrainChatSettings, "train.chat", given)
    with render.training(as_json=as_json) as progress:
        run = api.train_chat(settings, progress)
    render.chat_run(run, as_json=as_json)


@command.command()
@json_option
@settings_options(TrainSpeechSettings)
def speech(as_json: bool, **given: Any) -> None:
    """Fine-tune a SpeechT5 on recordings and what is said in them: a new language, a new voice.

    Settings without a default take the values of Hugging Face's guide for a checkpoint, and those of the configuration from
    scratch. The run's folder gets checkpoints, spoken samples with their spectrograms, report.html and, at the end, model/.

    \b
        seesay train speech --data hf:facebook/voxpopuli/nl --language nl --min-speaker-rows 100 --max-speaker-rows 400
        seesay train speech --data LJSpeech-1.1 --output runs/lj
        seesay train speech --data data/fillets --from-scratch speecht5-small --language nl --speaker-model none
    """
    settings = settle(TrainSpeechSettings, "train.speech", given)
    with render.training(as_json=as_json) as progress:
        run = api.train_speech(settings, progress)
    render.speech_run(run, as_json=as_json)


def _beside_the_first() -> bool:
    """Whether torchrun started this process beside the one that reports."""
    return os.environ.get("RANK", "0") != "0"
