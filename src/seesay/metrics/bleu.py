"""BLEU: how many of a caption's n-grams stand in the references, and whether it is long enough.

Papineni et al., "BLEU: a Method for Automatic Evaluation of Machine Translation", ACL 2002, as the COCO caption evaluation
computes it (github.com/salaniz/pycocoevalcap, bleu_scorer.py): counts of all captions are added up, and each caption is held
against the reference whose length is closest (the shorter of two). It knows nothing of synonyms or word order beyond n.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from .caption import CaptionMetric, CaptionScores, Words
from .tokenize import ngrams

TINY, SMALL = 1e-15, 1e-9
"""What the COCO code adds above and below each division, its only smoothing: without an n-gram of length n, the precision of
that length is 1e-6 where the caption is too short for one, and at most 1e-15 where none matches."""


@dataclass(frozen=True, slots=True)
class _Counts:
    """Of one caption or of many added up; tuples have an entry per n."""

    matched: Sequence[float]
    possible: Sequence[float]
    words: float
    closest: float
    """Words of the reference of the closest length."""

    def bleu(self) -> float:
        precisions = [(hit + TINY) / (all_ + SMALL) for hit, all_ in zip(self.matched, self.possible, strict=True)]
        ratio = (self.words + TINY) / (self.closest + SMALL)
        brevity = math.exp(min(0.0, 1 - 1 / ratio))
        return float(math.prod(precisions) ** (1 / len(precisions)) * brevity)


class _Bleu(CaptionMetric):
    longest: ClassVar[int]
    greater_is_better = True
    bounds = (0.0, 1.0)

    def score_words(self, candidates: Sequence[Words], references: Sequence[Sequence[Words]]) -> CaptionScores:
        each = [_count(words, known, self.longest) for words, known in zip(candidates, references, strict=True)]
        rows = tuple((*one.matched, *one.possible, one.words, one.closest) for one in each)
        total = [sum(column) for column in zip(*rows, strict=True)]
        counts = {"words": int(total[-2]), "closest reference words": int(total[-1])}
        return CaptionScores(self.of_sums(total), tuple(one.bleu() for one in each), counts, rows)

    def of_sums(self, sums: Sequence[float]) -> float:
        *grams, words, closest = sums
        return _Counts(grams[: self.longest], grams[self.longest :], words, closest).bleu()


class Bleu1(_Bleu):
    """BLEU of single words."""

    name = "bleu-1"
    longest = 1


class Bleu2(_Bleu):
    """BLEU of up to two words."""

    name = "bleu-2"
    longest = 2


class Bleu3(_Bleu):
    """BLEU of up to three words."""

    name = "bleu-3"
    longest = 3


class Bleu4(_Bleu):
    """BLEU of up to four words, the usual one. A caption of fewer than four words scores next to nothing on its own."""

    name = "bleu-4"
    longest = 4


def _count(words: Words, references: Sequence[Words], longest: int) -> _Counts:
    own = ngrams(words, longest)
    known = [ngrams(reference, longest) for reference in references]
    return _Counts(
        matched=tuple(
            sum(min(count, max(grams[n][gram] for grams in known)) for gram, count in own[n].items())
            for n in range(longest)
        ),
        possible=tuple(grams.total() for grams in own),
        words=len(words),
        closest=min(map(len, references), key=lambda length: (abs(length - len(words)), length)),
    )
