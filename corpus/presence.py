"""What a yes means among many pictures of which few show the thing, measured from the model's own answers.

    names       the concrete names fall into two halves by the hash of their letters; this step asks for those of the first half,
                benchmarks/retrieval.py for those of the second
    pictures    all of the validation style; those of the test style are left to the benchmark
    curve       log-odds of a yes -> log likelihood ratio: logistic regression, steeper where the answer is sure
    promises    precision -> how likely hits must be on average, so that at least this share is right by the lower end of a
                one-sided 90 % interval, and not in the mean (Bates et al., "Distribution-Free, Risk-Controlling Prediction
                Sets", Journal of the ACM 2021). Names are what is drawn, not pictures: what goes wrong goes wrong by names.

Answers come from the files of pictures through the runtime that users have.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy

from seesay.models import load
from seesay.models.mini.calibration import Calibration
from seesay.models.mini.words import a
from seesay.search import rarity
from seesay.settings import ModelSettings

LEAST = 5
"""Pictures that show a name that is asked for."""
AT_ONCE = 128
KNOTS = (8.0, 11.0)
"""Log-odds of a yes from which on they mean more."""
PRECISIONS = tuple(round(0.05 * step, 2) for step in range(2, 20))
CONFIDENCE, DRAWS = 0.9, 2000
Array = numpy.ndarray[Any, Any]


def first_half(name: str) -> bool:
    """Whether a name is for fitting; the others are for measuring."""
    return hashlib.sha256(name.encode()).digest()[0] < 128


def shown(row: dict[str, Any], facts: dict[str, Any]) -> set[str]:
    """All that a picture of the corpus shows: names, their categories and their kinds."""
    return set().union(*({o["name"], o["category"], *facts[o["name"]]["kinds"]} for o in row["objects"]))


def names_of(there: Sequence[set[str]], facts: dict[str, Any], least: int) -> list[str]:
    """The concrete names that weights saw, of which at least `least` pictures show one; sorted."""
    count = Counter(name for one in there for name in one)
    categories = {fact["category"] for fact in facts.values()}
    return sorted(
        name
        for name, fact in facts.items()
        if fact["concrete"] and not fact["held_out"] and name not in categories and count[name] >= least
    )


def calibrate(
    folder: Path, model: Path, facts: dict[str, Any], threads: int, tell: Callable[[str], None]
) -> dict[str, Any]:
    """Add curve and promises to `model/calibration.json`; returns what was measured."""
    rows = [json.loads(line) for line in (folder / "validation.objects.jsonl").open()]
    there = [shown(row, facts) for row in rows]
    names = [name for name in names_of(there, facts, LEAST) if first_half(name)]
    odds = ask(model, [str(folder / row["image"]) for row in rows], names, threads, tell)
    right = numpy.array([[name in one for one in there] for name in names])
    curve = fit(odds, right)
    target = model / "calibration.json"
    calibration = Calibration.load(target)
    promises = promised(odds, right, curve)
    Calibration(calibration.curves, calibration.risks, curve, promises).save(target)
    return {
        "names": len(names),
        "pictures": len(rows),
        "share_of_yes": round(float(right.mean()), 5),
        "presence": curve,
        "promises": promises,
    }


def ask(model: Path, pictures: Sequence[str], names: Sequence[str], threads: int, tell: Callable[[str], None]) -> Array:
    """The log-odds (names, pictures) that each picture shows each name."""
    family = load(ModelSettings(model=str(model)), threads=threads)
    groups = []
    for start in range(0, len(pictures), AT_ONCE):
        groups.append(family.encode(list(pictures[start : start + AT_ONCE])))
        tell(f"encoded: {min(start + AT_ONCE, len(pictures)):,} of {len(pictures):,}")
    odds = numpy.zeros((len(names), len(pictures)), numpy.float32)
    for place, name in enumerate(names):
        question = f"is there {a(name)}?"
        batches = (family.prepare_encoded(group, [question] * len(group)) for group in groups)
        odds[place] = numpy.concatenate([family.log_odds(batch, "yes", "no") for batch in batches])
        tell(f"asked: {place + 1} of {len(names)} names")
    return odds


def fit(odds: Array, right: Array) -> list[tuple[float, float]]:
    """Log-odds and the log likelihood ratio that they stand for; the prior of what it was fitted on is taken off."""
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=10, max_iter=2000).fit(_hinges(odds.ravel()), right.ravel())
    share = right.mean()
    knots = numpy.array([-16.0, *KNOTS, 16.0])
    ratios = fitted.decision_function(_hinges(knots)) - numpy.log(share / (1 - share))
    return [(float(x), round(float(y), 4)) for x, y in zip(knots, ratios, strict=True)]


def promised(odds: Array, right: Array, curve: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """For each of PRECISIONS that can be had the mean chance of hits from which on it is kept."""
    chances = [rarity.probabilities(numpy.interp(one, *zip(*curve, strict=True)), len(one)) for one in odds]
    measured = []
    for demanded in numpy.linspace(0.05, 0.995, 190).round(4).tolist():
        taken = [one >= rarity.threshold(one, demanded) for one in chances]
        hits = numpy.array([one.sum() for one in taken])
        good = numpy.array([(one & there).sum() for one, there in zip(taken, right, strict=True)])
        measured.append((demanded, at_least(hits, good)))
    enough = ((wanted, [demanded for demanded, low in measured if low >= wanted]) for wanted in PRECISIONS)
    return [(wanted, demands[0]) for wanted, demands in enough if demands]


def at_least(hits: Array, good: Array) -> float:
    """The share that is right with CONFIDENCE, of all hits and in the mean over names, whichever is lower.

    Of all hits by drawing names again; over names by the exact interval of as many draws as names had hits (Clopper and
    Pearson, Biometrika 1934), which also holds where they are few. 0 where nothing was hit.

    Args:
        hits, good: (names,) pictures given, and those of them that are right.
    """
    from scipy.stats import beta

    asked = hits > 0
    if not asked.any():
        return 0.0
    draws = numpy.random.default_rng(0).integers(0, len(hits), (DRAWS, len(hits)))
    given = hits[draws].sum(1)
    of_hits = numpy.quantile((good[draws].sum(1) / numpy.maximum(given, 1))[given > 0], 1 - CONFIDENCE)
    means = (good[asked] / hits[asked]).sum()
    of_names = beta.ppf(1 - CONFIDENCE, means, asked.sum() - means + 1) if means else 0.0
    return float(min(of_hits, of_names))


def _hinges(odds: Array) -> Array:
    return numpy.stack([odds, *(numpy.maximum(odds - knot, 0) for knot in KNOTS)], axis=1)
