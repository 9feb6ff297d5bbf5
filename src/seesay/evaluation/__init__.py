"""Measuring a model honestly: the figure, its interval, and what one gets without looking at the picture."""

from .baselines import Prior
from .caption_baselines import Baselines, CaptionPrior
from .captions import CaptionReport, measure_captions
from .curves import training_page
from .measure import Row, VqaReport, measure
from .pictures import Looking, by_content
from .report import Report, write
from .run import describe_and_measure, draw, evaluate_caption, evaluate_vqa

__all__ = [
    "Baselines",
    "CaptionPrior",
    "CaptionReport",
    "Looking",
    "Prior",
    "Report",
    "Row",
    "VqaReport",
    "by_content",
    "describe_and_measure",
    "draw",
    "evaluate_caption",
    "evaluate_vqa",
    "measure",
    "measure_captions",
    "training_page",
    "write",
]
