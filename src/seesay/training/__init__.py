"""Training: from a checked data set and a model to a run folder with a model that answers."""

from .chat import ChatRun, train_chat
from .fit import Run, train
from .planned import Progress
from .speech import SpeechRun, train_speech

__all__ = ["ChatRun", "Progress", "Run", "SpeechRun", "train", "train_chat", "train_speech"]
