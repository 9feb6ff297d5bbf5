"""discover() finds what a folder and entry points hold, and nothing twice."""

import importlib
import sys
import zipfile
from abc import ABC, abstractmethod
from pathlib import Path

import pytest

from seesay.registry import discover


class Thing(ABC):
    @abstractmethod
    def act(self) -> str: ...


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "things_of_a_test"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(sys.modules, "thing_base", type(sys)("thing_base"))
    sys.modules["thing_base"].Thing = Thing  # type: ignore[attr-defined]
    importlib.invalidate_caches()
    discover.cache_clear()
    yield folder
    discover.cache_clear()
    for name in [name for name in sys.modules if name.startswith("things_of_a_test")]:
        del sys.modules[name]


def write(folder: Path, file: str, name: str) -> None:
    text = f"from thing_base import Thing\nclass A(Thing):\n    name = {name!r}\n    def act(self): return 'x'\n"
    (folder / file).write_text(text)


def test_one_new_file_is_one_new_thing(package: Path) -> None:
    write(package, "one.py", "first")
    write(package, "two.py", "second")
    assert list(discover("things_of_a_test", Thing)) == ["first", "second"]  # type: ignore[type-abstract]


def test_imported_and_abstract_classes_are_not_found_again(package: Path) -> None:
    write(package, "one.py", "first")
    (package / "two.py").write_text("from things_of_a_test.one import A\nfrom thing_base import Thing\n")
    assert list(discover("things_of_a_test", Thing)) == ["first"]  # type: ignore[type-abstract]


def test_two_things_of_one_name_are_an_error(package: Path) -> None:
    write(package, "one.py", "same")
    write(package, "two.py", "same")
    with pytest.raises(ValueError, match="'same' is claimed by"):
        discover("things_of_a_test", Thing)  # type: ignore[type-abstract]


def installed(folder: Path, text: str) -> None:
    """A package outside, installed beside with these entry points."""
    info = folder / "outside-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: outside\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(text)


def test_an_entry_point_of_another_package_is_one_more_thing(package: Path) -> None:
    write(package, "one.py", "first")
    write(package.parent, "outside.py", "second")
    installed(package.parent, "[console_scripts]\nx = outside:A\n\n[things_of_a_test]\nany = outside:A\n")
    assert list(discover("things_of_a_test", Thing)) == ["first", "second"]  # type: ignore[type-abstract]


def test_entry_points_of_another_group_are_left_alone(package: Path) -> None:
    write(package, "one.py", "first")
    installed(package.parent, "[things_of_another_test]\nany = nowhere:A\n")
    assert list(discover("things_of_a_test", Thing)) == ["first"]  # type: ignore[type-abstract]


def test_an_entry_point_in_an_archive_is_found(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(package, "one.py", "first")
    write(package.parent, "outside.py", "second")
    with zipfile.ZipFile(package.parent / "outside.zip", "w") as archive:
        archive.writestr("outside-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: outside\nVersion: 1.0\n")
        archive.writestr("outside-1.0.dist-info/entry_points.txt", "[things_of_a_test]\nany = outside:A\n")
    monkeypatch.syspath_prepend(str(package.parent / "outside.zip"))
    assert list(discover("things_of_a_test", Thing)) == ["first", "second"]  # type: ignore[type-abstract]
