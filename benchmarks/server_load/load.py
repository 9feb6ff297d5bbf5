"""A load on a server: arrivals fixed beforehand (an open loop, so that a slow server is not spared), or a number of clients that
ask again as soon as they are answered (a closed loop). Plain sockets: the client must cost far less than the server.

Seconds count from when a request was due, not from when it could be sent.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

LIMIT = 60.0


@dataclass
class Outcome:
    """What became of a request; status 0 is a connection that failed."""

    status: int
    seconds: float
    first: float = 0.0
    """Seconds until the first byte of the body."""
    lag: float = 0.0
    """Of these seconds, those until this client came to it: what is over is the client's, not the server's."""


class _Connection(asyncio.Protocol):
    """One request at a time, and no more parsing than its end takes."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._reply: asyncio.Future[tuple[bytes, float]] | None = None
        self._got, self._head, self._first = bytearray(), b"", 0.0
        self.closed = False

    async def send(self, request: bytes) -> tuple[bytes, float]:
        """The head of the reply, and when the first byte of its body was there; after the last byte of it."""
        assert self._transport is not None
        self._reply = asyncio.get_running_loop().create_future()
        self._got, self._head, self._first = bytearray(), b"", 0.0
        self._transport.write(request)
        return await self._reply

    def close(self) -> None:
        self.closed = True
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._got += data
        if not self._head:
            head, found, body = self._got.partition(b"\r\n\r\n")
            if not found:
                return
            self._head, self._got = bytes(head).lower() + b"\r\n", body
        if self._got and not self._first:
            self._first = time.perf_counter()
        length = self._head.partition(b"content-length:")[2].partition(b"\r\n")[0]
        # No word of these replies ends as a body in chunks does.
        complete = len(self._got) >= int(length) if length else self._got.endswith(b"0\r\n\r\n")
        if complete and self._reply is not None and not self._reply.done():
            self._reply.set_result((self._head, self._first))

    def connection_lost(self, error: Exception | None) -> None:
        self.closed = True
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(ConnectionResetError())


@dataclass
class Client:
    """Connections to one server, kept open and used again."""

    host: str
    port: int
    idle: list[_Connection] = field(default_factory=list)

    async def send(self, request: bytes, due: float) -> Outcome:
        """A request and its whole reply."""
        lag = time.perf_counter() - due
        try:
            async with asyncio.timeout(LIMIT):
                connection = await self._connection()
                head, first = await connection.send(request)
        except (OSError, TimeoutError):
            return Outcome(0, time.perf_counter() - due, lag=lag)
        if b"connection: close" in head:
            connection.close()
        else:
            self.idle.append(connection)
        return Outcome(int(head[9:12]), time.perf_counter() - due, first - due, lag)

    async def _connection(self) -> _Connection:
        while self.idle:
            if not (connection := self.idle.pop()).closed:
                return connection
        return (await asyncio.get_running_loop().create_connection(_Connection, self.host, self.port))[1]

    def close(self) -> None:
        for connection in self.idle:
            connection.close()


async def open_loop(client: Client, request: bytes, rate: float, seconds: float, seed: int) -> list[Outcome]:
    """Requests at random (Poisson) times that were drawn beforehand, `rate` a second."""
    draw, at, times = random.Random(seed), 0.0, []
    while (at := at + draw.expovariate(rate)) < seconds:
        times.append(at)
    start, sent = time.perf_counter(), []
    for at in times:
        if (early := start + at - time.perf_counter()) > 0:
            await asyncio.sleep(early)
        sent.append(asyncio.ensure_future(client.send(request, start + at)))
        if early <= 0:
            await asyncio.sleep(0)  # late: what is due is sent, but replies are read in between
    return await asyncio.gather(*sent)


async def closed_loop(client: Client, requests: Sequence[bytes], clients: int) -> list[Outcome]:
    """All of `requests`, by so many clients at once."""
    left = iter(requests)

    async def one() -> list[Outcome]:
        return [await client.send(request, time.perf_counter()) for request in left]

    return [outcome for row in await asyncio.gather(*(one() for _ in range(clients))) for outcome in row]


async def leave(client: Client, request: bytes, after: float) -> None:
    """A request whose client goes before the answer is there."""
    _, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(request)
    await writer.drain()
    await asyncio.sleep(after)
    writer.close()


def summary(outcomes: Sequence[Outcome], seconds: float) -> dict[str, Any]:
    """Statuses, goodput (answers a second), and how long answers and refusals took; and how late this client was itself."""
    answered = [one.seconds for one in outcomes if one.status == 200]
    refused = [one for one in outcomes if one.status in (429, 503)]
    return {
        "requests": len(outcomes),
        "statuses": {str(status): count for status, count in sorted(Counter(one.status for one in outcomes).items())},
        "goodput_per_s": round(len(answered) / seconds, 2),
        "answer_ms": quantiles(answered),
        "refusal_ms": quantiles([one.seconds for one in refused]),
        "refusal_ms_without_lag": quantiles([one.seconds - one.lag for one in refused]),
        "client_lag_ms": quantiles([one.lag for one in outcomes]),
    }


def quantiles(seconds: Sequence[float]) -> dict[str, float]:
    """p50, p95, p99 and the longest, in milliseconds."""
    if not seconds:
        return {}
    ordered = sorted(seconds)
    named = {f"p{share}": ordered[min(len(ordered) - 1, len(ordered) * share // 100)] for share in (50, 95, 99)}
    return {name: round(value * 1000, 1) for name, value in {**named, "max": ordered[-1]}.items()}
