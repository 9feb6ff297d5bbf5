"""`seesay find QUESTION [INDEX]`: the pictures for which the answer is yes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from ... import api
from ...errors import ImageError
from ...settings import FindSettings, IndexSettings
from .. import render
from ..options import json_option, settings_options, settle


@click.command(short_help="Find pictures by a question.")
@click.argument("question")
@click.argument("index", required=False, default=str(IndexSettings.output))
@json_option
@settings_options(FindSettings)
def command(question: str, index: str, as_json: bool, **given: Any) -> None:
    """Find the pictures of an index (see seesay index) for which the answer to a question is yes, the best first.

    A word or a phrase stands for the question whether it is there. Every picture that is given was judged by the model; the
    figure beside it says how likely it is right.

    \b
        seesay find "is there a dog?" photos.seesay
        seesay find dog --precision 0.6
        seesay find "a red apple" photos.seesay -o apples.html
        seesay find cat photos.seesay --link cats/
    """
    settings = settle(FindSettings, "find", given)
    with render.counting("asking") as progress:
        found = api.find_by(settings, question, Path(index), progress)
    render.findings(found, settings, as_json=as_json)
    if found.problems:
        sys.exit(ImageError.exit_code)
