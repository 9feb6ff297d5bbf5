"""VQA accuracy: how many of the people who were asked gave this answer.

Antol et al., "VQA: Visual Question Answering", ICCV 2015, and the published code (github.com/GT-Vision-Lab/VQA): for each
annotator left out, min(matches among the others / 3, 1); the mean of these. Of ten annotators, 1, 2, 3, 4 matches give
0.3, 0.6, 0.9, 1.

Fewer than ten: the same mean over the annotators there are, with min(3, n - 1) matches for a full score; a lone answer
counts in full. The published code knows ten only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal

from ..types import Example
from .normalize import one_line

Variant = Literal["official", "always-normalize"]
FULL_MATCHES = 3


def accuracy(
    prediction: str, answers: Sequence[str], *, normalize: Callable[[str], str], variant: Variant = "official"
) -> float:
    """VQA accuracy (0 to 1) of one prediction against the annotators' answers.

    Args:
        answers: one per annotator, at least one.
        variant: `official` compares to the letter where all annotators agree to the letter, as the published code does
            ("Yes" against ten times "yes" scores 0); `always-normalize` normalizes always.
    """
    given = [one_line(answer) for answer in answers]
    if variant == "official" and len(answers) > 1 and len(set(given)) == 1:
        return float(one_line(prediction) == given[0])
    wanted = normalize(prediction)
    return _agreement(sum(normalize(answer) == wanted for answer in given), len(given))


def soft_scores(
    answers: Sequence[str], weights: Sequence[float], *, normalize: Callable[[str], str]
) -> dict[str, float]:
    """Each distinct normalized answer with the accuracy that giving it would score.

    These are the soft targets of ViLT and LXMERT: of ten annotators 0.3, 0.6, 0.9, 1. Where a row comes with weights
    (0 to 1, one per answer), they are taken as they are; answers that become equal keep the largest.
    """
    if weights:
        targets: dict[str, float] = {}
        for answer, weight in zip(answers, weights, strict=True):
            name = normalize(answer)
            targets[name] = max(weight, targets.get(name, 0.0))
        return targets
    counts = Counter(map(normalize, answers))
    return {answer: _agreement(count, len(answers)) for answer, count in counts.items()}


def score(
    example: Example, prediction: str, *, normalize: Callable[[str], str], variant: Variant = "official"
) -> float:
    """Accuracy (0 to 1) of a prediction for an example, by its annotators or, where it has them, by its weights."""
    if example.weights:
        return soft_scores(example.answers, example.weights, normalize=normalize).get(normalize(prediction), 0.0)
    return accuracy(prediction, example.answers, normalize=normalize, variant=variant)


def _agreement(matches: int, annotators: int) -> float:
    """The mean over the annotators left out, of whom `matches` gave the answer, in closed form."""
    if annotators == 1:
        return float(matches)
    full = min(FULL_MATCHES, annotators - 1)
    without_a_match = min(matches / full, 1.0) * (annotators - matches)
    without_another = min((matches - 1) / full, 1.0) * matches
    return (without_a_match + without_another) / annotators
