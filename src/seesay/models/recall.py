"""What a loaded model keeps in memory between two questions: what it saw in pictures, and what it read of a conversation.

Everything is found by content. What was seen is found by the digests of all pictures of a row in their order, because some
processors cut a picture otherwise where it is not alone. What was read (the keys and values of the language model's
attention) is good for as many tokens as are the same from the first one on, those of the pictures included.

Knows no architecture: the families say what may be kept. A model's processor and weights never change while it is loaded,
so they are no part of a key.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy

from .memory import Memory

if TYPE_CHECKING:
    import torch

Array = numpy.ndarray[Any, Any]

TAIL = 64
"""Tokens that are rather read again than kept twice."""

Row = tuple[str, ...]
"""The digests of the pictures of one question or conversation, in their order."""
Layers = Sequence[tuple[Any, Any]]
"""Keys and values of each layer, (1, heads, P, d): tensors, or arrays."""


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """What a language model is to read: the tokens of a row, pictures among them."""

    row: Row
    ids: Array
    """(P,)"""
    seen: Any
    """(I, D): what stands in the places of its I image tokens, a tensor or an array; None where there are none."""
    image_token: int

    def longer(self, written: Sequence[int], length: int) -> Text:
        """With the tokens written behind it, the first `length` of all."""
        ids = numpy.concatenate([self.ids, numpy.array(written, self.ids.dtype)])[:length]
        return Text(self.row, ids, self.seen, self.image_token)

    def common(self, other: Text) -> int:
        """How many tokens, from the first on, are the same for a model in both. A picture is the same where the row begins
        with the same pictures and they look the same, because others beside it may change how it is prepared. The end is
        never within a picture, whose tokens may see one another."""
        both = min(len(self.ids), len(other.ids))
        count = _equal(self.ids[:both] == other.ids[:both])
        places = numpy.flatnonzero(self.ids[:count] == self.image_token)
        if len(places) and self.row != other.row:
            pictures = min(len(self.row), len(other.row))
            same = 0
            if self.row[:pictures] == other.row[:pictures] and self.seen is not None and other.seen is not None:
                same = _equal((self.seen[: len(places)] == other.seen[: len(places)]).all(-1))
            count = int(places[same]) if same < len(places) else count
        inside = count < len(self.ids) and self.ids[count] == self.image_token
        while inside and count and self.ids[count - 1] == self.image_token:
            count -= 1
        return count


@dataclass(frozen=True, slots=True, eq=False)
class Passage:
    """A text that was read."""

    text: Text
    layers: Layers


def recollect(recall: Memory, text: Text) -> Layers:
    """Views of the keys and values of the longest beginning of `text` that was read before, all but its last token at most;
    none where there is none. Layers of a sliding window are held whole, so that each can be cut anywhere."""
    found = [(passage.text.common(text), key) for key, passage in passages(recall)]
    length, key = max(found, key=lambda one: one[0], default=(0, None))
    length = min(length, len(text.ids) - 1)
    if not length:
        return []
    return [(keys[..., :length, :], values[..., :length, :]) for keys, values in recall.get(key).layers]


def remember(recall: Memory, text: Text, layers: Layers, size: int) -> None:
    """Keep the keys and values of a text that was read, `size` bytes. Of two texts that differ at their ends alone the newer
    one is kept."""
    for key, passage in passages(recall):
        common = text.common(passage.text)
        if common >= len(passage.text.ids) - TAIL:
            recall.drop(key)
        elif common >= len(text.ids) - TAIL:
            recall.get(key)
            return
    recall.put(object(), Passage(text, layers), size)


def held(tensors: Iterable[torch.Tensor]) -> int:
    """Bytes that tensors keep in memory: of a view all that it is a view of."""
    return sum(tensor.untyped_storage().nbytes() for tensor in tensors)


def passages(recall: Memory) -> list[tuple[Hashable, Passage]]:
    """What was read, with the keys it is kept by."""
    return [(key, value) for key, value in recall.values() if isinstance(value, Passage)]


def _equal(same: Any) -> int:
    """How many values of (N,) are true before the first that is not."""
    values: list[bool] = same.tolist()
    return values.index(False) if False in values else len(values)
