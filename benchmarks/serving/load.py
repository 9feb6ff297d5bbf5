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


@dataclass
class Client:
    """Connections to one server, kept open and used again."""

    host: str
    port: int
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)

    async def send(self, request: bytes, due: float) -> Outcome:
        """A request and its whole reply."""
        try:
            async with asyncio.timeout(LIMIT):
                reader, writer = self.idle.pop() if self.idle else await asyncio.open_connection(self.host, self.port)
                writer.write(request)
                await writer.drain()
                head = await reader.readuntil(b"\r\n\r\n")
                first = await self._body(reader, head.lower())
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            return Outcome(0, time.perf_counter() - due)
        if b"connection: close" in head.lower():
            writer.close()
        else:
            self.idle.append((reader, writer))
        return Outcome(int(head[9:12]), time.perf_counter() - due, first - due)

    @staticmethod
    async def _body(reader: asyncio.StreamReader, head: bytes) -> float:
        if b"content-length:" in head:
            await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
            return time.perf_counter()
        first = 0.0
        while size := int(await reader.readuntil(b"\r\n"), 16):
            await reader.readexactly(size + 2)
            # The first event of a stream may hold no word yet; here it does.
            first = first or time.perf_counter()
        await reader.readexactly(2)
        return first

    def close(self) -> None:
        for _, writer in self.idle:
            writer.close()


async def open_loop(client: Client, request: bytes, rate: float, seconds: float, seed: int) -> list[Outcome]:
    """Requests at random (Poisson) times that were drawn beforehand, `rate` a second."""
    draw, at, times = random.Random(seed), 0.0, []
    while (at := at + draw.expovariate(rate)) < seconds:
        times.append(at)
    start = time.perf_counter()

    async def one(due: float) -> Outcome:
        await asyncio.sleep(max(0.0, start + due - time.perf_counter()))
        return await client.send(request, start + due)

    return await asyncio.gather(*map(one, times))


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
    """Statuses, goodput (answers a second), and how long answers and refusals took."""
    answered = [one.seconds for one in outcomes if one.status == 200]
    refused = [one.seconds for one in outcomes if one.status in (429, 503)]
    return {
        "requests": len(outcomes),
        "statuses": {str(status): count for status, count in sorted(Counter(one.status for one in outcomes).items())},
        "goodput_per_s": round(len(answered) / seconds, 2),
        "answer_ms": quantiles(answered),
        "refusal_ms": quantiles(refused),
    }


def quantiles(seconds: Sequence[float]) -> dict[str, float]:
    """p50, p95, p99 and the longest, in milliseconds."""
    if not seconds:
        return {}
    ordered = sorted(seconds)
    named = {f"p{share}": ordered[min(len(ordered) - 1, len(ordered) * share // 100)] for share in (50, 95, 99)}
    return {name: round(value * 1000, 1) for name, value in {**named, "max": ordered[-1]}.items()}
