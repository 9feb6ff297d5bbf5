"""ROUGE-L: the longest common subsequence of a caption and a reference, as an F measure.

Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", 2004, as the COCO caption evaluation computes it
(github.com/salaniz/pycocoevalcap, rouge.py): recall weighs beta = 1.2 times as much as precision, and precision and recall are
each the best over the references, so that they may come from two different ones. It knows words only as equal or not, in any
script.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from .caption import CaptionMetric, CaptionScores, Words

BETA = 1.2
NOTHING = ("",)
"""A caption without words counts as one empty word, as in the COCO code: it equals another such caption, and nothing else."""


class RougeL(CaptionMetric):
    """ROUGE-L F."""

    name = "rouge-l"
    greater_is_better = True
    bounds = (0.0, 1.0)

    def score_words(self, candidates: Sequence[Words], references: Sequence[Sequence[Words]]) -> CaptionScores:
        captions = tuple(_f(words, known) for words, known in zip(candidates, references, strict=True))
        return CaptionScores(fmean(captions), captions)


def _f(words: Words, references: Sequence[Words]) -> float:
    own, known = words or NOTHING, [reference or NOTHING for reference in references]
    common = [_common_subsequence(own, reference) for reference in known]
    precision = max(common) / len(own)
    recall = max(length / len(reference) for length, reference in zip(common, known, strict=True))
    if precision == 0:
        return 0.0
    return (1 + BETA**2) * precision * recall / (recall + BETA**2 * precision)


def _common_subsequence(first: Words, second: Words) -> int:
    """Length of the longest common subsequence."""
    best = [0] * (len(second) + 1)  # best[i]: with the first i words of `second`, for the words of `first` so far
    for word in first:
        above = best
        best = [0]
        for index, other in enumerate(second):
            best.append(above[index] + 1 if word == other else max(above[index + 1], best[index]))
    return best[-1]
