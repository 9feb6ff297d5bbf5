"""The server as a process: uvicorn, told when to stop. A first SIGTERM or Ctrl-C drains: what is being answered is answered,
what comes is refused (503), then it ends; a second one ends it at once."""

from __future__ import annotations

import asyncio
import logging.config
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn

from ..errors import ResourceError
from ..settings import ServeSettings
from .app import build, require_key
from .observe import LOG, log_config
from .service import Service
from .starting import answering

CONNECTIONS = 1000
POLL = 0.05


def serve(
    settings: ServeSettings, ready: Callable[[str, str], None], tell: Callable[[str], None] = lambda text: None
) -> None:
    """Serve until told to stop. While models are loaded, and an export made, whoever asks is told so (`starting`).

    Args:
        ready: told the address and the name of the model, before the first request is taken.
        tell: as of `Service`.

    Raises:
        UsageError, ModelError, MissingExtra: as `build`.
        ResourceError: the address is in use.
        KeyboardInterrupt: told to stop before it was ready; nothing is left of what was begun.
    """
    require_key(settings)
    listening = listen(settings)
    try:
        with answering(listening):
            app, service = build(settings, tell)
        logging.config.dictConfig(log_config())
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            ws="none",
            limit_concurrency=CONNECTIONS,
            timeout_graceful_shutdown=5,
        )
        ready(address_of(listening), service.name)
        _Server(config, service).run([listening])
    finally:
        listening.close()


class _Server(uvicorn.Server):
    """uvicorn, that drains before it stops listening."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._service.draining:
            self.should_exit = self.force_exit = True
            return
        self._service.draining = True
        LOG.info("draining")
        asyncio.get_running_loop().create_task(self._drain())

    async def _drain(self) -> None:
        deadline = asyncio.get_running_loop().time() + self._service.settings.deadline
        while self.server_state.tasks and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(POLL)
        self.should_exit = True


def listen(settings: ServeSettings) -> socket.socket:
    """The address, taken before anything is loaded.

    Raises:
        ResourceError: it is in use, or not this machine's.
    """
    kind = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # Named as TCP, because asyncio turns Nagle's algorithm off only for sockets that are: with it, replies on connections that
    # are used again waited 40 ms for the client's acknowledgment of their head.
    listening = socket.socket(kind, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host.strip("[]"), settings.port))
        listening.listen(2048)
    except OSError as error:
        listening.close()
        hint = "another server may run there; --port names another"
        raise ResourceError(
            f"cannot listen there: {error.strerror or error}", where=f"{settings.host}:{settings.port}", hint=hint
        ) from None
    return listening


def address_of(listening: socket.socket) -> str:
    """Where clients find it."""
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
