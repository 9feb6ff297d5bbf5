"""Metrics: how right an answer or a caption is, and how sure a mean of many is. They know texts, never models or pictures."""

from ..registry import discover
from .bootstrap import Interval, corpus_interval, interval
from .caption import CaptionMetric, CaptionScores
from .diversity import Diversity, diversity
from .normalize import normalizer
from .vqa import accuracy, score, soft_scores

__all__ = [
    "CaptionMetric",
    "CaptionScores",
    "Diversity",
    "Interval",
    "accuracy",
    "caption_metrics",
    "corpus_interval",
    "diversity",
    "interval",
    "normalizer",
    "score",
    "soft_scores",
]


def caption_metrics() -> dict[str, type[CaptionMetric]]:
    """Every caption metric by its name."""
    return discover("seesay.metrics", CaptionMetric)
