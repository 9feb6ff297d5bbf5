"""A Ray cluster: that of an address, or one started on this machine and stopped again. It knows nothing of what runs there."""

from __future__ import annotations

import logging
import os
import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import ResourceError

ENVIRONMENT = {
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_agent_register_timeout_ms": "120000",  # its default is too little on a machine that is busy
    "RAY_prestart_worker_first_driver": "0",
}


@contextmanager
def cluster(address: str) -> Iterator[None]:
    """Connected to a cluster, quietly; one that was started here is stopped again.

    Raises:
        ResourceError: there is none at that address.
    """
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    with warnings.catch_warnings():
        # Ray's own use of what Python and pandas will drop.
        warnings.simplefilter("ignore")
        import ray

        before = signal.getsignal(signal.SIGTERM)
        try:
            # "local": without an address Ray would join a cluster that happens to run here, and end when that one does.
            ray.init(address or "local", include_dashboard=False, log_to_driver=False, logging_level=logging.CRITICAL)
        except Exception as error:  # Ray has no class of its own for it
            first = str(error).split(". ")[0].splitlines()[0]
            hint = "start one with `ray start --head`, or leave out --ray-address"
            raise ResourceError(f"no Ray cluster there: {first}", where=address or "this machine", hint=hint) from None
        if threading.current_thread() is threading.main_thread():  # Ray takes SIGTERM for itself
            signal.signal(signal.SIGTERM, before)
        try:
            yield
        finally:
            ray.shutdown()
