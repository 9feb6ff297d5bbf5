"""What exported architectures share that write token by token: the loop, the cache, beams, scores, and attention restated.

A picture is looked at once: what is made of it is kept by the picture's content, so that the next question about it costs its
words alone. Scores and searches are those of `models.generation`. What takes tensors of torch serves the exporter only.
"""

from __future__ import annotations

import math
import re
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import numpy

from ...types import Candidate
from ..checkpoint import Checkpoint
from ..family import Batch, normalized
from ..memory import Memory
from ..numpy_beams import beam_search
from ..runtime import Array, Runtime
from .base import Exported

if TYPE_CHECKING:
    import torch

CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
FEWEST_BEAMS, MOST_BEAMS = 3, 32


@dataclass(frozen=True)
class Text:
    """Tokens read so far: what the decoder keeps of them, and its logits for the next one. Never changes."""

    past: Mapping[str, Array]
    logits: Array
    """(T, vocabulary), behind each of the tokens that were read last."""


class Writing(Exported):
    """An export that writes its answers."""

    writes: ClassVar[bool] = True
    streams: ClassVar[bool] = True

    def __init__(self, checkpoint: Checkpoint, folder: Any, runtime: Runtime, numbers: str, threads: int = 0) -> None:
        super().__init__(checkpoint, folder, runtime, numbers, threads)
        self.recall = Memory()

    @classmethod
    def wanted(cls, original: Any, batch: Batch, replies: Sequence[str]) -> Array:
        logits: Array = original.reply_logits(batch, replies).numpy()
        return logits

    def found(self, batch: Batch, replies: Sequence[str]) -> Array:
        rows = range(len(batch.digests))
        return numpy.concatenate([self._given(batch, row, reply)[0] for row, reply in zip(rows, replies, strict=True)])

    def predict(self, batch: Batch, top_k: int) -> list[tuple[Candidate, ...]]:
        beams = self._beams(top_k)
        return [self._best(batch, row, beams, top_k) for row in range(len(batch.digests))]

    def _beams(self, top_k: int) -> int:
        return min(max(self.generation.num_beams, *((FEWEST_BEAMS, top_k) if top_k > 1 else (1,))), MOST_BEAMS)

    def score(self, batch: Batch, answers: Sequence[str]) -> list[float]:
        return [float(numpy.exp(self._chances(batch, row, answer).mean())) for row, answer in enumerate(answers)]

    def choose(self, batch: Batch, choices: Sequence[str]) -> list[tuple[Candidate, ...]]:
        # Of the whole answer, not of a token's mean: what is chosen among are the answers.
        sums = [[float(self._chances(batch, row, one).sum()) for one in choices] for row in range(len(batch.digests))]
        return [normalized(choices, [math.exp(one - max(row)) for one in row]) for row in sums]

    def write(self, batch: Batch, max_new_tokens: int, hear: Callable[[str], bool]) -> tuple[Candidate, bool]:
        ids, chances, ended = self._greedy(batch, 0, max_new_tokens, lambda written: hear(self._text(written)))
        return self._candidate(ids, chances), ended

    @abstractmethod
    def _seen(self, batch: Batch, row: int) -> Mapping[str, Array]:
        """What the decoder attends to beside its text."""

    @abstractmethod
    def _begun(self, batch: Batch, row: int) -> list[int]:
        """The tokens that the decoder reads before it writes."""

    @abstractmethod
    def _spelled(self, reply: str) -> list[int]:
        """An answer as the decoder would write it, without its end."""

    @abstractmethod
    def _text(self, ids: Sequence[int]) -> str:
        """What tokens say; a terminal would follow control characters."""

    @abstractmethod
    def _read(self, seen: Mapping[str, Array], tokens: Sequence[int], before: Text | None = None) -> Text:
        """What `tokens` behind `before` make of it."""

    def _taken(self, batch: Batch, row: int) -> int:
        """Places of the decoder that are taken before it writes."""
        return len(self._begun(batch, row))

    def _greedy(
        self, batch: Batch, row: int, most: int, hear: Callable[[list[int]], bool]
    ) -> tuple[list[int], list[float], bool]:
        """Tokens without the end, the log-probability of each with the end's, and whether it was reached."""
        begun, seen, ends = self._begun(batch, row), self._seen(batch, row), set(self.facts["ends"])
        text, written, chances = self._read(seen, begun), list[int](), list[float]()
        ended = False
        for _ in range(min(most, self.facts["longest"] - self._taken(batch, row))):
            last = log_softmax(text.logits[-1])
            token = int(last.argmax())
            chances.append(float(last[token]))
            ended = token in ends
            if ended:
                break
            written.append(token)
            if not hear(written):
                break
            if len(chances) < most:
                text = self._read(seen, [token], text)
        self._keep(batch, row, seen, text, written)
        return written, chances, ended

    def _keep(self, batch: Batch, row: int, seen: Mapping[str, Array], text: Text, written: Sequence[int]) -> None:
        """Told of what was read and written, once an answer is."""

    def _best(self, batch: Batch, row: int, beams: int, top_k: int) -> tuple[Candidate, ...]:
        if beams == 1:
            ids, chances, _ = self._greedy(batch, row, self._room, lambda _: True)
            return (self._candidate(ids, chances),)
        seen = self._seen(batch, row)

        def step(tokens: Sequence[int], before: Text | None) -> tuple[Array, Text]:
            text = self._read(seen, tokens, before)
            return log_softmax(text.logits[-1]), text

        best: dict[str, float] = {}
        for reply in beam_search(step, self._begun(batch, row), self.facts["ends"], beams, self._room):
            name = self._text(reply.ids).strip()
            best[name] = max(best.get(name, 0.0), math.exp(reply.mean))
        ranked = sorted(best.items(), key=lambda item: -item[1])
        return tuple(Candidate(name, chance) for name, chance in ranked[:top_k])

    def _candidate(self, ids: Sequence[int], chances: Sequence[float]) -> Candidate:
        """A reply and the geometric mean of its tokens' chances."""
        return Candidate(self._text(ids).strip(), math.exp(sum(chances) / len(chances)) if chances else 0.0)

    def _given(self, batch: Batch, row: int, reply: str) -> tuple[Array, list[int]]:
        """(T, vocabulary) logits before each token of a given reply and its end, and these tokens."""
        ids = [*self._spelled(reply), self.facts["ends"][0]][: self._room]
        begun = self._begun(batch, row)
        text = self._read(self._seen(batch, row), [*begun, *ids[:-1]])
        return text.logits[len(begun) - 1 :], ids

    def _chances(self, batch: Batch, row: int, reply: str) -> Array:
        """(T,): the log-probability of each token of a given reply and of its end."""
        logits, ids = self._given(batch, row, reply)
        chances: Array = log_softmax(logits)[numpy.arange(len(ids)), ids]
        return chances

    @property
    def _room(self) -> int:
        """Tokens of the longest reply."""
        return min(self.generation.max_new_tokens, int(self.facts["longest"]) // 2)


def log_softmax(logits: Array) -> Array:
    """Over the last axis."""
    shifted = logits - logits.max(-1, keepdims=True)
    chances: Array = shifted - numpy.log(numpy.exp(shifted).sum(-1, keepdims=True))
    return chances


def memory_names(layers: int) -> list[str]:
    """Inputs of a part that attends to what another one made: keys and values of each layer."""
    return [f"memory_{kind}_{layer}" for layer in range(layers) for kind in ("key", "value")]


def past_names(layers: int) -> list[str]:
    """Likewise of the tokens that were read before."""
    return [f"past_{kind}_{layer}" for layer in range(layers) for kind in ("key", "value")]


def heads_of(values: torch.Tensor, heads: int) -> torch.Tensor:
    """(B, T, D) -> (B, heads, T, D / heads)"""
    rows, tokens, width = values.shape
    return values.reshape(rows, tokens, heads, width // heads).transpose(1, 2)


def read_on(
    attention: Any, states: torch.Tensor, before: tuple[torch.Tensor, torch.Tensor], heads: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Keys and values (B, heads, P + T, d) of a text: those of `before`, and of its next tokens, `states` (B, T, D)."""
    import torch

    key, value = heads_of(attention.key(states), heads), heads_of(attention.value(states), heads)
    return torch.cat([before[0], key], dim=2), torch.cat([before[1], value], dim=2)


def attend(
    query: torch.Tensor, blocks: Sequence[tuple[torch.Tensor, torch.Tensor]], mask: torch.Tensor | None
) -> torch.Tensor:
    """(1, T, D): attention of (1, heads, T, d) as `mixed` has it, the heads side by side; `mask` (T, K) is the last block's."""
    rows, heads, tokens, width = query.shape
    masks = [*[None] * (len(blocks) - 1), mask]
    return mixed(query, blocks, masks).transpose(1, 2).reshape(rows, tokens, heads * width)


def mixed(
    query: torch.Tensor, blocks: Sequence[tuple[torch.Tensor, torch.Tensor]], masks: Sequence[torch.Tensor | None],
    scale: float | None = None, cap: float | None = None,
) -> torch.Tensor:  # fmt: skip
    """(1, heads, T, d): attention over keys and values that lie in several blocks, one softmax over all. Blocks are never joined:
    the largest of them stays where it is from token to token.

    Args:
        masks: (T, K) of each block, added to its weights; None where all of it is seen.
        scale: of the products of queries and keys; by default one over the root of d.
        cap: what the size of a weight approaches and never passes, where there is such a limit.
    """
    import torch

    scale = scale or 1 / math.sqrt(query.shape[-1])
    weights = [query @ key.transpose(-1, -2) * scale for key, _ in blocks]
    if cap:
        weights = [torch.tanh(one / cap) * cap for one in weights]
    weights = [one if mask is None else one + mask for one, mask in zip(weights, masks, strict=True)]
    shares = torch.cat(weights, dim=-1).softmax(-1) if len(weights) > 1 else weights[0].softmax(-1)
    ends = list(accumulate((score.shape[-1] for score in weights), initial=0))
    parts = [shares[..., start:end] @ value for (start, end), (_, value) in zip(pairwise(ends), blocks, strict=True)]
    return sum(parts[1:], parts[0])


def ahead(tokens: int, before: int) -> torch.Tensor:
    """(T, before + T): a wall before what comes later."""
    import torch

    place = torch.arange(before, before + tokens)[:, None]
    return (torch.arange(before + tokens)[None] > place).float() * -1e9
