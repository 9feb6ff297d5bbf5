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
    message = public_message(error)
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, Busy) else None
    return refusal(
        path,
        error.http_status,
        message,
        param=_public(error.where) or None,
        code=code_of(error),
        headers=headers,
    )


def code_of(error: SeesayError) -> str:
    """What programs know an error by: the code of its message, else the name of its class in small letters."""
    named = re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__).lower()
    return Note.of(error.message).code or named


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


def of_validation(path: str, problems: Sequence[Mapping[str, Any]]) -> JSONResponse:
    """What is wrong with a body's fields; the first is told."""
    first = problems[0]
    places = [str(part) for part in first["loc"] if part not in ("body", "query", "path")]
    param = ".".join(places)
    code = "invalid_value"
    if first["type"] == "extra_forbidden":
        code, message = "unknown_field", f"unknown field {param!r}"
    elif first["type"] == "missing":
        code, message = "missing_field", f"the field {param!r} is missing" if param else "the body is missing"
    else:
        message = f"{param}: {first['msg']}" if param else str(first["msg"])
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return refusal(path, 400, message + more, param=param or None, code=code)
