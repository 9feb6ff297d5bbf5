"""What a voice is to seesay: a sentence in, sound out. Knows nothing about texts, files or loudspeakers.

A new voice is one new file in `engines/`; `tests/conformance/test_engines.py` says what it must do. A voice that is a
checkpoint subclasses `checkpoint_voice.CheckpointVoice`, which adds how it is found and opened.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import numpy


class Engine(ABC):
    """One voice at one speed. Cheap to make where it comes with the package: what is heavy is loaded with the first
    sentence.

    `name` is how it is found, `sample_rate` is in samples a second, `max_characters` is the longest sentence that
    `synthesize` takes whole, `speaks` says which language in words.
    """

    name: ClassVar[str]
    sample_rate: int
    max_characters: int
    speaks: str = "English"

    def __init__(self, speed: float = 1.0) -> None:
        self.speed = speed

    @abstractmethod
    def can_say(self, character: str) -> bool:
        """Whether this character becomes sound; false for punctuation and for letters that the voice does not know."""

    @abstractmethod
    def synthesize(self, sentence: str) -> numpy.ndarray[tuple[int], numpy.dtype[numpy.float32]]:
        """The sound of a sentence with something to say in it: float32, mono, (samples,), 1 being full scale.

        The same sentence gives the same samples. Characters that it cannot say are passed over.
        """
