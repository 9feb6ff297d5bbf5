"""ViLT without torch: one network, from words and patches to the logits of all answers.

The forward pass stands here once more, because transformers' own finds the patches that are not padding in a way that
depends on values and draws an order at random, neither of which exports. Here every patch stays in its place under a
mask, and bilinear interpolation of the position grid is two small products, so that pictures of unequal shape share a
batch. The last layer is computed for [CLS] alone, which is all that the head reads.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy

from ...types import Candidate, Example
from ..checkpoint import Checkpoint
from ..family import Batch
from ..frames import pad_pictures, widened
from ..runtime import Array
from .base import Exported, Part

if TYPE_CHECKING:
    import PIL.Image
    import torch


class ExportedVilt(Exported):
    """A ViLT with an answer head."""

    name: ClassVar[str] = "vilt"
    model_types: ClassVar[tuple[str, ...]] = ("vilt",)
    part_names: tuple[str, ...] = ("network",)

    @classmethod
    def refused(cls, checkpoint: Checkpoint) -> str:
        longest = checkpoint.config.get("max_image_length", -1)
        return "" if longest is None or longest < 0 else f"its max_image_length {longest} draws patches at random"

    @classmethod
    def processors(cls, original: Any) -> tuple[Any, Any]:
        return original.processor.image_processor, original.processor.tokenizer

    @classmethod
    def facts_of(cls, original: Any) -> dict[str, Any]:
        config, padding = original.network.config, original.processor.tokenizer.pad_token_id
        sizes = {"patch": config.patch_size, "longest": config.max_position_embeddings}
        return {**super().facts_of(original), **sizes, "padding": padding}

    @classmethod
    def parts(cls, original: Any) -> dict[str, Part]:
        import torch

        size = 2 * original.network.config.patch_size
        mask = torch.ones(2, 5, dtype=torch.int64)
        inputs = {
            "input_ids": mask, "attention_mask": mask, "pixel_values": torch.zeros(2, 3, size, size),
            "patches": torch.full((2, 2), 2),
        }  # fmt: skip
        text = {0: "rows", 1: "tokens"}
        free: dict[str, Mapping[int, str]] = {
            "input_ids": text, "attention_mask": text, "pixel_values": {0: "rows", 2: "height", 3: "width"},
            "patches": {0: "rows"}, "logits": {0: "rows"},
        }  # fmt: skip
        return {"network": Part(_restated(original.network), inputs, ("logits",), free)}

    @classmethod
    def wanted(cls, original: Any, batch: Batch, replies: Sequence[str]) -> Array:
        logits: Array = original.logits(batch).numpy()
        return logits

    def found(self, batch: Batch, replies: Sequence[str]) -> Array:
        run, tensors = self._parts["network"], batch.tensors
        if not self.alone:
            return run(**tensors)[0]
        rows = []
        for row, (high, wide) in enumerate((tensors["patches"] * self.facts["patch"]).tolist()):
            words = slice(0, int(tensors["attention_mask"][row].sum()))
            one = {name: tensors[name][row : row + 1] for name in tensors}
            one |= {name: one[name][:, words] for name in ("input_ids", "attention_mask")}
            rows.append(run(**one | {"pixel_values": one["pixel_values"][:, :, :high, :wide]})[0])
        return numpy.concatenate(rows)

    def prepare(self, examples: Sequence[Example], *, normalize: Callable[[str], str] | None = None) -> Batch:
        if normalize is not None:
            raise self._never_trained()
        pictures, digests = self._pictures(examples)
        texts = self.words.whole([example.question for example in examples], self.facts["longest"])
        tokens = numpy.zeros((len(texts), max(map(len, texts))), numpy.int64)  # (B, T)
        mask = numpy.zeros_like(tokens)
        for row, text in enumerate(texts):
            tokens[row, : len(text)], mask[row, : len(text)] = text, 1
        tokens[mask == 0] = self.facts["padding"]
        pixels, _ = pad_pictures(pictures)
        # What is left beside whole patches is not looked at; mostly nothing is.
        patch = self.facts["patch"]
        high, wide = (side // patch * patch for side in pixels.shape[2:])
        pixels = pixels[:, :, :high, :wide]
        patches = numpy.array([picture.shape[1:] for picture in pictures]) // patch
        tensors = {"input_ids": tokens, "attention_mask": mask, "pixel_values": pixels, "patches": patches}
        return Batch(tensors, tuple((digest,) for digest in digests))

    def predict(self, batch: Batch, top_k: int) -> list[tuple[Candidate, ...]]:
        scores = self._scores(batch)
        best = numpy.argsort(-scores, axis=1, kind="stable")[:, :top_k]
        return [
            tuple(Candidate(self.vocabulary[index], float(row[index])) for index in indices)
            for row, indices in zip(scores, best.tolist(), strict=True)
        ]

    def score(self, batch: Batch, answers: Sequence[str]) -> list[float]:
        scores = self._scores(batch)
        return [float(row[self.vocabulary.index(answer)]) for row, answer in zip(scores, answers, strict=True)]

    def _scores(self, batch: Batch) -> Array:
        """(B, answers): a sigmoid each."""
        scores: Array = 0.5 * (1.0 + numpy.tanh(0.5 * self.found(batch, ())))  # never overflows
        return scores

    def _framed(self, image: PIL.Image.Image) -> PIL.Image.Image:
        return widened(image, self.pixels.shortest_edge, self.pixels.divisor)


def _restated(network: Any) -> torch.nn.Module:
    """ViLT's forward pass, from `input_ids`, `attention_mask` (B, T), `pixel_values` (B, 3, H, W) and `patches` (B, 2), how
    many of them are each picture's own down and across, to logits (B, answers)."""
    import torch

    config, vilt = network.config, network.vilt
    side, heads = config.image_size // config.patch_size, config.num_attention_heads

    class Restated(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(
            self,
            input_ids: torch.Tensor,
            attention_mask: torch.Tensor,
            pixel_values: torch.Tensor,
            patches: torch.Tensor,
        ) -> torch.Tensor:
            embeddings = vilt.embeddings
            kinds = embeddings.token_type_embeddings.weight
            text = embeddings.text_embeddings(input_ids) + kinds[0]
            image, kept = see(pixel_values, patches)
            states = torch.cat([text, image + kinds[1]], dim=1)
            mask = (1 - torch.cat([attention_mask.float(), kept.float()], dim=1))[:, None, None] * -1e9
            *layers, last = vilt.encoder.layer
            for layer in layers:
                states = through(layer, states, states, mask)
            # [CLS] asks, all are looked at. It stays a row (B, 1, D), whose products 8 bits narrow, as they do not a vector's.
            first = through(last, states[:, :1], states, mask)
            pooled = vilt.pooler.dense(vilt.layernorm(first)).tanh()
            logits: torch.Tensor = network.classifier(pooled)[:, 0]
            return logits

    def see(pixels: torch.Tensor, patches: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, 1 + patches, D) and which of them are the picture's."""
        embeddings = vilt.embeddings
        seen = cut(pixels)
        rows, down, across, width = seen.shape
        high, wide = patches[:, 0], patches[:, 1]
        grid = embeddings.position_embeddings[:, 1:].reshape(1, side, side * width)
        places = torch.matmul(bilinear(high, down), grid).reshape(rows, down, side, width)
        places = torch.matmul(bilinear(wide, across)[:, None], places)  # (B, h, w, D)
        seen = (seen + places).reshape(rows, down * across, width)
        first = (embeddings.cls_token + embeddings.position_embeddings[:, :1]).expand(rows, -1, -1)
        in_height = torch.arange(down)[None, :, None] < high[:, None, None]
        kept = (in_height & (torch.arange(across)[None, None] < wide[:, None, None])).reshape(rows, down * across)
        return torch.cat([first, seen], dim=1), torch.cat([torch.ones_like(kept[:, :1]), kept], dim=1)

    def cut(pixels: torch.Tensor) -> torch.Tensor:
        """(B, h, w, D): the convolution whose every step is one patch, as a product, which 8 bits make faster too."""
        convolution, size = vilt.embeddings.patch_embeddings.projection, config.patch_size
        rows, channels, down, across = pixels.shape
        parts = pixels.reshape(rows, channels, down // size, size, across // size, size).permute(0, 2, 4, 1, 3, 5)
        seen: torch.Tensor = parts.flatten(3) @ convolution.weight.flatten(1).T + convolution.bias
        return seen

    def bilinear(count: torch.Tensor, cells: int) -> torch.Tensor:
        """(B, cells, side): the weights that stretch `side` grid points over the first `count` cells, corner on corner."""
        step = (side - 1) / (count.float() - 1).clamp_min(1)
        at = torch.arange(cells).float()[None, :, None] * step[:, None, None]
        weights: torch.Tensor = (1 - (at - torch.arange(side).float()).abs()).clamp_min(0)
        return weights

    def through(layer: Any, asking: torch.Tensor, states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """One layer, for those of `states` (B, T, D) that are `asking` (B, Q, D)."""
        attention = layer.attention.attention
        normed = layer.layernorm_before(states)
        own = normed if asking is states else layer.layernorm_before(asking)
        query, key, value = split(attention.query(own)), split(attention.key(normed)), split(attention.value(normed))
        weights = (query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1]) + mask).softmax(-1)
        heard = (weights @ value).transpose(1, 2).reshape(asking.shape)
        asking = asking + layer.attention.output.dense(heard)
        inner = layer.intermediate.intermediate_act_fn(layer.intermediate.dense(layer.layernorm_after(asking)))
        added: torch.Tensor = asking + layer.output.dense(inner)
        return added

    def split(values: torch.Tensor) -> torch.Tensor:
        """(B, T, D) -> (B, heads, T, D / heads)"""
        rows, tokens, width = values.shape
        return values.reshape(rows, tokens, heads, width // heads).transpose(1, 2)

    return Restated().eval()
