"""`seesay check DATA`: what is in a data set and what is wrong with it."""

from __future__ import annotations

import sys
from typing import Any

import click

from ... import api
from ...errors import DataError
from ...settings import CheckSettings
from .. import render
from ..options import json_option, settings_options, settle


@click.command(short_help="Read a data set as training would, and say what is wrong with it.")
@click.argument("source", required=False, metavar="DATA")
@json_option
@settings_options(CheckSettings)
def command(source: str | None, as_json: bool, **given: Any) -> None:
    """Read a data set as training would: rows, pictures, answers, vocabulary, and every problem with its remedy.

    With --model it also shows what that model would learn to write, or which characters that voice lacks. Rows of recordings
    are told by their length, pace, level and speakers, conversations by their turns, pictures and words. Exits with 3 where
    training would not start.

    \b
        seesay check my/questions.jsonl
        seesay check easy-vqa --json
        seesay check my/captions.jsonl --model microsoft/git-base
        seesay check my/talks.jsonl --model HuggingFaceTB/SmolVLM-256M-Instruct
        seesay check LJSpeech-1.1 --model microsoft/speecht5_tts --plots lj.html
    """
    if source is not None:
        given["data"] = source
    settings = settle(CheckSettings, "check", given)
    with render.counting("opening") as progress:
        report = api.check(settings, progress)
    preview = api.preview(settings) if settings.model and not report.fatal else None
    render.check_report(report, preview, as_json=as_json)
    if report.fatal:
        sys.exit(DataError.exit_code)
