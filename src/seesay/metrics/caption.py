"""What a caption metric is: captions and what people wrote about the same pictures in, figures out. Knows no model and no picture.

A new metric is one new file beside this one; `tests/conformance/test_caption_metrics.py` says what it must do.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from .tokenize import tokenize

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CaptionScores:
    """What a metric says about the captions of many pictures."""

    corpus: float
    """Of all of them together, as it is published. For BLEU and the word error rate it is not the mean of `captions`: they
    add up counts first."""
    captions: tuple[float, ...]
    """One per picture, in the order given: what `bootstrap.interval` takes, pictures being drawn. Its mean is that of these
    values."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """What was counted over all captions, by name; empty where the metric counts nothing that says something alone."""
    sums: tuple[tuple[float, ...], ...] = ()
    """One row per picture of what is added up for `corpus` (`CaptionMetric.of_sums`); empty where that is the mean."""


class CaptionMetric(ABC):
    """One way to hold captions against references. It keeps nothing between calls.

    `name` is how it is found, `bounds` are the least and the greatest value that it can give.
    """

    name: ClassVar[str]
    greater_is_better: ClassVar[bool]
    bounds: ClassVar[tuple[float, float]]

    def score(self, candidates: Sequence[str], references: Sequence[Sequence[str]]) -> CaptionScores:
        """The figures of one caption per picture; both sides are cut into words by `tokenize`.

        Args:
            candidates: the caption of each picture; an empty one scores as badly as can be, unless a reference is empty too.
            references: for each picture, what people wrote about it: at least one caption each.

        Raises:
            ValueError: no pictures, a caption too many or too few, or a picture without references.
            MissingExtra: the metric needs a package that is not installed.
        """
        if not candidates:
            raise ValueError("no captions to score")
        if len(candidates) != len(references):
            raise ValueError(f"{len(candidates)} captions, but references for {len(references)} pictures")
        for index, known in enumerate(references):
            if not known:
                raise ValueError(f"no references for picture {index} (counted from 0)")
        return self.score_words(
            [tokenize(caption) for caption in candidates],
            [[tokenize(caption) for caption in known] for known in references],
        )

    def of_sums(self, sums: Sequence[float]) -> float:
        """`CaptionScores.corpus` of the pictures whose `CaptionScores.sums` add up to these.

        A metric whose corpus is the mean of its captions gives no rows; theirs are then (value, 1).
        """
        total, pictures = sums
        return total / pictures

    @abstractmethod
    def score_words(self, candidates: Sequence[Words], references: Sequence[Sequence[Words]]) -> CaptionScores:
        """`score`, of captions that are words already and go together."""
