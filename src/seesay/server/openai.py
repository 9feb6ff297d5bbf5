"""OpenAI's routes for text: chat completions about pictures, and the list of models.

https://platform.openai.com/docs/api-reference/chat. Pictures come as data: URLs; nothing is fetched. Answers are the
likeliest ones, so `temperature` and the like are taken and change nothing.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from secrets import token_hex
from typing import Any

from fastapi import APIRouter, Request
from pydantic_core import to_json
from starlette.responses import Response, StreamingResponse

from ..answering import conversation_from_openai
from ..errors import SeesayError, UsageError
from ..types import Conversation
from .call import Call, Queued, StrictRoute, service_of
from .replies import of_error
from .schemas.openai import ChatRequest, Completion, ModelCard, ModelList
from .writing import Writing

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
        return StreamingResponse(reply.events(await reply.writing.begun()), media_type="text/event-stream")
    await reply.writing.whole()
    return reply.whole()


class _Reply:
    """One completion, and what its pieces have in common."""

    def __init__(self, call: Call, body: ChatRequest) -> None:
        limit = body.max_completion_tokens or body.max_tokens
        self.writing = Writing(call, _conversation(body), max_new_tokens=limit, stop=body.stop)
        self._usage_wanted = bool(body.stream_options and body.stream_options.include_usage)
        self._head = {
            "id": f"chatcmpl-{token_hex(12)}",
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": call.service.name,
        }

    async def events(self, pieces: AsyncGenerator[str, None]) -> AsyncGenerator[bytes, None]:
        """Server-sent events, as OpenAI's clients read them."""
        role = {"role": "assistant"}
        try:
            async with aclosing(pieces):
                async for piece in pieces:
                    yield self._event({**role, "content": piece})
                    role = {}
            yield self._event({}, finish=self.writing.finish, seesay=self.writing.row)
            if self._usage_wanted:
                yield _event({**self._head, "choices": [], "usage": self._usage})
            yield b"data: [DONE]\n\n"
        except SeesayError as error:  # the status has been sent: the error is an event
            yield b"data: " + bytes(of_error("/v1/chat/completions", error).body) + b"\n\n"

    def whole(self) -> Completion:
        choice = {"message": {"content": self.writing.text}, "finish_reason": self.writing.finish}
        row = {**self._head, "object": "chat.completion", "choices": [choice], "usage": self._usage}
        return Completion.model_validate({**row, "seesay": self.writing.row})

    @property
    def _usage(self) -> dict[str, int]:
        asked, wrote = self.writing.tokens_asked, self.writing.tokens_written
        return {"prompt_tokens": asked, "completion_tokens": wrote, "total_tokens": asked + wrote}

    def _event(self, delta: dict[str, Any], *, finish: str | None = None, seesay: Any = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        extra = {"seesay": seesay} if seesay else {}
        return _event({**self._head, "choices": [choice], **extra})


def _conversation(body: ChatRequest) -> Conversation:
    messages = [message.model_dump(exclude_none=True) for message in body.messages]
    for message in messages:
        message["role"] = "system" if message["role"] == "developer" else message["role"]
    return conversation_from_openai(messages)


def _card(name: str) -> ModelCard:
    return ModelCard(id=name, created=STARTED, owned_by="seesay")


def _event(row: dict[str, Any]) -> bytes:
    return b"data: " + to_json(row) + b"\n\n"
