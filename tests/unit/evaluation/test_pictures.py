"""Pictures by content, and the features that say which are alike."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy
import pytest
from PIL import Image, ImageDraw

from seesay import DataError, Example, ImageError
from seesay.evaluation import Looking, by_content

PhotoMaker = Callable[..., Path]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEESAY_CACHE", str(tmp_path / "cache"))


def test_all_captions_of_a_picture_are_its_references_whatever_it_is_called(photo: PhotoMaker, tmp_path: Path) -> None:
    red, blue = photo(tmp_path / "red.png"), photo(tmp_path / "blue.png", colour="blue")
    copy = tmp_path / "copy.png"
    copy.write_bytes(red.read_bytes())
    rows = [
        Example((red,), answers=("a red page",), id="first"),
        Example((blue,), answers=("a blue page", "blue")),
        Example((copy,), answers=("red",)),
        Example((red.read_bytes(),), answers=("a red page",)),
    ]
    found = list(by_content(rows).values())
    assert [(example.id, example.images, example.answers) for example in found] == [
        ("first", (red,), ("a red page", "red", "a red page")),
        ("", (blue,), ("a blue page", "blue")),
    ]


def test_rows_of_several_pictures_and_missing_pictures_are_refused(photo: PhotoMaker, tmp_path: Path) -> None:
    red = photo(tmp_path / "red.png")
    with pytest.raises(DataError, match=r"my.jsonl:3: a caption describes one picture, not 2"):
        by_content([Example((red, red), answers=("two",), origin="my.jsonl:3")])
    with pytest.raises(ImageError, match=r"nowhere.png"):
        by_content([Example((tmp_path / "nowhere.png",), answers=("gone",))])


def test_features_tell_alike_from_other_and_are_computed_once(photo: PhotoMaker, tmp_path: Path) -> None:
    paths = []
    for name, color, shape in (("a", "red", "ellipse"), ("b", "red", "ellipse"), ("c", "blue", "line")):
        image = Image.new("RGB", (120, 120), "white")
        draw = ImageDraw.Draw(image)
        shift = 3 if name == "b" else 0
        if shape == "ellipse":
            draw.ellipse((20 + shift, 20, 90 + shift, 90), fill=color)
        else:
            draw.line((0, 0, 119, 119), fill=color, width=4)
        image.save(tmp_path / f"{name}.png")
        paths.append(tmp_path / f"{name}.png")
    pictures = {digest: example.images[0] for digest, example in by_content(Example((p,)) for p in paths).items()}
    told: list[int] = []
    features = Looking()(pictures, told.append)
    assert features.shape == (3, Looking.width)
    assert features.min() >= 0
    assert sum(told) == 3
    rows = features / numpy.linalg.norm(features, axis=1, keepdims=True)
    assert rows[0] @ rows[1] > rows[0] @ rows[2]
    for path in paths:
        path.unlink()
    assert numpy.array_equal(Looking()(pictures), features)


def test_without_a_folder_to_keep_them_in_features_are_the_same(
    photo: PhotoMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = {key: example.images[0] for key, example in by_content([Example((photo(tmp_path / "a.png"),))]).items()}
    kept = Looking()(pictures)
    (tmp_path / "file").touch()
    monkeypatch.setenv("SEESAY_CACHE", str(tmp_path / "file"))
    assert numpy.array_equal(Looking()(pictures), kept)
    monkeypatch.setenv("SEESAY_CACHE", str(tmp_path / "gone"))
    looking = Looking()
    shutil.rmtree(tmp_path / "gone")
    assert numpy.array_equal(looking(pictures), kept)
