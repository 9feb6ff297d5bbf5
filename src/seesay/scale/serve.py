"""The server as replicas on Ray Serve: the same application several times behind one address.

Each replica has everything loaded, a door, a queue and micro-batches of its own, and its limits hold for it alone. Ray's proxy
sends a request to the less busy of two replicas, and elsewhere where that one has died; Ray replaces a replica that dies or no
longer answers. It knows nothing about models and routes.
"""

from __future__ import annotations

import asyncio
import json
import logging
import logging.config
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from importlib.util import find_spec
from types import FrameType
from typing import Any

from .. import api, errors
from ..errors import MissingExtra, ResourceError, SeesayError
from ..settings import ServeSettings
from .cluster import cluster

NAME = "seesay"
CONNECTIONS = 1000
"""Requests that Ray passes on to a replica at once, far more than its queue takes: the replica refuses, and says when to ask
again."""
HEALTH_SECONDS = 5.0
WATCH_SECONDS = 5.0
POLL_SECONDS = 0.05


def serve(
    settings: ServeSettings, ready: Callable[[str, str], None], tell: Callable[[str], None] = lambda text: None
) -> None:
    """As `server.serve`, by replicas on a Ray cluster: that of `ray_address`, or one started on this machine.

    Args:
        ready: told the address and the name of the model, before the first request is taken.
        tell: as of `server.Service`, on this machine; replicas on others make what they lack without a word.

    Raises:
        MissingExtra: Ray Serve is not installed.
        ResourceError: the address is in use, there is no cluster, or it failed for good.
        UsageError, ModelError, ...: as `server.build`, of the first replica that could not be built.
    """
    if not all(map(find_spec, ("ray", "grpc", "aiohttp"))):
        raise MissingExtra("--engine ray", "seesay[server,ray]")
    from ..server import address_of, listen, require_key
    from ..server.service import public_name

    require_key(settings)
    with listen(settings) as listening:
        address, port = address_of(listening), int(listening.getsockname()[1])
    replicated = replace(settings, engine="auto")
    if not settings.ray_address:
        api.make_export_ahead(replicated, None, tell)  # once, before its replicas come
    printed = sys.stdout
    # What Ray's machinery has to say, it prints.
    with (
        redirect_stdout(sys.stderr),
        cluster(settings.ray_address),
        _deployed(replicated, port) as handle,
    ):
        with redirect_stdout(printed):
            ready(address, public_name(settings.model))
        with _told_to_stop() as stop:
            _watch(stop)
            # What was asked is answered, what comes is refused; a second signal ends it at once.
            handle.broadcast("drain").results(timeout_s=settings.deadline + WATCH_SECONDS)


@contextmanager
def _deployed(settings: ServeSettings, port: int) -> Iterator[Any]:
    """The handle of the replicas, once all of them answer; nothing of them stays."""
    from ray import serve as ray_serve

    logging.getLogger("ray.serve").setLevel(logging.WARNING)  # after the import, which sets it
    ours = not settings.ray_address
    share = min(1.0, (os.cpu_count() or 1) / settings.replicas) if ours else 1.0
    resources = {"num_cpus": share, "num_gpus": 1 if settings.device.startswith("cuda") else 0}
    deployment = ray_serve.deployment(ray_serve.ingress()(_Replica)).options(
        name=NAME,
        num_replicas=settings.replicas,
        ray_actor_options=resources,
        max_ongoing_requests=CONNECTIONS,
        max_constructor_retry_count=1,
        health_check_period_s=HEALTH_SECONDS,
        health_check_timeout_s=2 * HEALTH_SECONDS,
        graceful_shutdown_wait_loop_s=POLL_SECONDS,
        graceful_shutdown_timeout_s=settings.deadline,
        logging_config={"enable_access_log": False},
    )
    try:
        ray_serve.start(
            proxy_location="HeadOnly" if ours else "EveryNode", http_options={"host": settings.host, "port": port}
        )
        yield ray_serve.run(deployment.bind(settings), name=NAME, route_prefix="/")
    except RuntimeError as error:  # replicas could not be built; only their status has why
        raise _told(ray_serve.status().applications[NAME].deployments[NAME].message or str(error)) from None
    finally:
        # The proxy outlives the replicas, so that it has passed on what they said last.
        ray_serve.delete(NAME)
        if ours:
            ray_serve.shutdown()


class _Replica:
    """One copy of all that is served."""

    def __init__(self, settings: ServeSettings) -> None:
        from ..server import build
        from ..server.observe import log_config

        logging.config.dictConfig(log_config())
        try:
            self._app, self._service = build(settings)
        except SeesayError as error:
            row = {"class": type(error).__name__, "message": error.message, "where": error.where, "hint": error.hint}
            raise RuntimeError(f"{_MARK}{json.dumps(row)}{_MARK}") from None

    def __serve_build_asgi_app__(self) -> Any:
        return self._app

    async def check_health(self) -> None:
        """Asked by Ray, in the event loop that answers requests: where that hangs, the replica is replaced."""

    async def drain(self) -> None:
        """Refuse what comes, and return when what was asked is answered."""
        self._service.draining = True
        while self._service.in_flight:
            await asyncio.sleep(POLL_SECONDS)


_MARK = "|seesay|"


def _told(text: str) -> SeesayError:
    """The error of a replica, as it was raised there."""
    found = re.search(f"{re.escape(_MARK)}(.*?){re.escape(_MARK)}", text, re.DOTALL)
    if found is None:
        hint = "Ray's logs tell more, by default in /tmp/ray/session_latest/logs"
        return ResourceError(f"Ray cannot serve it: {text.splitlines()[0]}", hint=hint)
    row = json.loads(found[1])
    kind: type[SeesayError] = getattr(errors, row["class"], ResourceError)
    made = kind.__new__(kind)
    SeesayError.__init__(made, row["message"], where=row["where"], hint=row["hint"])
    return made


@contextmanager
def _told_to_stop() -> Iterator[threading.Event]:
    """Set by the first SIGTERM or Ctrl-C; the second is as it would be without."""
    stop = threading.Event()

    def told(sig: int, frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {sig: signal.signal(sig, told) for sig in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for sig, handler in before.items():
            signal.signal(sig, handler)


def _watch(stop: threading.Event) -> None:
    """Return when told to stop.

    Raises:
        ResourceError: the cluster is gone.
    """
    from ray import serve as ray_serve
    from ray.exceptions import RayError
    from ray.serve.exceptions import RayServeException

    while not stop.wait(WATCH_SECONDS):
        try:
            ray_serve.status()
        except (RayError, RayServeException) as error:
            raise ResourceError(f"the Ray cluster is gone: {str(error).splitlines()[0]}") from None
