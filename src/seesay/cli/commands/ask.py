"""`seesay ask PICTURE... QUESTION`: answers with scores."""

from __future__ import annotations

from typing import Any

import click

from ... import api
from ...errors import UsageError
from ...settings import AskSettings
from .. import render
from ..options import json_option, settings_options, settle


@click.command(short_help="Ask questions about pictures.")
@click.argument("arguments", nargs=-1, required=True, metavar="PICTURE... QUESTION")
@click.option("-q", "--question", "questions", multiple=True, help="A question; may be given several times.")
@json_option
@settings_options(AskSettings)
def command(arguments: tuple[str, ...], questions: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Ask a question about one or more pictures.

    The last argument is the question, unless questions are given with -q. Every question is asked about every picture.

    \b
        seesay ask photo.jpg "What animal is this?" --model runs/vqa --top-k 5
        seesay ask *.jpg -q "Is there a dog?" -q "What color is it?" --model runs/vqa --json
    """
    pictures = arguments if questions else arguments[:-1]
    questions = questions or arguments[-1:]
    if not pictures:
        raise UsageError("a picture or a question is missing", hint='seesay ask photo.jpg "What is this?"')
    settings = settle(AskSettings, "ask", given)
    answers = api.ask(settings, pictures, questions)
    asked = [(picture, question) for picture in pictures for question in questions]
    for (picture, question), answer in zip(asked, answers, strict=True):
        render.answer(picture, question, answer, alone=len(asked) == 1, as_json=as_json)
