"""Held-out rows: drawn by content and seed, without a leak, and one fraction does not move the other's rows."""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seesay import DataSettings, Example, UsageError
from seesay.data import load
from seesay.data.split import by_picture
from seesay.errors import DataError

ROWS = [Example((f"picture {n}".encode(),), origin=str(n)) for n in range(400)]


def test_validation_takes_what_it_always_took() -> None:
    """Drawn by sha256 of seed and content against the fraction: splits of finished runs stay what they were."""
    import hashlib

    def place(row: Example) -> int:
        identity = hashlib.sha256(row.images[0]).hexdigest()
        return int.from_bytes(hashlib.sha256(f"42:{identity}".encode()).digest()[:8], "big")

    drawn = by_picture(ROWS, 42, validation=0.1)
    assert drawn["validation"] == tuple(row for row in ROWS if place(row) < int(0.1 * 2**64))
    assert drawn["test"] == ()
    assert 25 <= len(drawn["validation"]) <= 55


def test_one_fraction_does_not_move_the_others_rows() -> None:
    both = by_picture(ROWS, 7, validation=0.1, test=0.2)
    assert both["validation"] == by_picture(ROWS, 7, validation=0.1)["validation"]
    assert both["test"] == by_picture(ROWS, 7, test=0.2)["test"]
    assert set(by_picture(ROWS, 7, test=0.1)["test"]) < set(both["test"])
    assert 60 <= len(both["test"]) <= 100
    assert set(both["test"]) != set(by_picture(ROWS, 8, test=0.2)["test"])


@given(st.data())
def test_no_picture_stands_in_two_splits_and_no_row_is_lost(data: st.DataObject) -> None:
    pictures = [f"{n}".encode() for n in range(12)]
    shown = data.draw(st.lists(st.lists(st.sampled_from(pictures), min_size=1, max_size=3), max_size=20))
    rows = [Example(tuple(images), origin=str(n)) for n, images in enumerate(shown)]
    drawn = by_picture(rows, data.draw(st.integers(0, 9)), validation=0.3, test=0.4)
    held = [{picture for row in split for picture in row.images} for split in drawn.values()]
    assert not (held[0] & held[1] or held[0] & held[2] or held[1] & held[2])
    assert sorted(int(row.origin) for split in drawn.values() for row in split) == list(range(len(rows)))
    shuffled = random.Random(1).sample(rows, len(rows))
    again = by_picture(shuffled, 3, validation=0.3, test=0.4)
    assert {name: set(split) for name, split in again.items()} == {
        name: set(split) for name, split in by_picture(rows, 3, validation=0.3, test=0.4).items()
    }


@pytest.fixture
def captions(tmp_path: Path, photo: Callable[..., Path]) -> Path:
    """40 pictures and a copy of each under another name, a row a caption: 120 rows in one file."""
    rows = []
    for index in range(40):
        first = photo(tmp_path / f"{index}.png", colour=(index, 0, 0))
        shutil.copy(first, tmp_path / f"copy{index}.png")
        for name in (f"{index}.png", f"copy{index}.png", f"{index}.png"):
            rows.append(json.dumps({"image": name, "caption": f"number {index} as {len(rows)}"}))
    (tmp_path / "rows.jsonl").write_text("\n".join(rows) + "\n")
    return tmp_path / "rows.jsonl"


def test_copies_and_rows_of_one_picture_stay_together(captions: Path) -> None:
    dataset = load(DataSettings(data=str(captions), validation_fraction=0.3, test_fraction=0.3))
    numbers = {name: {row.answers[0].split()[1] for row in rows} for name, rows in dataset.splits.items()}
    assert sum(map(len, numbers.values())) == 40
    assert sum(map(len, dataset.splits.values())) == 120
    assert min(map(len, numbers.values())) >= 5


def test_evaluation_gets_exactly_the_rows_that_training_did_not_see(captions: Path) -> None:
    settings = DataSettings(data=str(captions), test_fraction=0.25, seed=3)
    trained, measured = load(settings, training=True), load(settings)
    assert trained == measured
    seen = {*trained.splits["train"], *trained.splits["validation"]}
    assert (
        set(measured.evaluation)
        == set(load(DataSettings(data=str(captions), validation_fraction=0)).splits["train"]) - seen
    )
    chosen = load(DataSettings(data=str(captions), test_fraction=0.25, seed=3, split="test"))
    assert chosen.evaluation == measured.evaluation
    assert load(DataSettings(data=str(captions), test_fraction=0.25, seed=4)).evaluation != measured.evaluation


def test_the_default_holds_no_test_rows_out_and_leaves_validation_alone(captions: Path) -> None:
    plain = load(DataSettings(data=str(captions)))
    assert set(plain.splits) == {"train", "validation"}
    assert load(DataSettings(data=str(captions), test_fraction=0.2)).splits["validation"] == plain.splits["validation"]


def test_a_single_split_of_another_name_is_divided_where_a_test_is_asked_for(captions: Path) -> None:
    captions.rename(captions.with_name("validation.jsonl"))
    (captions.parent / "train.jsonl").write_text("")
    settings = DataSettings(data=str(captions.parent), test_fraction=0.25)
    assert set(load(settings).splits) == {"train", "validation", "test"}
    assert load(settings) == load(settings, training=True)


def test_a_part_is_taken_before_training_holds_out(captions: Path) -> None:
    settings = DataSettings(data=str(captions), split="train[:60]", test_fraction=0.2)
    trained = load(settings, training=True)
    assert sum(map(len, trained.splits.values())) == 60
    assert {*trained.splits["test"]} <= {*load(DataSettings(data=str(captions), test_fraction=0.2)).evaluation}


def test_fractions_that_leave_nothing_are_refused(captions: Path) -> None:
    with pytest.raises(UsageError, match="leave nothing to train on"):
        load(DataSettings(data=str(captions), validation_fraction=0.6, test_fraction=0.4))
    captions.write_text(captions.read_text().splitlines()[0] + "\n")
    with pytest.raises(DataError, match=r"--test-fraction 0.1 of so few pictures[\s\S]*another fraction or --seed"):
        load(DataSettings(data=str(captions), test_fraction=0.1))


def test_a_folder_of_pictures_that_is_not_there_is_told_at_once(captions: Path) -> None:
    with pytest.raises(UsageError, match="--images: no such folder"):
        load(DataSettings(data=str(captions), images=Path("nowhere")))


def test_few_pictures_leave_one_to_validate_with_and_one_to_test() -> None:
    rows = [Example((bytes([number]),)) for number in range(3)]
    for seed in range(20):
        drawn = by_picture(rows, seed, validation=0.1, test=0.1)
        assert len(drawn["validation"]) >= 1
        assert len(drawn["test"]) >= 1
