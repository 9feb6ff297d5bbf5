"""Alternative texts for documents that clients send: suggested, and written by a person's decisions. Nothing is kept.

Documents are read in threads of their own, because a page can be slow to read; pictures are looked at and described in turns with
what others ask. It knows no HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from .. import api
from ..alttext.look import Look, look
from ..alttext.outcome import Outcome
from ..media import Scaling, open_image
from ..settings import AltSettings
from ..types import Answer, ImageSource, Picture
from .batching import Lane
from .limits import Ticket
from .turns import Steps

AT_ONCE = 2
"""Requests at once; each holds its documents and one decoded picture."""
PICTURES = 100
"""Most pictures looked at for one request: some 40 seconds."""

Caption = Callable[[Ticket, Sequence[Picture]], Coroutine[Any, Any, list[Answer]]]


class AltTexts:
    """Suggests and writes alternative texts."""

    def __init__(self, caption: Caption, reader: Lane, fits: Scaling | None) -> None:
        """
        Args:
            caption: describes pictures.
            reader: the lane in which texts in pictures are read.
            fits: to what pictures are scaled that are described.
        """
        self._caption, self._reader, self._fits = caption, reader, fits
        # As many threads as requests: one that was given up counts until its thread has noticed.
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="seesay-alt")

    def close(self) -> None:
        """Stop its threads, after what they are doing."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def suggest(self, ticket: Ticket, settings: AltSettings, files: Mapping[str, bytes]) -> Outcome:
        """As `api.suggest_alt`.

        Raises:
            InputError: the files cannot be used.
            ModelError: a picture needs a description, and the model cannot give any.
            Busy: the request was evicted from the queue.
        """
        steps = Steps(ticket)

        def see(source: ImageSource) -> Look:
            seen: Look = steps.wait(self._reader.call(ticket, partial(look, open_image(source))))
            return seen

        def describe(sources: Sequence[ImageSource]) -> Iterator[Answer]:
            for source in sources:
                yield from steps.wait(self._caption(ticket, [open_image(source, fits=self._fits)]))

        work = partial(api.suggest_alt, settings, files, describe, see, PICTURES)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            steps.cancel()

    async def decide(self, files: Mapping[str, bytes], decisions: bytes) -> tuple[Outcome, dict[str, bytes]]:
        """As `api.decide_alt`."""
        work = partial(api.decide_alt, files, decisions)
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def aside(self, work: Callable[[], Any]) -> Any:
        """The result of something else that belongs to a request, from the same threads."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
