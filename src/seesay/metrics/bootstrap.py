"""How sure a mean is: bootstrap intervals over clusters.

Questions about one picture are right or wrong together, so pictures are drawn, not questions (Cameron and Miller, "A
Practitioner's Guide to Cluster-Robust Inference", 2015). Percentile intervals; nothing is assumed about the values.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .caption import CaptionMetric, CaptionScores


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and the interval it lies in at the given confidence."""

    mean: float
    """The figure: a mean, and of `corpus_interval` what the metric says about all captions together."""
    low: float
    high: float
    count: int
    clusters: int


def interval(
    values: Sequence[float],
    clusters: Sequence[Hashable],
    *,
    confidence: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Interval:
    """The mean of `values` with its percentile bootstrap interval over `clusters` (one label per value).

    Raises:
        ValueError: no values.
    """
    import numpy

    if not values:
        raise ValueError("no values to average")
    index_of = {label: index for index, label in enumerate(dict.fromkeys(clusters))}
    membership = numpy.fromiter((index_of[label] for label in clusters), numpy.int64, len(values))
    sums = numpy.bincount(membership, weights=numpy.asarray(values, float))
    sizes = numpy.bincount(membership).astype(float)
    # Drawing n clusters with replacement = how often each is drawn, multinomial: (resamples, clusters)
    draws = numpy.random.default_rng(seed).multinomial(len(sums), numpy.full(len(sums), 1 / len(sums)), size=resamples)
    means = (draws @ sums) / (draws @ sizes)
    low, high = numpy.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(numpy.mean(values)), float(low), float(high), len(values), len(sums))


def corpus_interval(
    metric: CaptionMetric,
    scores: CaptionScores,
    *,
    confidence: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Interval:
    """`scores.corpus` with its percentile bootstrap interval over pictures.

    For BLEU and the word error rate, which add up counts before they divide, the counts of the pictures drawn are added up
    (Koehn, "Statistical Significance Tests for Machine Translation Evaluation", 2004); for the others it is `interval` of
    the mean. CIDEr-D keeps its document frequencies, those of all pictures measured, so its interval is of *their* CIDEr-D.
    """
    import numpy

    rows = numpy.asarray(scores.sums or [(value, 1.0) for value in scores.captions], float)  # (pictures, addends)
    pictures = len(rows)
    draws = numpy.random.default_rng(seed).multinomial(pictures, numpy.full(pictures, 1 / pictures), size=resamples)
    figures = [metric.of_sums(row) for row in (draws @ rows).tolist()]
    low, high = numpy.quantile(figures, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(scores.corpus, float(low), float(high), pictures, pictures)
