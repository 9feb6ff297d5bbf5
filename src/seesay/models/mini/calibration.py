"""How often answers of a given probability are right: measured on a validation split, read here.

A model's own probabilities are no promise. For each kind of answer the recipe fits an isotonic curve from the model's
probability to the share that was right (Zadrozny and Elkan, "Transforming Classifier Scores into Accurate Multiclass
Probability Estimates", KDD 2002), and notes above which calibrated probability the wrong answers stay under a given share.
For finding pictures it notes what the log-odds of a yes mean, whatever the share of pictures that show the thing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy

from .colors import COLORS
from .tokenizer import UNKNOWN_ANSWER

KINDS = ("yes or no", "number", "color", "place", "unknown", "name", "sentence")
_PLACES = frozenset("left right top bottom middle above below".split())


@dataclass(frozen=True)
class Calibration:
    """The measured curves.

    `curves` has for each of KINDS pairs (the model's probability, the share that was right), rising.
    `risks` has pairs (share of wrong answers among those given, the calibrated probability from which on to answer).
    `presence` has pairs (the log-odds of a yes to "is there a ...?", the log likelihood ratio that they stand for), rising.
    `promises` has pairs (a share of hits that is right, how likely hits must be on average so that it is kept), rising.
    """

    curves: dict[str, list[tuple[float, float]]]
    risks: list[tuple[float, float]]
    presence: list[tuple[float, float]] = field(default_factory=list)
    promises: list[tuple[float, float]] = field(default_factory=list)

    def __call__(self, kind: str, probability: float) -> float:
        """The share of such answers that is right, 0 to 1; unchanged where nothing was measured."""
        curve = self.curves.get(kind)
        if not curve:
            return probability
        xs, ys = zip(*curve, strict=True)
        return float(numpy.interp(probability, xs, ys))

    def threshold(self, risk: float) -> float:
        """The calibrated probability below which to give no answer, so that at most `risk` of those given are wrong."""
        fitting = [threshold for measured, threshold in self.risks if measured <= risk]
        return min(fitting, default=1.01)

    def demand(self, precision: float) -> float:
        """How likely hits must be on average, so that at least this share of them is right; above 1 where it never was."""
        if precision <= 0 or not self.promises:
            return precision
        return next((demanded for share, demanded in self.promises if share >= precision), 1.01)

    @classmethod
    def load(cls, path: Path) -> Calibration:
        """From its file; one that measured nothing where there is none, as after fine-tuning."""
        if not path.is_file():
            return cls({}, [])
        content = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            {kind: [(x, y) for x, y in curve] for kind, curve in content["curves"].items()},
            [(risk, threshold) for risk, threshold in content["risks"]],
            [(odds, ratio) for odds, ratio in content.get("presence", ())],
            [(share, demanded) for share, demanded in content.get("promises", ())],
        )

    def save(self, path: Path) -> None:
        path.write_text(
            json.dumps(
                {"curves": self.curves, "risks": self.risks, "presence": self.presence, "promises": self.promises}
            ),
            encoding="utf-8",
        )


def kind_of(answer: str) -> str:
    """Which of KINDS an answer is; each has its own calibration."""
    if answer in ("yes", "no"):
        return "yes or no"
    if answer == UNKNOWN_ANSWER:
        return "unknown"
    if answer.isdigit():
        return "number"
    if answer in COLORS:
        return "color"
    return "place" if set(answer.split()) <= _PLACES else "name"
