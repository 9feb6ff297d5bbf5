"""The one mechanism of extension: a new family, format or command is one new file in the right folder, or an entry point.

`discover(package, base)` imports the modules of a folder and returns the concrete subclasses of `base` that they define,
by their `name`. Packages outside seesay add theirs by an entry point in the group of the package's dotted name
(`seesay.data.formats`, `seesay.models.families`). Modules here must stay cheap to import: no torch at the top.
"""

from __future__ import annotations

import importlib
import inspect
import os
import pkgutil
import re
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

T = TypeVar("T")


@cache
def discover(package: str, base: type[T]) -> dict[str, type[T]]:
    """All concrete subclasses of `base` in the modules of `package` and in its entry points, by name, sorted.

    Raises:
        ValueError: two of them have one name. A mistake of whoever wrote the plug-in, so it is not hidden.
    """
    found: dict[str, type[T]] = {}
    for module in [*_modules(package), *_plugged(package)]:
        for candidate in _subclasses(module, base):
            name = str(vars(candidate)["name"])
            if found.setdefault(name, candidate) is not candidate:
                raise ValueError(
                    f"{package}: {name!r} is claimed by {found[name].__module__} and {candidate.__module__}"
                )
    return dict(sorted(found.items()))


def _modules(package: str) -> list[ModuleType]:
    folder = importlib.import_module(package)
    return [importlib.import_module(f"{package}.{info.name}") for info in pkgutil.iter_modules(folder.__path__)]


def _plugged(group: str) -> list[Any]:
    """What other packages offer in a group of entry points. `importlib.metadata` takes longer to import than the modules of a
    command, so the files that it would read are looked through first: hardly any machine has such a package."""
    groups = _groups(tuple(sys.path))
    if groups is not None and group not in groups:
        return []
    from importlib.metadata import entry_points

    return [point.load() for point in entry_points(group=group)]


@cache
def _groups(paths: tuple[str, ...]) -> frozenset[str] | None:
    """The groups of entry points of the packages on these paths; None where one is an archive, which is not looked into."""
    found: set[str] = set()
    for path in paths:
        if Path(path).is_file():
            return None
        with suppress(OSError), os.scandir(path or ".") as entries:
            for entry in entries:
                if entry.name.lower().endswith("-info"):
                    with suppress(FileNotFoundError):
                        text = Path(entry.path, "entry_points.txt").read_text(encoding="utf-8")
                        found.update(re.findall(r"^\s*\[(.+)\]", text, re.MULTILINE))
    return frozenset(found)


def _subclasses(module: ModuleType | type, base: type[T]) -> list[type[T]]:
    values = [module] if isinstance(module, type) else list(vars(module).values())
    return [
        value
        for value in values
        if inspect.isclass(value)
        and issubclass(value, base)
        and not inspect.isabstract(value)
        and "name" in vars(value)
        and (value is module or value.__module__ == getattr(module, "__name__", ""))
    ]
