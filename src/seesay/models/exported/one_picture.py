"""What exported architectures share that read a text about one picture and write on: GIT and BLIP.

Texts about one picture are written side by side, packed into one sequence in which each sees itself alone: no padding, and the
weights are read once for all of them. `decoder_part` is torch and serves the exporter only.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any, ClassVar

import numpy

from ...types import Candidate, Example
from ..family import Batch
from ..runtime import Array, Graph
from .base import Part
from .writing import CONTROLS, Text, Writing, log_softmax, memory_names, past_names

if TYPE_CHECKING:
    import torch

TOGETHER = 32
"""Texts that are written side by side at most."""
UNSEEN = -1e9
"""Added to the weight of what a token must not see."""


@dataclass(frozen=True)
class Texts:
    """Several texts in one sequence."""

    past: Mapping[str, Array]
    owners: Array
    """(P,): of each token in `past`, which text it is of."""
    logits: dict[int, Array]
    """By text, (vocabulary,) behind its last token, of those that were read last."""


class OnePicture(Writing):
    """An export that reads a text about one picture. `look` makes of it keys and values that `write`, or what stands before
    it, attends to."""

    one_size: ClassVar[bool] = True

    @classmethod
    def facts_of(cls, original: Any) -> dict[str, Any]:
        config = original.decoder_config
        return {
            **super().facts_of(original),
            "layers": config.num_hidden_layers,
            "heads": config.num_attention_heads,
            "width": config.hidden_size // config.num_attention_heads,
            "longest": original.longest,
            "ends": original.ends,
            "start": cls.start_of(original),
        }

    @classmethod
    @abstractmethod
    def start_of(cls, original: Any) -> int:
        """The token that a text begins with."""

    def prepare(self, examples: Sequence[Example], *, normalize: Callable[[str], str] | None = None) -> Batch:
        if normalize is not None:
            raise self._never_trained()
        self._check([example.question.strip() for example in examples])
        pictures, digests = self._pictures(examples)
        tensors = {"pixel_values": numpy.stack(pictures), "input_ids": [self._tokens(one) for one in examples]}
        return Batch(tensors, tuple((digest,) for digest in digests))

    @abstractmethod
    def _tokens(self, example: Example) -> list[int]:
        """What is read before an answer is written."""

    def predict(self, batch: Batch, top_k: int) -> list[tuple[Candidate, ...]]:
        if self._beams(top_k) > 1:
            return super().predict(batch, top_k)
        alike: dict[Hashable, list[int]] = {}
        for row in range(len(batch.digests)):
            alike.setdefault(self._seen_by(batch, row), []).append(row)
        found: dict[int, tuple[Candidate, ...]] = {}
        for rows in alike.values():
            for start in range(0, len(rows), TOGETHER):
                found |= {row: (one,) for row, one in self._together(batch, rows[start : start + TOGETHER]).items()}
        return [found[row] for row in sorted(found)]

    def _seen_by(self, batch: Batch, row: int) -> Hashable:
        """Rows for which this is equal see the same beside their text, and are written together."""
        return batch.digests[row]

    def _together(self, batch: Batch, rows: Sequence[int]) -> dict[int, Candidate]:
        """The replies to rows that see the same, token by token in step."""
        seen, ends = self._seen(batch, rows[0]), set(self.facts["ends"])
        most = {row: min(self._room, self.facts["longest"] - self._taken(batch, row)) for row in rows}
        written: dict[int, list[int]] = {row: [] for row in rows}
        chances: dict[int, list[float]] = {row: [] for row in rows}
        reading, texts = {row: self._begun(batch, row) for row in rows if most[row] > 0}, None
        while reading:
            texts = self._read_together(seen, reading, texts)
            reading = {}
            for row, logits in texts.logits.items():
                last = log_softmax(logits)
                token = int(last.argmax())
                chances[row].append(float(last[token]))
                if token not in ends:
                    written[row].append(token)
                    if len(chances[row]) < most[row]:
                        reading[row] = [token]
        return {row: self._candidate(written[row], chances[row]) for row in rows}

    def _check(self, questions: Sequence[str]) -> None:
        """Raises a ModelError where the checkpoint was made for another task."""

    def _seen(self, batch: Batch, row: int) -> Mapping[str, Array]:
        return self._looked(batch, row)

    def _looked(self, batch: Batch, row: int) -> Mapping[str, Array]:
        """What `look` makes of the picture of a row; kept."""
        (digest,) = batch.digests[row]
        kept: dict[str, Array] | None = self.recall.get(digest)
        if kept is None:
            found = self._parts["look"](pixel_values=batch.tensors["pixel_values"][row : row + 1])
            kept = dict(zip(memory_names(len(found) // 2), found, strict=True))
            self.recall.put(digest, kept, sum(value.nbytes for value in found))
        return kept

    def _begun(self, batch: Batch, row: int) -> list[int]:
        ids: list[int] = batch.tensors["input_ids"][row]
        return ids

    def _spelled(self, reply: str) -> list[int]:
        return self.words.bare(reply)

    def _read(self, seen: Mapping[str, Array], tokens: Sequence[int], before: Text | None = None) -> Text:
        past = self._nothing if before is None else before.past
        owners = numpy.zeros(next(iter(past.values())).shape[2] + len(tokens), numpy.int64)
        present, logits = self._through(seen, tokens, owners, past, list(range(len(tokens))))
        return Text(present, logits)

    def _read_together(
        self, seen: Mapping[str, Array], tokens: Mapping[int, Sequence[int]], before: Texts | None
    ) -> Texts:
        """What the next `tokens` of each text make of what was read before."""
        past, owned = (self._nothing, []) if before is None else (before.past, [before.owners])
        lengths = [len(one) for one in tokens.values()]
        owners = numpy.concatenate([*owned, numpy.repeat(list(tokens), lengths)])
        told = [end - 1 for end in accumulate(lengths)]
        present, logits = self._through(seen, list(chain(*tokens.values())), owners, past, told)
        return Texts(present, owners, dict(zip(tokens, logits, strict=True)))

    @property
    def _nothing(self) -> dict[str, Array]:
        """The past of what begins."""
        empty = numpy.zeros((1, self.facts["heads"], 0, self.facts["width"]), numpy.float32)
        return dict.fromkeys(past_names(self.facts["layers"]), empty)

    def _through(
        self,
        seen: Mapping[str, Array],
        tokens: Sequence[int],
        owners: Array,
        past: Mapping[str, Array],
        told: list[int],
    ) -> tuple[dict[str, Array], Array]:
        """`tokens` through the decoder: the past with them, and (told, vocabulary) logits.

        Args:
            owners: (P + T,): of each token, also of the past, which text it is of; it sees those before it of the same one.
            told: of which tokens the logits are wanted.
        """
        mine, before = owners[-len(tokens) :, None] == owners, len(owners) - len(tokens)  # (T, P + T)
        visible = numpy.tril(mine, before)
        run: Graph = self._parts["write"]
        logits, *present = run(
            input_ids=numpy.array([tokens], numpy.int64),
            place=visible.sum(1) - 1,
            wall=numpy.where(visible, 0, UNSEEN).astype(numpy.float32),
            told=numpy.array(told, numpy.int64),
            **seen,
            **past,
        )
        return dict(zip(past, present, strict=True)), logits[0]

    def _text(self, ids: Sequence[int]) -> str:
        return CONTROLS.sub("", self.words.text(ids))


def decoder_part(network: Any, decode: Callable[..., Any], config: Any, seen_by: int) -> Part:
    """The part `write` of `network`: `decode(input_ids, place, wall, told, memory, past)` gives logits and the new keys and values.

    `memory` and `past` are lists of (key, value), `place` (T,) the places of the tokens in their texts, `wall` (T, P + T) what
    is added to the weights of what was read and is read now, `told` the tokens whose logits are wanted. `seen_by` is how many
    layers attend to a memory.
    """
    import torch

    layers, heads = config.num_hidden_layers, config.num_attention_heads
    width = config.hidden_size // heads

    class Decoder(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(
            self,
            input_ids: torch.Tensor,
            place: torch.Tensor,
            wall: torch.Tensor,
            told: torch.Tensor,
            *kept: torch.Tensor,
        ) -> tuple[torch.Tensor, ...]:
            pairs = list(zip(kept[0::2], kept[1::2], strict=True))
            logits, present = decode(input_ids, place, wall, told, pairs[:seen_by], pairs[seen_by:])
            return (logits, *(one for pair in present for one in pair))

    names = [*memory_names(seen_by), *past_names(layers)]
    inputs = {
        "input_ids": torch.ones(1, 2, dtype=torch.int64),
        "place": torch.tensor([3, 4]),
        "wall": torch.zeros(2, 5),
        "told": torch.tensor([1]),
    }
    inputs |= {name: torch.zeros(1, heads, 5 if name.startswith("memory") else 3, width) for name in names}
    outputs = ["logits", *(f"new_{name}" for name in past_names(layers))]
    free: dict[str, Mapping[int, str]] = {
        "input_ids": {1: "tokens"},
        "place": {0: "tokens"},
        "wall": {0: "tokens", 1: "after"},
        "told": {0: "told"},
        "logits": {1: "told"},
    }
    free |= {name: {2: "seen" if name.startswith("memory") else "before"} for name in names}
    free |= {name: {2: "after"} for name in outputs[1:]}
    return Part(Decoder().eval(), inputs, tuple(outputs), free, "row")
