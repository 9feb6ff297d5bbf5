"""Finding over an index, against asking every picture from its file."""

from collections.abc import Callable
from pathlib import Path

import pytest

import seesay
from seesay.errors import ModelError, TextError, UsageError
from seesay.models import load
from seesay.search import Store, find, refresh
from seesay.settings import FindSettings, ModelSettings

PhotoMaker = Callable[..., Path]
DRAWINGS = Path(__file__).parents[3] / "examples" / "pictures"
QUESTION = "is there a cat?"


def quiet(done: int, total: int) -> None:
    """Progress that nobody watches."""


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example pictures, one of them twice."""
    folder = tmp_path_factory.mktemp("found")
    (folder / "pictures").mkdir()
    for path in DRAWINGS.glob("*.jpg"):
        (folder / "pictures" / path.name).write_bytes(path.read_bytes())
    (folder / "pictures" / "cat again.jpg").write_bytes((DRAWINGS / "cat.jpg").read_bytes())
    seesay.index(folder / "pictures", output=folder / "photos.seesay")
    return folder / "photos.seesay"


def test_find_is_asking_every_picture_from_its_file(index: Path) -> None:
    store, family = Store(index), load(ModelSettings())
    kept = find(store, family, QUESTION, FindSettings(precision=0.0), quiet)
    about = store.about
    store.close()
    writing = Store(index, create=True)
    writing.set_about({"encoding": "of another model"})
    opened = find(writing, family, QUESTION, FindSettings(precision=0.0), quiet)
    writing.set_about(about)
    writing.close()
    assert kept.pictures == kept.asked == opened.asked == len(kept.hits)
    scores = {hit.path: hit.score for hit in opened.hits}
    assert [hit.path for hit in kept.hits] == [hit.path for hit in opened.hits]
    for hit in kept.hits:
        assert hit.score == pytest.approx(scores[hit.path], abs=2e-3)


@pytest.mark.parametrize("checkpoint", ["blip_checkpoint", "git_checkpoint"])
def test_large_models_find_the_same_from_what_is_kept_as_from_files(
    checkpoint: str, vilt_pictures: list[Path], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    folder: Path = request.getfixturevalue(checkpoint)
    family, settings = load(ModelSettings(model=str(folder))), FindSettings(precision=None)
    store = Store(tmp_path / "photos.seesay", create=True)
    refresh(store, family, vilt_pictures, 4, quiet)
    kept = find(store, family, "Is there a red one?", settings, quiet)
    store.set_about({"encoding": "of another model"})
    opened = find(store, load(ModelSettings(model=str(folder))), "Is there a red one?", settings, quiet)
    store.close()
    assert not kept.calibrated
    assert {hit.path: pytest.approx(hit.score, abs=2e-3) for hit in kept.hits} == {h.path: h.score for h in opened.hits}


def test_a_model_that_keeps_nothing_asks_the_files(index: Path, vilt_maker: object, vilt_checkpoint: Path) -> None:
    with seesay.Index(index, model=str(vilt_checkpoint)) as opened:
        if {"yes", "no"} <= set(opened._family.vocabulary):
            assert opened.find("is it red?").asked == len(opened)
        else:
            with pytest.raises(ModelError, match="never answers"):
                opened.find("is it red?")


def test_batches_of_any_size_find_the_same(index: Path) -> None:
    store, family = Store(index), load(ModelSettings())
    found = [find(store, family, QUESTION, FindSettings(batch_size=size), quiet).hits for size in (1, 3, 64)]
    store.close()
    for hits in found[1:]:
        assert [hit.path for hit in hits] == [hit.path for hit in found[0]]


def test_a_photograph_of_a_cat_is_found_with_its_copy_and_a_description(index: Path) -> None:
    found = seesay.find("cat", index, captions=True)
    assert found.question == QUESTION
    assert found.calibrated
    best = found.hits[0]
    assert {Path(path).name for path in (best.path, *best.copies)} == {"cat.jpg", "cat again.jpg"}
    assert best.caption
    assert best.score > 0.5
    assert best.score >= found.threshold


def test_settings_limit_what_is_found(index: Path) -> None:
    with seesay.Index(index) as opened:
        every = opened.find("is there an animal?", precision=0.0)
        assert [hit.score for hit in every.hits] == sorted((hit.score for hit in every.hits), reverse=True)
        assert opened.find("is there an animal?", precision=0.0, limit=2).hits == every.hits[:2]
        few = opened.find("is there an animal?", candidates=4)
        assert (few.asked, few.pictures) == (4, len(opened))
        sure = opened.find("is there an animal?", precision=0.6)
        assert len(sure.hits) <= len(every.hits)
        assert not sure.hits or sum(hit.score for hit in sure.hits) / len(sure.hits) >= 0.6
        with pytest.raises(ModelError, match=r"so high a precision was never measured: 0.99"):
            opened.find("is there an animal?", precision=0.99)
        with pytest.raises(UsageError, match="out of range"):
            opened.find("cat", precision=1.5)


def test_what_is_not_understood_is_said(index: Path) -> None:
    with pytest.raises(TextError, match="not understood"):
        seesay.find("flurbl", index)
    with pytest.raises(TextError, match="empty"):
        seesay.find("  ", index)


def test_a_precision_needs_a_model_that_was_measured(index: Path, git_checkpoint: Path) -> None:
    with seesay.Index(index, model=str(git_checkpoint)) as opened, pytest.raises(ModelError, match="not measured"):
        opened.find("is there a cat?", precision=0.9)


def test_a_picture_that_is_gone_is_a_problem_only_where_it_must_be_opened(
    photo: PhotoMaker, tmp_path: Path, git_checkpoint: Path
) -> None:
    path = photo(tmp_path / "pictures" / "a.png")
    seesay.index(tmp_path / "pictures", output=tmp_path / "photos.seesay")
    path.unlink()
    assert not seesay.find("cat", tmp_path / "photos.seesay").problems
    with seesay.Index(tmp_path / "photos.seesay", model=str(git_checkpoint)) as opened:
        assert [problem.message for problem in opened.find("cat").problems] == ["no such file"]


def test_an_empty_index_gives_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert seesay.index(tmp_path / "empty", output=tmp_path / "photos.seesay").pictures == 0
    found = seesay.find("cat", tmp_path / "photos.seesay", precision=0.5)
    assert (found.hits, found.pictures) == ((), 0)
