"""A server of our own as a real process on a free port, for tests that talk to it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

STARTED_WITHIN = 120


class Server:
    """A running `seesay serve`."""

    def __init__(self, process: subprocess.Popen[bytes], address: str, model: str) -> None:
        self.process, self.address, self.model = process, address, model
        self.log: list[str] = []

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


@contextmanager
def serving(*flags: str | Path, environment: dict[str, str] | None = None) -> Iterator[Server]:
    """`seesay serve` with these flags, until the block is left."""
    command = [sys.executable, "-m", "seesay", "serve", "--port", "0", "--json", *map(str, flags)]
    environ = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "error", **(environment or {})}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ)
    assert process.stdout is not None and process.stderr is not None
    log: list[str] = []
    reader = threading.Thread(target=_collect, args=(process.stderr, log), daemon=True)
    reader.start()
    try:
        line = process.stdout.readline()
        assert line, f"the server did not start: {''.join(log)}"
        told = json.loads(line)
        server = Server(process, told["address"], told["model"])
        server.log = log
        yield server
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        reader.join(5)
        process.stdout.close()
        process.stderr.close()


def _collect(stream: IO[bytes], into: list[str]) -> None:
    for line in stream:
        into.append(line.decode())
