"""`seesay evaluate vqa`: official accuracy with intervals, beside the baselines."""

from __future__ import annotations

from typing import Any

import click

from ... import api
from ...settings import EvaluateVqaSettings
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
