"""The plain routes: pictures as they are chosen in a form, answers as the command line's --json has them."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Literal

import numpy
from fastapi import APIRouter, File, Form, UploadFile
from starlette.responses import JSONResponse, Response

from .. import api, speech
from ..answering.rows import answer_row, caption_row, reading_row
from ..errors import UsageError
from ..media import Scaling
from ..media.source import printable
from ..types import Example, Picture, Speech
from .call import Call, Queued, StrictRoute
from .limits import PICTURES, QUESTIONS
from .schemas.plain import Answers, Captions, EvidenceRow, Readings, Spoken

router = APIRouter(route_class=StrictRoute, tags=["plain"])

Pictures = Annotated[list[UploadFile], File(description=f"One to {PICTURES} pictures.")]
OnePicture = Annotated[UploadFile, File(description="A picture.")]


@router.post("/ask", summary="Questions about pictures, every one about every picture")
async def ask(
    call: Queued,
    picture: Pictures,
    question: Annotated[list[str], Form(description=f"One to {QUESTIONS} questions.")],
    top_k: Annotated[int, Form(ge=1, le=100, description="How many alternatives, best first.")] = 1,
    choices: Annotated[str, Form(description="Answer with one of these, separated by commas.")] = "",
    risk: Annotated[float | None, Form(ge=0, le=1, description="Withhold answers that are wrong more often.")] = None,
) -> Answers:
    asked = [api.clean_question(one) for one in question]
    if len(asked) * len(picture) > QUESTIONS:
        found = f"{len(picture)} pictures and {len(asked)} questions"
        raise UsageError(f"{found}; the limit is {QUESTIONS} answers in one request", where="question")
    offered = choices.split(",") if choices else ()
    model = call.service.model
    sizes = {text: model.family.fits if offered else model.fits(text) for text in asked}
    async with _opened(call, picture, sizes.values()) as (opened, names):
        examples = [Example((opened[sizes[text]][place],), text) for place in range(len(names)) for text in asked]
        answers = await call.service.answer(call.ticket, examples, top_k=top_k, risk=risk, choices=offered)
    where = [(name, text) for name in names for text in asked]
    rows = [answer_row(name, text, given) for (name, text), given in zip(where, answers, strict=True)]
    return Answers.model_validate({"answers": rows})


@router.post("/caption", summary="Pictures described, a sentence each")
async def caption(call: Queued, picture: Pictures) -> Captions:
    fits = call.service.model.fits()
    async with _opened(call, picture, [fits]) as (opened, names):
        given = await call.service.caption(call.ticket, opened[fits])
    return Captions.model_validate({"captions": list(map(caption_row, names, given))})


@router.post("/read", summary="The text in pictures, line by line in reading order")
async def read(
    call: Queued, picture: Pictures, min_confidence: Annotated[float | None, Form(ge=0, le=1)] = None
) -> Readings:
    async with _opened(call, picture, [None]) as (opened, names):
        given = await call.service.read(call.ticket, opened[None], min_confidence)
    return Readings.model_validate({"readings": list(map(reading_row, names, given))})


@router.post(
    "/evidence",
    summary="Which parts of a picture an answer hangs on",
    response_model=None,
    responses={200: {"content": {"image/png": {}, "application/json": {"schema": EvidenceRow.model_json_schema()}}}},
)
async def evidence(
    call: Queued,
    picture: OnePicture,
    question: Annotated[str, Form()],
    answer: Annotated[str, Form(description="The answer looked into; the model's own where none is given.")] = "",
    kind: Annotated[
        Literal["png", "json"], Form(alias="format", description="`json` has the figures and the PNG within.")
    ] = "png",
) -> Response:
    asked = api.clean_question(question)
    wanted = api.clean_question(answer, "answer") if answer else ""
    async with _opened(call, [picture], [None]) as (pictures, _):
        (opened,) = pictures[None]
        found, _ = await call.service.evidence(call.ticket, opened, asked, wanted)
        drawn = await call.service.draw(opened, asked, found, words=kind == "png")
    if kind == "png":
        return Response(drawn, media_type="image/png", headers={"Seesay-Trusted": "yes" if found.trusted else "no"})
    row = EvidenceRow(
        image=f"data:image/png;base64,{b64encode(drawn).decode()}",
        question=asked,
        answer=found.answer,
        score=found.score,
        trusted=found.trusted,
        deletion=found.deletion,
        insertion=found.insertion,
        chance=found.chance,
    )
    return JSONResponse(row.model_dump())


@router.post(
    "/speak",
    summary="A text spoken",
    response_model=None,
    responses={200: {"content": {"audio/wav": {}, "application/json": {"schema": Spoken.model_json_schema()}}}},
)
async def speak(
    call: Queued,
    text: Annotated[str, Form()],
    speed: Annotated[float, Form(ge=0.5, le=2)] = 1.0,
    kind: Annotated[
        Literal["wav", "flac", "ogg", "json"],
        Form(alias="format", description="`json` has the times of the sentences."),
    ] = "wav",
) -> Response:
    encode = speech.encoder(Path(f"speech.{'wav' if kind == 'json' else kind}"))
    spoken = await whole(call, text, speed)
    encoded = await asyncio.to_thread(encode, spoken)
    if kind != "json":
        return Response(encoded, media_type=f"audio/{kind}")
    row = Spoken.model_validate(
        {
            "audio": f"data:audio/wav;base64,{b64encode(encoded).decode()}",
            "sample_rate": spoken.sample_rate,
            "seconds": spoken.seconds,
            "cues": [cue._asdict() for cue in spoken.cues],
            "omitted": spoken.omitted,
        }
    )
    return JSONResponse(row.model_dump())


async def whole(call: Call, text: str, speed: float = 1.0) -> Speech:
    """A text spoken to its end."""
    engine = call.service.voice(speed).engine
    said = [utterance async for utterance in call.service.speak(call.ticket, text, speed)]
    samples = numpy.concatenate([utterance.samples for utterance in said])
    cues = tuple(utterance.cue for utterance in said)
    return Speech(samples, engine.sample_rate, cues, speech.omitted(text, engine))


@asynccontextmanager
async def _opened(
    call: Call, files: list[UploadFile], sizes: Iterable[Scaling | None]
) -> AsyncIterator[tuple[dict[Scaling | None, list[Picture]], list[str]]]:
    """Uploaded pictures, decoded in these sizes, and their names."""
    names = [printable(file.filename or f"picture {place}") for place, file in enumerate(files, 1)]
    sources = [await file.read() for file in files[: PICTURES + 1]]
    if len(files) > PICTURES:
        raise UsageError(f"{len(files)} pictures; the limit is {PICTURES} in one request", where="picture")
    async with call.service.opened_for(sources, names, sizes) as pictures:
        yield pictures, names
