"""The one mechanism of extension: a new family, format or command is one new file in the right folder, or an entry point.

`discover(package, base)` imports the modules of a folder and returns the concrete subclasses of `base` that they define,
by their `name`. Packages outside seesay add theirs by an entry point in the group of the package's dotted name
(`seesay.data.formats`, `seesay.models.families`). Modules here must stay cheap to import: no torch at the top.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache
from importlib.metadata import entry_points
from types import ModuleType
from typing import TypeVar

T = TypeVar("T")


@cache
def discover(package: str, base: type[T]) -> dict[str, type[T]]:
    """All concrete subclasses of `base` in the modules of `package` and in its entry points, by name, sorted.

    Raises:
        ValueError: two of them have one name. A mistake of whoever wrote the plug-in, so it is not hidden.
    """
    found: dict[str, type[T]] = {}
    for module in [*_modules(package), *(point.load() for point in entry_points(group=package))]:
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
