"""An index of pictures, asked by several clients at once, and the pictures that it holds.

Each request opens the file for itself, in a thread of its own, so that an index that is brought up to date meanwhile is seen as
it is. The model is the one that is served, where that made the index. It knows no HTTP, and gives no path away.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TypeVar, cast

from .. import api, models
from ..errors import ImageError, ImageNotFound, InputError, ResourceError
from ..media import image_name
from ..media.source import DEFAULT_LIMITS, read_encoded
from ..search import Findings, Store
from ..settings import FindSettings, ServeSettings
from .batching import Lane
from .limits import Ticket
from .turns import Steps, TurnTaking

Result = TypeVar("Result")

AT_ONCE = 2
"""Searches at once; each holds the vectors of all pictures."""


class Finder:
    """Finds pictures in one index."""

    def __init__(self, settings: ServeSettings, path: Path, model: api.Model, lane: Lane) -> None:
        """
        Args:
            lane: where `model` computes. Where another model made the index, that one gets a lane of its own.

        Raises:
            InputError: there is no such index.
            ModelError, ModelNotFound: nothing was indexed, or the model that did it is not here or has other weights now.
        """
        self._path, self._family, self._lane = path, model.family, lane
        with closing(Store(path)) as store:
            shared = store.about.get("encoding") == model.family.encoding != ""
        self._own = None
        if not shared:
            self._family = api.Index.family_of(path, FindSettings(device=settings.device))
            self._own = self._lane = Lane("find", 1)
        # As many threads as searches: one that was given up counts until its thread has noticed.
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="seesay-find")

    def close(self) -> None:
        """Stop its threads, after what they are doing."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._own is not None:
            self._own.close()

    def __len__(self) -> int:
        """How many pictures of different content there are now."""
        try:
            with closing(Store(self._path)) as store:
                return len(store)
        except (InputError, ResourceError):
            return 0

    async def find(
        self, ticket: Ticket, question: str, *, precision: float | None, limit: int, captions: bool
    ) -> Findings:
        """As `api.Index.find`; whoever is cancelled here leaves nothing running.

        Raises:
            TextError, ModelError: as `api.Index.find`.
            Busy: the request was evicted from the queue.
            ResourceError: the index cannot be read any more.
        """
        steps = Steps(ticket)

        def work() -> Findings:
            family = cast("models.Family", TurnTaking(self._family, self._lane, steps))
            with api.Index.asked_by(self._path, family) as index:
                return index.find(question, precision=precision, limit=limit, captions=captions)

        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._readable, work)
        finally:
            steps.cancel()

    def read(self, digest: str) -> tuple[bytes, str]:
        """The bytes and the name of a picture, by the sha256 of its content. To be called from a thread.

        Raises:
            ImageNotFound: the index holds no such picture, or no file holds it any more.
        """

        def paths() -> list[str]:
            with closing(Store(self._path)) as store:
                picture = store.picture_of(digest)
                return [] if picture is None else store.paths_of([picture])[picture]

        for path in self._readable(paths):
            try:
                data = read_encoded(path, image_name(path), DEFAULT_LIMITS)
            except ImageError:
                continue
            # A file may have become another one since; only what was indexed is given out.
            if hashlib.sha256(data).hexdigest() == digest:
                return data, Path(path).name
        raise ImageNotFound("the index has no such picture, or it is no longer where it was", where="sha256")

    def _readable(self, work: Callable[[], Result]) -> Result:
        """`work`, without the path of the index in what is raised."""
        try:
            return work()
        except (InputError, ResourceError) as error:
            if error.where == str(self._path):
                raise ResourceError("the index cannot be read") from None
            raise
