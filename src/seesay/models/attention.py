"""Attention on the processor, with fewer passes over the weights than transformers' own.

The numbers are transformers' but for this: under bfloat16 autocast the weights (rows x heads x queries x keys, the largest
tensors of a layer) stay bfloat16 from the product to the sum, where transformers' go to float32 for the mask and the
softmax and back. The softmax itself computes in float32 either way. torch's fused attention takes twice as long in training,
because its backward pass in bfloat16 is slow on processors.

It knows no architecture: a family says which of its layers compute so. On other devices transformers' own is better.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

NAME = "seesay"
"""How transformers' registry of attention names it."""


def attend(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    scale: float,
    drop: Callable[[torch.Tensor], torch.Tensor],
) -> torch.Tensor:
    """What each query finds.

    Args:
        query: (B, H, Q, D); `key` and `value` (B, H, K, D).
        mask: added to the scores, (B or 1, H or 1, Q or 1, K): 0 where a query sees a key, else very low.
        drop: the layer's dropout, of the weights.

    Returns:
        (B, Q, H, D) of the number type of `value`.
    """
    import torch

    with torch.autocast("cpu", enabled=False):
        scores = (query * scale) @ key.transpose(-1, -2)  # (B, H, Q, K)
        if mask is not None and mask.any():
            scores = scores + mask.clamp(min=torch.finfo(scores.dtype).min).to(scores.dtype)
        return (drop(scores.softmax(-1)) @ value).transpose(1, 2)


def attend_as_registered(
    module: Any, query: Any, key: Any, value: Any, attention_mask: Any, scaling: float, dropout: float = 0.0, **_: Any
) -> tuple[Any, None]:
    """`attend` as transformers calls what stands in its registry of attention."""
    from torch.nn.functional import dropout as drop

    return attend(
        query, key, value, attention_mask, scaling, lambda weights: drop(weights, dropout, module.training)
    ), None


def register(config: Any) -> None:
    """Have the layers that ask the registry for the attention of `config` take this one. Nothing of it is saved."""
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, attend_as_registered)
    config._attn_implementation = NAME


def of_bert(
    layer: Any, hidden_states: torch.Tensor, mask: torch.Tensor | None, cache: Any = None, asking: int | None = None
) -> torch.Tensor:
    """What a layer of self-attention in BERT's form (`query`, `key`, `value`, `dropout`) finds.

    Args:
        hidden_states: (B, T, hidden)
        cache: keys and values of what came before, as transformers keeps them; these are added.
        asking: how many Q of the first tokens ask, where not all do. `mask` is theirs.

    Returns:
        (B, Q, hidden)
    """

    def heads(values: torch.Tensor) -> torch.Tensor:
        return values.view(*values.shape[:-1], -1, layer.attention_head_size).transpose(1, 2)

    query = heads(layer.query(hidden_states[:, :asking]))
    key, value = heads(layer.key(hidden_states)), heads(layer.value(hidden_states))
    if cache is not None:
        key, value = cache.update(key, value, layer.layer_idx)
    found = attend(query, key, value, mask, layer.attention_head_size**-0.5, layer.dropout)
    return found.flatten(2)
