"""Attention against transformers' own layers: the same in float32, and as near as bfloat16 is under autocast."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from seesay.models.attention import attend_as_registered, of_bert  # noqa: E402

ROWS, TOKENS, HEADS, HIDDEN = 2, 7, 3, 24
LOW = torch.finfo(torch.float32).min


def padded() -> Any:
    """(B, 1, 1, T): the last three of the second row are padding."""
    mask = torch.zeros(ROWS, 1, 1, TOKENS)
    mask[1, ..., 4:] = LOW
    return mask


def causal() -> Any:
    """(1, 1, T, T)"""
    return torch.full((TOKENS, TOKENS), LOW).triu(1)[None, None]


@pytest.fixture
def layer() -> Any:
    from transformers import ViltConfig
    from transformers.models.vilt.modeling_vilt import ViltSelfAttention

    torch.manual_seed(0)
    return ViltSelfAttention(ViltConfig(hidden_size=HIDDEN, num_attention_heads=HEADS))


def gradients(found: Any, layer: Any) -> list[Any]:
    layer.zero_grad()
    (found.float() ** 2).sum().backward()
    return [weight.grad for weight in layer.parameters()]


@pytest.mark.parametrize("mask", [None, torch.zeros(1, 1, 1, TOKENS), padded(), causal()])
def test_float32_is_what_transformers_gives_gradients_included(layer: Any, mask: Any) -> None:
    values = torch.randn(ROWS, TOKENS, HIDDEN)
    expected, found = layer(values, mask)[0], of_bert(layer, values, mask)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(gradients(found, layer), gradients(expected, layer))


@pytest.mark.parametrize("mask", [None, padded(), causal()])
def test_the_first_tokens_alone_find_what_they_find_among_all(layer: Any, mask: Any) -> None:
    values = torch.randn(ROWS, TOKENS, HIDDEN)
    expected = layer(values, mask)[0][:, :2]
    found = of_bert(layer, values, mask if mask is None else mask[:, :, :2], asking=2)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(gradients(found, layer), gradients(expected, layer))


@pytest.mark.parametrize("mask", [None, padded(), causal()])
def test_under_autocast_the_answer_is_the_same_and_gradients_as_near_as_bfloat16(layer: Any, mask: Any) -> None:
    values = torch.randn(ROWS, TOKENS, HIDDEN)
    with torch.autocast("cpu", torch.bfloat16):
        expected, found = layer(values, mask)[0], of_bert(layer, values, mask)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found, expected, atol=4e-3, rtol=1.6e-2)
    exact, mine, theirs = (
        torch.cat([one.flatten() for one in gradients(what, layer)])
        for what in (layer(values, mask)[0], found, expected)
    )
    assert (mine - exact).norm() < max(0.01 * exact.norm(), 1.5 * (theirs - exact).norm())


def test_the_registered_form_is_the_vision_towers_own() -> None:
    from transformers.models.git.modeling_git import eager_attention_forward

    tower = torch.nn.Module().eval()
    parts = torch.randn(3, ROWS, HEADS, TOKENS, HIDDEN // HEADS)
    expected, _ = eager_attention_forward(tower, *parts, None, scaling=0.3)
    found, _ = attend_as_registered(tower, *parts, None, scaling=0.3)
    torch.testing.assert_close(found, expected)
