"""Measuring a model honestly: the figure, its interval, and what one gets without looking at the picture."""

from .baselines import Prior
from .curves import training_page
from .measure import Report, Row, measure, percent
from .report import write
from .run import evaluate_vqa

__all__ = ["Prior", "Report", "Row", "evaluate_vqa", "measure", "percent", "training_page", "write"]
