"""Qwen's eyes, which take a picture in its own shape, cut into patches: Qwen2-VL (Wang et al., arXiv 2409.12191), Qwen2.5-VL
(arXiv 2502.13923), most of whose layers look within windows alone, and Qwen3-VL (arXiv 2511.21631), which also gives the first
layers of the language model what its own inner layers saw.

What depends on the shape of a picture comes from outside the network: rotations by row and column, windows, and the shares of
learned positions. Four patches side by side make one token. In the text a picture's tokens stand in rows and columns too, and
what follows stands behind the longer side.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate
from typing import TYPE_CHECKING, Any, ClassVar

import numpy

from ...runtime import Array
from ..base import Part, restated
from ..chat_decoder import WALL, turned
from ..eye import Eye, Made

if TYPE_CHECKING:
    import torch

MOST = 2**22
"""Weights of attention that a head computes at one time: a large picture has a hundred times as many."""


class QwenEye(Eye):
    """Qwen2-VL, Qwen2.5-VL and Qwen3-VL."""

    name: ClassVar[str] = "qwen"
    model_types: ClassVar[tuple[str, ...]] = ("qwen2_vl", "qwen2_5_vl", "qwen3_vl")

    @classmethod
    def part(cls, network: Any, made: Mapping[str, torch.Tensor]) -> Part:
        import torch

        tower = network.base_model.visual
        eye = cls(cls.facts_of(network))
        heads, whole = tower.config.num_heads, getattr(tower, "fullatt_block_indexes", None)
        inner, scale = list(getattr(tower, "deepstack_visual_indexes", ())), tower.blocks[0].attn.scaling
        embed = tower.patch_embed.proj  # a convolution whose every step is one patch
        sample = {name: torch.from_numpy(value) for name, value in eye._sample().items()}
        names, look_on = list(sample), _looking_on()

        def look(*given: torch.Tensor) -> torch.Tensor:
            of = dict(zip(names, given, strict=True))
            # One row: products of two axes would be joined with what is added to them and then not be narrowed.
            states = of["pixel_values"][None] @ embed.weight.flatten(1).t()  # (1, N, D)
            states = states if embed.bias is None else states + embed.bias
            if "taps" in of:
                states = states + (tower.pos_embed(of["taps"]) * of["shares"][..., None]).sum(1)
            seen = []
            for index, block in enumerate(tower.blocks):
                split = block.attn.qkv(block.norm1(states)).reshape(states.shape[1], 3, heads, -1)
                query, key, value = split.permute(1, 2, 0, 3).unbind(0)  # (heads, N, d)
                query, key = (turned(one, of["cosine"], of["sine"]) for one in (query, key))
                query = query * scale
                if whole is None or index in whole:
                    found = look_on(query, key, value, MOST)
                else:
                    found = _within(query, key, value, of["members"], of["wall"])[:, of["back"]]
                states = states + block.attn.proj(found.transpose(0, 1).flatten(1)[None])
                states = states + block.mlp(block.norm2(states))
                if index in inner:
                    seen.append(_merged(tower.deepstack_merger_list[inner.index(index)], states))
            return torch.cat([_merged(tower.merger, states), *seen], dim=-1)

        free: dict[str, Mapping[int, str]] = {name: {0: "patches"} for name in names}
        free |= {name: {0: "windows"} for name in ("members", "wall") if name in names} | {"features": {1: "tokens"}}
        return Part(restated(network, look), sample, ("features",), free)

    @classmethod
    def facts_of(cls, network: Any) -> dict[str, Any]:
        tower = network.base_model.visual
        config = tower.config
        merge, windows = config.spatial_merge_size, hasattr(tower, "fullatt_block_indexes")
        return {
            "merge": merge,
            "patch": config.in_channels * config.temporal_patch_size * config.patch_size**2,
            "turning": tower.rotary_pos_emb.inv_freq.tolist(),
            "window": config.window_size // merge // config.patch_size * merge if windows else 0,
            "positions": getattr(tower, "num_grid_per_side", 0),
        }

    @classmethod
    def deep(cls, network: Any) -> int:
        return len(getattr(network.base_model.visual, "deepstack_visual_indexes", ()))

    def glimpses(self, made: Made) -> Iterator[dict[str, Array]]:
        grids = made["image_grid_thw"].tolist()
        ends = accumulate(frames * rows * columns for frames, rows, columns in grids)
        for end, (frames, rows, columns) in zip(ends, grids, strict=True):
            patches = made["pixel_values"][end - frames * rows * columns : end]
            yield {"pixel_values": patches, **self._around(rows, columns)}

    def positions(self, ids: Array, image: int, made: Made) -> Array:
        """(3, P): frame, row and column. Qwen2-VL's `get_rope_index`, for pictures."""
        grids = made["image_grid_thw"].tolist() if (ids == image).any() else []
        places, start, read = list[Array](), 0, 0
        for _, rows, columns in grids:
            rows, columns = rows // self.facts["merge"], columns // self.facts["merge"]
            begin = read + int(numpy.flatnonzero(ids[read:] == image)[0])
            places.append(numpy.tile(numpy.arange(start, start + begin - read), (3, 1)))
            start += begin - read
            places.append(start + numpy.indices((1, rows, columns)).reshape(3, -1))
            start, read = start + max(rows, columns), begin + rows * columns
        places.append(numpy.tile(numpy.arange(start, start + len(ids) - read), (3, 1)))
        return numpy.concatenate(places, axis=1)

    def _around(self, rows: int, columns: int) -> dict[str, Array]:
        """What else `look` is given for a picture of `rows` and `columns` of patches."""
        merge = self.facts["merge"]
        # Patches come token by token: the places of those of a token follow one another.
        places = numpy.indices((rows, columns)).reshape(2, rows // merge, merge, columns // merge, merge)
        row, column = places.transpose(0, 1, 3, 2, 4).reshape(2, -1)
        speeds = numpy.array(self.facts["turning"], numpy.float32)
        half = numpy.concatenate([place[:, None].astype(numpy.float32) * speeds for place in (row, column)], axis=1)
        angles = numpy.tile(half, 2)
        found = {"cosine": numpy.cos(angles), "sine": numpy.sin(angles)}
        if self.facts["window"]:
            found |= _windows(row, column, self.facts["window"])
        if self.facts["positions"]:
            found |= _shares(row, column, rows, columns, self.facts["positions"])
        return found

    def _sample(self) -> dict[str, Array]:
        """Inputs of `look` that show their shapes."""
        merge = self.facts["merge"]
        patches = numpy.zeros((6 * merge * merge, self.facts["patch"]), numpy.float32)
        return {"pixel_values": patches, **self._around(2 * merge, 3 * merge)}


def _windows(row: Array, column: Array, side: int) -> dict[str, Array]:
    """Which patches look at one another: squares of `side` patches, those at the edges smaller.

    `members` (W, side * side) are the patches of each window, `wall` (W, 1, side * side) is added to the weights of those that
    only fill it up, and `back` (N,) is where each patch stands in them."""
    window = row // side * (int(column.max()) // side + 1) + column // side
    order = numpy.argsort(window, kind="stable")
    counts = numpy.bincount(window)
    rank = numpy.empty_like(order)
    rank[order] = numpy.arange(len(order)) - numpy.repeat(numpy.cumsum(counts) - counts, counts)
    members = numpy.zeros((len(counts), side * side), numpy.int64)
    members[window, rank] = numpy.arange(len(order))
    empty = numpy.arange(side * side)[None] >= counts[:, None]
    return {
        "members": members,
        "wall": (empty * WALL).astype(numpy.float32)[:, None],
        "back": window * side * side + rank,
    }


def _shares(row: Array, column: Array, rows: int, columns: int, side: int) -> dict[str, Array]:
    """Learned positions stand on a square of `side`, and a patch between four of them: `taps` (N, 4) are their numbers, `shares`
    (N, 4) how near each is. Corners lie on corners."""
    axes = []
    for place, length in ((row, rows), (column, columns)):
        spot = place.astype(numpy.float32) * numpy.float32(side - 1) / numpy.float32(max(length - 1, 1))
        low = numpy.floor(spot).astype(numpy.int64)
        part = spot - low
        axes.append((numpy.stack([low, numpy.minimum(low + 1, side - 1)]), numpy.stack([1 - part, part])))
    (down, heights), (across, widths) = axes
    taps = down[:, None] * side + across[None]  # (2, 2, N)
    shares = heights[:, None] * widths[None]
    return {"taps": taps.reshape(4, -1).T.copy(), "shares": shares.reshape(4, -1).T.astype(numpy.float32).copy()}


def _merged(merger: Any, states: torch.Tensor) -> torch.Tensor:
    """(1, N, D) to (1, tokens, D of the text): the patches of a token side by side, and two linear layers."""
    size = merger.hidden_size
    if hasattr(merger, "ln_q"):
        merged: torch.Tensor = merger.mlp(merger.ln_q(states).reshape(1, -1, size))
    else:
        even = merger.norm(states.reshape(1, -1, size) if merger.use_postshuffle_norm else states)
        merged = merger.linear_fc2(merger.act_fn(merger.linear_fc1(even.reshape(1, -1, size))))
    return merged


def _within(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, members: torch.Tensor, wall: torch.Tensor
) -> torch.Tensor:
    """(heads, W * M, d): attention of (heads, N, d) within windows of M patches."""
    query, key, value = (one[:, members] for one in (query, key, value))  # (heads, W, M, d)
    return (((query @ key.transpose(-1, -2)) + wall).softmax(-1) @ value).flatten(1, 2)


def _looking_on() -> Callable[..., Any]:
    """Attention of (heads, N, d) as a loop over so many rows that at most `most` weights a head are held at one time: those of a
    photograph of 12 megapixels would else take 270 GB."""
    import torch

    def look_on(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, most: int) -> torch.Tensor:
        step = most // key.size(1) + 1
        turned = key.transpose(1, 2)
        found = (query[:, :step] @ turned).softmax(-1) @ value
        start = step
        while start < query.size(1):
            found = torch.cat([found, (query[:, start : start + step] @ turned).softmax(-1) @ value], dim=1)
            start += step
        return found

    with warnings.catch_warnings():
        # What torch recommends in its place cannot be traced into a loop.
        warnings.simplefilter("ignore", DeprecationWarning)
        scripted: Callable[..., Any] = torch.jit.script(look_on)
    return scripted
