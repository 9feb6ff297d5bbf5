"""`seesay models`: families, what is embedded, which exports are kept; `--explain`: which engine answers, and why."""

from __future__ import annotations

from typing import Any

import click

from ... import api
from ...settings import ModelsSettings
from .. import render
from ..options import json_option, settings_options, settle


@click.command(short_help="List models and engines, and say which engine answers.")
@json_option
@settings_options(ModelsSettings)
def command(as_json: bool, **given: Any) -> None:
    """List the families of models, what the package carries, and the exports that are kept on this machine.

    With --explain it says which engine answers with a model, why, and what else there is.

    \b
        seesay models
        seesay models --explain --model runs/vqa
        seesay models --explain --model dandelin/vilt-b32-finetuned-vqa --json
    """
    settings = settle(ModelsSettings, "models", given)
    if settings.explain:
        render.explained(api.explain_engine(settings), as_json=as_json)
    else:
        render.models(api.list_models(), api.kept_exports(), as_json=as_json)
