"""Alternative texts for documents: suggestions for a person to decide about, and the documents with what was decided.

The documents are sent both times, because nothing is kept between; what is not theirs (addresses on the web, files of this
machine) is never opened.
"""

from __future__ import annotations

import io
import zipfile
from functools import partial
from pathlib import PurePosixPath
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, File, Form, UploadFile
from starlette.responses import Response

from ..alttext import review
from ..alttext.decisions import FORMAT
from ..alttext.outcome import Outcome
from ..alttext.propose import Finding
from ..answering.rows import note_fields
from ..errors import ImageError, InputError, UsageError
from ..media.source import printable
from ..media.thumbnail import thumbnail_url
from ..settings import AltSettings
from ..types import Note
from .call import Queued, StrictRoute
from .replies import code_of, public_message
from .schemas.base import Given

router = APIRouter(route_class=StrictRoute, tags=["alt"])

FILES = 200
"""Most files of a request, pictures included."""
NAME_CHARACTERS = 300

Documents = Annotated[
    list[UploadFile],
    File(
        description="Pages, Markdown files, books or pictures; and the pictures that pages show, by their relative paths."
    ),
]


class Words(Given):
    text: str
    code: str
    """What they say, for programs."""
    values: dict[str, str]


class Around(Given):
    """What stands around a picture."""

    heading: str
    before: str
    after: str
    caption: str
    link: str
    button: bool
    """Whether what it stands in is a button, and no link."""
    language: str


class Suggested(Given):
    """A picture and what is suggested for it. `document` to `long` go into a decision as they are."""

    document: str
    key: str
    was: str | None
    alt: str
    by: str
    long: str
    sure: bool
    """Whether it would be written unseen."""
    picture: str
    """Its address as written."""
    entry: str
    line: int
    role: str
    """`decorative`, `functional`, `complex`, `text`, `informative`."""
    reason: Words
    doubts: list[Words]
    """Why a person must look at it."""
    score: float | None
    certainty: str
    others: list[str]
    blank_is_decoration: bool
    """Whether having no text is how this document writes decoration."""
    around: Around
    thumbnail: str | None
    """A data: URL; None where the picture cannot be shown."""


class Left(Given):
    """A picture without a suggestion, or a document that cannot be used."""

    document: str
    picture: str
    action: str
    """`keep`, `skip`, `fail`."""
    why: Words


class Review(Given):
    format: str
    """Of decisions about these."""
    limit: int
    """Most characters of a text."""
    pictures: list[Suggested]
    left: list[Left]


@router.post("/alt", summary="Alternative texts suggested for the pictures in documents")
async def suggest(
    call: Queued,
    document: Documents,
    limit: Annotated[int, Form(ge=20, le=1000, description="Most characters of a text.")] = AltSettings.limit,
    also_empty: Annotated[bool, Form(description="Also where a page has an empty one.")] = False,
) -> Review:
    files = await _files(document)
    settings = AltSettings(limit=limit, also_empty=also_empty)
    outcome = await call.service.alt_texts.suggest(call.ticket, settings, files)
    pictures = await call.service.alt_texts.aside(lambda: [_row(one, outcome) for one in review.to_decide(outcome)])
    return Review(format=FORMAT, limit=limit, pictures=pictures, left=_left(outcome))


@router.post(
    "/alt/write",
    summary="Documents with the texts that were decided",
    response_model=None,
    responses={200: {"content": {"application/octet-stream": {}, "application/zip": {}}}},
    description="The changed file, or a ZIP archive of them; the head `Seesay-Written` counts the texts that were written, "
    "`Seesay-Kept` the decisions that did not stand.",
)
async def write(
    call: Queued,
    document: Documents,
    decisions: Annotated[UploadFile, File(description="alt-decisions.json, as a review page saves it.")],
) -> Response:
    files = await _files(document)
    outcome, made = await call.service.alt_texts.decide(files, await decisions.read())
    if outcome.problems:
        raise outcome.problems[0]
    if not made:
        raise InputError(Note("nothing changes by these decisions", "nothing_changes"), where="decisions")
    written = outcome.counts["write"]
    name, data = await call.service.alt_texts.aside(partial(_packed, made))
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "Seesay-Written": str(written),
        "Seesay-Kept": str(len(outcome.findings) - written),
    }
    kind = "application/zip" if len(made) > 1 else "application/octet-stream"
    return Response(data, media_type=kind, headers=headers)


async def _files(sent: list[UploadFile]) -> dict[str, bytes]:
    """The files by their relative paths.

    Raises:
        UsageError: too many, or two of one name.
    """
    if len(sent) > FILES:
        raise UsageError(f"{len(sent)} files; the limit is {FILES} in one request", where="document")
    files: dict[str, bytes] = {}
    for place, one in enumerate(sent, 1):
        name = _name(one.filename or f"file {place}")
        if name in files:
            raise UsageError(f"two files are called {printable(name)!r}", where="document", hint="send one of them")
        files[name] = await one.read()
    return files


def _name(given: str) -> str:
    """A relative path in which nothing leads out of its folder."""
    parts = [part for part in given[-NAME_CHARACTERS:].replace("\\", "/").split("/") if part not in ("", ".", "..")]
    name = "/".join("".join(letter if letter.isprintable() else "_" for letter in part) for part in parts)
    return name or "file"


def _packed(made: dict[str, bytes]) -> tuple[str, bytes]:
    """The name and content of what is sent back."""
    if len(made) == 1:
        ((name, data),) = made.items()
        return PurePosixPath(name).name, data
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in made.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return "alt-texts.zip", buffer.getvalue()


def _row(finding: Finding, outcome: Outcome) -> Suggested:
    found, told = finding.found, finding.suggestion
    assert told is not None
    around, link = found.context, found.context.link
    return Suggested.model_validate(
        {
            **review.row(finding, outcome),
            "sure": finding.action == "write",
            "picture": found.src or found.element,
            "entry": found.entry,
            "line": found.line,
            "role": told.role,
            "reason": _words(told.reason),
            "doubts": [_words(doubt) for doubt in told.doubts],
            "score": told.score,
            "certainty": told.certainty,
            "others": [text for text in dict.fromkeys(told.others) if text and text != told.alt],
            "blank_is_decoration": found.blank_is_decoration,
            "around": {
                "heading": around.heading,
                "before": around.before[-review.AROUND :],
                "after": around.after[: review.AROUND],
                "caption": around.caption,
                "link": (link.target or link.text or link.title) if link else "",
                "button": bool(link and link.button),
                "language": around.language,
            },
            "thumbnail": _thumbnail(finding),
        }
    )


def _thumbnail(finding: Finding) -> str | None:
    try:
        return thumbnail_url(finding.found.picture, review.THUMBNAIL) if finding.found.picture is not None else None
    except ImageError:
        return None


def _left(outcome: Outcome) -> list[Left]:
    """What nothing is suggested for, and why."""
    left = [
        Left(
            document=finding.document,
            picture=finding.found.src or finding.found.element,
            action=finding.action,
            why=_words(finding.why),
        )
        for finding in outcome.findings
        if finding.action in ("keep", "skip", "fail")
    ]
    for problem in outcome.problems:
        why = Words(text=public_message(problem), code=code_of(problem), values={})
        left.append(Left(document=printable(problem.where), picture="", action="fail", why=why))
    return left


def _words(note: str) -> Words:
    fields: dict[str, Any] = note_fields(note, "note")
    return Words(text=str(note), code=fields["note_code"], values=fields["note_values"])
