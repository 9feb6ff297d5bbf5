"""CIDEr-D: how alike a caption and the references are, in the n-grams that say something about this picture.

Vedantam et al., "CIDEr: Consensus-based Image Description Evaluation", CVPR 2015, as the COCO caption evaluation computes it
(github.com/salaniz/pycocoevalcap, cider_scorer.py, which calls it CIDEr): n-grams of 1 to 4 words, weighted by tf-idf, clipped
cosine, a Gaussian penalty on the difference in length, without stemming. How often an n-gram is written about pictures is
counted in the references given, so a value belongs to its set of pictures: values of different sets cannot be compared, and one
picture alone always scores 0.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from .caption import CaptionMetric, CaptionScores, Words
from .tokenize import ngrams

LONGEST = 4
SIGMA = 6.0
"""Of the length penalty, in words."""
SCALE = 10.0

Gram = tuple[str, ...]


class CiderD(CaptionMetric):
    """CIDEr-D, times ten as published. A caption under four words cannot reach ten: it has no n-grams of four."""

    name = "cider-d"
    greater_is_better = True
    bounds = (0.0, SCALE)

    def score_words(self, candidates: Sequence[Words], references: Sequence[Sequence[Words]]) -> CaptionScores:
        counted = [[ngrams(words, LONGEST) for words in known] for known in references]
        pictures_with: Counter[Gram] = Counter()
        for known in counted:
            pictures_with.update({gram for caption in known for grams in caption for gram in grams})
        pictures = len(candidates)
        captions = tuple(
            _score(
                _weigh(ngrams(words, LONGEST), pictures_with, pictures),
                [_weigh(caption, pictures_with, pictures) for caption in known],
            )
            for words, known in zip(candidates, counted, strict=True)
        )
        return CaptionScores(fmean(captions), captions)


@dataclass(frozen=True, slots=True)
class _Vector:
    """A caption as tf-idf weights and their Euclidean norm, for each n."""

    weights: list[dict[Gram, float]]
    norms: list[float]
    length: int
    """In n-grams of two, as in the COCO code: one less than its words."""


def _weigh(counts: list[Counter[Gram]], pictures_with: Counter[Gram], pictures: int) -> _Vector:
    weights = [
        {gram: count * math.log(pictures / max(1, pictures_with[gram])) for gram, count in grams.items()}
        for grams in counts
    ]
    return _Vector(weights, [math.hypot(*weight.values()) for weight in weights], counts[1].total())


def _score(candidate: _Vector, references: Sequence[_Vector]) -> float:
    return SCALE * fmean(_alike(candidate, reference) for reference in references)


def _alike(candidate: _Vector, reference: _Vector) -> float:
    """Clipped cosine, mean over n, times the length penalty: 0 to 1."""
    cosines = []
    for n in range(LONGEST):
        known, scale = reference.weights[n], candidate.norms[n] * reference.norms[n]
        shared = [(weight, known[gram]) for gram, weight in candidate.weights[n].items() if gram in known]
        cosines.append(sum(min(weight, other) * other for weight, other in shared) / scale if scale else 0.0)
    difference = candidate.length - reference.length
    return fmean(cosines) * math.exp(-(difference**2) / (2 * SIGMA**2))
