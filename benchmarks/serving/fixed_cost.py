"""A family whose batches take a fixed time, found through an entry point like any other: what a server adds can be measured.

`config.json` says how long: `batch_ms` a batch, `row_ms` each row in it, `token_ms` each token of a stream.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

from seesay.errors import ModelError
from seesay.media import digest_image, open_image
from seesay.models import Batch, Checkpoint, Examined, Family, Placement
from seesay.types import Candidate, Conversation, Example


class FixedCost(Family):
    name: ClassVar[str] = "fixed-cost"
    model_types: ClassVar[tuple[str, ...]] = ("fixed-cost",)
    needs_torch: ClassVar[bool] = False
    streams: ClassVar[bool] = True
    converses: ClassVar[bool] = True
    reads: ClassVar[bool] = True
    captions: bool = True

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint, self.placement, self.vocabulary = checkpoint, Placement("cpu", "float32"), ()
        self._batch, self._row, self._token = (
            checkpoint.config[name] / 1000 for name in ("batch_ms", "row_ms", "token_ms")
        )

    @classmethod
    def load(cls, checkpoint: Checkpoint, placement: Placement) -> Self:
        return cls(checkpoint)

    @property
    def engine(self) -> str:
        return "sleep"

    def prepare(self, examples: Sequence[Example], *, normalize: Callable[[str], str] | None = None) -> Batch:
        for example in examples:
            open_image(example.images[0])
        return Batch({}, tuple(tuple(map(digest_image, example.images)) for example in examples))

    def prepare_conversation(self, conversation: Conversation) -> Batch:
        return self.prepare([Example(conversation.images)])

    def predict(self, batch: Batch, top_k: int) -> list[tuple[Candidate, ...]]:
        time.sleep(self._batch + self._row * len(batch.digests))
        return [(Candidate("done", 1.0),)] * len(batch.digests)

    def write(self, batch: Batch, max_new_tokens: int, hear: Callable[[str], bool]) -> tuple[Candidate, bool]:
        time.sleep(self._batch)
        words = 0
        while words < max_new_tokens:
            time.sleep(self._token)
            words += 1
            if not hear("word " * words):
                break
        return Candidate("word " * words, 1.0), False

    def score(self, batch: Batch, answers: Sequence[str]) -> list[float]:
        return [1.0] * len(answers)

    @classmethod
    def fine_tune(cls, checkpoint: Checkpoint, placement: Placement, vocabulary: Sequence[str], seed: int) -> Self:
        raise ModelError("it learns nothing")

    @classmethod
    def create(
        cls, configuration: str, placement: Placement, vocabulary: Sequence[str], questions: Iterable[str], seed: int
    ) -> Self:
        raise ModelError("it learns nothing")

    @property
    def network(self) -> Any:
        raise ModelError("it has none")

    def examine(self, batch: Batch, *, answer: bool) -> Examined:
        raise ModelError("it learns nothing")

    def save(self, folder: Path) -> None:
        raise ModelError("it has no weights")
