"""The trained network of `seesay-mini` as two ONNX files, for the runtime without torch.

Imports torch and is itself imported inside functions only. It knows nothing of quantization or where files end up.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn

from .network import CELLS, COARSE, COLORED, FINE, POOLED, MiniNetwork, TextLayer
from .runtime import FEATURES


class _Look(nn.Module):
    def __init__(self, network: MiniNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, *features: torch.Tensor) -> torch.Tensor:
        return self.network.look(*features)


class _Reshape(torch.autograd.Function):
    """`reshape` to sizes of which 0 stands for what the dimension has. Exported it is one node; a size that is asked of a tensor
    becomes four, and the nodes of a network take most of the time in which it is loaded."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, *sizes: int) -> torch.Tensor:
        return x.reshape([size or x.shape[place] for place, size in enumerate(sizes)])

    @staticmethod
    def symbolic(graph: Any, x: Any, *sizes: int) -> Any:
        return graph.op("Reshape", x, graph.op("Constant", value_t=torch.tensor(sizes)))


def _reshape(x: torch.Tensor, *sizes: int) -> torch.Tensor:
    reshaped: torch.Tensor = _Reshape.apply(x, *sizes)  # type: ignore[no-untyped-call]
    return reshaped


class _Decode(nn.Module):
    """The decoder as it answers: the same numbers from less work than `MiniNetwork.decode`, which is made for training, where
    many questions share what is computed of a picture.

    A question has few tokens (T, about 6) and a picture many (M = 58). So keys and values of the picture are not computed: the
    queries are brought to where the memory is, and what was mixed of it is brought back (as DeepSeek-V2, arXiv 2405.04434,
    section 2.1, does with its latents). Rows of `ids` or of `memory` may be one for all: a question's first layer is then
    computed once for any number of pictures. The last layer computes nothing but what is asked for.
    """

    def __init__(self, network: MiniNetwork) -> None:
        super().__init__()
        self.network = network
        layers = [layer for layer in network.text if isinstance(layer, TextLayer)]
        self.layers = nn.ModuleList(_Layer(layer, network.config.hints) for layer in layers)

    def forward(self, ids: torch.Tensor, memory: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        """ids (B or 1, T), memory (B or 1, M, D), places (L,) rising -> logits (B, L, vocabulary) behind these tokens."""
        network = self.network
        x = network.embedding(ids) * network.config.dim**0.5 + network.position[: ids.shape[1]]
        every = torch.arange(ids.shape[1])
        for layer in self.layers:
            x = layer(x, memory, every, places if layer is self.layers[-1] else None)
        logits: torch.Tensor = network.text_norm(x) @ network.embedding.weight.t()
        return logits


class _Layer(nn.Module):
    """A layer of the decoder. Tally is one more head of what looks at the picture.

    A head's queries go through its keys' weights before they meet the memory, and what was mixed through its values' weights
    after it. Multiplied, the two would be larger than both, to be kept and to be computed with. A key's bias adds the same to
    all scores of a query, which a softmax does not notice; tally's sigmoid does. Weights of a softmax sum to one, so that a
    value's bias is added once; those of tally do not.
    """

    def __init__(self, layer: TextLayer, hints: int) -> None:
        super().__init__()
        self.layer, cross, tally = layer, layer.cross, layer.tally
        self.dim, self.heads = cross.query.in_features, cross.heads
        width, narrow = self.dim // self.heads, tally.query.out_features
        key, value = cross.key_value.weight.chunk(2)
        tally_key, tally_value = tally.key_value.weight.chunk(2)
        # A head's own, (width, D) and (D, width): apart, so that the runtime lays each out for products once.
        keys = [*(key * width**-0.5).chunk(self.heads), tally_key * narrow**-0.5]
        self.keys = nn.ParameterList(part.clone() for part in keys)
        self.values = nn.ParameterList(part.t().clone() for part in (*value.chunk(self.heads), tally_value))
        self.counts = nn.Buffer((torch.arange(CELLS + 1 + hints) < CELLS).float())  # (M,) what tally may count

    def forward(
        self, x: torch.Tensor, memory: torch.Tensor, every: torch.Tensor, places: torch.Tensor | None
    ) -> torch.Tensor:
        """x (B, T, D), memory (B, M, D), every (T,) the numbers of the tokens -> (B, L, D) for those at `places`, or all."""
        layer, normed = self.layer, self.layer.norm_self(x)
        asked = normed if places is None else normed.index_select(1, places)
        kept = x if places is None else x.index_select(1, places)
        x = kept + self._attend(asked, normed, every[None] > (every if places is None else places)[:, None])
        x = x + self._see(layer.norm_cross(x), memory)
        added: torch.Tensor = x + layer.mlp(layer.norm_mlp(x))
        return added

    def _attend(self, x: torch.Tensor, source: torch.Tensor, later: torch.Tensor) -> torch.Tensor:
        """x (B, L, D), source (B, T, D), later (L, T) what is not to be seen -> (B, L, D)."""
        attention, width = self.layer.attention, self.dim // self.heads
        keys_values = attention.key_value(source).chunk(2, dim=2)
        query, key, value = (
            _reshape(part, 0, -1, self.heads, width).transpose(1, 2) for part in (attention.query(x), *keys_values)
        )
        scores = query @ key.transpose(2, 3) * width**-0.5  # (B, heads, L, T)
        mixed = scores.masked_fill(later, -1e4).softmax(dim=3) @ value
        out: torch.Tensor = attention.out(_reshape(mixed.transpose(1, 2), 0, -1, self.dim))
        return out

    def _see(self, x: torch.Tensor, memory: torch.Tensor) -> torch.Tensor:
        """x (B, T, D), memory (B, M, D) -> (B, T, D): what `cross` and `tally` add."""
        cross, tally, dim, heads = self.layer.cross, self.layer.tally, self.dim, self.heads
        queries = [*torch.split(cross.query(x), dim // heads, dim=2), tally.query(x)]
        moved = torch.cat([query @ key for query, key in zip(queries, self.keys, strict=True)], dim=2)
        scores = _reshape(moved, 0, -1, dim) @ memory.transpose(1, 2)  # (B, T * (heads + 1), M)
        scores = _reshape(scores, 0, -1, heads + 1, len(self.counts))
        averaged, counted = torch.split(scores, [heads, 1], dim=2)
        key_bias, value_bias = tally.key_value.bias.chunk(2)
        shift = queries[-1] @ (key_bias[:, None] * len(key_bias) ** -0.5) + tally.bias  # (B, T, 1)
        counted = (counted + shift[:, :, None]).sigmoid() * self.counts  # (B, T, 1, M)
        weights = _reshape(torch.cat([averaged.softmax(dim=3), counted], dim=2), 0, -1, len(self.counts))
        mixed = torch.split(_reshape(weights @ memory, 0, -1, (heads + 1) * dim), dim, dim=2)  # (B, T, D) each
        *means, total = (part @ value for part, value in zip(mixed, self.values, strict=True))
        seen: torch.Tensor = cross.out(torch.cat(means, dim=2) + cross.key_value.bias[dim:])
        added: torch.Tensor = tally.out(total + counted.sum(3) * value_bias)
        return seen + added


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
            _Look(network).eval(), features, str(folder / "look.onnx"), input_names=list(FEATURES), output_names=["memory"],
            dynamic_axes={name: {0: "pictures"} for name in (*FEATURES, "memory")}, dynamo=False,
        )  # fmt: skip
        torch.onnx.export(
            _Decode(network).eval(), (ids, memory, torch.tensor([7, 8])), str(folder / "decode.onnx"),
            input_names=["ids", "memory", "places"], output_names=["logits"], dynamo=False,
            dynamic_axes={
                "ids": {0: "questions", 1: "tokens"}, "memory": {0: "pictures"}, "places": {0: "places"},
                "logits": {0: "rows", 1: "places"},
            },
        )  # fmt: skip
    return ("look", "decode")
