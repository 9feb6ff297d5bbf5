"""`seesay caption PICTURE...`: pictures described in a sentence."""

from __future__ import annotations

from typing import Any

import click

from ... import api
from ...settings import CaptionSettings, SpeakSettings
from .. import render
from ..options import json_option, settings_options, settle


@click.command(short_help="Describe pictures.")
@click.argument("pictures", nargs=-1, required=True, metavar="PICTURE...")
@json_option
@settings_options(CaptionSettings)
def command(pictures: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Describe one or more pictures, a sentence each.

    \b
        seesay caption photo.jpg
        seesay caption *.jpg --json
        seesay caption photo.jpg --speak
    """
    settings = settle(CaptionSettings, "caption", given)
    speaks = bool(settings.speech or settings.speak)
    voice = api.speaker(SpeakSettings(output=settings.speech, play=settings.speak)) if speaks else None
    said = []
    for picture, described in zip(pictures, api.caption(settings, pictures), strict=True):
        render.caption(picture, described, alone=len(pictures) == 1, as_json=as_json)
        said.append(described.text or described.reason)
    if voice is not None:
        voice(". ".join(said))
