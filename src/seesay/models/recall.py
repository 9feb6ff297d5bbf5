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

from .memory import Memory

if TYPE_CHECKING:
    import torch

TAIL = 64
"""Tokens that are rather read again than kept twice."""

Row = tuple[str, ...]
"""The digests of the pictures of one question or conversation, in their order."""


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """What a language model is to read: the tokens of a row, pictures among them."""

    row: Row
    ids: torch.Tensor
    """(P,), on the CPU."""
    seen: torch.Tensor | None
    """(I, D): what stands in the places of its I image tokens."""
    image_token: int

    def common(self, other: Text) -> int:
        """How many tokens, from the first on, are the same for a model in both. A picture is the same where the row begins
        with the same pictures and they look the same, because others beside it may change how it is prepared. The end is
        never within a picture, whose tokens may see one another."""
        both = min(len(self.ids), len(other.ids))
        count = _equal(self.ids[:both] == other.ids[:both])
        places = (self.ids[:count] == self.image_token).nonzero()[:, 0]
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
    layers: tuple[tuple[torch.Tensor, torch.Tensor], ...]
    """Keys and values of each layer, (1, heads, P, d)."""


def recollect(recall: Memory, text: Text) -> Any:
    """A `DynamicCache` of transformers with the longest beginning of `text` that was read before, all but its last token at
    most. It is empty where there is none. Layers of a sliding window are held whole, so that each can be cut anywhere."""
    from transformers import DynamicCache

    found = [(passage.text.common(text), key) for key, passage in passages(recall)]
    length, key = max(found, key=lambda one: one[0], default=(0, None))
    length = min(length, len(text.ids) - 1)
    if not length:
        return DynamicCache()
    # Views: attention puts longer tensors in their place and never writes into them.
    layers = recall.get(key).layers
    return DynamicCache([(keys[..., :length, :], values[..., :length, :]) for keys, values in layers])


def remember(recall: Memory, text: Text, written: Sequence[int], cache: Any) -> None:
    """Keep what a `DynamicCache` holds of `text` and the tokens written behind it. Of two texts that differ at their ends
    alone the newer one is kept."""
    import torch

    ids = torch.cat([text.ids, torch.tensor(written, dtype=text.ids.dtype)])[: cache.get_seq_length()]
    new = Text(text.row, ids, text.seen, text.image_token)
    for key, passage in passages(recall):
        common = new.common(passage.text)
        if common >= len(passage.text.ids) - TAIL:
            recall.drop(key)
        elif common >= len(ids) - TAIL:
            recall.get(key)
            return
    layers = tuple((layer.keys, layer.values) for layer in cache.layers)
    tensors = [tensor for layer in layers for tensor in layer]
    recall.put(object(), Passage(new, layers), held(tensors if text.seen is None else [*tensors, text.seen]))


def held(tensors: Iterable[torch.Tensor]) -> int:
    """Bytes that tensors keep in memory: of a view all that it is a view of."""
    return sum(tensor.untyped_storage().nbytes() for tensor in tensors)


def passages(recall: Memory) -> list[tuple[Hashable, Passage]]:
    """What was read, with the keys it is kept by."""
    return [(key, value) for key, value in recall.values() if isinstance(value, Passage)]


def _equal(same: torch.Tensor) -> int:
    """How many values of (N,) are true before the first that is not."""
    return int(same.long().cumprod(0).sum())
