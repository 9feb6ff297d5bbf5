"""The networks of chat models restated for the exporter: eyes that look at one tile, decoders that read behind what was read.

A picture comes as tiles of one size; `look` makes of each the vectors that stand in its places in the text. `write` reads tokens
and such vectors, given the keys and values of all that stands before (`memory`, which does not change while an answer is
written, and `past`, what was written of it), and gives the logits behind the tokens that it is asked about. Rotations of
positions come from outside: their cosines must not be computed in the few bits that a runtime may choose.

torch; serves the exporter only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .base import Part
from .writing import ahead, attend, heads_of, memory_names, mixed, past_names

if TYPE_CHECKING:
    import torch

DECODERS = ("llama", "mistral", "qwen2")
"""Of `model_type` of the language model."""
STILL = ("default", "linear", "llama3", "yarn")
"""Rotations whose frequencies do not depend on how much was read."""


def reader(network: Any) -> Any:
    """The language model without its output layer."""
    return network.get_decoder()


def eye_part(network: Any, side: int) -> Part:
    """`look` of a network: tiles (B, 3, side, side) to (B, N, D)."""
    import torch

    tile = torch.zeros(1, 3, side, side)
    make = EYES[network.config.model_type][0]
    # Were their number fixed, products would be joined with what is added to them and then not be narrowed.
    free = {name: {0: "tiles"} for name in ("pixel_values", "features")}
    return Part(_module(network, make(network, tile)), {"pixel_values": tile}, ("features",), free)


def decoder_part(network: Any) -> Part:
    """`write` of a network."""
    import torch

    text, head = reader(network), network.get_output_embeddings()
    config = text.config
    layers, heads, shared = config.num_hidden_layers, config.num_attention_heads, config.num_key_value_heads
    width = width_of(config)

    def turned(values: torch.Tensor, cosine: torch.Tensor, sine: torch.Tensor) -> torch.Tensor:
        half = width // 2
        return values * cosine + torch.cat([-values[..., half:], values[..., :half]], dim=-1) * sine

    def write(
        input_ids: torch.Tensor, places: torch.Tensor, features: torch.Tensor, heard: torch.Tensor,
        cosine: torch.Tensor, sine: torch.Tensor, *kept: torch.Tensor,
    ) -> tuple[torch.Tensor, ...]:  # fmt: skip
        pairs = list(zip(kept[0::2], kept[1::2], strict=True))
        seen = features[places.clamp(min=0)]
        states = torch.where((places >= 0)[..., None], seen, text.embed_tokens(input_ids))
        wall = ahead(input_ids.shape[1], pairs[layers][0].shape[2]).repeat(heads // shared, 1)
        present: list[torch.Tensor] = []
        for layer, memory, before in zip(text.layers, pairs[:layers], pairs[layers:], strict=True):
            attention, even = layer.self_attn, layer.input_layernorm(states)
            query = turned(attention.q_proj(even).reshape(1, -1, heads, width).transpose(1, 2), cosine, sine)
            key = turned(attention.k_proj(even).reshape(1, -1, shared, width).transpose(1, 2), cosine, sine)
            value = attention.v_proj(even).reshape(1, -1, shared, width).transpose(1, 2)
            now = torch.cat([before[0], key], dim=2), torch.cat([before[1], value], dim=2)
            # Heads that share keys and values ask one after another: (1, shared, heads / shared * T, d).
            found = mixed(query.reshape(1, shared, -1, width), [memory, now], wall)
            found = found.reshape(1, heads, -1, width).transpose(1, 2).reshape(1, -1, heads * width)
            states = states + attention.o_proj(found)
            states = states + layer.mlp(layer.post_attention_layernorm(states))
            present += now
        return head(text.norm(states[:, heard])), *present

    names = [*memory_names(layers), *past_names(layers)]
    whole = torch.int64
    inputs = {
        "input_ids": torch.ones(1, 2, dtype=whole), "places": torch.tensor([[0, -1]]),
        "features": torch.zeros(4, config.hidden_size), "heard": torch.tensor([0, 1]), "cosine": torch.ones(2, width),
        "sine": torch.zeros(2, width),
    }  # fmt: skip
    inputs |= {name: torch.zeros(1, shared, 5 if name.startswith("memory") else 3, width) for name in names}
    outputs = ["logits", *(f"new_{name}" for name in past_names(layers))]
    free: dict[str, Mapping[int, str]] = {name: {1: "tokens"} for name in ("input_ids", "places")}
    free |= {"features": {0: "image"}, "heard": {0: "heard"}, "logits": {1: "heard"}}
    free |= {name: {0: "tokens"} for name in ("cosine", "sine")}
    free |= {name: {2: "seen" if name.startswith("memory") else "before"} for name in names}
    free |= {name: {2: "after"} for name in outputs[1:]}
    return Part(_module(network, write), inputs, tuple(outputs), free, by_blocks=True)


def width_of(config: Any) -> int:
    """Numbers of one head."""
    return int(getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads)


def why_no_decoder(config: Mapping[str, Any]) -> str:
    """Why the language model of this configuration (as in config.json) is not restated; empty where it is."""
    kind = config.get("model_type", "llama")
    if kind not in DECODERS:
        return f"no export is known of the language model {kind} ({', '.join(DECODERS)} are)"
    ropes = config.get("rope_scaling") or config.get("rope_parameters") or {}
    turning = ropes.get("rope_type", ropes.get("type", "default"))
    if turning not in STILL:
        return f"no export is known of positions of the kind {turning!r}"
    if kind == "qwen2" and not config.get("use_sliding_window"):
        return ""
    return "no export is known of layers with a sliding window" if config.get("sliding_window") else ""


def _module(network: Any, forward: Callable[..., Any]) -> torch.nn.Module:
    import torch

    class Restated(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, *given: torch.Tensor) -> Any:
            return forward(*given)

    return Restated().eval()


def _through(layers: Sequence[Any], states: torch.Tensor, heads: int) -> torch.Tensor:
    """Layers of a vision tower."""
    for layer in layers:
        attention, even = layer.self_attn, layer.layer_norm1(states)
        query, key, value = (
            heads_of(part(even), heads) for part in (attention.q_proj, attention.k_proj, attention.v_proj)
        )
        states = states + attention.out_proj(attend(query, [(key, value)], None))
        states = states + layer.mlp(layer.layer_norm2(states))
    return states


def _idefics3(network: Any, tile: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
    """Idefics3 and SmolVLM: SigLIP, then several patches side by side as one vector."""
    import torch

    base = network.base_model
    tower, heads = base.vision_model, network.config.vision_config.num_attention_heads
    found: list[torch.Tensor] = []
    # Positions depend on the size of a tile alone; the original computes them in a way that does not export.
    hook = tower.embeddings.position_embedding.register_forward_hook(lambda *given: found.append(given[-1]))
    with torch.inference_mode():
        tower(tile)
    hook.remove()
    positions = found[0].clone()

    def look(pixel_values: torch.Tensor) -> torch.Tensor:
        states = tower.embeddings.patch_embedding(pixel_values).flatten(2).transpose(1, 2) + positions
        looked: torch.Tensor = base.connector(tower.post_layernorm(_through(tower.encoder.layers, states, heads)))
        return looked

    return look


def _llava(network: Any, tile: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
    """LLaVA: CLIP or SigLIP up to a layer, then two linear layers."""
    base, config = network.base_model, network.config
    tower, heads = base.vision_tower, config.vision_config.num_attention_heads
    last = config.vision_feature_layer
    layers = tower.encoder.layers[: last if last >= 0 else len(tower.encoder.layers) + 1 + last]

    def look(pixel_values: torch.Tensor) -> torch.Tensor:
        states = tower.embeddings(pixel_values)
        if hasattr(tower, "pre_layrnorm"):
            states = tower.pre_layrnorm(states)
        states = _through(layers, states, heads)
        if config.vision_feature_select_strategy == "default":
            states = states[:, 1:]
        looked: torch.Tensor = base.multi_modal_projector(states)
        return looked

    return look


def _why_no_llava(config: Mapping[str, Any]) -> str:
    tower = config.get("vision_config", {}).get("model_type", "clip_vision_model")
    if tower not in ("clip_vision_model", "siglip_vision_model"):
        return f"no export is known of the vision tower {tower}"
    return (
        "" if isinstance(config.get("vision_feature_layer", -2), int) else "no export is known of several vision layers"
    )


EYES: dict[str, tuple[Callable[..., Any], Callable[[Mapping[str, Any]], str]]] = {
    "idefics3": (_idefics3, lambda _: ""),
    "smolvlm": (_idefics3, lambda _: ""),
    "llava": (_llava, _why_no_llava),
}
"""By `model_type` of the checkpoint: what restates its eye, and says why one cannot be."""
