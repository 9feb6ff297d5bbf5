"""Pictures found in an index: which ones, and the pictures themselves by their content. Never a path of this machine."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Form
from fastapi import Path as InPath
from starlette.responses import Response

from .. import api
from ..answering import in_words
from ..errors import ModelNotFound
from ..media import probe_image
from ..media.source import printable
from ..media.thumbnail import thumbnail, within
from ..search import Findings
from ..types import Hit
from .call import Call, Queued, StrictRoute
from .finder import Finder
from .schemas.base import Given

router = APIRouter(route_class=StrictRoute, tags=["find"])

HITS, MOST_HITS = 50, 200
THUMBNAIL = 480
"""Pixels along the longer side; twice what the page shows, for dense screens."""
FOREVER = "private, max-age=31536000, immutable"
"""A picture is named by its content, which never changes."""

Digest = Annotated[str, InPath(pattern="^[0-9a-f]{64}$", description="The sha256 of its content, as /find gives it.")]
PICTURE: dict[int | str, dict[str, Any]] = {200: {"content": {"image/*": {}}}}


class HitRow(Given):
    name: str
    """Of a file that holds it, without its folder."""
    score: float
    """How likely it is right, 0 to 1; see `calibrated`."""
    certainty: str
    """In words; empty where scores were not measured."""
    caption: str
    """What it shows; empty where no description was wanted or can be had."""
    sha256: str
    copies: int
    """Further files with the same picture."""
    picture: str
    thumbnail: str
    """Addresses on this server."""


class Found(Given):
    question: str
    """As it was asked of each picture."""
    hits: list[HitRow]
    """Best first."""
    pictures: int
    """In the index."""
    asked: int
    """Those that the model was asked about."""
    threshold: float
    """The score from which on a picture was taken."""
    calibrated: bool
    """Whether scores say how often such pictures are right."""
    unreadable: int
    """Pictures that had to be opened and could not."""
    seconds: float


@router.post("/find", summary="Pictures of the index, by a question whose answer is yes or no")
async def find(
    call: Queued,
    question: Annotated[str, Form(description="A question, or a word or phrase for what is looked for.")],
    precision: Annotated[
        float | None, Form(ge=0, le=1, description="Give so many that at least this share is right.")
    ] = None,
    limit: Annotated[int, Form(ge=1, le=MOST_HITS, description="Give this many at most, the best.")] = HITS,
    captions: Annotated[bool, Form(description="Describe those that are found, where the model can.")] = True,
) -> Found:
    asked = api.clean_question(question)
    finder = _finder(call)
    found = await finder.find(call.ticket, asked, precision=precision, limit=limit, captions=captions)
    return Found(
        question=found.question,
        hits=[_row(hit, found) for hit in found.hits],
        pictures=found.pictures,
        asked=found.asked,
        threshold=found.threshold,
        calibrated=found.calibrated,
        unreadable=len(found.problems),
        seconds=found.seconds,
    )


@router.get("/find/pictures/{sha256}", summary="A picture of the index", response_model=None, responses=PICTURE)
async def picture(call: Queued, sha256: Digest) -> Response:
    data, _ = await call.service.aside(_finder(call).read, sha256)
    info = await call.service.aside(probe_image, data)
    kind = "jpeg" if info.format == "MPO" else info.format.lower()
    return Response(data, media_type=f"image/{kind}", headers={"Cache-Control": FOREVER})


@router.get(
    "/find/pictures/{sha256}/thumbnail",
    summary=f"A picture of the index, {THUMBNAIL} pixels along its longer side",
    response_model=None,
    responses=PICTURE,
)
async def small(call: Queued, sha256: Digest) -> Response:
    data, name = await call.service.aside(_finder(call).read, sha256)
    async with call.service.opened([data], [printable(name)], fits=within(THUMBNAIL)) as (opened,):
        encoded = await call.service.aside(partial(thumbnail, opened, THUMBNAIL))
    return Response(encoded, media_type="image/jpeg", headers={"Cache-Control": FOREVER})


def _finder(call: Call) -> Finder:
    if call.service.finder is None:
        raise ModelNotFound("this server has no index of pictures", hint="seesay serve --index photos.seesay")
    return call.service.finder


def _row(hit: Hit, found: Findings) -> HitRow:
    address = f"/find/pictures/{hit.sha256}"
    return HitRow(
        name=printable(Path(hit.path).name),
        score=hit.score,
        certainty=in_words(hit.score) if found.calibrated else "",
        caption=hit.caption,
        sha256=hit.sha256,
        copies=len(hit.copies),
        picture=address,
        thumbnail=f"{address}/thumbnail",
    )
