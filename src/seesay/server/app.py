"""The application: routes, errors, health, the page. What it serves is loaded before it answers."""

from __future__ import annotations

import gc
import html
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.staticfiles import StaticFiles

from .. import __version__
from ..errors import SeesayError, UsageError
from ..settings import ServeSettings
from . import alt, audio, decisions, find, ollama, openai, plain, responses
from .guard import App, Guard, is_this_machine
from .limits import BODY_BYTES, PICTURES
from .observe import LOG
from .replies import PHRASES, of_error, of_validation, refusal
from .schemas.base import Refusal
from .schemas.plain import About
from .service import Service

WEB = Path(__file__).with_name("web")
ROUTERS = (
    *(plain.router, find.router, alt.router, openai.router, responses.router),
    *(audio.router, decisions.router, ollama.router),
)
COLLECTED_AFTER = (5_000, 20, 20)
"""Objects after which the garbage collector looks at the youngest, and generations: with hundreds of requests waiting Python's own
(700, 10, 10) spent a fifth of the event loop's time."""
PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": Refusal, "description": "the request cannot be meant; the field at fault is named"},
    413: {"model": Refusal, "description": "over a limit"},
    422: {"model": Refusal, "description": "a picture, a text or the model cannot be used for this"},
    429: {"model": Refusal, "description": "too many requests are waiting; Retry-After says when to ask again"},
    503: {"model": Refusal, "description": "the server is being stopped, or ran out of something"},
}


def build(settings: ServeSettings, tell: Callable[[str], None] = lambda text: None) -> tuple[App, Service]:
    """The application with everything loaded, and what it serves.

    Args:
        tell: as of `Service`.

    Raises:
        UsageError: an address that others can reach, and no key.
        ModelNotFound, ModelError, MissingExtra: a model cannot be loaded.
    """
    require_key(settings)
    service = Service(settings, tell)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        service.close()

    app = FastAPI(
        title="seesay",
        version=__version__,
        summary="Pictures asked about, described, read and talked about; texts spoken.",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        responses=PROBLEMS,
    )
    app.state.service = service
    for router in ROUTERS:
        app.include_router(router)
    _add_pages(app, service)
    app.add_exception_handler(SeesayError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_surprise)
    # What is loaded stays: a collector that walks through it all again and again would hold up every request.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTED_AFTER)
    return Guard(app, service), service


def require_key(settings: ServeSettings) -> None:
    """
    Raises:
        UsageError: an address that others can reach, and no key.
    """
    if not settings.api_key and not is_this_machine(settings.host):
        hint = "set SEESAY_SERVE__API_KEY, or listen on 127.0.0.1"
        raise UsageError(
            f"{settings.host} can be reached from other machines and needs a key", where="--host", hint=hint
        )


def _add_pages(app: FastAPI, service: Service) -> None:
    @app.get("/live", include_in_schema=False)
    async def live() -> PlainTextResponse:
        return PlainTextResponse("yes\n")

    @app.get("/ready", include_in_schema=False)
    async def ready() -> PlainTextResponse:
        return PlainTextResponse("no\n" if service.draining else "yes\n", 503 if service.draining else 200)

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(service.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    @app.get("/about", summary="What is loaded, and the limits")
    async def about() -> About:
        family = service.model.family
        return About(
            version=__version__,
            model=service.name,
            describes=family.captions,
            converses=family.converses,
            calibrated=family.calibrated,
            voice=service.voice_name or None,
            listens=service.listener_name or None,
            finds=None if service.finder is None else await service.aside(len, service.finder),
            needs_key=bool(service.settings.api_key),
            pictures=PICTURES,
            bytes=BODY_BYTES,
        )

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(_docs_page(app))

    if WEB.is_dir():
        app.mount("/", StaticFiles(directory=WEB, html=True))


def _docs_page(app: FastAPI) -> str:
    """The addresses with what they take, as a plain page: FastAPI's own pages load their scripts from another host."""
    rows = []
    for path, methods in app.openapi()["paths"].items():
        for method, route in methods.items():
            about = f"{route.get('summary', '')}<br>{html.escape(route.get('description', ''))}".removesuffix("<br>")
            rows.append(f"<dt><code>{method.upper()} {html.escape(path)}</code></dt><dd>{about}</dd>")
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>seesay: addresses</title><h1>seesay {__version__}</h1><p>Bodies and answers in full: "
        f'<a href="/openapi.json">openapi.json</a>. <a href="/">The page.</a></p><dl>{"".join(rows)}</dl></html>'
    )


async def _on_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, SeesayError)
    return of_error(request.url.path, error)


async def _on_validation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return of_validation(request.url.path, error.errors(), error.body)


async def _on_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    headers = {name: value for name, value in (error.headers or {}).items() if name.lower() == "allow"}
    message = PHRASES.get(error.status_code, "the request cannot be answered")
    return refusal(request.url.path, error.status_code, message, headers=headers)


async def _on_surprise(request: Request, error: Exception) -> JSONResponse:
    LOG.error("surprise", exc_info=error, extra={"fields": {"request": request.scope["state"]["request_id"]}})
    return refusal(request.url.path, 500, "an error of the server; its log tells more about this x-request-id")
