"""Work that takes many steps, in a thread of its own, and takes turns with what others ask: each step is a job of a lane.

It knows no HTTP, and of models only which of their methods compute.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from functools import partial
from typing import Any

from ..errors import Interrupted
from ..models import Family
from .batching import Lane
from .limits import Ticket

COMPUTING = frozenset(("prepare", "prepare_encoded", "predict", "score", "choose", "log_odds"))


class Steps:
    """What a thread asks of the event loop, one thing after another, until whoever wanted it is gone."""

    def __init__(self, ticket: Ticket) -> None:
        self.ticket = ticket
        self._loop = asyncio.get_running_loop()
        self._current: Future[Any] | None = None
        self._cancelled = False

    def wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        """The result of a coroutine that runs in the event loop. Called from the thread.

        Raises:
            Interrupted: nobody wants it any more.
            Exception: what the coroutine raised.
        """
        self._current = asyncio.run_coroutine_threadsafe(work, self._loop)
        if self._cancelled:
            self._current.cancel()
        try:
            return self._current.result()
        except CancelledError:
            raise Interrupted("the client has gone") from None

    def cancel(self) -> None:
        """End it: what is awaited is dropped, and nothing more is begun."""
        self._cancelled = True
        if self._current is not None:
            self._current.cancel()


class TurnTaking:
    """A family whose computing is done in turns; all else is the family's own."""

    def __init__(self, family: Family, lane: Lane, steps: Steps) -> None:
        self._family, self._lane, self._steps = family, lane, steps

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._family, name)
        return partial(self._in_turn, value) if name in COMPUTING else value

    def _in_turn(self, work: Callable[..., Any], *arguments: Any) -> Any:
        return self._steps.wait(self._lane.call(self._steps.ticket, partial(work, *arguments)))
