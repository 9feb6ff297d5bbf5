"""The part of `seesay-mini` that is trained: what it makes of the encoder's features, and the decoder that answers.

    fine grid, coarse grid, whole picture, ImageNet's likely names  ->  look    ->  memory (B, 58, D)
    question tokens [answer] answer tokens, memory                  ->  decode  ->  logits (B, T, vocabulary)

Transformer layers normalize before each part (Xiong et al., "On Layer Normalization in the Transformer Architecture",
ICML 2020). The decoder's output weights are its embeddings (Press and Wolf, EACL 2017). This file imports torch and is
itself imported inside functions only. It knows nothing of files, tokens' texts or training.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

CELLS = 49
FINE, COARSE, POOLED, COLORED = 112, 320, 1280, 14


@dataclass(frozen=True)
class MiniConfig:
    """Sizes of the network."""

    vocabulary: int
    names: int
    """The first tokens after the special ones and letters are names; this many, from `first_name`."""
    first_name: int
    dim: int = 256
    heads: int = 4
    vision_layers: int = 2
    text_layers: int = 3
    hints: int = 8
    """How many of ImageNet's names the decoder is told."""
    max_tokens: int = 64
    dropout: float = 0.1


class MiniNetwork(nn.Module):
    """Everything above the frozen encoder."""

    def __init__(self, config: MiniConfig) -> None:
        super().__init__()
        self.config = config
        dim = config.dim
        self.embedding = nn.Embedding(config.vocabulary, dim)
        self.position = nn.Parameter(torch.randn(config.max_tokens, dim) * 0.2)
        # Features are brought to mean 0 and deviation 1 by channel; measured once, kept with the weights.
        self.grid_mean = nn.Buffer(torch.zeros(4 * FINE + COARSE))
        self.grid_scale = nn.Buffer(torch.ones(4 * FINE + COARSE))
        self.pooled_mean = nn.Buffer(torch.zeros(POOLED))
        self.pooled_scale = nn.Buffer(torch.ones(POOLED))
        self.grid_in = nn.Linear(4 * FINE + COARSE, dim)
        self.color_in = nn.Linear(4 * COLORED, dim)
        self.cell = nn.Parameter(torch.randn(CELLS, dim) * 0.2)
        self.pooled_in = nn.Sequential(
            nn.Linear(POOLED, 3 * dim), nn.GELU(), nn.Dropout(config.dropout), nn.Linear(3 * dim, dim)
        )
        self.hint_in = nn.Linear(2, dim)
        self.hint_names = nn.Linear(dim, dim)
        self.vision = nn.ModuleList(VisionLayer(dim, config.heads) for _ in range(config.vision_layers))
        self.vision_norm = nn.LayerNorm(dim)
        self.text = nn.ModuleList(TextLayer(dim, config.heads) for _ in range(config.text_layers))
        self.text_norm = nn.LayerNorm(dim)
        self.drop = nn.Dropout(config.dropout)
        self.apply(_initialize)

    def look(
        self,
        fine: torch.Tensor,
        coarse: torch.Tensor,
        pooled: torch.Tensor,
        colors: torch.Tensor,
        hints: torch.Tensor,
        chances: torch.Tensor,
    ) -> torch.Tensor:
        """fine (B, 112, 14, 14), coarse (B, 320, 7, 7), pooled (B, 1280), colors (B, 14, 14, 14), hints (B, H) ids of names,
        chances (B, H) their probabilities -> memory (B, 49 + 1 + H, D)."""
        grid = torch.cat([fold(fine), coarse], dim=1).flatten(2).transpose(1, 2)  # (B, 49, 768)
        cells = self.grid_in((grid - self.grid_mean) * self.grid_scale) + self.cell
        cells = cells + self.color_in(fold(colors).flatten(2).transpose(1, 2))
        whole = self.pooled_in((pooled - self.pooled_mean) * self.pooled_scale)[:, None]
        likely = torch.stack([chances, (chances + 1e-4).log() / 4], dim=-1)
        named = self.hint_names(self.embedding(hints)) + self.hint_in(likely)
        memory = torch.cat([cells, whole, named], dim=1)
        for layer in self.vision:
            memory = layer(memory)
        normed: torch.Tensor = self.vision_norm(memory)
        return normed

    def decode(self, ids: torch.Tensor, memory: torch.Tensor, picture: torch.Tensor | None = None) -> torch.Tensor:
        """ids (B, T), memory (P, M, D) -> states (B, T, D); every token sees those before it and the whole picture.

        `picture` (B,) says which memory each row reads; without it P = B, row by row. Several questions about one picture
        share what is computed of it.
        """
        x = self.drop(self.embedding(ids) * self.config.dim**0.5 + self.position[: ids.shape[1]])
        for layer in self.text:
            x = layer(x, memory, picture)
        states: torch.Tensor = self.text_norm(x)
        return states

    def logits(self, states: torch.Tensor) -> torch.Tensor:
        """(..., D) -> (..., vocabulary)."""
        return nn.functional.linear(states, self.embedding.weight)


def fold(fine: torch.Tensor) -> torch.Tensor:
    """(B, C, 14, 14) -> (B, 4C, 7, 7): each cell with its four parts. As `pixel_unshuffle`, which ONNX orders otherwise."""
    batch, channels, height, width = fine.shape
    parts = fine.reshape(batch, channels, height // 2, 2, width // 2, 2).permute(0, 1, 3, 5, 2, 4)
    return parts.reshape(batch, 4 * channels, height // 2, width // 2)


class Attention(nn.Module):
    """Several heads; queries from x, keys and values from `source`.

    Written out, because on processors the backward pass of `scaled_dot_product_attention` in bf16 takes four times as long
    (25 against 6.6 ms at 160 rows of 12 tokens over 58 keys).
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(dim, dim)
        self.key_value = nn.Linear(dim, 2 * dim)
        self.out = nn.Linear(dim, dim)

    def forward(
        self, x: torch.Tensor, source: torch.Tensor, picture: torch.Tensor | None = None, causal: bool = False
    ) -> torch.Tensor:
        batch, length, dim = x.shape
        split = (batch, -1, self.heads, dim // self.heads)
        key_value = self.key_value(source)
        if picture is not None:
            key_value = key_value.index_select(0, picture)
        query = self.query(x).view(split).transpose(1, 2)
        key, value = (part.reshape(split).transpose(1, 2) for part in key_value.chunk(2, dim=-1))
        scores = query @ key.transpose(-1, -2) * (dim // self.heads) ** -0.5  # (B, heads, T, S)
        if causal:
            later = torch.ones(length, length, dtype=torch.bool, device=x.device).triu(1)
            scores = scores.masked_fill(later, -1e4)
        mixed = scores.softmax(dim=-1).to(value.dtype) @ value
        out: torch.Tensor = self.out(mixed.transpose(1, 2).reshape(batch, length, dim))
        return out


class Tally(nn.Module):
    """Adds up what attention averages. Weights of a softmax sum to one, so that to attention three dogs look like one; here
    every cell counts for itself, between 0 and 1.

    Counting by weights that are not normalized over places: Trott, Xiong and Socher, "Interpretable Counting for Visual
    Question Answering", ICLR 2018.
    """

    def __init__(self, dim: int, width: int = 64) -> None:
        super().__init__()
        self.query = nn.Linear(dim, width)
        self.key_value = nn.Linear(dim, 2 * width)
        self.bias = nn.Parameter(torch.full((1,), -3.0))  # at first a few of the 49 cells count
        self.out = nn.Linear(width, dim)

    def forward(self, x: torch.Tensor, cells: torch.Tensor, picture: torch.Tensor | None = None) -> torch.Tensor:
        """x (B, T, D), cells (P, 49, D) -> (B, T, D)."""
        key_value = self.key_value(cells)
        if picture is not None:
            key_value = key_value.index_select(0, picture)
        key, value = key_value.chunk(2, dim=-1)
        scores = self.query(x) @ key.transpose(1, 2) * key.shape[-1] ** -0.5 + self.bias  # (B, T, 49)
        summed: torch.Tensor = self.out(scores.sigmoid().to(value.dtype) @ value)
        return summed


class VisionLayer(nn.Module):
    """Every part of the picture sees every other."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.norm_attention, self.norm_mlp = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attention, self.mlp = Attention(dim, heads), _mlp(dim)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        normed = self.norm_attention(x)
        x = x + self.attention(normed, normed)
        added: torch.Tensor = x + self.mlp(self.norm_mlp(x))
        return added


class TextLayer(nn.Module):
    """A token sees the tokens before it, then the picture."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.norm_self, self.norm_cross, self.norm_mlp = nn.LayerNorm(dim), nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attention, self.cross, self.mlp = Attention(dim, heads), Attention(dim, heads), _mlp(dim)
        self.tally = Tally(dim)

    def forward(self, x: torch.Tensor, memory: torch.Tensor, picture: torch.Tensor | None) -> torch.Tensor:
        normed = self.norm_self(x)
        x = x + self.attention(normed, normed, causal=True)
        normed = self.norm_cross(x)
        x = x + self.cross(normed, memory, picture) + self.tally(normed, memory[:, :CELLS], picture)
        added: torch.Tensor = x + self.mlp(self.norm_mlp(x))
        return added


def _mlp(dim: int) -> nn.Module:
    return nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))


def _initialize(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=module.in_features**-0.5)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, std=module.embedding_dim**-0.5)
