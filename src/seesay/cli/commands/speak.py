"""`seesay speak TEXT -o out.wav`: a text as sound, in a file, on the loudspeaker, or both."""

from __future__ import annotations

import sys
from typing import Any

import click

from ... import api
from ...errors import TextError, UsageError
from ...settings import SpeakSettings
from .. import render
from ..options import json_option, settings_options, settle


@click.command(short_help="Speak a text.")
@click.argument("text")
@json_option
@settings_options(SpeakSettings)
def command(text: str, as_json: bool, **given: Any) -> None:
    """Speak TEXT. A TEXT of - is read from standard input; put -- before a text that begins with a hyphen.

    \b
        seesay speak "A brown dog is running along the beach." --output dog.wav --captions
        seesay speak - --play < letter.txt
        seesay speak "Een bruine hond." --model facebook/mms-tts-nld -o hond.wav
        seesay speak "[laughs] A dog!" --model suno/bark-small --speaker v2/en_speaker_6 -o dog.wav
        seesay speak "A dog." --model microsoft/speecht5_tts --speaker me.npy -o dog.wav
    """
    settings = settle(SpeakSettings, "speak", given)
    if settings.output is None and not settings.play:
        raise UsageError("nowhere to speak to", hint="give --output FILE.wav to write it, or --play to hear it")
    if settings.output is None and settings.captions:
        raise UsageError("captions stand beside a sound file", where="--captions", hint="give --output FILE.wav")
    speech = api.say(settings, _standard_input() if text == "-" else text)
    render.speech(speech, settings, as_json=as_json)


def _standard_input() -> str:
    try:
        text = sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"not UTF-8 at byte {error.start + 1:,}"
        raise TextError(message, where="standard input", hint="iconv converts other encodings") from None
    return text.replace("\r\n", "\n")
