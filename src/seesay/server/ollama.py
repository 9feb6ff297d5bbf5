"""Ollama's routes, so that programs made for it (screen reader add-ons among them) work unchanged.

https://docs.ollama.com/api. Answers come as lines of JSON (NDJSON). `options` other than `num_predict` and `stop`, and
`keep_alive`, are taken and change nothing: answers are the likeliest ones and the model stays.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request
from pydantic_core import to_json
from starlette.responses import JSONResponse, Response, StreamingResponse

from .. import __version__
from ..errors import SeesayError, UsageError
from ..types import Conversation, ImagePart, Message, TextPart
from .call import Call, Queued, StrictRoute, service_of
from .limits import MAX_NEW_TOKENS, MOST_NEW_TOKENS
from .replies import public_message
from .schemas.ollama import (
    OllamaChat,
    OllamaDetails,
    OllamaGenerate,
    OllamaMessage,
    OllamaModel,
    OllamaOptions,
    OllamaRequest,
    OllamaShow,
    OllamaShown,
    OllamaTags,
    OllamaVersion,
)
from .service import Service
from .writing import Writing

router = APIRouter(prefix="/api", route_class=StrictRoute, tags=["ollama"])
STARTED = datetime.now(UTC).isoformat()


@router.post("/chat", summary="The next message of a conversation", response_model=None)
async def chat(call: Queued, body: OllamaChat) -> Response:
    messages = tuple(map(_message, body.messages))
    return await _reply(
        call, body, Conversation(messages), lambda text: {"message": {"role": "assistant", "content": text}}
    )


@router.post("/generate", summary="An answer about pictures", response_model=None)
async def generate(call: Queued, body: OllamaGenerate) -> Response:
    system = (Message("system", (TextPart(body.system),)),) if body.system else ()
    asked = _message(OllamaMessage(role="user", content=body.prompt, images=body.images))
    return await _reply(call, body, Conversation((*system, asked)), lambda text: {"response": text})


@router.get("/tags", summary="The model that is served")
async def tags(request: Request) -> OllamaTags:
    return OllamaTags(models=[_model(service_of(request))])


@router.get("/ps", summary="The model that is loaded")
async def running(request: Request) -> OllamaTags:
    return OllamaTags(models=[_model(service_of(request))])


@router.get("/version", summary="The server's version")
async def version() -> OllamaVersion:
    return OllamaVersion(version=__version__)


@router.post("/show", summary="What the model is and can do")
async def show(request: Request, body: OllamaShow) -> OllamaShown:
    service = service_of(request)
    service.require(body.model)
    family = service.model.family
    return OllamaShown(
        modified_at=STARTED,
        details=_details(service),
        model_info={"general.architecture": family.name, "general.basename": service.name},
        capabilities=["completion", "vision"],
    )


async def _reply(
    call: Call, body: OllamaRequest, conversation: Conversation, shape: Callable[[str], dict[str, Any]]
) -> Response:
    call.service.require(body.model)
    began = time.perf_counter_ns()
    options = body.options or OllamaOptions()
    wanted = options.num_predict or MAX_NEW_TOKENS  # negative: as many as it takes
    limit = min(wanted, MOST_NEW_TOKENS) if wanted > 0 else MOST_NEW_TOKENS
    writing = Writing(call, conversation, max_new_tokens=limit, stop=options.stop)

    def row(text: str, done: bool) -> dict[str, Any]:
        head: dict[str, Any] = {"model": body.model, "created_at": datetime.now(UTC).isoformat(), **shape(text)}
        if not done:
            return {**head, "done": False}
        counts = {"prompt_eval_count": writing.tokens_asked, "eval_count": writing.tokens_written}
        total = time.perf_counter_ns() - began
        spent = {"total_duration": total, "load_duration": 0, "prompt_eval_duration": 0, "eval_duration": total}
        return {**head, "done": True, "done_reason": writing.finish, **spent, **counts}

    if not body.stream:
        await writing.whole()
        return JSONResponse(row(writing.text, True))
    pieces = await writing.begun()

    async def lines() -> AsyncGenerator[bytes, None]:
        try:
            async with aclosing(pieces):
                async for piece in pieces:
                    yield to_json(row(piece, False)) + b"\n"
            yield to_json(row("", True)) + b"\n"
        except SeesayError as error:  # the status has been sent
            yield to_json({"error": public_message(error)}) + b"\n"

    return StreamingResponse(lines(), media_type="application/x-ndjson")


def _message(message: OllamaMessage) -> Message:
    images = tuple(ImagePart(f"data:image/unknown;base64,{image}") for image in message.images or ())
    if not images and not message.content:
        raise UsageError("a message without content", where="messages")
    # A picture without words asks for a description.
    words = (TextPart(message.content),) if message.content else ()
    return Message(message.role, (*images, *words))


def _model(service: Service) -> OllamaModel:
    name = f"{service.name}:latest"
    digest = hashlib.sha256(f"{service.name} {service.model.family.checkpoint.revision}".encode()).hexdigest()
    return OllamaModel(name=name, model=name, modified_at=STARTED, size=0, digest=digest, details=_details(service))


def _details(service: Service) -> OllamaDetails:
    family = service.model.family
    return OllamaDetails(family=family.name, families=[family.name], quantization_level=family.placement.dtype)
