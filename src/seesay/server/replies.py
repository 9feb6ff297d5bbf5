"""Errors as clients expect them: OpenAI's shape, Ollama's under /api/, `detail` for /v1/systemone.

A message says what was found, the limit and what to do; never a path of this machine, a library's text or an address.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import JSONResponse

from ..errors import Busy, MissingExtra, ModelError, ResourceError, SeesayError, SpeechError

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
    message = public_message(error)
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, Busy) else None
    code = "model_not_found" if error.http_status == 404 and isinstance(error, ModelError) else None
    return refusal(path, error.http_status, message, param=_public(error.where) or None, code=code, headers=headers)


def public_message(error: SeesayError) -> str:
    """What a client may know of an error."""
    if isinstance(error, SpeechError) and error.__cause__ is not None:
        return "text: the voice failed on a sentence; leave it out or write it another way"
    if isinstance(error, ResourceError) and not isinstance(error, (Busy, MissingExtra)):
        return "the server ran out of memory, disk or time, or lacks a package; its log says more"
    if isinstance(error, ModelError) and error.http_status != 404:
        # Its `where` is the folder that the model was loaded from.
        return f"{error.message}{f'; {error.hint}' if error.hint else ''}"
    where = f"{_public(error.where)}: " if _public(error.where) else ""
    return f"{where}{error.message}{f'; {error.hint}' if error.hint else ''}"


def _public(where: str) -> str:
    """A place that a client may know: not the address of a server behind this one."""
    return "" if "://" in where else where


def of_validation(path: str, problems: Sequence[Mapping[str, Any]], body: Any = None) -> JSONResponse:
    """What is wrong with a body's fields; the first is told, and where a field may be of several kinds the nearest of them."""
    places = [_place(problem, body) for problem in problems]
    chosen = max(range(len(problems)), key=lambda index: len(places[index]))
    first, place = problems[chosen], places[chosen]
    param = ".".join(place)
    if first["type"] == "extra_forbidden":
        message = f"unknown field {param!r}"
    elif first["type"] == "missing":
        message = f"the field {param!r} is missing" if param else "the body is missing"
    else:
        message = f"{param}: {first['msg']}" if param else str(first["msg"])
    others = {tuple(other) for other in places if other != place[: len(other)]}
    more = f" (and {len(others)} more)" if others else ""
    return refusal(path, 400, message + more, param=param or None)


def _place(problem: Mapping[str, Any], body: Any) -> list[str]:
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
