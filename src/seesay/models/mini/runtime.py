"""What computes the trained part of `seesay-mini`: onnxruntime here, torch in `learner`. Knows nothing of pictures or words."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy

from ...errors import MissingExtra, ModelError
from ..checkpoint import EXTRA
from .encoder import open_session

Array = numpy.ndarray[Any, Any]
FEATURES = ("fine", "coarse", "pooled", "colors", "hints", "chances")
"""What `look` takes, in its order."""


class Runtime(Protocol):
    """What computes the trained part: arrays in, arrays out."""

    @property
    def engine(self) -> str: ...

    @property
    def network(self) -> Any:
        """The torch module, where it can be trained."""

    def look(self, *features: Array) -> Array:
        """FEATURES of P pictures -> memory (P, M, D)."""

    def decode(self, ids: Array, memory: Array, last: int = 1) -> Array:
        """ids (B, T), memory (B, M, D) -> logits (B, last, vocabulary) behind the last tokens. Either may have one row, which is
        then read with every row of the other."""


class OnnxRuntime:
    """Without torch."""

    def __init__(self, folder: Path, threads: int) -> None:
        self._look = open_session(folder / "look.onnx", threads)
        self._decode = open_session(folder / "decode.onnx", threads)
        # Those fine-tuned by earlier versions compute all places.
        self._picks = "places" in {given.name for given in self._decode.get_inputs()}
        wanted = {given.name for given in self._look.get_inputs()}
        if wanted != set(FEATURES):
            hint = f"it takes {', '.join(sorted(wanted))}; this seesay gives {', '.join(sorted(FEATURES))}"
            raise ModelError("made by another version of seesay", where=str(folder), hint=hint)

    @property
    def engine(self) -> str:
        import onnxruntime

        return f"onnxruntime {onnxruntime.__version__}"

    @property
    def network(self) -> Any:
        raise MissingExtra("training", EXTRA)

    def look(self, *features: Array) -> Array:
        memory: Array = self._look.run(None, dict(zip(FEATURES, features, strict=True)))[0]
        return memory

    def decode(self, ids: Array, memory: Array, last: int = 1) -> Array:
        if not self._picks:
            rows = max(len(ids), len(memory))
            whole = {
                "ids": numpy.repeat(ids, rows // len(ids), 0),
                "memory": numpy.repeat(memory, rows // len(memory), 0),
            }
            every: Array = self._decode.run(None, whole)[0][:, -last:]
            return every
        places = numpy.arange(ids.shape[1] - last, ids.shape[1])
        logits: Array = self._decode.run(None, {"ids": ids, "memory": memory, "places": places})[0]
        return logits
