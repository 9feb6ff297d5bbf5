"""`seesay listen RECORDING...`: what is said in recordings, by a Whisper checkpoint."""

from __future__ import annotations

from typing import Any

import click

from ... import api
from ...settings import ListenSettings
from .. import render
from ..options import json_option, settings_options, settle


@click.command(short_help="Write down what is said in recordings.")
@click.argument("recordings", nargs=-1, required=True, metavar="RECORDING...")
@json_option
@settings_options(ListenSettings)
def command(recordings: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Write down what is said in one or more recordings.

    \b
        seesay listen question.wav
        seesay listen *.flac --model openai/whisper-small --language nl --json
    """
    settings = settle(ListenSettings, "listen", given)
    for recording, heard in zip(recordings, api.hear(settings, recordings), strict=True):
        render.transcript(recording, heard, alone=len(recordings) == 1, as_json=as_json)
