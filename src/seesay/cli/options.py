"""Flags from settings: a command's options are the fields of its settings class, so that nothing is written twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from .. import config
from ..settings import Field, fields_of

S = TypeVar("S")
Function = TypeVar("Function", bound=Callable[..., Any])


def settings_options(settings: type) -> Callable[[Function], Function]:
    """A decorator that gives a command one option per setting, and `--config`. Values arrive as text; `settle` reads them."""

    def decorate(function: Function) -> Function:
        function = click.option("--config", "config_file", metavar="FILE", help="Read settings from this TOML file.")(
            function
        )
        for field in reversed(fields_of(settings)):
            function = _option(field)(function)
        return function

    return decorate


def settle(settings: type[S], section: str, given: dict[str, Any]) -> S:
    """The settings of a command from the options that click collected."""
    file = given.pop("config_file")
    return config.resolve(settings, section, given, file=Path(file) if file else None)


def _option(field: Field) -> Callable[[Function], Function]:
    flag = f"--{field.name.replace('_', '-')}"
    shown = "" if field.default in (None, "") else f"  [default: {field.default}]"
    text = field.doc.replace("`", "") + shown
    if field.type is bool:
        return click.option(f"{flag}/--no-{flag[2:]}", field.name, default=None, help=text)
    metavar = "|".join(field.choices) or {int: "N", float: "X", Path: "PATH"}.get(field.type, "TEXT")
    flags = [flag, "-o"] if field.name == "output" else [flag]
    return click.option(*flags, field.name, type=str, default=None, metavar=metavar, help=text)


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
