"""Idefics2's eye (Laurençon et al., "What matters when building vision-language models?", arXiv 2405.02246): SigLIP on a picture in
its own shape, and a few learned vectors that ask what was seen.

Pictures of a row come padded to one shape; here each is cut to what is its own. Which learned positions its patches have is
computed outside the network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy

from ...runtime import Array
from ..base import Part, restated
from ..eye import Eye, Made, through
from ..writing import heads_of, mixed

if TYPE_CHECKING:
    import torch


class Idefics2Eye(Eye):
    """SigLIP in the shape of the picture, then a perceiver."""

    name: ClassVar[str] = "idefics2"
    model_types: ClassVar[tuple[str, ...]] = ("idefics2",)

    @classmethod
    def part(cls, network: Any, made: Mapping[str, torch.Tensor]) -> Part:
        import torch

        tower, connector = network.base_model.vision_model, network.base_model.connector
        heads, perceiver = network.config.vision_config.num_attention_heads, connector.perceiver_resampler

        def look(pixel_values: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
            states = tower.embeddings.patch_embedding(pixel_values).flatten(2).transpose(1, 2)
            states = states + tower.embeddings.position_embedding(places)
            states = tower.post_layernorm(through(tower.encoder.layers, states, heads))
            context, latents = connector.modality_projection(states), perceiver.latents[None]
            for layer in perceiver.layers:
                asked = layer.self_attn
                mine, theirs = layer.input_latents_norm(latents), layer.input_context_norm(context)
                every = torch.cat([theirs, mine], dim=1)
                query = heads_of(asked.q_proj(mine), asked.num_heads)
                key, value = (heads_of(part(every), asked.num_key_value_heads) for part in (asked.k_proj, asked.v_proj))
                # Heads that share keys and values ask one after another.
                found = mixed(query.reshape(1, asked.num_key_value_heads, -1, asked.head_dim), [(key, value)], [None])
                found = found.reshape(1, asked.num_heads, -1, asked.head_dim).transpose(1, 2).flatten(2)
                latents = latents + asked.o_proj(found)
                latents = latents + layer.mlp(layer.post_attention_layernorm(latents))
            looked: torch.Tensor = perceiver.norm(latents)
            return looked

        patch = network.config.vision_config.patch_size
        inputs = {"pixel_values": torch.zeros(1, 3, 2 * patch, 3 * patch), "places": torch.arange(6)}
        free = {"pixel_values": {2: "height", 3: "width"}, "places": {0: "patches"}}
        return Part(restated(network, look), inputs, ("features",), free)

    @classmethod
    def facts_of(cls, network: Any) -> dict[str, Any]:
        vision = network.config.vision_config
        return {"patch": vision.patch_size, "positions": vision.image_size // vision.patch_size}

    def glimpses(self, made: Made) -> Iterator[dict[str, Array]]:
        patch = self.facts["patch"]
        pictures = made["pixel_values"]
        pictures = pictures.reshape(-1, *pictures.shape[-3:])
        masks = made.get("pixel_attention_mask", numpy.ones((1, *pictures.shape[:1], *pictures.shape[-2:])))
        for picture, mask in zip(pictures, masks.reshape(-1, *masks.shape[-2:]), strict=True):
            rows, columns = (int(mask.any(axis).sum()) // patch for axis in (1, 0))
            yield {
                "pixel_values": picture[None, :, : rows * patch, : columns * patch],
                "places": (self._places(rows)[:, None] * self.facts["positions"] + self._places(columns)).ravel(),
            }

    def _places(self, count: int) -> Array:
        """(count,): which of the learned positions of an axis those of `count` patches are."""
        side = self.facts["positions"]
        parts = numpy.minimum(numpy.arange(count, dtype=numpy.float32) * numpy.float32(1 / count), 1 - 1e-6)
        bounds = numpy.arange(1 / side, 1.0, 1 / side).astype(numpy.float32)
        places: Array = numpy.digitize(parts.astype(numpy.float32), bounds)
        return places
