"""The door of the server: who may ask, how much may be sent and for how long. Around the whole application (ASGI).

A body is received whole, within its limits, before anything else sees it, so that a slow client costs a little memory and
nothing more. While a request is worked on the connection is watched: a client that leaves takes its work along.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import JSONResponse

from ..errors import Busy, ResourceError
from .limits import BODIES_BYTES, BODY_BYTES, BODY_SECONDS
from .observe import LOG
from .replies import of_error, refusal
from .service import Service

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

OPEN_PATHS = ("/live", "/ready")
"""Asked by machines that watch over servers and have no key."""
WORK_TO_GET = "/find/"
"""Paths below it cost work though they are only got; they wait in the queue as what is posted does."""
PRIVATE_PATHS = ("/v1/", "/api/", "/metrics", "/find/")
"""Below these a key is needed to read, too; everything else that can be read is the page."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(self), microphone=(self), geolocation=()"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
]


class Guard:
    """The application with its door."""

    def __init__(self, app: App, service: Service) -> None:
        self._app, self._service = app, service
        settings = service.settings
        self._key = settings.api_key.encode()
        self._hosts = known_hosts(settings.host, settings.allowed_hosts)
        self._held = 0
        """Bytes of bodies that are held now."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, send)
        self._service.in_flight += 1
        try:
            refused = self._refusal(scope)
            await (refused(scope, receive, exchange.send) if refused else self._admit(scope, receive, exchange))
        except _Gone:
            exchange.gone = True
            self._service.metrics.gone()
        finally:
            self._service.in_flight -= 1
            self._note(exchange)

    def _refusal(self, scope: Scope) -> JSONResponse | None:
        """Why a request is refused before its body is looked at."""
        path, method = str(scope["path"]), str(scope["method"])
        headers = {name.decode("latin-1"): value for name, value in scope["headers"]}
        if host_of(headers.get("host", b"")) not in self._hosts and "*" not in self._hosts:
            return refusal(
                path, 421, "this server is not known by that name; --allowed-hosts names more", code="unknown_host"
            )
        if not _same_origin(headers):
            return refusal(path, 403, "pages of other sites may not use this server", code="other_site")
        is_page = method in ("GET", "HEAD") and not path.startswith(PRIVATE_PATHS)
        if self._key and not is_page and path not in OPEN_PATHS and not self._has_key(headers):
            return refusal(
                path,
                401,
                "a key is needed: Authorization: Bearer KEY",
                headers={"WWW-Authenticate": "Bearer"},
                code="invalid_api_key",
            )
        if method in ("GET", "HEAD"):
            return None
        if self._service.draining:
            return refusal(path, 503, "the server is being stopped", headers={"Retry-After": "5"}, code="stopping")
        length = headers.get("content-length", b"0")
        if length.isdigit() and int(length) > BODY_BYTES:
            return _too_large(path)
        busy = self._service.queue.refusal(client_of(scope))
        return of_error(path, busy) if busy else None

    def _has_key(self, headers: dict[str, bytes]) -> bool:
        kind, _, key = headers.get("authorization", b"").partition(b" ")
        return kind.lower() == b"bearer" and secrets.compare_digest(key.strip(), self._key)

    async def _admit(self, scope: Scope, receive: Receive, exchange: _Exchange) -> None:
        path = str(scope["path"])
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_SECONDS):
                refused = await self._receive(path, receive, body)
        except TimeoutError:
            refused = refusal(path, 408, f"the body did not come within {BODY_SECONDS:g} seconds", code="body_too_slow")
        try:
            if refused:
                # What is left of the body is not waited for.
                refused.headers["connection"] = "close"
                await refused(scope, receive, exchange.send)
            elif scope["method"] in ("GET", "HEAD") and not path.startswith(WORK_TO_GET):
                await self._work(scope, bytes(body), receive, exchange)
            else:
                await self._queue(scope, bytes(body), receive, exchange)
        finally:
            self._held -= len(body)

    async def _queue(self, scope: Scope, body: bytes, receive: Receive, exchange: _Exchange) -> None:
        """A place in the queue, once the body is here and before anything in it is looked at: of many that come at once those
        that find no place cost next to nothing."""
        try:
            ticket = self._service.queue.enter(client_of(scope))
        except Busy as busy:
            await of_error(str(scope["path"]), busy)(scope, receive, exchange.send)
            return
        scope["state"]["ticket"] = ticket
        with ticket:
            await self._work(scope, body, receive, exchange)

    async def _receive(self, path: str, receive: Receive, body: bytearray) -> JSONResponse | None:
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _Gone
            chunk = message.get("body", b"")
            self._held += len(chunk)
            body += chunk
            if len(body) > BODY_BYTES:
                return _too_large(path)
            if self._held > BODIES_BYTES:
                return refusal(
                    path, 503, "the server holds as many pictures as it can", headers={"Retry-After": "5"}, code="full"
                )
            if not message.get("more_body"):
                return None

    async def _work(self, scope: Scope, body: bytes, receive: Receive, exchange: _Exchange) -> None:
        """The application, for as long as its client is there and its time lasts."""
        given = False

        async def replay() -> Message:
            nonlocal given
            if not given:
                given = True
                return {"type": "http.request", "body": body, "more_body": False}
            await asyncio.Event().wait()  # the watch below tells when the client has gone
            raise AssertionError

        work = asyncio.ensure_future(self._app(scope, replay, exchange.send))
        watch = asyncio.ensure_future(receive())
        try:
            seconds = self._service.settings.deadline
            await asyncio.wait({work, watch}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                await work
            elif watch.done():
                raise _Gone
            elif not exchange.started:
                work.cancel()
                late = ResourceError("late")
                LOG.warning("deadline", extra={"fields": {"request": exchange.id}})
                await of_error(str(scope["path"]), late)(scope, receive, exchange.send)
        finally:
            watch.cancel()
            work.cancel()
            await asyncio.gather(work, watch, return_exceptions=True)

    def _note(self, exchange: _Exchange) -> None:
        route = getattr(exchange.scope.get("route"), "path", "") or ("page" if exchange.status < 400 else "none")
        seconds = time.monotonic() - exchange.began
        status = 499 if exchange.gone else exchange.status
        self._service.metrics.request(route, status, seconds)
        fields = {
            "request": exchange.id,
            "method": exchange.scope["method"] if exchange.scope["method"].isalpha() else "?",
            "route": route,
            "status": status,
            "ms": round(seconds * 1000, 1),
            "sent": exchange.sent,
        }
        LOG.log(logging.ERROR if status >= 500 and status != 503 else logging.INFO, "request", extra={"fields": fields})


class _Gone(Exception):
    """The client has left."""


class _Exchange:
    """A request and what was sent back."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.scope, self._send = scope, send
        self.id = secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = self.id
        self.began = time.monotonic()
        self.status, self.sent, self.started, self.gone = 500, 0, False, False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started, self.status = True, message["status"]
            names = {name.lower() for name, _ in message["headers"]}
            extra = [(name, value) for name, value in HEADERS if name not in names]
            message["headers"] = [*message["headers"], *extra, (b"x-request-id", self.id.encode())]
        self.sent += len(message.get("body", b""))
        await self._send(message)


def client_of(scope: Scope) -> str:
    """Who asks, for taking turns: the address of the other end."""
    return str((scope.get("client") or ("",))[0])


def is_this_machine(host: str) -> bool:
    """Whether an address to listen on can be reached from this machine only."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def known_hosts(host: str, allowed: str) -> frozenset[str]:
    """The names by which a server may be addressed; `*` among them: any, where it listens on all addresses and none was named.

    A page of another site could else reach a server on this machine by a name of its own that points here (DNS rebinding).
    """
    named = {part.strip().lower() for part in allowed.split(",") if part.strip()}
    if is_this_machine(host):
        return frozenset(named | {"127.0.0.1", "localhost", "[::1]", host.lower()})
    return frozenset(named | {host.lower(), "127.0.0.1", "localhost", "[::1]"} | (set() if named else {"*"}))


def host_of(header: bytes) -> str:
    """The name in a Host header, without the port."""
    text = header.decode("latin-1").strip().lower()
    if text.startswith("["):
        return text[: text.find("]") + 1]
    return text.partition(":")[0]


def _same_origin(headers: dict[str, bytes]) -> bool:
    """Whether no page of another site sends this; browsers say where a request comes from."""
    if headers.get("sec-fetch-site", b"") == b"cross-site":
        return False
    origin = headers.get("origin", b"").decode("latin-1").lower()
    if not origin or not origin.startswith(("http:", "https:", "null")):
        return True  # no browser, or an extension of one, which the user has installed
    return urlsplit(origin).netloc == headers.get("host", b"").decode("latin-1").lower()


def _too_large(path: str) -> JSONResponse:
    return refusal(
        path,
        413,
        f"the body is larger than the limit of {BODY_BYTES:,} bytes; send fewer or smaller pictures",
        code="body_too_large",
    )
