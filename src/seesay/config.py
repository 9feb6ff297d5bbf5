"""Where the value of a setting comes from. Later wins:

    defaults < user file < ./seesay.toml < --config FILE < SEESAY_<SECTION>__<NAME> < flags and keywords

A section is a command: `[ask]`, `[train.vqa]`; in the environment `SEESAY_ASK__TOP_K`, `SEESAY_TRAIN_VQA__SEED`.
An unknown name is an error wherever it stands, never ignored. `dump` writes settings in the form that `resolve` reads,
which is how a run saves its own.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import os
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar

from .errors import UsageError
from .settings import Field, fields_of

S = TypeVar("S")
PROJECT_FILE = "seesay.toml"


def resolve(
    settings: type[S],
    section: str,
    given: Mapping[str, Any],
    *,
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> S:
    """Settings for one command. `given` holds flags or keywords; entries that are None count as not given.

    Raises:
        UsageError: an unknown name, a value of the wrong type or out of range, or a file that is not TOML.
    """
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    for path in (_user_file(environ), Path(PROJECT_FILE), file):
        if path is not None and (path is file or path.is_file()):
            values |= _from_file(settings, section, path)
    values |= _from_environment(settings, section, environ)
    for name, value in given.items():
        if value is not None:
            values[name] = coerce(_known(settings, name, "argument"), value, f"--{name.replace('_', '-')}")
    return settings(**values)


def dump(settings: object, section: str, *, leave_out: Collection[str] = ()) -> str:
    """Settings as a TOML section that `resolve` reads back to an equal value. Unset optional settings are left out, and
    those that the caller names (such as local paths, where the text will be public)."""
    lines = [f"[{section}]"]
    kind: Any = type(settings)
    for field in fields_of(kind):
        value = getattr(settings, field.name)
        if value is not None and field.name not in leave_out:
            # A JSON string or number is a TOML one, but for DEL; Path has no TOML type and is written as its text.
            text = json.dumps(str(value) if isinstance(value, Path) else value, ensure_ascii=False)
            lines.append(f"{field.name} = {text.replace(chr(127), chr(92) + 'u007f')}")
    return "\n".join(lines) + "\n"


def coerce(field: Field, value: Any, where: str) -> Any:
    """`value` as the type the field states, from text (flags, environment) or from TOML, or an error that says where."""
    try:
        plain = _convert(field, value)
    except (KeyError, TypeError, ValueError):
        expected = f"one of {', '.join(field.choices)}" if field.choices else _type_name(field)
        raise UsageError(f"{value!r} is not {expected}", where=where, hint=field.doc) from None
    low, high = field.low, field.high
    if plain is not None and ((low is not None and plain < low) or (high is not None and plain > high)):
        allowed = f"from {low:g} to {high:g}" if low is not None and high is not None else f"at least {low:g}"
        raise UsageError(f"{value!r} is out of range", where=where, hint=f"it must be {allowed}")
    return plain


def _convert(field: Field, value: Any) -> Any:
    if field.choices:
        if value not in field.choices:
            raise ValueError(value)
        return value
    if field.type is bool:
        if isinstance(value, bool):
            return value
        return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[str(value).lower()]
    if isinstance(value, bool):
        raise TypeError(value)
    if field.type is int:
        if isinstance(value, float) and not value.is_integer():
            raise ValueError(value)
        return int(value)
    if field.type is float:
        number = float(value)
        if number != number:
            raise ValueError(value)
        return number
    if isinstance(value, (int, float)):
        raise TypeError(value)
    return field.type(value)


def _from_file(settings: type[object], section: str, path: Path) -> dict[str, Any]:
    try:
        tree: Any = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError("no such settings file", where=str(path)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"not TOML: {error}", where=str(path)) from None
    for part in section.split("."):
        tree = tree.get(part, {}) if isinstance(tree, dict) else {}
    where = f"{path}: [{section}]"
    return {name: coerce(_known(settings, name, where), value, f"{where} {name}") for name, value in tree.items()}


def _from_environment(settings: type, section: str, environ: Mapping[str, str]) -> dict[str, Any]:
    prefix = f"SEESAY_{section.replace('.', '_').upper()}__"
    values = {}
    for variable, text in environ.items():
        if variable.startswith(prefix):
            name = variable.removeprefix(prefix).lower()
            values[name] = coerce(_known(settings, name, variable), text, variable)
    return values


def _known(settings: type, name: str, where: str) -> Field:
    fields = {field.name: field for field in fields_of(settings)}
    if name in fields:
        return fields[name]
    near = difflib.get_close_matches(name, fields, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(fields)}"
    raise UsageError(f"unknown setting {name!r}", where=where, hint=hint)


def _type_name(field: Field) -> str:
    return {int: "a whole number", float: "a number", bool: "true or false", Path: "a path"}.get(field.type, "text")


def _user_file(environ: Mapping[str, str]) -> Path:
    home = environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(home) / "seesay" / "config.toml"


def changed(one: Any, other: Any) -> list[str]:
    """The names of the settings in which two values of one class differ."""
    return [field.name for field in dataclasses.fields(one) if getattr(one, field.name) != getattr(other, field.name)]
