"""From pictures and questions to rows on this machine: read and decoded ahead in threads, computed in batches, given out in the
order of the input, in bounded memory.

It knows nothing about models: what computes is a function from examples to answers, one for each thread that computes, and
says how much of a picture it needs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from queue import SimpleQueue
from typing import NamedTuple, TypeAlias

from ..errors import ImageError, InputError
from ..media import Scaling
from ..media.ahead import BYTES_TOGETHER, Read, cores, open_read, read_picture
from ..types import Answer, Example, Picture, Reading
from .rows import Job, Row
from .source import Asked, Group, Item

Ask: TypeAlias = Callable[[Sequence[Example]], Sequence[Answer | Reading]]
Fits: TypeAlias = Callable[[str], Scaling | None]

BYTES_AHEAD = 2 * BYTES_TOGETHER
"""Bytes of pictures that are decoded, or being decoded, at any time."""
BATCHES_AHEAD = 8
"""Batches decoded ahead at most; more of small pictures would not be quicker."""


def _whole(question: str) -> Scaling | None:
    return None


@dataclass(frozen=True, slots=True)
class Compute:
    """What computes, in one thread."""

    answer: Ask
    """One answer or reading for each example, in their order. Raises an InputError where one of them cannot be used."""
    fits: Fits = _whole
    """To what it scales a picture that is asked this question, for `media.open_image`; None where it needs all of it. The same
    of all that compute one job."""


class Done(NamedTuple):
    """What came of a part of the input."""

    rows: list[Row]
    """Some of them may be in the output."""
    there: int
    """Rows of this part that are in the output and were not computed."""


@dataclass(slots=True)
class _Batch:
    """Pictures that are computed together."""

    entries: list[tuple[Item, Read]] = field(default_factory=list)
    bytes: int = 0
    there: int = 0
    opened: list[dict[Scaling | None, Future[Picture | ImageError]]] = field(default_factory=list)
    """Of each entry the picture in all the sizes that are wanted."""


def computed(
    groups: Iterable[Group], job: Job, computes: Sequence[Compute], there: Collection[bytes], *, size: int
) -> Generator[Done, None, None]:
    """The rows of `groups`, in their order.

    Args:
        computes: one for each thread that computes; a single one runs in the caller's thread.
        there: keys of the rows that the output has, looked into while it grows. A batch all of whose rows are there is
            skipped; of others all rows are computed, so that a row's neighbors, and with them the last bits of its score,
            are the same in every run.
        size: questions given to a `Compute` at once.
    """
    fits = computes[0].fits
    eyes = ThreadPoolExecutor(cores(), "seesay-look")
    hands = ThreadPoolExecutor(len(computes), "seesay-compute") if len(computes) > 1 else None
    free: SimpleQueue[Compute] = SimpleQueue()
    for compute in computes:
        free.put(compute)

    def work(batch: _Batch) -> Done:
        compute = free.get()
        try:
            return _compute(batch, compute.answer, fits, job, size)
        finally:
            free.put(compute)

    try:
        batches = _batches(eyes, groups, job, there, fits)
        queue: deque[tuple[_Batch, Callable[[], Done]]] = deque()
        held = 0
        while True:
            while not queue or (held < BYTES_AHEAD and len(queue) < BATCHES_AHEAD):
                batch = next(batches, None)
                if batch is None:
                    break
                batch.opened = [
                    {size: eyes.submit(open_read, read, size) for size in _sizes(item, fits)}
                    for item, read in batch.entries
                ]
                queue.append((batch, hands.submit(work, batch).result if hands else partial(work, batch)))
                held += batch.bytes
            if not queue:
                return
            batch, result = queue.popleft()
            yield result()
            held -= batch.bytes
    finally:
        for pool in filter(None, (eyes, hands)):
            pool.shutdown(wait=False, cancel_futures=True)


def _batches(
    eyes: ThreadPoolExecutor,
    groups: Iterable[Group],
    job: Job,
    there: Collection[bytes],
    fits: Fits,
) -> Iterator[_Batch]:
    """The groups, read from disk one group ahead, cut where their pictures are large, without what need not be decoded."""
    ahead: deque[tuple[Group, list[Future[Read]]]] = deque()
    source = iter(groups)
    while True:
        while len(ahead) < 2 and (group := next(source, None)) is not None:
            known = all(asked.id and job.key(item, asked, "") in there for item in group.items for asked in item.asked)
            ahead.append((group, [] if known else [eyes.submit(_read, item, fits) for item in group.items]))
        if not ahead:
            return
        group, reads = ahead.popleft()
        if reads:
            yield from _cut(zip(group.items, [read.result() for read in reads], strict=True), job, there)
        else:
            yield _Batch(there=sum(len(item.asked) for item in group.items))


def _cut(entries: Iterable[tuple[Item, Read]], job: Job, there: Collection[bytes]) -> Iterator[_Batch]:
    batch = _Batch()
    for item, read in entries:
        if batch.entries and batch.bytes + read.bytes > BYTES_TOGETHER:
            yield _without_needless(batch, job, there)
            batch = _Batch()
        batch.entries.append((item, read))
        batch.bytes += read.bytes
    yield _without_needless(batch, job, there)


def _without_needless(batch: _Batch, job: Job, there: Collection[bytes]) -> _Batch:
    keys = [job.key(item, asked, read.sha256) for item, read in batch.entries for asked in item.asked]
    return _Batch(there=len(keys)) if all(key in there for key in keys) else batch


def _sizes(item: Item, fits: Fits) -> list[Scaling | None]:
    """What its questions want of the picture: mostly one thing, but a question for text wants all of it."""
    return list(dict.fromkeys(fits(asked.question) for asked in item.asked))


def _read(item: Item, fits: Fits) -> Read:
    if not item.source:
        return Read(b"", "", 0, error=ImageError(item.asked[0].error))
    return read_picture(item.source, _sizes(item, fits))


def _compute(batch: _Batch, answer: Ask, fits: Fits, job: Job, size: int) -> Done:
    asked: list[tuple[Item, Asked, str]] = []
    given: list[Answer | Reading | str | None] = []
    examples: list[Example] = []
    for (item, read), opened in zip(batch.entries, batch.opened, strict=True):
        for one in item.asked:
            picture = opened[fits(one.question)].result()
            asked.append((item, one, read.sha256))
            error = picture.message if isinstance(picture, ImageError) else one.error
            given.append(error or None)
            if not error and isinstance(picture, Picture):
                examples.append(Example((picture,), one.question, id=one.id))
    parts = (examples[start : start + size] for start in range(0, len(examples), size))
    found = iter([one for part in parts for one in _each(answer, part)])
    rows = [job.row(*what, next(found) if came is None else came) for what, came in zip(asked, given, strict=True)]
    batch.opened.clear()  # the pixels are not needed any more
    return Done(rows, batch.there)


def _each(answer: Ask, examples: Sequence[Example]) -> Sequence[Answer | Reading | str]:
    """What computes refuses a batch for one bad question in it; then each is asked alone."""
    try:
        return answer(examples)
    except InputError as error:
        if len(examples) == 1:
            return [error.message]
    return [one for example in examples for one in _each(answer, [example])]
