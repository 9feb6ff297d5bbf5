"""How varied captions are, and whether they are learned by heart. Knows nothing about whether they are right.

Distinct-n: Li et al., "A Diversity-Promoting Objective Function for Neural Conversation Models", NAACL 2016 (for captions:
Shetty et al., "Speaking the Same Language", ICCV 2017, as Div-n). Captions are words of `tokenize`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from .caption import CaptionScores
from .tokenize import ngrams, tokenize


@dataclass(frozen=True, slots=True)
class Diversity:
    """None of these is better high or low by itself: hold them against those of the captions that people wrote."""

    length: CaptionScores
    """Words per caption; mean and each."""
    in_training: CaptionScores
    """1 where the caption stands, word for word, among the training captions, else 0; share and each."""
    unique: float
    """Distinct captions among all, 0 to 1: 1 where no two are the same."""
    vocabulary: int
    """Distinct words."""
    distinct_1: float
    """Distinct words per word, 0 to 1. It falls as captions are added, so compare equally many."""
    distinct_2: float
    """Distinct pairs of neighbouring words per word, 0 to 1; likewise."""


def diversity(captions: Sequence[str], training: Iterable[str]) -> Diversity:
    """How varied `captions` are, one per picture, and how many of them stand in `training`.

    Raises:
        ValueError: no captions.
    """
    if not captions:
        raise ValueError("no captions to look at")
    each = [tokenize(caption) for caption in captions]
    seen = {tokenize(caption) for caption in training}
    lengths = tuple(float(len(words)) for words in each)
    known = tuple(float(words in seen) for words in each)
    distinct_words, distinct_pairs = (
        len(set().union(*(ngrams(words, 2)[length] for words in each))) for length in range(2)
    )
    total = max(1.0, sum(lengths))
    return Diversity(
        length=CaptionScores(fmean(lengths), lengths),
        in_training=CaptionScores(fmean(known), known),
        unique=len(set(each)) / len(each),
        vocabulary=distinct_words,
        distinct_1=distinct_words / total,
        distinct_2=distinct_pairs / total,
    )
