"""Errors as clients expect them: OpenAI's shape, Ollama's under /api/, `detail` for /v1/systemone.

A message says what was found, the limit and what to do; never a path of this machine, a library's text or an address.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import JSONResponse

from ..errors import Busy, MissingExtra, ModelError, ResourceError, SeesayError, SpeechError
from ..types import Note

KINDS = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}
PHRASES = {
    400: "the request cannot be read",
    404: "there is no such address here; /docs lists them",
    405: "this address takes another method; /docs lists them",
    415: "this kind of content is not taken here",
}


def refusal(
    path: str,
    status: int,
    message: str,
    *,
    param: str | None = None,
    code: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """An error in the shape that clients of `path` expect."""
    kind = KINDS.get(status, "invalid_request_error" if status < 500 else "server_error")
    content: dict[str, Any] = {"error": {"message": message, "type": kind, "param": param, "code": code}}
    if path.startswith("/api/"):
        content = {"error": message}
    elif path == "/v1/systemone":
        content = {"detail": [{"loc": ["body", *((param,) if param else ())], "msg": message, "type": kind}]}
    return JSONResponse(content, status, headers=dict(headers or {}))


def of_error(path: str, error: SeesayError) -> JSONResponse:
    """An error of ours as a reply."""
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, Busy) else None
    param = _place_of(error) or None
    return refusal(path, error.http_status, public_message(error), param=param, code=code_of(error), headers=headers)


def code_of(error: SeesayError) -> str:
    """What programs know an error by: the code of its message, else the name of its class in small letters."""
    named = re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__).lower()
    return Note.of(error.message).code or named


def public_message(error: SeesayError) -> str:
    """What a client may know of an error."""
    if _is_of_the_server(error):
        return "the server ran out of memory, disk or time, or lacks a package; its log says more"
    if error.__cause__ is not None:  # its message holds the text of a library
        if isinstance(error, SpeechError):
            return "text: the voice failed on a sentence; leave it out or write it another way"
        return "this model cannot be shown that; ask with other words or pictures"
    place = _place_of(error)
    message = _ELSEWHERE.sub("...", error.message) if "://" in error.where else error.message
    return f"{f'{place}: ' if place else ''}{message}{f'; {error.hint}' if error.hint else ''}"


_ELSEWHERE = re.compile(r"\w+://\S+|(?:[A-Za-z]:)?(?:[/\\][\w.@+~-]+){2,}|\b0x[0-9a-fA-F]{4,}")
"""Addresses and paths in what another server says."""


def _is_of_the_server(error: SeesayError) -> bool:
    return isinstance(error, ResourceError) and not isinstance(error, (Busy, MissingExtra))


def _place_of(error: SeesayError) -> str:
    """Where an error is, if a client may know: not the folder of a model, a file of this machine, or a server behind this one."""
    of_the_model = isinstance(error, ModelError) and error.http_status != 404
    hidden = of_the_model or _is_of_the_server(error) or error.__cause__ is not None or "://" in error.where
    return "" if hidden else error.where


def of_validation(path: str, problems: Sequence[Mapping[str, Any]], body: Any = None) -> JSONResponse:
    """What is wrong with a body's fields; the first is told, and where a field may be of several kinds the nearest of them."""
    places = [_place_in(body, problem) for problem in problems]
    chosen = max(range(len(problems)), key=lambda index: len(places[index]))
    first, place = problems[chosen], places[chosen]
    param = ".".join(place)
    code = "invalid_value"
    if first["type"] == "extra_forbidden":
        code, message = "unknown_field", f"unknown field {param!r}"
    elif first["type"] == "missing":
        code, message = "missing_field", f"the field {param!r} is missing" if param else "the body is missing"
    else:
        message = f"{param}: {first['msg']}" if param else str(first["msg"])
    others = {tuple(other) for other in places if other != place[: len(other)]}
    more = f" (and {len(others)} more)" if others else ""
    return refusal(path, 400, message + more, param=param or None, code=code)


def _place_in(body: Any, problem: Mapping[str, Any]) -> list[str]:
    """Where a problem is, without the names that pydantic gives to the kinds that a field may be of."""
    source, *parts = problem["loc"]
    if source != "body" or not isinstance(body, (dict, list)):
        return [str(part) for part in parts]
    place = []
    for index, part in enumerate(parts):
        missing = problem["type"] == "missing" and index == len(parts) - 1
        there = part in body if isinstance(body, dict) else isinstance(body, list) and isinstance(part, int)
        if there:
            body = body[part]
        if there or missing:
            place.append(str(part))
    return place
