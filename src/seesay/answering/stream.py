"""An answer while it is written: pieces of text as they come, and the whole `Answer` at the end.

    with stream(family, conversation) as pieces:
        for piece in pieces:
            print(piece, end="", flush=True)
        answer = pieces.answer()

The model works in a thread of its own, and its reader waits for nothing but the next piece: an error reaches it at once and
as itself, and closing the stream ends the work at the next token. A piece is never taken back, so what could still change is
held: half a character, white space, and what may be the beginning of a stop string.

It knows no architecture; `Family.write` tells it what has been written so far.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from queue import SimpleQueue
from types import TracebackType
from typing import Self, TypedDict

from ..errors import Interrupted, UsageError
from ..models import Batch, Family
from ..types import Answer, Candidate, Example, Finish
from .answer import assemble

HALF = "\ufffd"
"""What a tokenizer makes of a character whose bytes have not all come."""
STOPPED = "the answer was stopped before it was complete"
MAX_NEW_TOKENS = 128
DEADLINE = 120.0

Put = Callable[[str], None]


class Limits(TypedDict, total=False):
    """Where an answer ends, if it does not end by itself."""

    max_new_tokens: int
    """Tokens, 1 to 1,024; 128 where nothing else is said."""
    stop: Sequence[str]
    """Texts that end the answer and are not part of it."""
    deadline: float
    """Seconds; 120 where nothing else is said."""


class AnswerStream(Iterator[str]):
    """The pieces of one answer, in order. Joined they are the answer's text, exactly.

    A context manager; leaving it, `close` and letting it go all end the work within a token.
    """

    def __init__(self, work: Callable[[Put, threading.Event], Answer]) -> None:
        """
        Args:
            work: makes the answer in a thread, hands every piece to its first argument and stops soon after its second
                is set.
        """
        self._mail: SimpleQueue[str | Answer | BaseException] = SimpleQueue()
        self._closed = threading.Event()
        self._end: Answer | BaseException | None = None
        self._thread = threading.Thread(
            target=_work, args=(work, self._mail, self._closed), name="seesay-stream", daemon=True
        )
        self._thread.start()
        weakref.finalize(self, _stop, self._closed, self._thread)

    def __next__(self) -> str:
        """
        Raises:
            Exception: whatever the work failed with, as soon as it has.
        """
        if self._end is None and not self._closed.is_set():
            item = self._mail.get()
            if isinstance(item, str):
                return item
            self._end = item
            self._thread.join()
        if isinstance(self._end, BaseException):
            raise self._end
        raise StopIteration

    def answer(self) -> Answer:
        """The whole answer, waited for.

        Raises:
            Interrupted: the stream was closed before the answer was complete.
        """
        for _ in self:
            pass
        if not isinstance(self._end, Answer):
            raise Interrupted(STOPPED)
        return self._end

    def cancel(self) -> None:
        """Stop the work within a token, without waiting for it; `answer` then raises Interrupted. From any thread."""
        self._closed.set()

    def close(self) -> None:
        """Stop the work, within a token, and wait until it has stopped."""
        _stop(self._closed, self._thread)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def stream(
    family: Family,
    example: Example,
    prepare: Callable[[], Batch],
    *,
    max_new_tokens: int = MAX_NEW_TOKENS,
    stop: Sequence[str] = (),
    deadline: float = DEADLINE,
) -> AnswerStream:
    """The answer of a family that writes token by token, greedily.

    Args:
        example: what the answer belongs to.
        prepare: makes the batch of one row; called in the stream's thread.
        max_new_tokens: where to stop.
        stop: texts that end the answer and are not part of it.
        deadline: seconds after which to stop.

    Raises:
        UsageError: an empty stop string.
    """
    if not all(stop):
        raise UsageError("a stop string is empty", where="stop", hint="leave it out")

    def work(put: Put, closed: threading.Event) -> Answer:
        started = time.monotonic()
        pieces = Pieces(stop, put)
        late = False

        def hear(text: str) -> bool:
            nonlocal late
            late = time.monotonic() - started > deadline
            return not (pieces.grow(text) or late or closed.is_set())

        batch = prepare()
        written, complete = family.write(batch, max_new_tokens, hear)
        pieces.finish()
        given = Candidate(pieces.text, written.score)
        (answer,) = assemble(family, [example], batch, [(given,)], time.monotonic() - started)
        finish: Finish = "stop" if complete or pieces.stopped else "deadline" if late else "length"
        return replace(answer, finish=finish)

    return AnswerStream(work)


def whole(make: Callable[[], Answer]) -> AnswerStream:
    """The answer of anything else, in one piece; none where there is no answer."""

    def work(put: Put, closed: threading.Event) -> Answer:
        answer = make()
        if answer.text:
            put(answer.text)
        return answer

    return AnswerStream(work)


class Pieces:
    """Cuts a text that grows into pieces that stay as they are. White space around the text is left out."""

    def __init__(self, stops: Sequence[str], put: Put) -> None:
        self.text = ""
        """What was put so far."""
        self.stopped = False
        """Whether a stop string was found."""
        self._stops, self._put, self._all = tuple(stops), put, ""

    def grow(self, text: str) -> bool:
        """Take note of the text as it is now, and put what is certain; whether a stop string was found."""
        if not self.stopped:
            found = [place for place in (text.find(stop) for stop in self._stops) if place >= 0]
            self.stopped = bool(found)
            self._all = text[: min(found)] if found else text
            self._put_up_to(self._all if found else self._certain(text))
        return self.stopped

    def finish(self) -> None:
        """Put what was held: there will be no more. Half a character stays out."""
        self._put_up_to(self._all.rstrip(HALF))

    def _certain(self, text: str) -> str:
        text = text.rstrip(HALF)
        held = max(
            (length for stop in self._stops for length in range(1, len(stop)) if text.endswith(stop[:length])),
            default=0,
        )
        return text[: len(text) - held]

    def _put_up_to(self, text: str) -> None:
        text = text.strip()
        # What a tokenizer takes back after all is not put twice.
        if len(text) > len(self.text) and text.startswith(self.text):
            piece, self.text = text[len(self.text) :], text
            self._put(piece)


def _work(
    work: Callable[[Put, threading.Event], Answer],
    mail: SimpleQueue[str | Answer | BaseException],
    closed: threading.Event,
) -> None:
    try:
        answer = work(mail.put, closed)
        mail.put(Interrupted(STOPPED) if closed.is_set() else answer)
    except BaseException as error:  # the reader's to handle, whatever it is
        mail.put(error)


def _stop(closed: threading.Event, thread: threading.Thread) -> None:
    closed.set()
    if thread is not threading.current_thread():
        thread.join()
