"""What `seesay-mini` can do, measured: on the style that no weight saw, on concepts that no weight saw, on photographs.

    calibrate   fits the calibration on the validation style and writes it beside the weights
    test        accuracy by capability with intervals and baselines, calibration error, risk and coverage
    photographs names of photographs: Tux Paint's stamps, and the sample pictures of scikit-image and scikit-learn

Answers come from the files of pictures through the runtime that users have, never from cached features.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy

from seesay.answering import answer
from seesay.evaluation.baselines import Prior
from seesay.metrics import normalizer
from seesay.metrics.bootstrap import interval
from seesay.models import load
from seesay.models.mini.calibration import KINDS, Calibration, kind_of
from seesay.settings import ModelSettings
from seesay.types import Answer, Example

from .wordnet import Hierarchy

RISKS = (0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.25, 0.3)


@dataclass(frozen=True)
class Asked:
    """A row of the corpus and what was answered."""

    example: Example
    given: Answer

    @property
    def expected(self) -> str:
        return self.example.answers[0]

    @property
    def right(self) -> bool:
        return self.given.alternatives[0].text == self.expected


def ask(folder: Path, split: str, model: str, limit: int, top_k: int = 5, captions: bool = False) -> list[Asked]:
    """Answers to `limit` questions of a split (all where 0), or its captions."""
    rows = [json.loads(line) for line in (folder / f"{split}.jsonl").open()]
    rows = [row for row in rows if ("caption" in row) == captions]
    if limit and limit < len(rows):
        chosen = numpy.sort(numpy.random.default_rng(0).permutation(len(rows))[:limit])
        rows = [rows[index] for index in chosen]
    examples = [
        Example((str(folder / row["image"]),), "", (row["caption"],), question_type="caption")
        if captions
        else Example(
            (str(folder / row["image"]),), row["question"], (row["answer"],), question_type=row["question_type"]
        )
        for row in rows
    ]
    family = load(ModelSettings(model=model))
    return [
        Asked(example, given) for example, given in zip(examples, answer(family, examples, top_k=top_k), strict=True)
    ]


def calibrate(folder: Path, model: Path, limit: int) -> dict[str, float]:
    """Write `model/calibration.json` from answers to the validation style."""
    from sklearn.isotonic import IsotonicRegression

    target = model / "calibration.json"
    target.unlink(missing_ok=True)
    asked = ask(folder, "validation", str(model), limit, top_k=1)
    described = ask(folder, "validation", str(model), limit // 5, top_k=1, captions=True)
    curves: dict[str, list[tuple[float, float]]] = {}
    groups: dict[str, list[Asked]] = {}
    for one in asked:
        groups.setdefault(kind_of(one.given.alternatives[0].text), []).append(one)
    groups[KINDS[-1]] = described
    for kind, group in groups.items():
        scores, right = (
            numpy.array([one.given.score for one in group]),
            numpy.array([one.right for one in group], float),
        )
        fitted = IsotonicRegression(y_min=0.01, y_max=0.995, out_of_bounds="clip").fit(scores, right)
        points = numpy.unique(numpy.quantile(scores, numpy.linspace(0, 1, 25)))
        curves[kind] = [(float(x), float(y)) for x, y in zip(points, _smooth(fitted, points), strict=True)]
    calibration = Calibration(curves, [])
    chances = numpy.array([calibration(kind_of(one.given.alternatives[0].text), one.given.score) for one in asked])
    wrong = numpy.array([not one.right for one in asked])
    thresholds = numpy.linspace(0, 0.99, 100)
    measured = [(float(wrong[chances >= t].mean()) if (chances >= t).any() else 0.0, float(t)) for t in thresholds]
    calibration = Calibration(
        curves,
        [(risk, min(t for r, t in measured if r <= risk)) for risk in RISKS if min(r for r, _ in measured) <= risk],
    )
    calibration.save(target)
    return {"rows": len(asked), "accuracy": float(1 - wrong.mean()), "ece": expected_calibration_error(chances, ~wrong)}


def _smooth(fitted: Any, points: numpy.ndarray) -> numpy.ndarray:
    """Isotonic steps, seen a little to each side, so that no score stands on an edge."""
    return numpy.mean([fitted.predict(points - 0.01), fitted.predict(points), fitted.predict(points + 0.01)], axis=0)


def expected_calibration_error(chances: numpy.ndarray, right: numpy.ndarray, bins: int = 15) -> float:
    """Mean gap between score and share of right answers over bins of equal width (Guo et al., ICML 2017)."""
    places = numpy.clip((chances * bins).astype(int), 0, bins - 1)
    gaps = [
        abs(chances[places == index].mean() - right[places == index].mean()) * (places == index).mean()
        for index in range(bins)
        if (places == index).any()
    ]
    return float(sum(gaps))


def test(folder: Path, model: str, split: str, limit: int, concepts: dict[str, Any]) -> dict[str, Any]:
    """Accuracy by capability on a split that nothing was trained on."""
    asked = ask(folder, split, model, limit)
    train = [json.loads(line) for line in (folder / "train.jsonl").open()]
    prior = Prior.fit(
        [Example(("",), r["question"], (r["answer"],)) for r in train if "question" in r], normalizer("none")
    )
    names = [one for one in asked if one.example.question_type == "name" and concepts[one.expected]["concrete"]]
    report: dict[str, Any] = {"rows": len(asked), "capabilities": {}}
    report["names"] = {
        "concepts": len({one.expected for one in names}),
        "top1": _share([one.right for one in names], names),
        "top5": _share([one.expected in [c.text for c in one.given.alternatives] for one in names], names),
    }
    for kind in sorted({one.example.question_type for one in asked}):
        group = [one for one in asked if one.example.question_type == kind]
        only = [prior.answer(one.example.question) == one.expected for one in group]
        answers = [one.expected for one in group]
        report["capabilities"][kind] = {
            "rows": len(group),
            "accuracy": _share([one.right for one in group], group),
            "question_only": sum(only) / len(only),
            "majority": max(answers.count(text) for text in set(answers)) / len(answers),
        }
    chances, right = numpy.array([one.given.score for one in asked]), numpy.array([one.right for one in asked])
    report["expected_calibration_error"] = expected_calibration_error(chances, right)
    threshold = load(ModelSettings(model=model)).threshold(None)
    given = chances >= threshold
    report["at_default_abstention"] = {
        "threshold": threshold,
        "answered": float(given.mean()),
        "wrong_of_answered": float(1 - right[given].mean()) if given.any() else 0.0,
    }
    return report


def _share(values: Sequence[bool], asked: Sequence[Asked]) -> dict[str, float]:
    """Mean with its 95 % interval; pictures are drawn again, not questions."""
    if not values:
        return {"mean": 0.0, "low": 0.0, "high": 0.0}
    found = interval([float(value) for value in values], ["".join(one.given.provenance.inputs) for one in asked])
    return {"mean": found.mean, "low": found.low, "high": found.high}


def photographs(stamps: Path, model: str, tree: Hierarchy) -> dict[str, Any]:
    """Share of Tux Paint's photographs whose name is among the first five, and what the sample pictures are called."""
    from seesay.api import Model

    asked = Model(load(ModelSettings(model=model)))
    right = []
    for path, words in _stamps(stamps):
        names = [c.text for c in asked.ask(str(path), "what is this?", top_k=5, risk=1.0).alternatives]
        right.append((path.stem, words, names, any(_says(words, name, tree) for name in names)))
    samples = {}
    for name, picture in _samples():
        found = asked.ask(picture, "what is this?", top_k=5, risk=1.0)
        samples[name] = [(c.text, round(c.score, 3)) for c in found.alternatives]
    first = [_says(words, names[0], tree) for _, words, names, _ in right]
    return {"stamps": len(right), "top1": sum(first) / len(first), "top5": sum(r[3] for r in right) / len(right), "samples": samples,
            "wrong": [(stem, words, names) for stem, words, names, good in right if not good]}  # fmt: skip


PHOTOGRAPHS = (
    "animals",
    "food",
    "vehicles",
    "household",
    "plants",
    "sports",
    "hobbies",
    "clothes",
    "seasonal",
    "town",
    "naturalforces",
)
"""Folders of stamps that hold things with names."""


def _stamps(folder: Path) -> Iterator[tuple[Path, str]]:
    """Cut-out photographs (JPEG-like: many colors) with their English sentence."""
    from PIL import Image

    for path in sorted(folder.rglob("*.png")):
        text = path.with_suffix(".txt")
        if path.relative_to(folder).parts[0] not in PHOTOGRAPHS or not text.is_file():
            continue
        sentence = text.read_text(encoding="utf-8", errors="replace").splitlines()[0].strip()
        small = Image.open(path).convert("RGBA").resize((96, 96), Image.Resampling.NEAREST)
        colors = {pixel for pixel in small.get_flattened_data() if pixel[3] > 200}
        if sentence and len(colors) > 0.35 * 96 * 96 * 0.6:
            yield path, sentence


def _says(sentence: str, name: str, tree: Hierarchy) -> bool:
    """Whether a sentence names a thing, or a kind of it: "A crow." is a bird."""
    words = re.findall(r"[a-z]+", sentence.lower())
    phrases = {" ".join(words[i : i + n]) for n in (1, 2, 3) for i in range(len(words))}
    phrases |= {phrase.removesuffix("s") for phrase in phrases}
    return name in phrases or any(name in tree.kinds_of_word(phrase) for phrase in phrases)


def _samples() -> Iterator[tuple[str, Any]]:
    from skimage import data
    from sklearn.datasets import load_sample_image

    yield from (
        ("cat", data.chelsea()),
        ("coffee", data.coffee()),
        ("rocket", data.rocket()),
        ("astronaut", data.astronaut()),
    )
    yield from (("flower", load_sample_image("flower.jpg")), ("china", load_sample_image("china.jpg")))


def commit() -> str:
    """The commit that was measured."""
    return subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
