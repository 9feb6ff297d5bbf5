"""`seesay read PICTURE...`: the text in pictures."""

from __future__ import annotations

import sys
from typing import Any

import click

from ... import api
from ...errors import ImageError
from ...settings import ReadSettings
from .. import render
from ..options import json_option, settings_options, settle


@click.command(short_help="Read the text in pictures.")
@click.argument("pictures", nargs=-1, required=True, metavar="PICTURE...")
@json_option
@settings_options(ReadSettings)
def command(pictures: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Read the text in one or more pictures, line by line in reading order.

    A picture that cannot be used is reported, the others are read all the same, and the exit code is 3.

    \b
        seesay read sign.jpg
        seesay read *.jpg --min-confidence 0.8 --json
    """
    settings = settle(ReadSettings, "read", given)
    unusable = False
    for picture in pictures:
        try:
            reading = api.read(picture, min_confidence=settings.min_confidence)
        except ImageError as error:
            render.error(error)
            unusable = True
            continue
        render.reading(picture, reading, alone=len(pictures) == 1, as_json=as_json)
    if unusable:
        sys.exit(ImageError.exit_code)
