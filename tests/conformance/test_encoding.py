"""What is kept of a picture gives the answers that its file gives, for every family that keeps anything."""

import random
from pathlib import Path

import pytest

from seesay import Example
from seesay.models import Family, all_families, load
from seesay.settings import ModelSettings

CHECKPOINTS = {
    "blip": "blip_checkpoint",
    "blip2": "blip2_checkpoint",
    "git": "git_checkpoint",
    "instructblip": "instructblip_checkpoint",
    "mini": "mini_checkpoint",
}
NOTHING = {"chat": "chat_checkpoint", "vilt": "vilt_checkpoint"}
QUESTIONS = ("Is there a red one?", "How many?", "What is the color of this picture?")


@pytest.fixture(params=sorted(CHECKPOINTS))
def family(request: pytest.FixtureRequest) -> Family:
    return load(ModelSettings(model=str(request.getfixturevalue(CHECKPOINTS[request.param]))))


def test_every_family_says_whether_it_keeps_something() -> None:
    assert set(all_families()) == {*CHECKPOINTS, *NOTHING}


@pytest.mark.parametrize("name", sorted(NOTHING))
def test_families_that_keep_nothing_have_no_name_for_it(name: str, request: pytest.FixtureRequest) -> None:
    assert load(ModelSettings(model=str(request.getfixturevalue(NOTHING[name])))).encoding == ""


@pytest.mark.parametrize("top_k", [1, 3])
def test_answers_from_what_is_kept_are_those_from_the_files(
    family: Family, vilt_pictures: list[Path], top_k: int
) -> None:
    encoded = family.encode([*map(str, vilt_pictures)])
    rows = [(place, question) for place in range(len(vilt_pictures)) for question in QUESTIONS]
    random.Random(4).shuffle(rows)
    files = family.prepare([Example((str(vilt_pictures[place]),), question) for place, question in rows])
    from_files = family.predict(files, top_k)
    # Asked by itself: what was seen a moment ago must not be taken for what was kept.
    again = load(ModelSettings(model=family.checkpoint.name))
    kept = again.prepare_encoded([encoded[place] for place, _ in rows], [question for _, question in rows])
    assert kept.digests == files.digests
    for one, other in zip(from_files, again.predict(kept, top_k), strict=True):
        assert one[0].text == other[0].text
        assert one[0].score == pytest.approx(other[0].score, abs=2e-3)


def test_batches_of_any_size_give_the_same_from_what_is_kept(family: Family, vilt_pictures: list[Path]) -> None:
    encoded = family.encode([*map(str, vilt_pictures)])
    together = family.predict(family.prepare_encoded(encoded, ["How many?"] * len(encoded)), 1)
    for one, expected in zip(encoded, together, strict=True):
        (alone,) = family.predict(family.prepare_encoded([one], ["How many?"]), 1)
        assert alone[0].text == expected[0].text
        assert alone[0].score == pytest.approx(expected[0].score, abs=1e-5)


def test_vectors_have_a_length_of_one_and_tell_pictures_apart(family: Family, vilt_pictures: list[Path]) -> None:
    vectors = [one.vector for one in family.encode([*map(str, vilt_pictures)])]
    assert all(vector @ vector == pytest.approx(1, abs=1e-3) for vector in vectors)
    assert {vector.shape for vector in vectors} == {vectors[0].shape}
    assert vectors[0] @ vectors[1] < 1


def test_the_name_of_what_is_kept_is_the_same_in_another_process(family: Family) -> None:
    assert family.encoding
    assert load(ModelSettings(model=family.checkpoint.name)).encoding == family.encoding
