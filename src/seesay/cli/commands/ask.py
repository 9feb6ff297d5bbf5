"""`seesay ask PICTURE... QUESTION`: answers with scores."""

from __future__ import annotations

from typing import Any

import click

from ... import api
from ...errors import AudioUnreadable, UsageError
from ...settings import AskSettings, ListenSettings, SpeakSettings
from .. import render
from ..options import json_option, settings_options, settle


@click.command(short_help="Ask questions about pictures.")
@click.argument("arguments", nargs=-1, required=True, metavar="PICTURE... QUESTION")
@click.option("-q", "--question", "questions", multiple=True, help="A question; may be given several times.")
@json_option
@settings_options(AskSettings)
def command(arguments: tuple[str, ...], questions: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Ask a question about one or more pictures.

    The last argument is the question, unless questions are given with -q or with --listen, a recording. Every question is
    asked about every picture.

    \b
        seesay ask photo.jpg "What animal is this?"
        seesay ask sign.jpg "What does the sign say?" --speak
        seesay ask photo.jpg "Is there a dog?" --evidence dog.png
        seesay ask photo.jpg --listen question.wav --speak
        seesay ask *.jpg -q "Is there a dog?" -q "What color is it?" --model runs/vqa --json
    """
    settings = settle(AskSettings, "ask", given)
    if settings.listen is not None and not questions:
        pictures, questions = arguments, (_heard(settings),)
    else:
        pictures = arguments if questions else arguments[:-1]
        questions = questions or arguments[-1:]
    if not pictures:
        raise UsageError("a picture or a question is missing", hint='seesay ask photo.jpg "What is this?"')
    asked = [(picture, question) for picture in pictures for question in questions]
    if settings.evidence is not None and len(asked) > 1:
        raise UsageError("evidence is drawn for one picture and one question", where="--evidence")
    speaks = bool(settings.speech or settings.speak)
    voice = api.speaker(SpeakSettings(output=settings.speech, play=settings.speak)) if speaks else None
    said = []
    for (picture, question), answer in zip(asked, api.ask(settings, pictures, questions), strict=True):
        render.answer(picture, question, answer, alone=len(asked) == 1, as_json=as_json)
        said.append(answer.text or f"I cannot tell: {answer.reason}")
    if voice is not None:
        voice(". ".join(said))


def _heard(settings: AskSettings) -> str:
    """The question in the recording, told so that a misheard one is noticed."""
    recording = str(settings.listen)
    heard = next(api.hear(ListenSettings(model=settings.listen_model, device=settings.device), [recording]))
    if not heard.text:
        raise AudioUnreadable("nothing was said in it", where=recording, hint="record the question again")
    render.heard(heard.text)
    return heard.text
