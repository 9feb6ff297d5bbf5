"""Training: from a checked data set and a model to a run folder with a model that answers."""

from .fit import Run, train
from .trainer import Progress

__all__ = ["Progress", "Run", "train"]
