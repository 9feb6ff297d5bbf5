"""ImageNet's classes as names."""

import json
from pathlib import Path

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seesay.models.families.mini import EMBEDDED
from seesay.models.mini.hints import HINTS, Hints
from seesay.models.mini.tokenizer import Tokenizer

NAMES = [f"thing{index}" for index in range(10)]
CLASSES = [*NAMES, "thing3", "thing3"]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer(NAMES, ["a"], {})


def test_classes_of_one_name_are_added_up(tokenizer: Tokenizer) -> None:
    """Three kinds of thing3 at 0.2 each beat one thing7 at 0.3."""
    chances = numpy.full(len(CLASSES), 0.1 / 8)
    chances[[3, 10, 11]], chances[7] = 0.2, 0.3
    ids, shares = Hints(CLASSES, tokenizer)(numpy.log(chances)[None])
    assert [tokenizer.tokens[index] for index in ids[0, :2]] == ["thing3", "thing7"]
    assert shares[0, :2].tolist() == pytest.approx([0.6, 0.3], abs=1e-5)


@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_hints_are_probabilities_of_different_names_the_largest_first(seed: int, pictures: int) -> None:
    tokenizer = Tokenizer(NAMES, ["a"], {})
    logits = numpy.random.default_rng(seed).normal(size=(pictures, len(CLASSES))) * 10
    ids, shares = Hints(CLASSES, tokenizer)(logits)
    assert ids.shape == shares.shape == (pictures, HINTS)
    assert (ids.dtype, shares.dtype) == (numpy.int64, numpy.float32)
    assert (numpy.diff(shares, axis=1) <= 0).all()
    assert (shares >= 0).all()
    assert (shares.sum(1) <= 1 + 1e-5).all()
    assert all(len(set(row)) == HINTS for row in ids.tolist())
    assert {tokenizer.tokens[index] for index in ids.ravel()} <= set(NAMES)


def test_a_row_says_the_same_whatever_is_beside_it(tokenizer: Tokenizer) -> None:
    logits = numpy.random.default_rng(0).normal(size=(5, len(CLASSES))).astype(numpy.float32)
    hints = Hints(CLASSES, tokenizer)
    ids, shares = hints(logits)
    for row in range(5):
        alone, share = hints(logits[row : row + 1])
        assert numpy.array_equal(alone[0], ids[row])
        assert share[0] == pytest.approx(shares[row], abs=1e-6)


def test_huge_logits_do_not_overflow(tokenizer: Tokenizer) -> None:
    _, shares = Hints(CLASSES, tokenizer)(numpy.full((1, len(CLASSES)), 1e4, numpy.float32))
    assert numpy.isfinite(shares).all()


def test_hints_are_loaded_in_the_encoders_order(tokenizer: Tokenizer, tmp_path: Path) -> None:
    rows = [{"name": name, "category": "thing"} for name in CLASSES]
    (tmp_path / "classes.json").write_text(json.dumps(rows), encoding="utf-8")
    logits = numpy.zeros((1, len(CLASSES)))
    logits[0, 5] = 20
    ids, _ = Hints.load(tmp_path / "classes.json", tokenizer)(logits)
    assert tokenizer.tokens[ids[0, 0]] == "thing5"


def test_the_embedded_models_thousand_classes_all_have_a_name_it_knows() -> None:
    tokenizer = Tokenizer.load(EMBEDDED / "tokenizer.json")
    hints = Hints.load(EMBEDDED / "classes.json", tokenizer)
    ids, _ = hints(numpy.eye(1000, dtype=numpy.float32) * 30)
    rows = json.loads((EMBEDDED / "classes.json").read_text(encoding="utf-8"))
    assert [tokenizer.tokens[index] for index in ids[:, 0]] == [row["name"] for row in rows]
