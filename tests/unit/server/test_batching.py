"""A lane computes equal work together, takes clients in turn, and forgets who has gone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from seesay.errors import Busy, InputError
from seesay.server.batching import Lane
from seesay.server.limits import Queue


class Recorder:
    """Work that notes the batches it is given, and waits until it may go on."""

    def __init__(self) -> None:
        self.batches: list[list[Any]] = []
        self.go = threading.Event()
        self.go.set()

    def __call__(self, rows: list[Any]) -> list[Any]:
        self.go.wait(10)
        self.batches.append(rows)
        if "bad" in rows:
            raise InputError("bad")
        return [f"{row}!" for row in rows]


def run(scenario: Callable[[Lane, Queue], Coroutine[Any, Any, None]], batch_size: int = 4, queue: int = 32) -> None:
    async def inside() -> None:
        lane = Lane("test", batch_size)
        try:
            await scenario(lane, Queue(queue))
        finally:
            lane.close()

    asyncio.run(asyncio.wait_for(inside(), 20))


def asking(lane: Lane, queue: Queue, work: Any, client: str, *rows: str) -> asyncio.Task[list[Any]]:
    async def one() -> list[Any]:
        with queue.enter(client) as ticket:
            return await lane.run(ticket, work, rows)

    return asyncio.ensure_future(one())


async def held(lane: Lane, queue: Queue, work: Recorder) -> asyncio.Task[list[Any]]:
    """A job that is being computed and does not end before `work.go` is set."""
    work.go.clear()
    first = asking(lane, queue, work, "first", "0")
    while len(queue) or not queue.pace:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    return first


def test_what_waits_is_computed_together_and_each_gets_its_own() -> None:
    work = Recorder()

    async def scenario(lane: Lane, queue: Queue) -> None:
        first = await held(lane, queue, work)
        others = [asking(lane, queue, work, "a", "1"), asking(lane, queue, work, "b", "2", "3")]
        await asyncio.sleep(0.05)
        work.go.set()
        assert await first == ["0!"]
        assert await asyncio.gather(*others) == [["1!"], ["2!", "3!"]]

    run(scenario)
    assert work.batches == [["0"], ["1", "2", "3"]]


def test_another_work_is_never_mixed_in() -> None:
    work, other = Recorder(), Recorder()

    async def scenario(lane: Lane, queue: Queue) -> None:
        first = await held(lane, queue, work)
        jobs = [asking(lane, queue, one, "a", row) for one, row in ((work, "1"), (other, "2"), (work, "3"))]
        await asyncio.sleep(0.05)
        work.go.set()
        await asyncio.gather(first, *jobs)

    run(scenario)
    assert work.batches == [["0"], ["1", "3"]] and other.batches == [["2"]]


def test_clients_take_turns() -> None:
    work = Recorder()

    async def scenario(lane: Lane, queue: Queue) -> None:
        first = await held(lane, queue, work)
        greedy = [asking(lane, queue, work, "greedy", f"g{place}") for place in range(6)]
        await asyncio.sleep(0.02)
        modest = [asking(lane, queue, work, name, name) for name in ("m1", "m2")]
        await asyncio.sleep(0.05)
        work.go.set()
        await asyncio.gather(first, *greedy, *modest)

    run(scenario)
    assert work.batches[1] == ["g0", "m1", "m2", "g1"]
    assert work.batches[2] == ["g2", "g3", "g4", "g5"]


def test_more_rows_than_a_batch_holds_come_in_order() -> None:
    work = Recorder()

    async def scenario(lane: Lane, queue: Queue) -> None:
        rows = [str(place) for place in range(10)]
        assert await asking(lane, queue, work, "a", *rows) == [f"{row}!" for row in rows]

    run(scenario)
    assert [len(batch) for batch in work.batches] == [4, 4, 2]


def test_a_row_that_fails_is_only_its_own_askers_trouble() -> None:
    work = Recorder()

    async def scenario(lane: Lane, queue: Queue) -> None:
        first = await held(lane, queue, work)
        jobs = [asking(lane, queue, work, name, row) for name, row in (("a", "1"), ("b", "bad"), ("c", "3"))]
        await asyncio.sleep(0.05)
        work.go.set()
        await first
        good, bad, also = await asyncio.gather(*jobs, return_exceptions=True)
        assert good == ["1!"] and also == ["3!"] and isinstance(bad, InputError)

    run(scenario)


def test_who_has_gone_is_not_computed() -> None:
    work = Recorder()

    async def scenario(lane: Lane, queue: Queue) -> None:
        first = await held(lane, queue, work)
        leaving, staying = (asking(lane, queue, work, name, name) for name in ("leaving", "staying"))
        await asyncio.sleep(0.05)
        assert len(queue) == 2
        leaving.cancel()
        await asyncio.sleep(0.05)
        assert len(queue) == 1
        work.go.set()
        assert await first and await staying == ["staying!"]

    run(scenario)
    assert work.batches == [["0"], ["staying"]]


def test_a_full_queue_refuses_and_makes_room_for_who_has_less_in_it() -> None:
    work = Recorder()

    async def scenario(lane: Lane, queue: Queue) -> None:
        first = await held(lane, queue, work)
        greedy = [asking(lane, queue, work, "greedy", f"g{place}") for place in range(4)]
        await asyncio.sleep(0.05)
        with pytest.raises(Busy) as refused:
            queue.enter("greedy")
        assert refused.value.retry_after >= 1
        modest = asking(lane, queue, work, "modest", "m")
        await asyncio.sleep(0.05)
        work.go.set()
        assert await modest == ["m!"]
        *kept, evicted = await asyncio.gather(*greedy, return_exceptions=True)
        assert kept == [["g0!"], ["g1!"], ["g2!"]] and isinstance(evicted, Busy)
        assert await first

    run(scenario, queue=4)


def test_several_threads_compute_several_batches_at_once() -> None:
    together = threading.Barrier(3, timeout=10)

    def work(rows: list[Any]) -> list[Any]:
        together.wait()
        return rows

    async def scenario() -> None:
        lane, queue = Lane("test", 1, threads=3), Queue(8)
        try:
            jobs = [asking(lane, queue, work, "a", str(place)) for place in range(3)]
            assert await asyncio.gather(*jobs) == [["0"], ["1"], ["2"]]
        finally:
            lane.close()

    asyncio.run(scenario())
