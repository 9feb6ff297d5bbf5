"""What every kind of eye of a chat model states: its network once more in a form that exports, and around it, without torch's
networks, what it is given of a picture, how what it saw goes into the text, and where the tokens of the text stand.

What the processor makes of the pictures of a row comes as arrays; `look` is run once or more, and gives (N, D) vectors each
time. Knows nothing of language models.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy

from ...registry import discover
from ..runtime import Array
from .base import Part, restated
from .writing import attend, heads_of

if TYPE_CHECKING:
    import torch

Made = Mapping[str, Array]
"""What a processor made of the pictures of one row, by its own names."""


class Eye(ABC):
    """How one kind of chat model looks."""

    name: ClassVar[str]
    model_types: ClassVar[tuple[str, ...]]
    both_ways: ClassVar[bool] = False
    """Whether a whole prompt sees itself in both directions, so that nothing read of it is good for another one."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self.facts = facts

    @classmethod
    def why_not(cls, config: Mapping[str, Any]) -> str:
        """Why the eye of a checkpoint's configuration (as in config.json) is not restated; empty where it is."""
        return ""

    @classmethod
    @abstractmethod
    def part(cls, network: Any, made: Mapping[str, torch.Tensor]) -> Part:
        """`look` of an opened network; it gives (B, N, D). `made` is of a blank picture."""

    @classmethod
    def facts_of(cls, network: Any) -> dict[str, Any]:
        """What must be known beside the network, as JSON keeps it."""
        return {}

    @classmethod
    def deep(cls, network: Any) -> int:
        """How many layers of the language model get vectors of their own: those of `look` are then that much wider."""
        return 0

    def glimpses(self, made: Made) -> Iterator[dict[str, Array]]:
        """What `look` is given, one call after the other: by default each tile (3, side, side) of `pixel_values`."""
        for tile in made["pixel_values"].reshape(-1, *made["pixel_values"].shape[-3:]):
            yield {"pixel_values": tile[None]}

    def placed(self, looked: Sequence[Array], made: Made) -> Array:
        """(I, D): what stands in the places of the image tokens, of what `look` gave at each call."""
        return numpy.concatenate([one.reshape(-1, one.shape[-1]) for one in looked])

    def positions(self, ids: Array, image: int, made: Made) -> Array:
        """(axes, P): where each token stands, by default one behind the other."""
        return numpy.arange(len(ids))[None]

    def reach(self, ids: Array, image: int) -> Array:
        """(P,): the last token that each sees, by default itself."""
        return numpy.arange(len(ids))

    def since(self, ids: Array, window: int) -> Array:
        """(P,): the first token that each sees in layers with a window, by default as many as the window holds."""
        return numpy.arange(len(ids)) - window + 1


def all_eyes() -> dict[str, type[Eye]]:
    """Every kind of eye, by the `model_type` of checkpoints that have it."""
    eyes = discover("seesay.models.exported.eyes", Eye)
    return {model_type: eye for eye in eyes.values() for model_type in eye.model_types}


def tile_part(look: Callable[..., Any], network: Any, made: Mapping[str, torch.Tensor]) -> Part:
    """`look` of tiles (B, 3, side, side) to (B, N, D)."""
    import torch

    side = int(made["pixel_values"].shape[-1])
    # Were their number fixed, products would be joined with what is added to them and then not be narrowed.
    free = {name: {0: "tiles"} for name in ("pixel_values", "features")}
    return Part(restated(network, look), {"pixel_values": torch.zeros(1, 3, side, side)}, ("features",), free)


def through(layers: Sequence[Any], states: torch.Tensor, heads: int) -> torch.Tensor:
    """(B, N, D) through layers of CLIP or SigLIP."""
    for layer in layers:
        attention, even = layer.self_attn, layer.layer_norm1(states)
        query, key, value = (
            heads_of(part(even), heads) for part in (attention.q_proj, attention.k_proj, attention.v_proj)
        )
        states = states + attention.out_proj(attend(query, [(key, value)], None))
        states = states + layer.mlp(layer.layer_norm2(states))
    return states


class ClipEye(Eye):
    """CLIP or SigLIP up to a layer, then what brings it into the text: as LLaVA and its successors look at a tile."""

    @classmethod
    def why_not(cls, config: Mapping[str, Any]) -> str:
        tower = config.get("vision_config", {}).get("model_type", "clip_vision_model")
        if tower not in ("clip_vision_model", "siglip_vision_model"):
            return f"no export is known of the vision tower {tower}"
        layer = config.get("vision_feature_layer", -2)
        return "" if isinstance(layer, int) else "no export is known of several vision layers"

    @classmethod
    def part(cls, network: Any, made: Mapping[str, torch.Tensor]) -> Part:
        base, config = network.base_model, network.config
        tower, heads = base.vision_tower, config.vision_config.num_attention_heads
        last = config.vision_feature_layer
        layers = tower.encoder.layers[: last if last >= 0 else len(tower.encoder.layers) + 1 + last]

        def look(pixel_values: torch.Tensor) -> torch.Tensor:
            states = tower.embeddings(pixel_values)
            if hasattr(tower, "pre_layrnorm"):
                states = tower.pre_layrnorm(states)
            states = through(layers, states, heads)
            if config.vision_feature_select_strategy == "default":
                states = states[:, 1:]
            looked: torch.Tensor = base.multi_modal_projector(states)
            return looked

        return tile_part(look, network, made)
