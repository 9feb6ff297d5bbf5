"""What can be said about a picture without a captioner."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from seesay import Example, ModelError
from seesay.evaluation import CaptionPrior, Looking, by_content
from seesay.evaluation.caption_baselines import _commonest

SHAPES = {"ball": "ellipse", "box": "rectangle"}


@pytest.fixture(scope="module")
def looking(tmp_path_factory: pytest.TempPathFactory) -> Looking:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEESAY_CACHE", str(tmp_path_factory.mktemp("cache")))
        return Looking()


@pytest.fixture(scope="module")
def drawings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Balls and boxes in two colors, each at two places, as `red ball 0`."""
    folder = tmp_path_factory.mktemp("drawings")
    made = {}
    for color in ("red", "blue"):
        for name, shape in SHAPES.items():
            for place in (0, 1):
                image = Image.new("RGB", (160, 160), "white")
                getattr(ImageDraw.Draw(image), shape)((30 + 4 * place, 30, 120 + 4 * place, 120), fill=color)
                key = f"{color} {name} {place}"
                image.save(folder / f"{key}.png")
                made[key] = folder / f"{key}.png"
    return made


def pictures(drawings: dict[str, Path], place: str) -> dict[str, Example]:
    rows = [Example((path,), answers=(f"a {key[:-2]}", key)) for key, path in drawings.items() if key[-1] == place]
    return by_content(rows)


def test_the_nearest_training_picture_lends_its_first_caption(drawings: dict[str, Path], looking: Looking) -> None:
    told: list[int] = []
    prior = CaptionPrior.fit(pictures(drawings, "0"), looking, told.append)
    asked = pictures(drawings, "1")
    found = prior.answer(asked, looking, told.append)
    assert found.nearest == tuple(example.answers[0] for example in asked.values())
    assert (found.training_pictures, found.looked_at, found.known) == (4, 4, 0)
    assert sum(told) == 8
    assert set(found.training) == {
        caption for example in pictures(drawings, "0").values() for caption in example.answers
    }
    assert prior.answer(pictures(drawings, "0"), looking).known == 4


def test_what_is_saved_says_the_same(drawings: dict[str, Path], looking: Looking) -> None:
    prior = CaptionPrior.fit(pictures(drawings, "0"), looking)
    saved = CaptionPrior.from_json(prior.to_json(), "here")
    asked = pictures(drawings, "1")
    assert saved.answer(asked, looking) == prior.answer(asked, looking)
    assert len(prior.to_json()) < 4 * (Looking.width * 4 / 3 + 200) + 500


def test_features_of_another_encoder_are_not_compared(drawings: dict[str, Path], looking: Looking) -> None:
    values = json.loads(CaptionPrior.fit(pictures(drawings, "0"), looking).to_json())
    other = CaptionPrior.from_json(json.dumps({**values, "encoder": "another"}), "here")
    found = other.answer(pictures(drawings, "1"), looking)
    assert found.nearest is None
    assert found.commonest == values["commonest"]


def test_of_many_pictures_some_are_looked_at(
    drawings: dict[str, Path], looking: Looking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seesay.evaluation.caption_baselines.MOST_PICTURES", 3)
    training = pictures(drawings, "0")
    found = CaptionPrior.fit(training, looking).answer(pictures(drawings, "1"), looking)
    assert (found.training_pictures, found.looked_at) == (4, 3)
    kept = {training[digest].answers[0] for digest in sorted(training)[:3]}
    assert found.nearest is not None
    assert set(found.nearest) <= kept
    assert len(found.training) == 8


@pytest.mark.parametrize(
    "change",
    [
        {"captions": []},
        {"pictures": {"0" * 64: -1}},
        {"pictures": []},
        {"features": "AAAA"},
        {"features": "not base64!"},
        {"features": None},
        {"training_pictures": "many"},
        {"encoder": ...},
    ],
    ids=str,
)
def test_a_damaged_file_is_named(drawings: dict[str, Path], looking: Looking, change: dict[str, Any]) -> None:
    values = json.loads(CaptionPrior.fit(pictures(drawings, "0"), looking).to_json())
    broken = {name: value for name, value in {**values, **change}.items() if value is not ...}
    with pytest.raises(ModelError, match=r"runs/x/captions.json"):
        CaptionPrior.from_json(json.dumps(broken), "runs/x/captions.json")


@pytest.mark.parametrize("text", ["", "[]", "{", "null", "[" * 100_000])
def test_what_is_no_such_file_is_named(text: str) -> None:
    with pytest.raises(ModelError, match="delete it"):
        CaptionPrior.from_json(text, "captions.json")


def test_the_most_frequent_caption_counts_words_and_keeps_a_spelling() -> None:
    assert _commonest(["A dog.", "a dog", "a cat", "a dog"]) == "a dog"
    assert _commonest(["a cat", "a cat", "a dog", "a dog", "a dog"]) == "a dog"


def test_where_each_is_written_once_the_most_typical_one_is_taken() -> None:
    captions = ["zebra", "an aardvark eats", "a dog on the grass", "a dog on the street", "a dog on the green grass"]
    assert _commonest(captions) == "a dog on the grass"


@given(st.lists(st.text(max_size=12), min_size=1, max_size=12))
def test_any_texts_have_a_most_frequent_one_among_them_whatever_their_order(captions: list[str]) -> None:
    found = _commonest(captions)
    assert found in captions
    assert _commonest(captions[::-1]) == found
