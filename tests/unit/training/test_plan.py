"""The order of rows is a pure function of the settings, visits every row equally often, and puts like with like."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seesay.training.plan import Plan, steps_of


def plan(rows: int = 1000, **changes: object) -> Plan:
    values: dict[str, object] = {
        "costs": [(row % 7,) for row in range(rows)],
        "early": [],
        "early_share": 0.0,
        "batch_size": 8,
        "accumulation": 1,
        "steps": 300,
        "seed": 1,
    }
    return Plan(**{**values, **changes})  # type: ignore[arg-type]


def test_the_same_settings_give_the_same_batches_and_another_seed_others() -> None:
    assert plan().batches == plan().batches
    assert plan().batches != plan(seed=2).batches


@given(
    rows=st.integers(1, 60),
    batch=st.integers(1, 9),
    accumulation=st.integers(1, 3),
    steps=st.integers(1, 40),
)
def test_every_batch_is_full_and_every_row_comes_equally_often(
    rows: int, batch: int, accumulation: int, steps: int
) -> None:
    made = plan(rows, batch_size=batch, accumulation=accumulation, steps=steps).batches
    assert len(made) == steps * accumulation
    assert {len(visits) for visits in made} == {batch}
    counts = Counter(visit.row for visits in made for visit in visits)
    assert max(counts.values()) - min(counts.get(row, 0) for row in range(rows)) <= 1
    assert len({(visit.row, visit.epoch) for visits in made for visit in visits}) == len(made) * batch


def test_batches_hold_rows_of_like_cost() -> None:
    made = plan().batches
    mixed = sum(len({visit.row % 7 for visit in visits}) > 1 for visits in made)
    assert mixed / len(made) < 0.2


def test_the_order_of_batches_is_not_the_order_of_costs() -> None:
    firsts = [visits[0].row % 7 for visits in plan().batches[:50]]
    assert firsts != sorted(firsts)


def test_early_rows_come_alone_for_their_share_of_the_steps() -> None:
    early = set(range(0, 1000, 10))
    made = plan(early=sorted(early), early_share=0.3).batches
    assert all(visit.row in early for visits in made[:90] for visit in visits)
    assert not all(visit.row in early for visits in made[90:] for visit in visits)


def test_a_share_without_early_rows_changes_nothing() -> None:
    assert plan(early_share=0.5).batches == plan().batches


@pytest.mark.parametrize(("rows", "epochs", "per_step", "steps"), [(100, 1, 10, 10), (101, 1, 10, 11), (5, 0.1, 10, 1)])
def test_steps_cover_the_epochs(rows: int, epochs: float, per_step: int, steps: int) -> None:
    assert steps_of(rows, epochs, per_step) == steps
