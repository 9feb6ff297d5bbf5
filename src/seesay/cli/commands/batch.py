"""`seesay batch ask|caption|read INPUT`: many pictures times many questions, a row each."""

from __future__ import annotations

import sys
from typing import Any

import click

from ... import api
from ...errors import InputError
from ...settings import BatchAskSettings, BatchCaptionSettings, BatchReadSettings, BatchSettings
from .. import render
from ..options import json_option, settings_options, settle


@click.group(short_help="Ask about, describe or read whole folders.")
def command() -> None:
    """Ask about, describe or read the pictures of a folder, or of a manifest, a row each.

    INPUT is a folder, or a file: .jsonl or .csv with the fields image, question and id, or .txt with one path a line. What was
    stopped goes on with the same command. A picture that cannot be used becomes a row that says why, and the exit code is 3.
    """


@command.command()
@click.argument("source", metavar="INPUT")
@click.option("-q", "--question", "asked", multiple=True, help="A question; may be given several times.")
@json_option
@settings_options(BatchAskSettings)
def ask(source: str, asked: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Ask questions about every picture.

    Rows of a manifest that have a question are asked that one; all other pictures are asked those given here.

    \b
        seesay batch ask photos -q "Is there a dog?" -q "What color is it?" -o rows.jsonl
        seesay batch ask manifest.csv -o rows.parquet --model runs/vqa
        seesay batch ask photos --questions questions.txt -o rows.jsonl
    """
    _run(settle(BatchAskSettings, "batch.ask", given), source, asked, as_json)


@command.command()
@click.argument("source", metavar="INPUT")
@json_option
@settings_options(BatchCaptionSettings)
def caption(source: str, as_json: bool, **given: Any) -> None:
    """Describe every picture.

    \b
        seesay batch caption photos -o captions.jsonl
    """
    _run(settle(BatchCaptionSettings, "batch.caption", given), source, (), as_json)


@command.command()
@click.argument("source", metavar="INPUT")
@json_option
@settings_options(BatchReadSettings)
def read(source: str, as_json: bool, **given: Any) -> None:
    """Read the text in every picture.

    \b
        seesay batch read scans -o texts.jsonl
    """
    _run(settle(BatchReadSettings, "batch.read", given), source, (), as_json)


def _run(settings: BatchSettings, source: str, questions: tuple[str, ...], as_json: bool) -> None:
    with render.batch_progress() as progress:
        if settings.engine == "ray":
            from ...scale import batch as scaled

            summary = scaled(settings, source, questions, progress, render.note)
        else:
            summary = api.batch(settings, source, questions, progress, render.note)
    render.batch(summary, as_json=as_json)
    if summary.failed:
        sys.exit(InputError.exit_code)
