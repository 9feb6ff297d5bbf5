"""The language models of chat models restated for the exporter, as one: a decoder that reads behind what was read.

`write` reads tokens and the vectors that stand in the places of pictures, given the keys and values of all that stands before
(`memory`, which does not change while an answer is written, and `past`, what was written of it), and gives the logits behind
the tokens that it is asked about. What architectures differ in is read off their layers: norms before and behind, norms of
queries and keys, windows, limits of weights and logits. Rotations of positions come from outside: their cosines must not be
computed in the few bits that a runtime may choose. So does how far each token sees, because those of a picture may see one
another.

torch; serves the exporter only. Knows nothing of how pictures are looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .base import Part, restated
from .writing import memory_names, mixed, past_names

if TYPE_CHECKING:
    import torch

DECODERS = (
    "llama", "mistral", "qwen2", "qwen2_vl_text", "qwen2_vl", "qwen2_5_vl_text", "qwen2_5_vl", "qwen3", "qwen3_vl_text",
    "gemma", "gemma2", "gemma3_text",
)  # fmt: skip
"""Of `model_type` of the language model; Qwen's older configurations hold it and the eye in one."""
STILL = ("default", "linear", "llama3", "yarn", "mrope")
"""Rotations whose frequencies do not depend on how much was read."""
WALL = -1e9
"""What is added to a weight of what is not seen."""


def reader(network: Any) -> Any:
    """The language model without its output layer."""
    return network.get_decoder()


def decoder_part(network: Any, deep: int = 0) -> Part:
    """`write` of a network.

    Args:
        deep: to how many of the first layers' results an eye adds vectors of its own. `features` then hold them behind those
            that stand in the text: (I, (1 + deep) * D).
    """
    import torch

    text, head = reader(network), network.get_output_embeddings()
    config = text.config
    layers, heads, shared = config.num_hidden_layers, config.num_attention_heads, config.num_key_value_heads
    width, size = width_of(config), config.hidden_size
    windowed, turns = _windowed(config), _turns(text)
    cap = getattr(config, "attn_logit_softcapping", None) if config.model_type == "gemma2" else None
    # Of all that hold a language model with this limit PaliGemma alone keeps to it.
    limit = getattr(config, "final_logit_softcapping", None) if network.config.model_type == "paligemma" else None

    def write(
        input_ids: torch.Tensor, places: torch.Tensor, reach: torch.Tensor, since: torch.Tensor,
        features: torch.Tensor, heard: torch.Tensor, cosine: torch.Tensor, sine: torch.Tensor, *kept: torch.Tensor,
    ) -> tuple[torch.Tensor, ...]:  # fmt: skip
        pairs = list(zip(kept[0::2], kept[1::2], strict=True))
        inside = (places >= 0)[..., None]
        seen = features[places.clamp(min=0)]
        states = torch.where(inside, seen[..., :size], text.embed_tokens(input_ids))
        walls = _walls(reach, since, pairs[0][0].shape[2], pairs[layers][0].shape[2], heads // shared)
        present: list[torch.Tensor] = []
        for index, (layer, memory, before) in enumerate(zip(text.layers, pairs[:layers], pairs[layers:], strict=True)):
            attention, even = layer.self_attn, layer.input_layernorm(states)
            query = attention.q_proj(even).reshape(1, -1, heads, width).transpose(1, 2)
            key = attention.k_proj(even).reshape(1, -1, shared, width).transpose(1, 2)
            value = attention.v_proj(even).reshape(1, -1, shared, width).transpose(1, 2)
            if hasattr(attention, "q_norm"):
                query, key = attention.q_norm(query), attention.k_norm(key)
            turn = turns[index]
            query, key = (turned(one, cosine[turn], sine[turn]) for one in (query, key))
            now = torch.cat([before[0], key], dim=2), torch.cat([before[1], value], dim=2)
            # Heads that share keys and values ask one after another: (1, shared, heads / shared * T, d).
            asked = query.reshape(1, shared, -1, width)
            found = mixed(asked, [memory, now], walls[windowed[index]], attention.scaling, cap)
            found = attention.o_proj(found.reshape(1, heads, -1, width).transpose(1, 2).reshape(1, -1, heads * width))
            if hasattr(layer, "pre_feedforward_layernorm"):
                states = states + layer.post_attention_layernorm(found)
                found = layer.mlp(layer.pre_feedforward_layernorm(states))
                states = states + layer.post_feedforward_layernorm(found)
            else:
                states = states + found
                states = states + layer.mlp(layer.post_attention_layernorm(states))
            if index < deep:
                states = states + torch.where(inside, seen[..., (index + 1) * size : (index + 2) * size], 0.0)
            present += now
        logits = head(text.norm(states[:, heard]))
        return torch.tanh(logits / limit) * limit if limit else logits, *present

    names = [*memory_names(layers), *past_names(layers)]
    kinds, whole = max(turns) + 1, torch.int64
    inputs = {
        "input_ids": torch.ones(1, 2, dtype=whole), "places": torch.tensor([[0, -1]]), "reach": torch.tensor([8, 9]),
        "since": torch.tensor([0, 1]), "features": torch.zeros(4, size * (1 + deep)), "heard": torch.tensor([0, 1]),
        "cosine": torch.ones(kinds, 2, width), "sine": torch.zeros(kinds, 2, width),
    }  # fmt: skip
    inputs |= {name: torch.zeros(1, shared, 5 if name.startswith("memory") else 3, width) for name in names}
    outputs = ["logits", *(f"new_{name}" for name in past_names(layers))]
    free: dict[str, Mapping[int, str]] = {name: {1: "tokens"} for name in ("input_ids", "places", "cosine", "sine")}
    free |= {name: {0: "tokens"} for name in ("reach", "since")}
    free |= {"features": {0: "image"}, "heard": {0: "heard"}, "logits": {1: "heard"}}
    free |= {name: {2: "seen" if name.startswith("memory") else "before"} for name in names}
    free |= {name: {2: "after"} for name in outputs[1:]}
    return Part(restated(network, write), inputs, tuple(outputs), free, "block")


def decoder_facts(network: Any) -> dict[str, Any]:
    """What is known of a language model beside its network, as JSON keeps it."""
    text = reader(network)
    return {
        "layers": text.config.num_hidden_layers,
        "heads": text.config.num_key_value_heads,
        "width": width_of(text.config),
        "size": text.config.hidden_size,
        "window": int(text.config.sliding_window) if any(_windowed(text.config)) else 0,
        "rotations": _rotations(text),
    }


def width_of(config: Any) -> int:
    """Numbers of one head."""
    return int(getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads)


def turned(values: torch.Tensor, cosine: torch.Tensor, sine: torch.Tensor) -> torch.Tensor:
    """Values (..., d) turned pair by pair: a number and the one half a head behind it, by angles (T, d)."""
    import torch

    half = values.shape[-1] // 2
    return values * cosine + torch.cat([-values[..., half:], values[..., :half]], dim=-1) * sine


def why_no_decoder(config: Mapping[str, Any]) -> str:
    """Why the language model of this configuration (as in config.json) is not restated; empty where it is."""
    kind = config.get("model_type", "llama")
    if kind not in DECODERS:
        return f"no export is known of the language model {kind} ({', '.join(DECODERS)} are)"
    found = config.get("rope_scaling") or config.get("rope_parameters") or {}
    every = [one for one in found.values() if isinstance(one, Mapping)] or [found]
    for ropes in every:
        turning = ropes.get("rope_type", ropes.get("type", "default"))
        if turning not in STILL:
            return f"no export is known of positions of the kind {turning!r}"
    return ""


def _windowed(config: Any) -> list[bool]:
    """Of each layer whether its tokens see but a window of those before them."""
    layers = config.num_hidden_layers
    if config.model_type == "mistral":
        return [bool(config.sliding_window)] * layers
    kinds = getattr(config, "layer_types", None) or [""] * layers
    return [kind == "sliding_attention" and bool(config.sliding_window) for kind in kinds]


def _walls(
    reach: torch.Tensor, since: torch.Tensor, seen: int, before: int, times: int
) -> dict[bool, list[torch.Tensor | None]]:
    """What is added to the weights of the memory (`times` * T, seen) and of what stands behind it (`times` * T, before + T),
    without a window and with one. `reach` and `since` (T,) are the last place that each token sees, and the first one in its
    window."""
    import torch

    first, second = torch.arange(seen)[None], torch.arange(seen, seen + before + reach.shape[0])[None]
    ahead = (second > reach[:, None]).float() * WALL
    behind = [(places < since[:, None]).float() * WALL for places in (first, second)]
    return {
        False: [None, ahead.repeat(times, 1)],
        True: [behind[0].repeat(times, 1), (ahead + behind[1]).repeat(times, 1)],
    }


def _turns(text: Any) -> list[int]:
    """Of each layer which of the rotations is its own: Gemma 3 turns layers with a window otherwise."""
    kinds = getattr(text.rotary_emb, "layer_types", None)
    return [kinds.index(kind) for kind in text.config.layer_types] if kinds else [0] * text.config.num_hidden_layers


def _rotations(text: Any) -> list[dict[str, Any]]:
    """How fast each pair of numbers turns, which axis of a position turns it, and what the result is multiplied with."""
    turner = text.rotary_emb
    names = [f"{kind}_" for kind in getattr(turner, "layer_types", None) or ()] or [""]
    found = [(getattr(turner, f"{name}inv_freq"), getattr(turner, f"{name}attention_scaling")) for name in names]
    return [
        {"frequencies": speeds.tolist(), "strength": float(strength), "axes": _axes(turner, len(speeds))}
        for speeds, strength in found
    ]


def _axes(turner: Any, pairs: int) -> list[int]:
    """Which of the axes (time, height, width) of a position turns each pair; architectures deal them out in different orders.
    Asked of the network itself: of a position that is one on one axis alone, only that axis' pairs have a sine."""
    import torch

    if not hasattr(turner, "mrope_section"):
        return [0] * pairs
    axes = torch.zeros(pairs, dtype=torch.int64)
    for axis in range(3):
        place = torch.zeros(3, 1, 1, dtype=torch.int64)
        place[axis] = 1
        _, sine = turner(torch.zeros(1), place)
        axes[sine[0, 0, :pairs] != 0] = axis
    return [int(axis) for axis in axes]
