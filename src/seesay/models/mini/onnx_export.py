"""The trained network of `seesay-mini` as two ONNX files, for the runtime without torch.

Imports torch and is itself imported inside functions only. It knows nothing of quantization or where files end up.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch import nn

from .network import CELLS, COARSE, COLORED, FINE, POOLED, MiniNetwork

INPUTS = ("fine", "coarse", "pooled", "colors", "hints", "chances")


class _Look(nn.Module):
    def __init__(self, network: MiniNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, *features: torch.Tensor) -> torch.Tensor:
        return self.network.look(*features)


class _Decode(nn.Module):
    def __init__(self, network: MiniNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, ids: torch.Tensor, memory: torch.Tensor) -> torch.Tensor:
        return self.network.logits(self.network.decode(ids, memory))


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
        torch.onnx.export(
            _Decode(network).eval(), (ids, memory), str(folder / "decode.onnx"), input_names=["ids", "memory"],
            output_names=["logits"], dynamo=False,
            dynamic_axes={"ids": {0: "rows", 1: "tokens"}, "memory": {0: "rows"}, "logits": {0: "rows", 1: "tokens"}},
        )  # fmt: skip
    return ("look", "decode")
