"""How much a server takes on: the requests that wait, the bytes of a body, the pixels in memory. Knows no HTTP and no model.

Waiting is fair: where the queue is full and a client has less in it than the one with most, the latter's newest request is
refused in its place.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import ceil
from types import TracebackType
from typing import Any, Self

from ..errors import Busy, ImageTooLarge

BODY_BYTES = 20_000_000
BODY_SECONDS = 30.0
"""In which a body must have come, so that a client that sends a byte now and then holds nothing for long."""
BODIES_BYTES = 400_000_000
"""Of all bodies that are being received or worked on together."""
PICTURES = 8
"""Most pictures of a request."""
REQUEST_PIXELS = 100_000_000
"""Of all pictures of a request together: 300 MB decoded."""
PIXELS = 200_000_000
"""Decoded at once, of all requests together: 600 MB."""
QUESTIONS = 64
"""Most answers of a plain request, and most questions of /v1/systemone."""
DECISIONS = 400
"""Most questions of /v1/decisions."""
MAX_NEW_TOKENS, MOST_NEW_TOKENS = 128, 1024


class Ticket:
    """A request's place in the queue, until it leaves. A context manager."""

    def __init__(self, queue: Queue, client: str) -> None:
        self.client, self._queue = client, queue
        self.evicted: Busy | None = None
        self.jobs: list[asyncio.Future[Any]] = []
        """What it waits for, so that it can be told that it was evicted."""
        self.waiting = True
        self._entered = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since it was given."""
        return time.monotonic() - self._entered

    def started(self) -> None:
        """It is being computed and waits no longer."""
        if self.waiting:
            self.waiting = False
            self._queue.left(self)

    def evict(self, reason: Busy) -> None:
        """Refuse it after all."""
        self.evicted = reason
        self.started()
        for job in self.jobs:
            if not job.done():
                job.set_exception(reason)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.started()


class Queue:
    """The requests that wait, by client."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.pace = 0.1
        """Seconds between two requests that start, as seen lately."""
        self._waiting: dict[str, list[Ticket]] = {}
        self._last_start = 0.0

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def enter(self, client: str) -> Ticket:
        """A place at the end.

        Raises:
            Busy: the queue is full.
        """
        if refusal := self.refusal(client):
            raise refusal
        if len(self) >= self.size:
            self._greediest().pop().evict(self._busy())
        ticket = Ticket(self, client)
        self._waiting.setdefault(client, []).append(ticket)
        return ticket

    def refusal(self, client: str) -> Busy | None:
        """Why a request of `client` would be refused now, if it would."""
        if len(self) < self.size or len(self._waiting.get(client, ())) + 1 < len(self._greediest()):
            return None
        return self._busy()

    def left(self, ticket: Ticket) -> None:
        """Told by a ticket that it waits no longer."""
        mine = self._waiting.get(ticket.client, [])
        if ticket in mine:
            mine.remove(ticket)
        if not mine:
            self._waiting.pop(ticket.client, None)
        now = time.monotonic()
        self.pace += 0.1 * (min(now - self._last_start, 10.0) - self.pace)
        self._last_start = now

    def _greediest(self) -> list[Ticket]:
        return max(self._waiting.values(), key=len, default=[])

    def _busy(self) -> Busy:
        seconds = min(60, max(1, ceil(self.pace * self.size)))
        message = f"{self.size} requests are waiting, and the server takes no more"
        return Busy(message, hint=f"ask again in {seconds} s", retry_after=seconds)


class Budget:
    """So much of something at once; who wants more than is left waits."""

    def __init__(self, size: int) -> None:
        self.size, self.used = size, 0
        self._change = asyncio.Condition()

    @asynccontextmanager
    async def taken(self, amount: int) -> AsyncIterator[None]:
        """Hold `amount` (at most the size) while inside."""
        async with self._change:
            await self._change.wait_for(lambda: self.used + amount <= self.size)
            self.used += amount
        try:
            yield
        finally:
            # Not awaited: whoever is cancelled here must give back what it held all the same.
            self.used -= amount
            self._wake = asyncio.ensure_future(self._notify())

    async def _notify(self) -> None:
        async with self._change:
            self._change.notify_all()


def check_pixels(pixels: int) -> None:
    """Refuse a request whose pictures are too large together."""
    if pixels > REQUEST_PIXELS:
        found = f"{pixels / 1e6:,.1f} megapixels in one request; the limit is {REQUEST_PIXELS / 1e6:g}"
        raise ImageTooLarge(found, where="pictures", hint="send fewer or smaller pictures")
