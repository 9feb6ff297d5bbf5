"""What the encoder's 1,000 ImageNet classes are called: a picture's most likely names, as hints for the decoder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy

from .tokenizer import Tokenizer

Array = numpy.ndarray[Any, Any]
HINTS = 8


class Hints:
    """Classes of one name are added up: two kinds of cat make "cat" likelier."""

    def __init__(self, names: list[str], tokenizer: Tokenizer) -> None:
        unique = sorted(set(names))
        self.ids = numpy.array([tokenizer.ids[name] for name in unique], numpy.int64)
        place = {name: index for index, name in enumerate(unique)}
        self._of = numpy.zeros((len(names), len(unique)), numpy.float32)
        self._of[numpy.arange(len(names)), [place[name] for name in names]] = 1.0

    def __call__(self, logits: Array) -> tuple[Array, Array]:
        """(B, 1000) -> ids (B, HINTS) int64 and their probabilities float32, the largest first."""
        logits = logits.astype(numpy.float32)
        chances = numpy.exp(logits - logits.max(1, keepdims=True))
        named = (chances / chances.sum(1, keepdims=True)) @ self._of
        best = numpy.argsort(-named, axis=1, kind="stable")[:, :HINTS]
        return self.ids[best], numpy.take_along_axis(named, best, axis=1)

    @classmethod
    def load(cls, path: Path, tokenizer: Tokenizer) -> Hints:
        """From a file with the name of each class, in the encoder's order."""
        return cls([row["name"] for row in json.loads(path.read_text(encoding="utf-8"))], tokenizer)
