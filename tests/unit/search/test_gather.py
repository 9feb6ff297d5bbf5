"""Pictures that were found, in a folder."""

from collections.abc import Callable
from pathlib import Path

import pytest

from seesay.errors import ResourceError, UsageError
from seesay.search.gather import gather
from seesay.types import Hit

PhotoMaker = Callable[..., Path]


@pytest.fixture
def hits(photo: PhotoMaker, tmp_path: Path) -> list[Hit]:
    paths = [photo(tmp_path / name / "same.png", (8, 8), color) for name, color in (("one", "red"), ("two", "blue"))]
    return [Hit(str(path), 0.9, "") for path in paths]


@pytest.mark.parametrize("copy", [False, True])
def test_pictures_of_one_name_stand_side_by_side_the_best_first(hits: list[Hit], tmp_path: Path, copy: bool) -> None:
    gather(hits, tmp_path / "found" / "cats", copy=copy)
    made = sorted((tmp_path / "found" / "cats").iterdir())
    assert [path.name for path in made] == ["0001-same.png", "0002-same.png"]
    assert [path.is_symlink() for path in made] == [not copy] * 2
    assert [path.read_bytes() for path in made] == [Path(hit.path).read_bytes() for hit in hits]


def test_a_folder_that_holds_something_is_left_alone(hits: list[Hit], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not an empty folder"):
        gather(hits, tmp_path / "one", copy=True)
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["same.png"]


def test_a_picture_that_is_gone_cannot_be_copied(hits: list[Hit], tmp_path: Path) -> None:
    Path(hits[0].path).unlink()
    with pytest.raises(ResourceError, match="cannot be written"):
        gather(hits, tmp_path / "found", copy=True)
