"""`seesay alt PATH...`: alternative texts for the pictures in pages, Markdown files, books and picture files."""

from __future__ import annotations

import sys
from typing import Any

import click

from ... import api
from ...errors import InputError
from ...settings import AltSettings
from .. import render
from ..options import json_option, settings_options, settle


@click.command(short_help="Write alternative texts into pages, Markdown, books and pictures.")
@click.argument("paths", nargs=-1, metavar="[PATH...]")
@json_option
@settings_options(AltSettings)
def command(paths: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Suggest alternative texts for the pictures in HTML, Markdown, EPUB and picture files, after the rules of the W3C.

    A text that a person wrote is never changed. Without --write nothing is: a diff is shown. Suggestions that are not sure
    are never written unseen; --review makes a page on which to decide about them. A document or picture that cannot be used
    is reported, the others are done all the same, and the exit code is 3.

    \b
        seesay alt page.html
        seesay alt site --root site --review review.html
        seesay alt --apply alt-decisions.json --write
        seesay alt photos/*.jpg --write
    """
    settings = settle(AltSettings, "alt", given)
    with render.counting("looking at pictures") as progress:
        outcome = api.alt(settings, paths, progress)
    render.alternative_texts(outcome, settings, as_json=as_json)
    if outcome.failed:
        sys.exit(InputError.exit_code)
