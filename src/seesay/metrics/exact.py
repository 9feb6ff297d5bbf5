"""Exact match: whether a caption is, word for word, one of the references. Knows words only as equal or not."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from .caption import CaptionMetric, CaptionScores, Words


class ExactMatch(CaptionMetric):
    """1 where the words of the caption are those of a reference, 0 elsewhere; case and punctuation do not count."""

    name = "exact-match"
    greater_is_better = True
    bounds = (0.0, 1.0)

    def score_words(self, candidates: Sequence[Words], references: Sequence[Sequence[Words]]) -> CaptionScores:
        captions = tuple(float(words in known) for words, known in zip(candidates, references, strict=True))
        return CaptionScores(fmean(captions), captions)
