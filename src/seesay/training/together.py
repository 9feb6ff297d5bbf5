"""One run by several processes, as `torchrun` starts them: the same batches as by one, each of them shared out.

Every process takes its rows of every batch of the plan, gradients are averaged, and the first process alone evaluates and writes
the run's folder. What decides how the run goes on (a figure, Ctrl-C) is told to all, so that none waits for ever for another.

It knows nothing of data or models, and imports torch only where there are several processes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from ..errors import Interrupted, UsageError
from .plan import Visit

T = TypeVar("T")
PATIENCE = timedelta(days=7)
"""How long a process waits for another one that evaluates or writes."""


@dataclass(frozen=True, slots=True)
class Team:
    """The processes of a run; one that is alone is the first of one."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this process evaluates, writes and reports."""
        return self.rank == 0

    def wait(self) -> None:
        """Until all have come this far."""
        if self.size > 1:
            _told(lambda distributed: distributed.barrier())

    def tell(self, make: Callable[[], T]) -> T:
        """What the first makes, for all."""
        if self.size == 1:
            return make()
        box: list[Any] = [make() if self.first else None]
        _told(lambda distributed: distributed.broadcast_object_list(box, src=0))
        made: T = box[0]
        return made

    def only_first(self, do: Callable[[T], None]) -> Callable[[T], None]:
        """`do`, which in the others does nothing."""
        return do if self.first else lambda _: None

    def total(self, counts: Sequence[int]) -> list[int]:
        """The sum over all processes of each number."""
        if self.size == 1:
            return list(counts)
        import torch

        sums = torch.tensor(list(counts), dtype=torch.int64)
        _told(lambda distributed: distributed.all_reduce(sums))
        found: list[int] = sums.tolist()
        return found

    def share(self, batches: Sequence[Sequence[Visit]]) -> list[list[Visit]]:
        """This process's rows of each batch. Neighbors in a batch cost alike, so all processes get alike."""
        return [list(batch[self.rank :: self.size]) for batch in batches]

    def check(self, batch_size: int) -> None:
        """Raises a UsageError where batches cannot be shared out evenly; their mean would not be that of the parts."""
        if batch_size % self.size:
            hint = (
                f"set --per-device-train-batch-size to a multiple of {self.size}; it counts the rows of all processes"
            )
            raise UsageError(f"batches of {batch_size} rows cannot be shared by {self.size} processes", hint=hint)


def rank() -> int:
    """Which of the processes that torchrun started this is; 0 where it started none."""
    return int(os.environ.get("RANK", "0"))


def alone(what: str) -> None:
    """Raises a UsageError where this process is one of several."""
    if _size() > 1:
        raise UsageError(f"{what} is trained by one process", where="torchrun", hint="start it without torchrun")


@contextmanager
def together() -> Iterator[Team]:
    """The team that torchrun started, joined for the length of a `with` block; a team of one elsewhere. Who joined it before
    (Ray Train) also leaves it."""
    if _size() == 1:
        yield Team()
        return
    import torch.distributed

    if torch.distributed.is_initialized():
        yield Team(rank(), _size())
        return
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    torch.distributed.init_process_group(backend, timeout=PATIENCE)
    try:
        yield Team(rank(), _size())
    finally:
        torch.distributed.destroy_process_group()


def threads() -> int:
    """Cores for each process of this machine."""
    return max(1, len(os.sched_getaffinity(0)) // int(os.environ.get("LOCAL_WORLD_SIZE", "1")))


def _size() -> int:
    return int(os.environ.get("WORLD_SIZE", "1")) if "RANK" in os.environ else 1


def _told(exchange: Callable[[Any], Any]) -> None:
    import torch.distributed

    try:
        exchange(torch.distributed)
    except RuntimeError:
        # gloo: the connection was closed. The process that failed says why.
        raise Interrupted("another process of this run has ended", hint="its message says why") from None
