"""Work in a thread that takes turns with others in a lane, and ends when nobody wants it any more."""

from __future__ import annotations

import asyncio
import time
from functools import partial

import pytest

from seesay.errors import Busy, Interrupted
from seesay.models import load
from seesay.server.batching import Lane
from seesay.server.limits import Queue
from seesay.server.turns import Steps, TurnTaking
from seesay.settings import ModelSettings
from seesay.types import Example


def test_what_is_computed_in_turns_is_what_the_family_computes(
    mini_checkpoint: object, vilt_pictures: list[object]
) -> None:
    family = load(ModelSettings())
    example = Example((str(vilt_pictures[0]),), "Is it red?")

    async def run() -> tuple[list[float], str, bool]:
        lane = Lane("test", 4)
        with Queue(4).enter("me") as ticket:
            turning = TurnTaking(family, lane, Steps(ticket))

            def work() -> list[float]:
                found: list[float] = turning.log_odds(turning.prepare([example]), "yes", "no")
                return found

            odds = await asyncio.to_thread(work)
        lane.close()
        return odds, turning.encoding, turning.captions

    assert asyncio.run(run()) == (
        family.log_odds(family.prepare([example]), "yes", "no"),
        family.encoding,
        family.captions,
    )


def test_two_take_turns_and_one_that_is_cancelled_ends_at_its_step() -> None:
    done: list[str] = []

    async def run() -> None:
        lane, queue = Lane("test", 4), Queue(4)
        with queue.enter("a") as first, queue.enter("b") as second:
            steps = {"a": Steps(first), "b": Steps(second)}

            def step(name: str) -> None:
                time.sleep(0.002)
                done.append(name)

            def work(name: str, count: int) -> None:
                for _ in range(count):
                    steps[name].wait(lane.call(steps[name].ticket, partial(step, name)))

            endless = asyncio.create_task(asyncio.to_thread(work, "a", 1_000_000))
            await asyncio.to_thread(work, "b", 20)
            steps["a"].cancel()
            with pytest.raises(Interrupted):
                await endless
            ended = len(done)
            await asyncio.sleep(0.05)
            assert len(done) <= ended + 1, "nothing goes on"
        lane.close()

    asyncio.run(run())
    turns = "".join(done)
    assert turns.count("b") == 20 and "aaa" not in turns[2 : turns.rindex("b")], turns


def test_a_request_that_was_evicted_gets_its_refusal() -> None:
    async def run() -> None:
        lane = Lane("test", 4)
        with Queue(1).enter("a") as ticket:
            ticket.evict(Busy("full"))
            steps = Steps(ticket)
            with pytest.raises(Busy):
                await asyncio.to_thread(lambda: steps.wait(lane.call(ticket, lambda: 1)))
        lane.close()

    asyncio.run(run())
