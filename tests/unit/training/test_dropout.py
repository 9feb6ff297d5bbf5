"""Dropout: the share, the scale, and that it follows from torch's random state."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from seesay.training.dropout import drop_quickly, kept  # noqa: E402


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_the_share_is_dropped_and_the_rest_scaled(share: float) -> None:
    torch.manual_seed(0)
    mask = kept(torch.empty(400, 1001), share)
    dropped = float((mask == 0).double().mean())
    deviation = (share * (1 - share) / mask.numel()) ** 0.5
    assert abs(dropped - share) < 5 * deviation
    assert mask.unique().tolist() == pytest.approx([0, 1 / (1 - share)], rel=1e-4)


def test_neighbors_are_dropped_independently() -> None:
    torch.manual_seed(1)
    gone = (kept(torch.empty(1_000_000), 0.5) == 0).double()
    for distance in (1, 2, 3, 4, 5, 8):
        correlation = float(torch.corrcoef(torch.stack([gone[:-distance], gone[distance:]]))[0, 1])
        assert abs(correlation) < 0.005, distance


def test_the_same_random_state_drops_the_same_and_the_next_draw_something_else() -> None:
    network = torch.nn.Sequential(torch.nn.Dropout(0.3), torch.nn.Identity())
    drop_quickly(network)
    values = torch.ones(50, 50)
    torch.manual_seed(7)
    first, second = network(values), network(values)
    torch.manual_seed(7)
    assert torch.equal(network(values), first)
    assert not torch.equal(first, second)


def test_gradients_go_where_values_did_and_asking_drops_nothing() -> None:
    network = torch.nn.Sequential(torch.nn.Dropout(0.25))
    drop_quickly(network)
    values = torch.ones(40, 25, requires_grad=True)
    found = network(values)
    found.sum().backward()
    assert torch.equal(values.grad, found.detach())
    assert torch.equal(network.eval()(values), values)


def test_none_and_everything_are_left_to_torch() -> None:
    network = torch.nn.Sequential(torch.nn.Dropout(0.0), torch.nn.Dropout(1.0))
    drop_quickly(network)
    assert not any("forward" in vars(module) for module in network)
