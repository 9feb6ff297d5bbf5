"""What every route is given: the service, and the request's place in the queue. And how JSON is read: strictly, and where it
is large, not in the event loop."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic_core import from_json
from starlette.responses import Response

from ..errors import UsageError
from .limits import Ticket
from .service import Service

LARGE = 100_000
"""Bytes of JSON from which on it is read aside."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request that is in the queue."""

    service: Service
    ticket: Ticket


async def _call(request: Request) -> Call:
    await _refuse_unknown_fields(request)
    ticket: Ticket = request.scope["state"]["ticket"]  # given at the door
    if ticket.evicted:
        raise ticket.evicted
    return Call(service_of(request), ticket)


async def _refuse_unknown_fields(request: Request) -> None:
    """Forms hold what the route takes and nothing else, as JSON bodies do; FastAPI passes over the rest."""
    if not request.headers.get("content-type", "").startswith(
        ("multipart/form-data", "application/x-www-form-urlencoded")
    ):
        return
    route: APIRoute = request.scope["route"]
    known = {param.alias for param in route.dependant.body_params}
    for name in await request.form():
        if name not in known:
            raise RequestValidationError([{"type": "extra_forbidden", "loc": ("body", name), "msg": "unknown"}])


Queued = Annotated[Call, Depends(_call)]


def service_of(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def data_url(url: str, where: str) -> str:
    """The address of a picture that holds the picture itself.

    Raises:
        UsageError: it names a place.
    """
    if url[:5].lower() != "data:":
        hint = "send the picture itself: data:image/png;base64,<base64 text>"
        raise UsageError("a picture must be a data: URL; nothing is fetched", where=where, hint=hint)
    return url


class _StrictRequest(Request):
    """JSON without NaN, lone surrogates, or more levels than a parser should follow."""

    async def json(self) -> Any:
        body = await self.body()
        try:
            if len(body) < LARGE:
                return from_json(body, allow_inf_nan=False)
            return await service_of(self).aside(_parse, body)
        except ValueError as error:
            reason = str(error)[:200]
            problem = {"type": "json_invalid", "loc": ("body",), "msg": f"the body is not JSON: {reason}"}
            raise _NotJson([problem]) from None


def _parse(body: bytes) -> Any:
    return from_json(body, allow_inf_nan=False)


class _NotJson(Exception):
    """FastAPI would make something else of a validation error that is raised while a body is read."""

    def __init__(self, problems: list[dict[str, Any]]) -> None:
        self.problems = problems
        super().__init__("not JSON")


class StrictRoute(APIRoute):
    """A route whose JSON is read strictly."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def strict(request: Request) -> Response:
            try:
                return await handler(_StrictRequest(request.scope, request.receive))
            except Exception as error:
                if isinstance(error.__cause__, _NotJson):
                    raise RequestValidationError(error.__cause__.problems) from None
                raise

        return strict
