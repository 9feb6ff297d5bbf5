"""Which rows make which batch, for a whole run at once. A pure function of the settings, so a run that is resumed goes on
with exactly the rows it would have had.

Rows of similar cost are put into one batch, because a batch is padded to its largest row: windows of fifty batches are
drawn at random, sorted by cost, cut, and the batches shuffled again. It knows nothing of pictures or models.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy

WINDOW = 50
"""Batches that are sorted by cost together: enough to save padding, few enough to keep the order random."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One row at one point of a run. `epoch` counts how often the row came by; a row's randomness comes from
    (seed, epoch, row) and never from a global generator."""

    row: int
    epoch: int


@dataclass(frozen=True)
class Plan:
    """The batches of a run.

    Args:
        costs: for each row what decides its size in a batch; rows with equal costs pad nothing.
        early: rows that may be drawn in the first `early_share` of the steps; all others wait.
        steps: optimizer steps; each takes `accumulation` batches of `batch_size` rows.
    """

    costs: Sequence[tuple[int, ...]]
    early: Sequence[int]
    early_share: float
    batch_size: int
    accumulation: int
    steps: int
    seed: int

    @property
    def rows_per_step(self) -> int:
        return self.batch_size * self.accumulation

    @cached_property
    def batches(self) -> list[list[Visit]]:
        """steps x accumulation batches, each of `batch_size` visits."""
        total = self.steps * self.accumulation
        first = round(self.steps * self.early_share) * self.accumulation if self.early else 0
        batches = self._draw(list(self.early), first, stream=0) if first else []
        return batches + self._draw(list(range(len(self.costs))), total - first, stream=1)

    def _draw(self, rows: list[int], count: int, stream: int) -> list[list[Visit]]:
        import numpy

        visits = self._visits(rows, stream)
        shuffle = numpy.random.default_rng([self.seed, stream, 0])
        batches: list[list[Visit]] = []
        while len(batches) < count:
            size = min(WINDOW, count - len(batches)) * self.batch_size
            window = sorted((next(visits) for _ in range(size)), key=lambda visit: self.costs[visit.row])
            cut = [window[start : start + self.batch_size] for start in range(0, size, self.batch_size)]
            batches += [cut[index] for index in shuffle.permutation(len(cut))]
        return batches

    def _visits(self, rows: list[int], stream: int) -> Iterator[Visit]:
        """Every row once an epoch, in another order each time, without end."""
        import numpy

        epoch = 0
        while True:
            order: numpy.ndarray[tuple[int], numpy.dtype[numpy.int64]]
            order = numpy.random.default_rng([self.seed, stream, 1, epoch]).permutation(len(rows))
            yield from (Visit(rows[index], epoch) for index in order.tolist())
            epoch += 1


def steps_of(rows: int, epochs: float, rows_per_step: int) -> int:
    """Optimizer steps that pass `epochs` times over `rows`."""
    return max(1, math.ceil(rows * epochs / rows_per_step))
