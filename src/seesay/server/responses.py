"""OpenAI's responses: one answer about texts and pictures, whole or as typed events.

https://platform.openai.com/docs/api-reference/responses. Nothing is kept: what was said before comes with the request. Pictures
come as data: URLs; nothing is fetched. What writes is the same as in chat completions.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from secrets import token_hex
from typing import Any

from fastapi import APIRouter
from pydantic_core import to_json
from starlette.responses import Response, StreamingResponse

from ..errors import SeesayError
from ..types import Conversation, ImagePart, Message, Part, TextPart
from .call import Call, Queued, StrictRoute, data_url
from .replies import public_message
from .schemas.responses import (
    GivenMessage,
    GivenText,
    Incomplete,
    InputImage,
    InputText,
    OutputText,
    ResponseError,
    ResponseMessage,
    ResponseReply,
    ResponseRequest,
    TokenUsage,
)
from .writing import Writing

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["openai"])


@router.post("/responses", summary="An answer about texts and pictures", response_model=ResponseReply)
async def respond(call: Queued, body: ResponseRequest) -> Response | ResponseReply:
    call.service.require(body.model)
    reply = _Reply(call, body)
    if body.stream:
        return StreamingResponse(reply.events(await reply.writing.begun()), media_type="text/event-stream")
    await reply.writing.whole()
    return reply.ended()


class _Reply:
    """One response: as it begins, its events, and as it ends."""

    def __init__(self, call: Call, body: ResponseRequest) -> None:
        self.writing = Writing(call, _conversation(body), max_new_tokens=body.max_output_tokens)
        self._item = f"msg_{token_hex(12)}"
        self._sent = 0
        self._begun = ResponseReply(
            id=f"resp_{token_hex(12)}",
            created_at=int(time.time()),
            status="in_progress",
            model=call.service.name,
            instructions=body.instructions,
            max_output_tokens=body.max_output_tokens,
            metadata=body.metadata or {},
            temperature=body.temperature,
            top_p=body.top_p,
        )

    def ended(self) -> ResponseReply:
        asked, wrote = self.writing.tokens_asked, self.writing.tokens_written
        return self._begun.model_copy(
            update={
                "status": self._message.status,
                "incomplete_details": None if self.writing.complete else Incomplete(),
                "output": [self._message],
                "usage": TokenUsage(input_tokens=asked, output_tokens=wrote, total_tokens=asked + wrote),
                "seesay": self.writing.row,
            }
        )

    async def events(self, pieces: AsyncGenerator[str, None]) -> AsyncGenerator[bytes, None]:
        """Server-sent events in the order that OpenAI's clients expect."""
        item = {"item_id": self._item, "output_index": 0, "content_index": 0}
        empty = GivenMessage(id=self._item, status="in_progress", content=[])
        yield self._event("response.created", response=self._begun)
        yield self._event("response.in_progress", response=self._begun)
        yield self._event("response.output_item.added", output_index=0, item=empty)
        yield self._event("response.content_part.added", **item, part=GivenText(text=""))
        try:
            async with aclosing(pieces):
                async for piece in pieces:
                    if piece:
                        yield self._event("response.output_text.delta", **item, delta=piece, logprobs=[])
        except SeesayError as error:  # the status has been sent
            failed = {"status": "failed", "error": ResponseError(message=public_message(error))}
            yield self._event("response.failed", response=self._begun.model_copy(update=failed))
            return
        ended = self.ended()
        (message,) = ended.output
        (part,) = message.content
        yield self._event("response.output_text.done", **item, text=part.text, logprobs=[])
        yield self._event("response.content_part.done", **item, part=part)
        yield self._event("response.output_item.done", output_index=0, item=message)
        yield self._event(f"response.{ended.status}", response=ended)

    @property
    def _message(self) -> GivenMessage:
        content = [GivenText(text=self.writing.text)]
        return GivenMessage(
            id=self._item, status="completed" if self.writing.complete else "incomplete", content=content
        )

    def _event(self, kind: str, **fields: Any) -> bytes:
        row = {"type": kind, "sequence_number": self._sent, **fields}
        self._sent += 1
        return f"event: {kind}\ndata: ".encode() + to_json(row) + b"\n\n"


def _conversation(body: ResponseRequest) -> Conversation:
    """The turns; what instructs the model, however it was given, is one turn at the beginning."""
    if isinstance(body.input, str):
        turns = [Message("user", (TextPart(body.input),))]
    else:
        turns = [_message(message, f"input[{place}]") for place, message in enumerate(body.input)]
    system: tuple[Part, ...] = (TextPart(body.instructions),) if body.instructions else ()
    while turns and turns[0].role == "system":
        system += turns.pop(0).parts
    return Conversation((*((Message("system", system),) if system else ()), *turns))


def _message(message: ResponseMessage, where: str) -> Message:
    role = "system" if message.role == "developer" else message.role
    if isinstance(message.content, str):
        return Message(role, (TextPart(message.content),))
    return Message(role, tuple(_part(part, f"{where}.content[{n}]") for n, part in enumerate(message.content)))


def _part(part: InputText | InputImage | OutputText, where: str) -> Part:
    return ImagePart(data_url(part.image_url, where)) if isinstance(part, InputImage) else TextPart(part.text)
