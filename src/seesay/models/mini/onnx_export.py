"""The trained network of `seesay-mini` as two ONNX files, for the runtime without torch.

Imports torch and is itself imported inside functions only. It knows nothing of quantization or where files end up.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch import nn

from .network import CELLS, COARSE, COLORED, FINE, POOLED, Attention, MiniNetwork, TextLayer

INPUTS = ("fine", "coarse", "pooled", "colors", "hints", "chances")


class _Look(nn.Module):
    def __init__(self, network: MiniNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, *features: torch.Tensor) -> torch.Tensor:
        return self.network.look(*features)


class _Decode(nn.Module):
    """The decoder as it answers: the same numbers from less work than `MiniNetwork.decode`, which is made for training, where
    many questions share what is computed of a picture.

    A question has few tokens (T, about 6) and a picture many (M = 58). So keys and values of the picture are not computed: the
    queries are brought to where the memory is, and what was mixed of it is brought back (the weights of two linear layers
    multiplied once, when the file is loaded; as DeepSeek-V2, arXiv 2405.04434, section 2.1, does with its latents). Rows of
    `ids` or of `memory` may be one for all: a question's first layer is then computed once for any number of pictures. The
    last layer computes nothing but what is asked for.
    """

    def __init__(self, network: MiniNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, ids: torch.Tensor, memory: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        """ids (B or 1, T), memory (B or 1, M, D), places (L,) rising -> logits (B, L, vocabulary) behind these tokens."""
        network = self.network
        x = network.embedding(ids) * network.config.dim**0.5 + network.position[: ids.shape[1]]
        every = torch.arange(ids.shape[1])
        layers = [layer for layer in network.text if isinstance(layer, TextLayer)]
        for layer in layers:
            wanted = places if layer is layers[-1] else every
            x = x.index_select(1, wanted) + _attend(layer.attention, layer.norm_self(x), wanted)
            x = x + _see(layer, layer.norm_cross(x), memory)
            x = x + layer.mlp(layer.norm_mlp(x))
        logits: torch.Tensor = network.text_norm(x) @ network.embedding.weight.t()
        return logits


def _attend(attention: Attention, x: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """(B, T, D) -> (B, L, D): what `attention` with a causal mask gives for the tokens at `places` (L,)."""
    dim, heads = attention.query.in_features, attention.heads
    split = (x.shape[0], -1, heads, dim // heads)
    query = attention.query(x.index_select(1, places)).reshape(split).transpose(1, 2)
    key, value = (part.reshape(split).transpose(1, 2) for part in attention.key_value(x).chunk(2, dim=-1))
    scores = query @ key.transpose(-1, -2) * (dim // heads) ** -0.5  # (B, heads, L, T)
    later = torch.arange(x.shape[1])[None] > places[:, None]
    mixed = scores.masked_fill(later, -1e4).softmax(dim=-1) @ value
    out: torch.Tensor = attention.out(mixed.transpose(1, 2).reshape(x.shape[0], -1, dim))
    return out


def _see(layer: TextLayer, x: torch.Tensor, memory: torch.Tensor) -> torch.Tensor:
    """x (B, T, D), memory (B, M, D) -> (B, T, D): what `cross` and `tally` add, tally as one more head.

    A key's bias adds the same to all scores of a query, which a softmax does not notice; tally's sigmoid does. Weights of a
    softmax sum to one, so that a value's bias is added once; those of tally do not.
    """
    cross, tally = layer.cross, layer.tally
    dim, heads = cross.query.in_features, cross.heads
    width, narrow = dim // heads, tally.query.out_features
    split = (dim, heads, width)
    key, value = cross.key_value.weight.t().chunk(2, dim=1)  # (D, D) each, a head's columns beside one another
    tally_key, tally_value = tally.key_value.weight.t().chunk(2, dim=1)  # (D, narrow)
    tally_key_bias, tally_value_bias = tally.key_value.bias.chunk(2)
    key = key.reshape(split).permute(1, 2, 0) * width**-0.5  # (heads, width, D)
    into = cross.query.weight.t().reshape(split).permute(1, 0, 2) @ key  # (heads, D, D)
    into = into.permute(1, 0, 2).reshape(dim, heads * dim)
    tally_into = tally.query.weight.t() @ tally_key.t() * narrow**-0.5
    bias = (cross.query.bias.reshape(heads, 1, width) @ key).reshape(-1)
    tally_bias = tally.query.bias @ tally_key.t() * narrow**-0.5
    back = value.reshape(split).permute(1, 0, 2) @ cross.out.weight.t().reshape(heads, width, dim)  # (heads, D, D)
    back = torch.cat([back.reshape(heads * dim, dim), tally_value @ tally.out.weight.t()])
    into, bias = torch.cat([into, tally_into], dim=1), torch.cat([bias, tally_bias])
    moved = (x @ into + bias).reshape(x.shape[0], -1, dim)  # (B, T * (heads + 1), D)
    scores = moved @ memory.transpose(1, 2)  # (B, T * (heads + 1), M)
    scores = scores.reshape(scores.shape[0], -1, heads + 1, scores.shape[2])
    shift = tally.query(x) @ tally_key_bias[:, None] * narrow**-0.5 + tally.bias  # (B, T, 1)
    counted = (scores[:, :, heads, :CELLS] + shift).sigmoid()  # (B, T, CELLS)
    others = torch.zeros_like(scores[:, :, heads, CELLS:])
    weights = torch.cat([scores[:, :, :heads].softmax(dim=-1), torch.cat([counted, others], dim=2)[:, :, None]], dim=2)
    mixed = weights.reshape(weights.shape[0], -1, weights.shape[3]) @ memory  # (B, T * (heads + 1), D)
    mixed = mixed.reshape(mixed.shape[0], -1, (heads + 1) * dim) @ back
    every = cross.key_value.bias[dim:] @ cross.out.weight.t() + cross.out.bias + tally.out.bias
    seen: torch.Tensor = mixed + counted.sum(2, keepdim=True) * (tally_value_bias @ tally.out.weight.t()) + every
    return seen


def export(network: MiniNetwork, folder: Path) -> tuple[str, ...]:
    """Write `look.onnx` and `decode.onnx` (float32, any number of pictures and tokens) and return their names."""
    config = network.config
    hints = torch.zeros(2, config.hints, dtype=torch.int64)
    features = (
        torch.zeros(2, FINE, 14, 14),
        torch.zeros(2, COARSE, 7, 7),
        torch.zeros(2, POOLED),
        torch.zeros(2, COLORED, 14, 14),
        hints,
        hints.float(),
    )
    memory = torch.zeros(2, CELLS + 1 + config.hints, config.dim)
    ids = torch.zeros(2, 9, dtype=torch.int64)
    with warnings.catch_warnings():
        # The exporter that works without further packages warns of its successor, and of shapes it takes for constant.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Look(network).eval(), features, str(folder / "look.onnx"), input_names=list(INPUTS), output_names=["memory"],
            dynamic_axes={name: {0: "pictures"} for name in (*INPUTS, "memory")}, dynamo=False,
        )  # fmt: skip
        # Weights stay as they are, to be folded when they are loaded: multiplied they would be larger.
        torch.onnx.export(
            _Decode(network).eval(), (ids, memory, torch.tensor([7, 8])), str(folder / "decode.onnx"),
            input_names=["ids", "memory", "places"], output_names=["logits"], dynamo=False, do_constant_folding=False,
            dynamic_axes={
                "ids": {0: "questions", 1: "tokens"}, "memory": {0: "pictures"}, "places": {0: "places"},
                "logits": {0: "rows", 1: "places"},
            },
        )  # fmt: skip
    return ("look", "decode")
