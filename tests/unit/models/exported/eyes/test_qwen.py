"""What Qwen's eyes are given from outside their network, against the functions of transformers that say it."""

from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy
import torch
from hypothesis import given
from hypothesis import strategies as st

from seesay.models.exported.eyes.qwen import QwenEye

IMAGE = 7
grids = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), max_size=3)


def eye(**facts: Any) -> QwenEye:
    return QwenEye({"merge": 2, "patch": 24, "turning": [1.0, 0.1], "window": 0, "positions": 0, **facts})


@given(st.integers(1, 9), st.integers(1, 9))
def test_patches_turn_by_their_rows_and_columns(height: int, width: int) -> None:
    from transformers.vision_utils import get_vision_position_ids

    places = get_vision_position_ids(torch.tensor([[1, 2 * height, 2 * width]]), 2).float()
    angles = (places[..., None] * torch.tensor([1.0, 0.1])).flatten(1).repeat(1, 2)
    found = eye()._around(2 * height, 2 * width)
    assert numpy.abs(found["cosine"] - angles.cos().numpy()).max() < 1e-6
    assert numpy.abs(found["sine"] - angles.sin().numpy()).max() < 1e-6


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 4))
def test_windows_hold_the_patches_that_transformers_puts_together(height: int, width: int, side: int) -> None:
    from transformers.vision_utils import get_vision_window_index

    units, ends = get_vision_window_index(
        torch.tensor([[1, 2 * height, 2 * width]]), 2, window_size=2 * side, patch_size=1
    )
    order = (units[:, None] * 4 + torch.arange(4)).flatten().tolist()
    wanted = {frozenset(order[start:end]) for start, end in pairwise(ends)}
    found = eye(window=2 * side)._around(2 * height, 2 * width)
    real = found["wall"][:, 0] == 0
    assert {frozenset(row[seen].tolist()) for row, seen in zip(found["members"], real, strict=True)} == wanted
    assert found["members"].reshape(-1)[found["back"]].tolist() == list(range(4 * height * width))
    assert real.reshape(-1)[found["back"]].all()


@given(st.integers(1, 9), st.integers(1, 9), st.integers(2, 12))
def test_learned_positions_are_shared_out_as_by_transformers(height: int, width: int, side: int) -> None:
    from transformers.vision_utils import get_vision_interpolation_indices_and_weights as shared_out

    grid = torch.tensor([[1, 2 * height, 2 * width]])
    taps, weights = shared_out(grid, side, mode="bilinear", align_corners=True, spatial_merge_size=2)
    found = eye(positions=side)._around(2 * height, 2 * width)
    table = numpy.random.default_rng(0).normal(size=(side * side, 3))
    wanted = (table[taps.numpy()] * weights.numpy()[..., None]).sum(1)
    assert numpy.abs((table[found["taps"]] * found["shares"][..., None]).sum(1) - wanted).max() < 1e-5


@given(grids, st.integers(1, 4))
def test_tokens_stand_where_get_rope_index_puts_them(shapes: list[tuple[int, int]], between: int) -> None:
    from transformers.models.qwen2_vl.modeling_qwen2_vl import Qwen2VLModel

    ids: list[int] = []
    for height, width in shapes:
        ids += [1] * between + [IMAGE] * (height * width)
    ids += [1] * between
    thw = torch.tensor([[1, 2 * height, 2 * width] for height, width in shapes]).reshape(-1, 3)
    network: Any = SimpleNamespace(
        config=SimpleNamespace(vision_config=SimpleNamespace(spatial_merge_size=2)),
        get_vision_position_ids=lambda *given, **more: Qwen2VLModel.get_vision_position_ids(None, *given, **more),
    )
    tokens = torch.tensor([ids])
    wanted, _ = Qwen2VLModel.get_rope_index(network, tokens, (tokens == IMAGE).int(), image_grid_thw=thw)
    found = eye().positions(numpy.array(ids), IMAGE, {"image_grid_thw": thw.numpy()})
    assert found.tolist() == wanted[:, 0].tolist()
    assert found.max() == found[0, -1]


def test_each_picture_of_a_row_is_one_glimpse_of_its_own_patches() -> None:
    made = {"pixel_values": numpy.arange(40.0)[:, None], "image_grid_thw": numpy.array([[1, 4, 6], [1, 2, 8]])}
    first, second = eye().glimpses(made)
    assert first["pixel_values"].ravel().tolist() == list(range(24))
    assert second["pixel_values"].ravel().tolist() == list(range(24, 40))
    assert len(first["cosine"]) == 24
    assert len(second["sine"]) == 16
