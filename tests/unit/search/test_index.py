"""An index made and brought up to date, with the embedded model and pictures on the disk."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

import seesay
from seesay import Family
from seesay.errors import InputError, ModelError, RunError
from seesay.models import Encoded, load
from seesay.search import IndexReport, Store, refresh
from seesay.settings import ModelSettings
from seesay.types import ImageSource, Picture

PhotoMaker = Callable[..., Path]


@pytest.fixture(scope="module")
def mini() -> Family:
    return load(ModelSettings())


class Opened:
    """An index in a folder of three pictures, and which files were encoded last."""

    def __init__(self, folder: Path, family: Family, photo: PhotoMaker, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.family, self.photo = folder / "pictures", family, photo
        self.store = Store(folder / "photos.seesay", create=True)
        self.encoded: list[str] = []
        encode = type(family).encode

        def watched(model: Family, images: Sequence[ImageSource]) -> list[Encoded]:
            found = encode(model, images)
            self.encoded += [Path(image.name).name for image in images if isinstance(image, Picture)]
            return found

        monkeypatch.setattr(type(family), "encode", watched)
        for name, color in (("a", "red"), ("b", "green"), ("c", "blue")):
            self.paint(name, color)

    def paint(self, name: str, color: str) -> Path:
        return self.photo(self.folder / f"{name}.png", (40, 30), color)

    def refresh(self, *sources: Path, batch_size: int = 2) -> IndexReport:
        self.encoded.clear()
        return refresh(self.store, self.family, list(sources) or [self.folder], batch_size, lambda done, total: None)


@pytest.fixture
def opened(tmp_path: Path, mini: Family, photo: PhotoMaker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    made = Opened(tmp_path, mini, photo, monkeypatch)
    yield made
    made.store.close()


def test_pictures_are_encoded_once(opened: Opened) -> None:
    first = opened.refresh()
    assert (first.files, first.pictures, first.encoded) == (3, 3, 3)
    assert sorted(opened.encoded) == ["a.png", "b.png", "c.png"]
    again = opened.refresh()
    assert (again.files, again.pictures, again.encoded, opened.encoded) == (3, 3, 0, [])


def test_moved_copied_and_touched_files_are_not_encoded_again(opened: Opened) -> None:
    opened.refresh()
    (opened.folder / "a.png").rename(opened.folder / "z.png")
    (opened.folder / "copy.png").write_bytes((opened.folder / "b.png").read_bytes())
    os.utime(opened.folder / "c.png", ns=(5, 5))
    report = opened.refresh()
    assert opened.encoded == []
    assert (report.moved, report.changed, report.dropped, report.removed, report.pictures) == (2, 0, 1, 0, 3)
    names = {Path(path).name for path in opened.store.files()}
    assert names == {"z.png", "b.png", "copy.png", "c.png"}


def test_changed_files_are_encoded_again_and_deleted_ones_dropped(opened: Opened) -> None:
    opened.refresh()
    opened.paint("a", "yellow")
    (opened.folder / "b.png").unlink()
    report = opened.refresh()
    assert opened.encoded == ["a.png"]
    assert (report.encoded, report.changed, report.dropped, report.removed, report.pictures) == (1, 1, 1, 2, 2)


def test_a_broken_picture_is_listed_every_time_and_the_others_are_kept(opened: Opened) -> None:
    (opened.folder / "a.png").write_bytes((opened.folder / "a.png").read_bytes()[:60])
    (opened.folder / "empty.jpg").touch()
    for _ in range(2):
        report = opened.refresh(batch_size=16)
        assert report.pictures == 2
        found = {Path(problem.where).name: problem.message for problem in report.problems}
        assert set(found) == {"a.png", "empty.jpg"}
        assert "broken or cut-short" in found["a.png"]
    opened.paint("a", "red")
    assert [Path(problem.where).name for problem in opened.refresh().problems] == ["empty.jpg"]


def test_sources_add_up_and_only_what_is_named_is_looked_at(opened: Opened, tmp_path: Path) -> None:
    opened.refresh()
    other = opened.photo(tmp_path / "other" / "d.png", (40, 30), "white")
    manifest = tmp_path / "list.txt"
    manifest.write_text(f"{other}\npictures/a.png\n")
    (opened.folder / "b.png").unlink()
    report = opened.refresh(manifest)
    assert opened.encoded == ["d.png"]
    assert report.pictures == 4  # b is gone, but its folder was not looked at
    manifest.write_text("")
    assert opened.refresh(manifest, opened.folder).pictures == 2


def test_one_content_under_two_new_names_is_one_picture(opened: Opened) -> None:
    for name in ("one", "two"):
        opened.paint(name, "purple")
    report = opened.refresh(batch_size=16)
    assert (report.files, report.pictures, report.encoded) == (5, 4, 4)


def test_a_source_that_is_gone_is_an_error_and_nothing_is_dropped(opened: Opened, tmp_path: Path) -> None:
    opened.refresh()
    opened.folder.rename(tmp_path / "unmounted")
    with pytest.raises(InputError, match="no such file or folder"):
        opened.refresh()
    assert len(opened.store) == 3


def test_another_model_is_refused(opened: Opened, vilt_checkpoint: Path) -> None:
    vilt = load(ModelSettings(model=str(vilt_checkpoint)))
    with pytest.raises(ModelError, match="nothing of a picture can be kept"):
        refresh(opened.store, vilt, [opened.folder], 16, lambda done, total: None)
    opened.store.set_about({"encoding": "another", "model": "owner/name"})
    with pytest.raises(RunError, match="owner/name"):
        opened.refresh()


def test_progress_ends_at_all_files(opened: Opened) -> None:
    told: list[tuple[int, int]] = []
    refresh(opened.store, opened.family, [opened.folder], 2, lambda done, total: told.append((done, total)))
    assert told == [(0, 3), (2, 3), (3, 3)]


def test_where_auto_takes_an_export_an_index_is_made_by_torch(
    git_checkpoint: Path, photo: PhotoMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exports keep nothing of a picture; that one is here must not take the index away."""
    monkeypatch.setenv("SEESAY_CACHE", str(tmp_path / "cache"))
    model = seesay.load(str(git_checkpoint), engine="onnx", dtype="float32")
    assert model.family.encoding == ""
    photo(tmp_path / "pictures" / "red.png")
    report = seesay.index(tmp_path / "pictures", output=tmp_path / "photos.seesay", model=str(git_checkpoint))
    assert report.pictures == 1
    with seesay.Index(tmp_path / "photos.seesay") as index:
        assert len(index.find("is it red?").hits) <= 1
