"""Eyes to which every picture is one or more tiles of one size: Idefics3 and SmolVLM, LLaVA, and Google's Gemma 3 and PaliGemma,
whose language models let the tokens of a picture see one another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy

from ...runtime import Array
from ..base import Part
from ..eye import ClipEye, Eye, Made, through, tile_part

if TYPE_CHECKING:
    import torch


class Idefics3Eye(Eye):
    """SigLIP, then several patches side by side as one vector."""

    name: ClassVar[str] = "idefics3"
    model_types: ClassVar[tuple[str, ...]] = ("idefics3", "smolvlm")

    @classmethod
    def part(cls, network: Any, made: Mapping[str, torch.Tensor]) -> Part:
        import torch

        base = network.base_model
        tower, heads = base.vision_model, network.config.vision_config.num_attention_heads
        found: list[torch.Tensor] = []
        # Positions depend on the size of a tile alone; the original computes them in a way that does not export.
        hook = tower.embeddings.position_embedding.register_forward_hook(lambda *given: found.append(given[-1]))
        side = int(made["pixel_values"].shape[-1])
        with torch.inference_mode():
            tower(torch.zeros(1, 3, side, side))
        hook.remove()
        positions = found[0].clone()

        def look(pixel_values: torch.Tensor) -> torch.Tensor:
            states = tower.embeddings.patch_embedding(pixel_values).flatten(2).transpose(1, 2) + positions
            looked: torch.Tensor = base.connector(tower.post_layernorm(through(tower.encoder.layers, states, heads)))
            return looked

        return tile_part(look, network, made)


class LlavaEye(ClipEye):
    """Two linear layers behind CLIP or SigLIP."""

    name: ClassVar[str] = "llava"
    model_types: ClassVar[tuple[str, ...]] = ("llava",)


class SiglipEye(Eye):
    """SigLIP to its end, then what brings it into the text."""

    @classmethod
    def why_not(cls, config: Mapping[str, Any]) -> str:
        tower = config.get("vision_config", {}).get("model_type", "siglip_vision_model")
        return "" if tower == "siglip_vision_model" else f"no export is known of the vision tower {tower}"

    @classmethod
    def part(cls, network: Any, made: Mapping[str, torch.Tensor]) -> Part:
        base = network.base_model
        tower, heads = base.vision_tower, network.config.vision_config.num_attention_heads

        def look(pixel_values: torch.Tensor) -> torch.Tensor:
            states = through(tower.encoder.layers, tower.embeddings(pixel_values), heads)
            looked: torch.Tensor = base.multi_modal_projector(tower.post_layernorm(states))
            return looked

        return tile_part(look, network, made)


class Gemma3Eye(SiglipEye):
    """Tokens of one picture see one another; all others only what stands before them."""

    name: ClassVar[str] = "gemma3"
    model_types: ClassVar[tuple[str, ...]] = ("gemma3",)

    def reach(self, ids: Array, image: int) -> Array:
        places = numpy.arange(len(ids))
        inside = ids == image
        # Of each token the last of the picture it stands in: the nearest one from here on that no image token follows.
        ends = numpy.where(inside & ~numpy.append(inside[1:], False), places, len(ids))
        nearest = numpy.minimum.accumulate(ends[::-1])[::-1]
        return numpy.where(inside, nearest, places)


class PaliGemmaEye(SiglipEye):
    """The whole prompt sees itself in both directions, and positions are counted from one."""

    name: ClassVar[str] = "paligemma"
    model_types: ClassVar[tuple[str, ...]] = ("paligemma",)
    both_ways: ClassVar[bool] = True

    def positions(self, ids: Array, image: int, made: Made) -> Array:
        return super().positions(ids, image, made) + 1

    def reach(self, ids: Array, image: int) -> Array:
        return numpy.full(len(ids), len(ids) - 1)

    def since(self, ids: Array, window: int) -> Array:
        return numpy.zeros(len(ids), numpy.int64)
