"""What a setting is: a field of a dataclass, with its type, default, range and the text below it. `fields_of` reads them.

Supported types: str, int, float, bool, Path, Literal of strings, and `X | None`. Ranges are checked by `config`."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import itertools
import types
import typing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal


def setting(default: Any, *, low: float | None = None, high: float | None = None) -> Any:
    """A field with a default and the range (both ends included) that its value must lie in."""
    return dataclasses.field(default=default, metadata={"low": low, "high": high})


@dataclass(frozen=True, slots=True)
class Field:
    """One setting as the dataclass states it."""

    name: str
    type: Any
    """The type without `| None`."""
    optional: bool
    default: Any
    doc: str
    low: float | None
    high: float | None

    @property
    def choices(self) -> tuple[str, ...]:
        """The values of a Literal; empty for every other type."""
        return typing.get_args(self.type) if typing.get_origin(self.type) is Literal else ()


@cache
def fields_of(settings: type[Any]) -> tuple[Field, ...]:
    """The fields of a settings class, in the order of its bases, with their documentation."""
    hints = typing.get_type_hints(settings)
    documentation: dict[str, str] = {}
    for cls in reversed(settings.__mro__):
        if dataclasses.is_dataclass(cls):
            documentation |= _attribute_docstrings(cls)
    return tuple(_field(field, hints[field.name], documentation[field.name]) for field in dataclasses.fields(settings))


def _field(field: dataclasses.Field[Any], hint: Any, doc: str) -> Field:
    optional = typing.get_origin(hint) in (types.UnionType, typing.Union)
    plain = next(arg for arg in typing.get_args(hint) if arg is not type(None)) if optional else hint
    low, high = field.metadata.get("low"), field.metadata.get("high")
    return Field(field.name, plain, optional, field.default, doc, low, high)


def _attribute_docstrings(cls: type) -> dict[str, str]:
    """The string below each field of a class body. Python drops them, so they are read from the source."""
    body = _class_bodies(inspect.getsourcefile(cls) or "")[cls.__name__]
    return {
        statement.target.id: inspect.cleandoc(following.value.value)
        for statement, following in itertools.pairwise(body)
        if isinstance(statement, ast.AnnAssign)
        and isinstance(statement.target, ast.Name)
        and isinstance(following, ast.Expr)
        and isinstance(following.value, ast.Constant)
        and isinstance(following.value.value, str)
    }


@cache
def _class_bodies(file: str) -> dict[str, list[ast.stmt]]:
    """The statements of each class of a file; the file is parsed once, not once a class."""
    tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    return {node.name: node.body for node in tree.body if isinstance(node, ast.ClassDef)}
