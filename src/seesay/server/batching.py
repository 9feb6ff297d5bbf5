"""A lane: one thread that computes, and the jobs that wait for it.

Jobs of equal work are computed together, whoever sent them, and clients take turns: where one has sent thirty and another
sends one, the one is next. While a batch is computed the next one gathers by itself, so nobody waits for a batch to fill. What
a model holds is touched by this one thread only. It knows neither models nor HTTP.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from .limits import Ticket

Work = Callable[[list[Any]], Sequence[Any]]
"""What computes: rows in, as many results out. Hashable; jobs whose works are equal are computed together."""


@dataclass(eq=False, slots=True)
class _Job:
    ticket: Ticket
    work: Work
    rows: list[Any]
    future: asyncio.Future[Sequence[Any]]

    @property
    def dropped(self) -> bool:
        """Nobody waits for it any more."""
        return self.future.done()


class Lane:
    """One thread that computes."""

    def __init__(
        self, name: str, batch_size: int, observe: Callable[[int], None] = lambda rows: None, threads: int = 1
    ) -> None:
        """
        Args:
            batch_size: most rows computed at once.
            observe: told the rows of every batch.
            threads: more than one only where the computing is done elsewhere.
        """
        self._batch_size, self._observe = batch_size, observe
        self._thread = ThreadPoolExecutor(threads, thread_name_prefix=f"seesay-{name}")
        self._waiting: OrderedDict[str, deque[_Job]] = OrderedDict()
        self._wake = asyncio.Event()
        self._threads = threads
        self._loops: list[asyncio.Task[None]] = []

    async def run(self, ticket: Ticket, work: Work, rows: Sequence[Any]) -> list[Any]:
        """Results of `work` for `rows`, in order; more rows than a batch holds go one batch after another.

        A caller that is cancelled leaves nothing behind: what it waits for is dropped, unless it is being computed.

        Raises:
            Busy: the request was evicted from the queue.
            Exception: what `work` failed with for these rows.
        """
        results: list[Any] = []
        for start in range(0, len(rows), self._batch_size):
            results += await self._submit(ticket, work, list(rows[start : start + self._batch_size]))
        return results

    async def call(self, ticket: Ticket, work: Callable[[], Any]) -> Any:
        """The result of something that is computed alone."""
        return (await self._submit(ticket, lambda rows: [work()], [None]))[0]

    def close(self) -> None:
        """Take no more and wait for what is being computed."""
        for loop in self._loops:
            loop.cancel()
        self._thread.shutdown(wait=True, cancel_futures=True)

    async def _submit(self, ticket: Ticket, work: Work, rows: list[Any]) -> Sequence[Any]:
        if ticket.evicted:
            raise ticket.evicted
        if not self._loops:
            self._loops = [asyncio.create_task(self._serve()) for _ in range(self._threads)]
        future: asyncio.Future[Sequence[Any]] = asyncio.get_running_loop().create_future()
        ticket.jobs.append(future)
        self._waiting.setdefault(ticket.client, deque()).append(_Job(ticket, work, rows, future))
        self._wake.set()
        try:
            return await future
        finally:
            ticket.jobs.remove(future)

    async def _serve(self) -> None:
        while True:
            await self._wake.wait()
            batch = self._take()
            if not batch:
                self._wake.clear()
                continue
            for job in batch:
                job.ticket.started()
            await self._compute(batch)

    async def _compute(self, batch: list[_Job]) -> None:
        rows = [row for job in batch for row in job.rows]
        self._observe(len(rows))
        try:
            results = await asyncio.get_running_loop().run_in_executor(self._thread, batch[0].work, rows)
        except Exception as error:  # the requester's, whatever it is
            if len(batch) == 1:
                if not batch[0].dropped:
                    batch[0].future.set_exception(error)
                return
            # One of them cannot be computed; the others have nothing to do with it.
            for job in batch:
                if not job.dropped:
                    await self._compute([job])
            return
        start = 0
        for job in batch:
            if not job.dropped:
                job.future.set_result(results[start : start + len(job.rows)])
            start += len(job.rows)

    def _take(self) -> list[_Job]:
        """The next jobs of one work that fit a batch, a client's after another's; empty where nothing waits."""
        batch: list[_Job] = []
        room = self._batch_size
        more = True
        while more:
            more = False
            for client in list(self._waiting):
                job = self._next_of(client, batch[0].work if batch else None, room)
                if job is not None:
                    batch.append(job)
                    room -= len(job.rows)
                    more = True
        return batch

    def _next_of(self, client: str, work: Hashable | None, room: int) -> _Job | None:
        jobs = self._waiting[client]
        while jobs and jobs[0].dropped:
            jobs.popleft()
        if not jobs:
            del self._waiting[client]
            return None
        for job in jobs:
            if not job.dropped and (work is None or job.work == work) and len(job.rows) <= room:
                jobs.remove(job)
                self._waiting.move_to_end(client)
                return job
        return None
