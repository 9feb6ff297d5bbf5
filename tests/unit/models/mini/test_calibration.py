"""Measured curves: read, interpolated, kept."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seesay.models.mini.calibration import KINDS, Calibration, kind_of

SHARES = st.floats(0, 1)
CURVES = st.lists(st.tuples(SHARES, SHARES), min_size=1, max_size=8).map(
    lambda pairs: list(zip(sorted({x for x, _ in pairs}), sorted(y for _, y in pairs), strict=False))
)
MEASURED = Calibration(
    {"color": [(0.0, 0.2), (0.5, 0.6), (1.0, 0.9)]}, [(0.2, 0.3), (0.1, 0.5), (0.05, 0.8), (0.02, 0.95)]
)


def test_between_two_points_the_share_is_on_the_line() -> None:
    assert MEASURED("color", 0.25) == pytest.approx(0.4)
    assert MEASURED("color", 0.75) == pytest.approx(0.75)
    assert (MEASURED("color", 0.0), MEASURED("color", 0.5), MEASURED("color", 1.0)) == (0.2, 0.6, 0.9)


def test_outside_the_curve_its_ends_hold() -> None:
    curve = Calibration({"name": [(0.4, 0.5), (0.6, 0.7)]}, [])
    assert (curve("name", 0.1), curve("name", 0.99)) == (0.5, 0.7)


def test_a_kind_that_was_not_measured_keeps_the_probability() -> None:
    assert MEASURED("number", 0.37) == 0.37
    assert Calibration({}, [])("color", 0.37) == 0.37
    assert Calibration({"color": []}, [])("color", 0.37) == 0.37


@given(CURVES, SHARES, SHARES)
def test_a_likelier_answer_never_gets_a_lower_score(curve: list[tuple[float, float]], one: float, other: float) -> None:
    calibration = Calibration({"name": curve}, [])
    low, high = (calibration("name", value) for value in sorted((one, other)))
    assert 0 <= low <= high <= 1


@pytest.mark.parametrize(
    ("risk", "expected"), [(0.02, 0.95), (0.05, 0.8), (0.07, 0.8), (0.1, 0.5), (0.5, 0.3), (1.0, 0.3)]
)
def test_the_threshold_is_the_lowest_that_keeps_the_risk(risk: float, expected: float) -> None:
    assert MEASURED.threshold(risk) == expected


@pytest.mark.parametrize("risk", [0.0, 0.019])
def test_a_risk_below_all_that_was_measured_is_never_answered(risk: float) -> None:
    assert MEASURED.threshold(risk) > 1
    assert Calibration({}, []).threshold(risk) > 1


@given(SHARES, SHARES)
def test_less_risk_never_answers_more(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert MEASURED.threshold(low) >= MEASURED.threshold(high)


def test_a_saved_calibration_is_the_same(tmp_path: Path) -> None:
    MEASURED.save(tmp_path / "calibration.json")
    assert Calibration.load(tmp_path / "calibration.json") == MEASURED


def test_where_there_is_no_file_nothing_was_measured(tmp_path: Path) -> None:
    assert Calibration.load(tmp_path / "none.json") == Calibration({}, [])


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("yes", "yes or no"),
        ("no", "yes or no"),
        ("unknown", "unknown"),
        ("3", "number"),
        ("red", "color"),
        ("top left", "place"),
        ("above", "place"),
        ("red apple", "name"),
        ("dog", "name"),
    ],
)
def test_an_answer_has_the_kind_its_curve_was_measured_on(text: str, kind: str) -> None:
    assert kind_of(text) == kind
    assert kind in KINDS


PROMISED = Calibration({}, [], [(-16.0, -3.0), (16.0, 9.0)], [(0.5, 0.6), (0.7, 0.85), (0.8, 0.97)])


def test_for_a_precision_what_was_measured_for_at_least_as_much_is_demanded() -> None:
    assert [PROMISED.demand(wanted) for wanted in (0.3, 0.5, 0.6, 0.7, 0.8)] == [0.6, 0.6, 0.85, 0.85, 0.97]


def test_more_than_was_ever_seen_is_not_promised() -> None:
    assert PROMISED.demand(0.81) > 1
    assert PROMISED.demand(0.0) == 0.0
    assert Calibration({}, []).demand(0.9) == 0.9


def test_promises_are_kept_in_the_file(tmp_path: Path) -> None:
    PROMISED.save(tmp_path / "calibration.json")
    assert Calibration.load(tmp_path / "calibration.json") == PROMISED
