"""Packages whose names are loaded when they are first used (PEP 562), so that a command pays for what it uses and no more.

Such a package names what it offers once, in a block that type checkers read and Python does not run:

    if TYPE_CHECKING:
        from .pictures import ask as ask
        from .pictures import caption as caption

    __getattr__, __dir__ = lazily(__name__, __file__)

The block is read from the source, as settings are (as `lazy_loader.attach_stub` of SPEC 1 reads a stub): every line that passes a
name on as itself, which is how type checkers know it as well. A name must not be that of a module beside it: once that is
imported, Python puts it in the name's place.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

PASSED_ON = re.compile(r"^    from (\S+) import (\w+) as \2$", re.MULTILINE)


def lazily(package: str, file: str) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of a package with such a block; `__all__` are its names, sorted."""

    @cache
    def homes() -> dict[str, str]:
        return homes_of(file)

    def load(name: str) -> object:
        if name == "__all__":
            return sorted(homes())
        if name not in homes():
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(homes()[name], package), name)
        setattr(sys.modules[package], name, value)
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes()})

    return load, names


def homes_of(file: str) -> dict[str, str]:
    """The names in the block of a file, and the module that each is loaded from, relative to its package."""
    return {name: home for home, name in PASSED_ON.findall(Path(file).read_text(encoding="utf-8"))}
