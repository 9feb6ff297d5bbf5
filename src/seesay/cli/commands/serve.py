"""`seesay serve`: a model, a voice and a page, served."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import click

from ...errors import MissingExtra
from ...settings import ServeSettings
from .. import render
from ..options import settings_options, settle

NEEDED = ("fastapi", "uvicorn", "python_multipart", "prometheus_client")


@click.command(short_help="Serve a model, a voice and a page.")
@click.option("--json", "as_json", is_flag=True, help="Print the address as JSON.")
@settings_options(ServeSettings)
def command(as_json: bool, **given: Any) -> None:
    """Serve a model: a page for people at /, OpenAI's and Ollama's routes for programs, and plain ones for curl.

    \b
        seesay serve
        seesay serve --model runs/vqa --port 9000
        SEESAY_SERVE__API_KEY=secret seesay serve --host 0.0.0.0 --allowed-hosts pictures.example.org
    """
    settings = settle(ServeSettings, "serve", given)
    if not all(map(find_spec, NEEDED)):
        raise MissingExtra("serving", "seesay[server]")

    def ready(address: str, model: str) -> None:
        render.serving(address, model, as_json=as_json)

    if settings.engine == "ray":
        from ...scale import serve as scaled

        scaled(settings, ready, render.note)
        return
    from ...server import serve

    serve(settings, ready, render.note)
