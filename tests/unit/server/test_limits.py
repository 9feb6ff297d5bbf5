"""What a server takes on at once."""

import asyncio

import pytest

from seesay.errors import ImageTooLarge
from seesay.server.limits import REQUEST_PIXELS, Budget, Queue, check_pixels


def test_a_place_is_given_back_however_it_ends() -> None:
    queue = Queue(2)
    with pytest.raises(ZeroDivisionError), queue.enter("a"):
        assert len(queue) == 1
        raise ZeroDivisionError
    assert len(queue) == 0


def test_who_is_computed_waits_no_longer() -> None:
    queue = Queue(1)
    with queue.enter("a") as ticket:
        assert queue.refusal("b") is not None
        ticket.started()
        ticket.started()
        assert queue.refusal("b") is None and len(queue) == 0


def test_equals_are_not_evicted_for_each_other() -> None:
    queue = Queue(2)
    with queue.enter("a") as first, queue.enter("b") as second:
        assert queue.refusal("c") is not None
        assert first.evicted is None and second.evicted is None


def test_more_than_is_left_is_waited_for() -> None:
    async def scenario() -> None:
        budget, order = Budget(10), list[str]()

        async def take(name: str, amount: int, until: asyncio.Event) -> None:
            async with budget.taken(amount):
                order.append(name)
                await until.wait()

        first, others = asyncio.Event(), asyncio.Event()
        tasks = [asyncio.ensure_future(take("large", 8, first)), asyncio.ensure_future(take("second", 8, others))]
        await asyncio.sleep(0.01)
        tasks.append(asyncio.ensure_future(take("small", 2, others)))
        await asyncio.sleep(0.01)
        assert order == ["large", "small"] and budget.used == 10
        first.set()
        others.set()
        await asyncio.gather(*tasks)
        assert order == ["large", "small", "second"] and budget.used == 0

    asyncio.run(scenario())


def test_what_is_cancelled_gives_back_what_it_held() -> None:
    async def scenario() -> None:
        budget = Budget(10)

        async def take() -> None:
            async with budget.taken(10):
                await asyncio.Event().wait()

        task = asyncio.ensure_future(take())
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        async with asyncio.timeout(1), budget.taken(10):
            assert budget.used == 10

    asyncio.run(scenario())


def test_pictures_of_a_request_are_limited_together() -> None:
    check_pixels(REQUEST_PIXELS)
    with pytest.raises(ImageTooLarge, match="100"):
        check_pixels(REQUEST_PIXELS + 1)
