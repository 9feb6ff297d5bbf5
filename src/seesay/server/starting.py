"""What a server says while it is not ready: that it lives, and that it is starting. Loading takes seconds; where an export of the
model is made first, a minute or more, in which whoever watches must not take the server for dead.

Knows nothing of what is loaded.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.responses import PlainTextResponse, Response

from ..batch import interruptible
from .replies import refusal

RETRY_SECONDS = 5


async def starting(scope: Any, receive: Any, send: Any) -> None:
    """An application: /live says yes, /ready no, everything else is refused for now (503)."""
    if scope["type"] == "http":
        await _reply(scope["path"])(scope, receive, send)


def _reply(path: str) -> Response:
    retry = {"Retry-After": str(RETRY_SECONDS)}
    if path == "/live":
        return PlainTextResponse("yes\n")
    if path == "/ready":
        return PlainTextResponse("no\n", 503, headers=retry)
    return refusal(path, 503, "the server is starting; ask again in a moment", code="starting", headers=retry)


@contextmanager
def answering(listening: socket.socket) -> Iterator[None]:
    """Answer by `starting` while inside, in a thread; what comes at the end waits for the server itself. SIGTERM ends what is done
    inside as Ctrl-C does."""
    config = uvicorn.Config(
        starting,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=1,
    )
    server, copy = uvicorn.Server(config), listening.dup()  # it closes what it listens on
    thread = threading.Thread(target=server.run, args=([copy],), name="seesay-starting", daemon=True)
    thread.start()
    try:
        with interruptible():
            yield
    finally:
        server.should_exit = True
        thread.join()
