"""How promises of a precision are made: with names of known quality in place of the model."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy
import pytest

from seesay.search import rarity

CURVE = [(-16.0, -16.0), (16.0, 16.0)]
Array = numpy.ndarray


@pytest.fixture(scope="module")
def presence() -> ModuleType:
    pytest.importorskip("scipy", reason="seesay[corpus] is not installed")
    path = Path(__file__).parents[3] / "corpus" / "presence.py"
    spec = importlib.util.spec_from_file_location("presence", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def asked(names: int, seed: int, mistaken: float) -> tuple[Array, Array]:
    """Log-odds (names, 1500) and what is right. Of some names the model has learned another thing, of which it is as sure."""
    random = numpy.random.default_rng(seed)
    right = random.random((names, 1500)) < 0.02
    other = random.random((names, 1500)) < 0.02
    wrong = random.random(names) < mistaken
    seen = numpy.where(wrong[:, None], other, right)
    return random.normal(-8, 2, right.shape) + seen * random.normal(14, 3, right.shape), right


def test_a_promise_that_was_made_of_some_names_is_kept_by_others(presence: ModuleType) -> None:
    promises = presence.promised(*asked(120, 0, 0.15), CURVE)
    assert promises
    odds, right = asked(400, 1, 0.15)
    chances = [rarity.probabilities(one, len(one)) for one in odds]
    for precision, demanded in promises:
        taken = numpy.array([one >= rarity.threshold(one, demanded) for one in chances])
        assert taken.any()
        assert right[taken].mean() >= precision - 0.01


def test_what_goes_wrong_by_names_is_never_promised(presence: ModuleType) -> None:
    """Where three of ten names mean another thing, no confidence of an answer reaches nine of ten."""
    promises = presence.promised(*asked(120, 0, 0.3), CURVE)
    assert max(precision for precision, _ in promises) < 0.8
    assert promises == sorted(promises)
    assert [demanded for _, demanded in promises] == sorted(demanded for _, demanded in promises)


def test_a_name_stays_in_its_half(presence: ModuleType) -> None:
    """The benchmark's names are not those that were fitted on, also when names are added."""
    assert [name for name in ("cat", "dog", "car", "tree", "apple") if presence.first_half(name)] == [
        "cat",
        "car",
        "apple",
    ]
