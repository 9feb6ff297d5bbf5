"""Names of a package that are loaded when they are used."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from seesay.lazy import homes_of


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    folder = tmp_path / "lazy_of_a_test"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "from typing import TYPE_CHECKING\nfrom seesay.lazy import lazily\n"
        "if TYPE_CHECKING:\n    from .one import first as first\n    from json import dumps as dumps\n"
        "__getattr__, __dir__ = lazily(__name__, __file__)\n"
    )
    (folder / "one.py").write_text("first = object()\nsecond = 2\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    yield importlib.import_module("lazy_of_a_test")
    for name in [name for name in sys.modules if name.startswith("lazy_of_a_test")]:
        del sys.modules[name]


def test_a_module_is_imported_when_a_name_of_it_is_used(package: ModuleType) -> None:
    assert "lazy_of_a_test.one" not in sys.modules
    first = package.first
    assert first is sys.modules["lazy_of_a_test.one"].first
    assert package.first is first and "first" in vars(package)


def test_names_are_told_before_they_are_loaded(package: ModuleType) -> None:
    assert package.__all__ == ["dumps", "first"]
    assert {"first", "dumps", "__name__"} <= set(dir(package))
    assert "lazy_of_a_test.one" not in sys.modules


def test_a_star_takes_all_of_them(package: ModuleType) -> None:
    taken: dict[str, object] = {}
    exec("from lazy_of_a_test import *", taken)
    assert taken["first"] is package.first and taken["dumps"] is importlib.import_module("json").dumps


@pytest.mark.parametrize("name", ["second", "nothing"])
def test_what_is_not_in_the_block_is_not_there(package: ModuleType, name: str) -> None:
    with pytest.raises(AttributeError, match=f"module 'lazy_of_a_test' has no attribute '{name}'"):
        getattr(package, name)


def test_the_block_is_read_with_the_modules_that_names_come_from(package: ModuleType) -> None:
    assert homes_of(str(package.__file__)) == {"first": ".one", "dumps": "json"}
