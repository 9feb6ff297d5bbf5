"""What operators see: figures for Prometheus and a line of JSON a request. Never a picture, a question, an answer or a key."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

LOG = logging.getLogger("seesay.server")


class Metrics:
    """Figures of one server."""

    def __init__(self, waiting: Callable[[], int], in_flight: Callable[[], int]) -> None:
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "seesay_requests_total", "Requests by route and status", ["route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "seesay_request_seconds", "Seconds from the first byte to the last", ["route"], registry=registry
        )
        self._rows = Histogram(
            "seesay_batch_rows",
            "Questions computed at once",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128),
            registry=registry,
        )
        self._gone = Counter("seesay_clients_gone_total", "Clients that left before their answer", registry=registry)
        self._tokens = Counter("seesay_tokens_total", "Tokens of answers written", registry=registry)
        Gauge("seesay_waiting", "Requests that wait", registry=registry).set_function(waiting)
        working = Gauge("seesay_in_flight", "Requests that are being worked on", registry=registry)
        working.set_function(in_flight)

    def request(self, route: str, status: int, seconds: float) -> None:
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def batch(self, rows: int) -> None:
        self._rows.observe(rows)

    def gone(self) -> None:
        self._gone.inc()

    def wrote(self, tokens: int) -> None:
        self._tokens.inc(tokens)

    def text(self) -> bytes:
        """In the format that Prometheus scrapes."""
        return generate_latest(self._registry)


class JsonLines(logging.Formatter):
    """A log record as one line of JSON. Of an exception its class and where it was raised, never its text."""

    def format(self, record: logging.LogRecord) -> str:
        row = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            kind, _, trace = record.exc_info
            row["error"] = getattr(kind, "__name__", "")
            row["at"] = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(trace)[-5:]]
        return json.dumps(row, ensure_ascii=False)


def log_config() -> dict[str, object]:
    """For `logging.config.dictConfig`: everything of the server and of uvicorn to standard error, as JSON."""
    handled = {"handlers": ["stderr"], "level": "INFO", "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonLines}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json", "stream": sys.stderr}},
        "loggers": {
            "seesay.server": handled,
            "uvicorn": {**handled, "level": "WARNING"},
            # It warns of every form that is broken, in words of its own; the sender is told, and the request is logged.
            "python_multipart": {**handled, "level": "CRITICAL"},
        },
    }
