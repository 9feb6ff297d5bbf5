"""OpenAI's routes for sound: texts spoken, sentence by sentence as they are ready, and recordings written down."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy
from fastapi import APIRouter, File, Form, UploadFile
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from .. import speech
from ..errors import ModelNotFound, UsageError
from ..types import Utterance
from .call import Queued, StrictRoute
from .plain import whole
from .schemas.openai import SpeechRequest, Transcription, TranscriptUsage, VerboseTranscription

router = APIRouter(prefix="/v1/audio", route_class=StrictRoute, tags=["openai"])
KINDS = {"wav": "audio/wav", "pcm": "audio/pcm", "flac": "audio/flac", "mp3": "audio/mpeg"}
UNTOLD = 0xFFFFFFFF
"""The length of a WAV file whose end is not known yet."""


@router.post(
    "/speech",
    summary="A text spoken",
    response_model=None,
    responses={200: {"content": {kind: {} for kind in KINDS.values()}}},
)
async def speak(call: Queued, body: SpeechRequest) -> Response:
    if body.model != call.service.voice_name:
        known = call.service.voice_name or "none"
        raise ModelNotFound(f"no voice model {body.model!r} is served here", where="model", hint=f"it is {known!r}")
    if body.voice not in (call.service.voice_name, "default"):
        hint = f"it is {call.service.voice_name!r}, or 'default'"
        raise UsageError(f"no voice {body.voice!r}", where="voice", hint=hint)
    if body.response_format not in KINDS:
        hint = f"formats: {', '.join(KINDS)}"
        raise UsageError(f"{body.response_format!r} is not written here", where="response_format", hint=hint)
    kind = KINDS[body.response_format]
    if body.response_format in ("wav", "pcm"):
        sentences = call.service.speak(call.ticket, body.input, body.speed)
        # What is wrong with a text is told by the status, so its first sentence is waited for.
        first = await anext(sentences)
        return StreamingResponse(_samples(first, sentences, header=body.response_format == "wav"), media_type=kind)
    encode = speech.encoder(Path(f"speech.{body.response_format}"))
    spoken = await whole(call, body.input, body.speed)
    return Response(await asyncio.to_thread(encode, spoken), media_type=kind)


@router.post(
    "/transcriptions",
    summary="A recording written down, where a Whisper is loaded",
    response_model=None,
    responses={200: {"model": Transcription}},
)
async def transcribe(
    call: Queued,
    file: Annotated[UploadFile, File()],
    model: Annotated[str, Form()],
    response_format: Annotated[Literal["json", "text", "verbose_json"], Form()] = "json",
) -> Any:
    if call.service.listener_name and model != call.service.listener_name:
        hint = f"it is {call.service.listener_name!r}"
        raise ModelNotFound(f"no model {model!r} writes recordings down here", where="model", hint=hint)
    heard = await call.service.transcribe(call.ticket, await file.read())
    usage = TranscriptUsage(seconds=heard.seconds)
    match response_format:
        case "text":
            return PlainTextResponse(heard.text + "\n")
        case "verbose_json":
            return VerboseTranscription(
                text=heard.text, usage=usage, duration=heard.seconds, language=heard.language or "en"
            )
        case _:
            return Transcription(text=heard.text, usage=usage)


async def _samples(first: Utterance, rest: AsyncGenerator[Utterance, None], *, header: bool) -> AsyncIterator[bytes]:
    """Samples of 16 bits, a sentence at a time."""
    if header:
        yield _header(first.sample_rate)
    yield _pcm(first)
    async with aclosing(rest):
        async for utterance in rest:
            yield _pcm(utterance)


def _pcm(utterance: Utterance) -> bytes:
    return numpy.round(numpy.clip(utterance.samples, -1, 1) * 32767).astype("<i2").tobytes()


def _header(rate: int) -> bytes:
    """Of a WAV file with one channel of 16 bits, its length untold."""
    form = struct.pack("<HHIIHH", 1, 1, rate, 2 * rate, 2, 16)
    return (
        b"RIFF"
        + struct.pack("<I", UNTOLD)
        + b"WAVEfmt "
        + struct.pack("<I", 16)
        + form
        + b"data"
        + struct.pack("<I", UNTOLD)
    )
