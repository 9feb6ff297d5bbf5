"""OpenAI's routes for text: chat completions about pictures, and the list of models.

https://platform.openai.com/docs/api-reference/chat. Pictures come as data: URLs; nothing is fetched. Answers are the
likeliest ones, so `temperature` and the like are taken and change nothing.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from secrets import token_hex
from typing import Any

from fastapi import APIRouter, Request
from pydantic_core import to_json
from starlette.responses import Response, StreamingResponse

from ..answering import conversation_from_openai
from ..answering.rows import answer_row
from ..errors import SeesayError, UsageError
from ..types import Answer, Conversation
from .call import Call, Queued, StrictRoute, service_of
from .limits import MAX_NEW_TOKENS
from .replies import of_error
from .schemas import ChatRequest, Completion, ModelCard, ModelList
from .service import with_pictures

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["openai"])
STARTED = int(time.time())


@router.get("/models", summary="What is served: a model, a voice, a Whisper")
async def list_models(request: Request) -> ModelList:
    return ModelList(data=list(map(_card, service_of(request).names)))


@router.get("/models/{name:path}", summary="One model")
async def get_model(request: Request, name: str) -> ModelCard:
    service = service_of(request)
    if name not in service.names:
        service.require(name)
    return _card(name)


@router.post("/chat/completions", summary="The next answer of a conversation about pictures", response_model=Completion)
async def complete(call: Queued, body: ChatRequest) -> Response | Completion:
    call.service.require(body.model)
    if body.max_tokens and body.max_completion_tokens and body.max_tokens != body.max_completion_tokens:
        raise UsageError("two limits that differ", where="max_tokens", hint="leave out max_tokens, the older name")
    reply = _Reply(call, body)
    if body.stream:
        # What is wrong with a request is told by its status, so the first piece is waited for.
        pieces = reply.pieces()
        first = await anext(pieces)
        return StreamingResponse(reply.events(first, pieces), media_type="text/event-stream")
    async with aclosing(reply.pieces()) as pieces:
        async for _ in pieces:
            pass
    return reply.whole()


class _Reply:
    """One completion, and what its pieces have in common."""

    def __init__(self, call: Call, body: ChatRequest) -> None:
        self._call, self._body = call, body
        self._id, self._created = f"chatcmpl-{token_hex(12)}", int(time.time())
        self._answer: Answer | None = None
        self._conversation = _conversation(body)

    async def pieces(self) -> AsyncGenerator[str, None]:
        """The words of the answer as they come; at least one piece, which may be empty."""
        body, service = self._body, self._call.service
        stop = [body.stop] if isinstance(body.stop, str) else body.stop or []
        limit = body.max_completion_tokens or body.max_tokens or MAX_NEW_TOKENS
        async with opened(self._call, self._conversation) as conversation:
            chat = service.chat(self._call.ticket, conversation, max_new_tokens=limit, stop=stop)
            async with aclosing(chat) as items:
                async for item in items:
                    if isinstance(item, str):
                        yield item
                    else:
                        self._answer = item
        yield words_withheld(self.answer)
        service.metrics.wrote(self._usage["completion_tokens"])

    async def events(self, first: str, pieces: AsyncGenerator[str, None]) -> AsyncGenerator[bytes, None]:
        """Server-sent events, as OpenAI's clients read them."""
        try:
            yield self._event({"role": "assistant", "content": first})
            async with aclosing(pieces):
                async for piece in pieces:
                    if piece:
                        yield self._event({"content": piece})
            yield self._event({}, finish=finish_of(self.answer), seesay=row_of(self.answer))
            if self._body.stream_options and self._body.stream_options.include_usage:
                yield _event({**self._head, "choices": [], "usage": self._usage})
            yield b"data: [DONE]\n\n"
        except SeesayError as error:  # the status has been sent: the error is an event
            yield b"data: " + bytes(of_error("/v1/chat/completions", error).body) + b"\n\n"

    def whole(self) -> Completion:
        choice = {"message": {"content": text_of(self.answer)}, "finish_reason": finish_of(self.answer)}
        row = {**self._head, "object": "chat.completion", "choices": [choice], "usage": self._usage}
        return Completion.model_validate({**row, "seesay": row_of(self.answer)})

    @property
    def answer(self) -> Answer:
        assert self._answer is not None
        return self._answer

    @property
    def _head(self) -> dict[str, Any]:
        head = {"id": self._id, "object": "chat.completion.chunk", "created": self._created}
        return head | {"model": self._call.service.name}

    @property
    def _usage(self) -> dict[str, int]:
        service = self._call.service
        asked = sum(service.tokens(message.text) for message in self._conversation.messages)
        wrote = service.tokens(text_of(self.answer))
        return {"prompt_tokens": asked, "completion_tokens": wrote, "total_tokens": asked + wrote}

    def _event(self, delta: dict[str, Any], *, finish: str | None = None, seesay: Any = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        extra = {"seesay": seesay} if seesay else {}
        return _event({**self._head, "choices": [choice], **extra})


@asynccontextmanager
async def opened(call: Call, conversation: Conversation) -> AsyncIterator[Conversation]:
    """The conversation with its pictures decoded, while inside."""
    async with call.service.opened([str(source) for source in conversation.images]) as pictures:
        yield with_pictures(conversation, pictures)


def text_of(answer: Answer) -> str:
    """What is said where only words can be."""
    return (answer.text or "") + words_withheld(answer)


def words_withheld(answer: Answer) -> str:
    """What is said in place of an answer, where none is given."""
    return f"I cannot tell: {answer.reason}." if answer.text is None else ""


def finish_of(answer: Answer) -> str:
    return "stop" if answer.finish == "stop" else "length"


def row_of(answer: Answer) -> dict[str, Any]:
    """What an answer has beside its words."""
    row = answer_row("", "", answer)
    return {name: row[name] for name in row if name not in ("picture", "question")}


def _conversation(body: ChatRequest) -> Conversation:
    messages = [message.model_dump(exclude_none=True) for message in body.messages]
    for message in messages:
        message["role"] = "system" if message["role"] == "developer" else message["role"]
    return conversation_from_openai(messages)


def _card(name: str) -> ModelCard:
    return ModelCard(id=name, created=STARTED, owned_by="seesay")


def _event(row: dict[str, Any]) -> bytes:
    return b"data: " + to_json(row) + b"\n\n"
