"""`seesay bench`: which engine is best on this machine for a model."""

from __future__ import annotations

from typing import Any

import click

from ... import api
from ...settings import BenchSettings
from .. import render
from ..options import json_option, settings_options, settle


@click.command(short_help="Measure which engine is best on this machine for a model.")
@json_option
@settings_options(BenchSettings)
def command(as_json: bool, **given: Any) -> None:
    """Measure every engine that is here with a model, each in processes of its own, in turns.

    Exports that are missing are made and verified first, once. Times are processor time: what else runs on the machine
    counts little. With --engine, that one and torch alone.

    \b
        seesay bench --model runs/vqa
        seesay bench --model microsoft/git-base-coco --picture photo.jpg --json
    """
    settings = settle(BenchSettings, "bench", given)
    render.measured(api.bench(settings, render.note), as_json=as_json)
