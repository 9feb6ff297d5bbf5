"""`seesay index FOLDER|MANIFEST...`: pictures encoded once, to be asked about many times."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from ... import api
from ...errors import ImageError
from ...settings import IndexSettings
from .. import render
from ..options import json_option, settings_options, settle


@click.command(short_help="Encode pictures once, to find them by questions.")
@click.argument("sources", nargs=-1, metavar="[FOLDER|MANIFEST|PICTURE]...")
@json_option
@settings_options(IndexSettings)
def command(sources: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Encode pictures once, so that any number of questions can be asked of them: see seesay find.

    Again with the same index it looks at what is new or changed, and forgets what is gone; without sources, in all that were
    given before. A manifest is a file with a path a line (.txt), or rows with an "image" (.jsonl, .csv). After any stop the
    same command goes on. Exits with 3 where pictures could not be used; the others are in the index.

    \b
        seesay index ~/Pictures -o photos.seesay
        seesay index -o photos.seesay
        seesay index train.jsonl holiday/ -o photos.seesay --json
    """
    settings = settle(IndexSettings, "index", given)
    with render.counting("encoding") as progress:
        report = api.make_index(settings, [Path(source) for source in sources], progress)
    render.index_report(report, as_json=as_json)
    if report.problems:
        sys.exit(ImageError.exit_code)
