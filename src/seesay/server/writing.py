"""The next answer of a conversation, written for whichever protocol asked: its pieces as they come, then the answer and what it
took. It knows no protocol."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from ..answering.rows import answer_row
from ..types import Answer, Conversation
from .call import Call
from .limits import MAX_NEW_TOKENS
from .service import with_pictures


class Writing:
    """One answer, of a model that writes or of one that only chooses."""

    def __init__(
        self,
        call: Call,
        conversation: Conversation,
        *,
        max_new_tokens: int | None = None,
        stop: str | Sequence[str] | None = None,
    ) -> None:
        self._call, self._conversation = call, conversation
        self._limit = max_new_tokens or MAX_NEW_TOKENS
        self._stop = [stop] if isinstance(stop, str) else stop or ()
        self._answer: Answer | None = None

    async def pieces(self) -> AsyncGenerator[str, None]:
        """The words of the answer as they come; at least one piece, which may be empty. Leaving it ends the work at a token.

        Raises:
            ImageError, InputError, TextError, ModelError: the conversation cannot be answered.
        """
        service = self._call.service
        asked = self._conversation.messages[-1].text if self._conversation.messages else ""
        fits = service.model.fits(asked)
        async with service.opened([str(source) for source in self._conversation.images], fits=fits) as pictures:
            shown = with_pictures(self._conversation, pictures)
            chat = service.chat(self._call.ticket, shown, max_new_tokens=self._limit, stop=self._stop)
            async with aclosing(chat) as items:
                async for item in items:
                    if isinstance(item, str):
                        yield item
                    else:
                        self._answer = item
        yield _words_withheld(self.answer)
        service.metrics.wrote(self.tokens_written)

    async def begun(self) -> AsyncGenerator[str, None]:
        """The pieces, once the first has come: what is wrong with a request is told by its status."""
        pieces = self.pieces()
        first = await anext(pieces)

        async def all_of_them() -> AsyncGenerator[str, None]:
            yield first
            async with aclosing(pieces):
                async for piece in pieces:
                    if piece:
                        yield piece

        return all_of_them()

    async def whole(self) -> None:
        """Write it to its end."""
        async with aclosing(self.pieces()) as pieces:
            async for _ in pieces:
                pass

    @property
    def answer(self) -> Answer:
        """It, once all pieces have come."""
        assert self._answer is not None
        return self._answer

    @property
    def text(self) -> str:
        """What is said where only words can be."""
        return (self.answer.text or "") + _words_withheld(self.answer)

    @property
    def complete(self) -> bool:
        """Whether it came to its end, rather than to a limit."""
        return self.answer.finish == "stop"

    @property
    def finish(self) -> str:
        """How it ended, as OpenAI's chat completions and Ollama say it."""
        return "stop" if self.complete else "length"

    @property
    def row(self) -> dict[str, Any]:
        """What the answer has beside its words."""
        row = answer_row("", "", self.answer)
        return {name: row[name] for name in row if name not in ("picture", "question")}

    @property
    def tokens_asked(self) -> int:
        """Of the words; pictures are not counted."""
        return sum(self._call.service.tokens(message.text) for message in self._conversation.messages)

    @property
    def tokens_written(self) -> int:
        return self._call.service.tokens(self.text)


def _words_withheld(answer: Answer) -> str:
    """What is said in place of an answer, where none is given."""
    return f"I cannot tell: {answer.reason}." if answer.text is None else ""
