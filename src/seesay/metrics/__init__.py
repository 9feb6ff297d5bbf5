"""Metrics: how right an answer is, and how sure a mean of many is. They know answers, never models or pictures."""

from .bootstrap import Interval, interval
from .normalize import normalizer
from .vqa import accuracy, score, soft_scores

__all__ = ["Interval", "accuracy", "interval", "normalizer", "score", "soft_scores"]
