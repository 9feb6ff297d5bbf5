"""Dropout on the processor from 16 random bits a number, where torch draws 64: a third of the time, which in a layer of
attention with dropout is more than its softmax takes.

What is dropped follows from torch's random state, as with torch's own: one number of it is the seed of each draw. The share
that is dropped is a multiple of 1/65,536, and the rest is scaled by exactly that. It knows nothing of networks beyond
`torch.nn.Dropout`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

LEVELS = 2**16


def drop_quickly(network: torch.nn.Module) -> None:
    """Have every `torch.nn.Dropout` in `network` draw so while it trains."""
    import torch

    for module in network.modules():
        if type(module) is torch.nn.Dropout and 0 < module.p < 1:
            module.forward = partial(_forward, module)  # type: ignore[method-assign]


def _forward(module: Any, values: torch.Tensor) -> torch.Tensor:
    return values * kept(values, module.p) if module.training else values


def kept(values: torch.Tensor, share: float) -> torch.Tensor:
    """What `values` are multiplied with, in their shape: 0 for about the `share` that is dropped, for the rest what keeps the
    sum as it is on average."""
    import numpy
    import torch

    seed = int(torch.randint(2**62, ()))
    count, dropped = values.numel(), round(share * LEVELS)
    # Four numbers of 16 bits from each of 64.
    bits = numpy.random.SFC64(seed).random_raw(-(-count // 4)).view(numpy.uint16)[:count]
    mask = torch.from_numpy(bits >= dropped).view(values.shape)
    return mask.to(values.dtype).mul_(LEVELS / (LEVELS - dropped))
