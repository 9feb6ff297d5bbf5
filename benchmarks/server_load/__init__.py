"""Load on `seesay serve`: a stub of fixed cost, the embedded model, and what batching gives. A part alone:
`python -m benchmarks server_load:embedded`.

The server is a process of its own, the client another; both share this machine. `load_average` says who else did, and
`client_lag_ms` how late the client was itself: where that is a good part of a refusal, the client was the bottleneck.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from .load import Client, closed_loop, leave, open_loop, quantiles, summary

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "examples" / "pictures"
COST = {"batch_ms": 80, "row_ms": 20, "token_ms": 20}
"""A batch of 16 takes 400 ms, so 40 answers a second are its capacity."""
CAPACITY = 16 / (COST["batch_ms"] + 16 * COST["row_ms"]) * 1000
SECONDS = 15.0
MEMORY = (1_000, 10_000)


def measure(*parts: str) -> dict[str, object]:
    """All parts, or those named."""
    measured: dict[str, object] = {}
    for name in parts or PARTS:
        before = os.getloadavg()[0]
        measured[name] = {**PARTS[name](), "load_average": [round(before, 1), round(os.getloadavg()[0], 1)]}
        print(name, json.dumps(measured[name]), flush=True)
    return measured


def fixed_cost() -> dict[str, Any]:
    """Goodput and times at 1, 2 and 10 times the capacity of the stub."""
    with _stub(COST) as server:
        request = _ask(_small())
        rows = {}
        for times in (1, 2, 10):
            outcomes = asyncio.run(_open(server, request, times * CAPACITY, SECONDS))
            rows[f"{times}x"] = {"rate_per_s": times * CAPACITY, **summary(outcomes, SECONDS)}
        chat = _chat(_small(), tokens=10)
        outcomes = asyncio.run(_open(server, chat, 1.0, SECONDS))
        first = quantiles([one.first for one in outcomes if one.status == 200])
        return {"capacity_per_s": CAPACITY, **rows, "stream_at_1_per_s": {"first_token_ms": first}}


def leaving() -> dict[str, Any]:
    """Half of the clients go in mid-answer: what is left running, and for how long the thread was held."""
    with _stub({**COST, "token_ms": 50}) as server:

        async def run() -> None:
            client = _client(server)
            request = _chat(_small(), tokens=40)
            await asyncio.gather(*(leave(client, request, 0.3 + 0.05 * place) for place in range(16)))

        asyncio.run(run())
        left = time.perf_counter()
        while _figure(server, "seesay_in_flight") > 1 or _figure(server, "seesay_waiting"):
            time.sleep(0.01)
        stopped = time.perf_counter() - left
        began = time.perf_counter()
        outcome = asyncio.run(_client(server).send(_ask(_small()), began))
        return {
            "left": 16,
            "gone_seen": _figure(server, "seesay_clients_gone_total"),
            "ms_until_nothing_runs": round(stopped * 1000, 1),
            "next_answer_ms": round(outcome.seconds * 1000, 1),
        }


def memory() -> dict[str, Any]:
    """Memory of the server after 1,000 and after 10,000 requests by 16 clients."""
    with _stub({"batch_ms": 1, "row_ms": 0, "token_ms": 1}) as server:
        request, taken, done = _ask(_small()), {}, 0
        for count in MEMORY:
            asyncio.run(closed(server, [request] * (count - done)))
            done = count
            taken[str(count)] = _resident(server)
        first, last = taken.values()
        return {"resident_mb": taken, "growth_percent": round((last / first - 1) * 100, 2)}


def embedded() -> dict[str, Any]:
    """seesay-mini about six photographs: its capacity by 16 clients, then an open loop around it."""
    photos = [path.read_bytes() for path in sorted(PICTURES.glob("*.jpg"))]
    requests = [_ask(photo, f"Is there a {thing}?") for thing in ("dog", "cat", "red car", "cup") for photo in photos]
    with _server() as server:
        asyncio.run(closed(server, requests))
        began = time.perf_counter()
        outcomes = asyncio.run(closed(server, requests * 8))
        capacity = len(outcomes) / (time.perf_counter() - began)
        rows: dict[str, Any] = {
            "capacity_per_s": round(capacity, 1),
            "closed_loop_16": summary(outcomes, len(outcomes) / capacity),
        }
        for times in (0.5, 1, 2, 10):
            found = asyncio.run(_open(server, requests[0], times * capacity, SECONDS))
            rows[f"{times:g}x"] = summary(found, SECONDS)
        return rows


def batching() -> dict[str, Any]:
    """16 clients, one at a time and in batches, beside what computing 16 together gains without a server: a ViLT of B/32
    geometry, one as `--from-scratch vilt-small` makes it, each on one thread and on two, and the stub."""
    photo = (PICTURES / "dogs.jpg").read_bytes()
    requests = [_ask(photo, question) for question in ("How many dogs?", "Is there a cat?", "What is it?")]
    rows: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind, threads, rounds in (("vilt-b32", ("1", "2"), 8), ("vilt-small", ("1", "2"), 100)):
            model = Path(folder) / kind
            model.mkdir()
            command = [sys.executable, "-m", "benchmarks.server_load.vilt", kind, str(model), *threads]
            made = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
            for count, computed in json.loads(made.stdout.splitlines()[-1]).items():
                served = _batched(requests * rounds, partial(_server, "--model", str(model), threads=count))
                rows[f"{kind}, threads {count}"] = {"computed": computed, **served}
    computed = {"gain_of_computing_16_together": round(16 * (COST["batch_ms"] + COST["row_ms"]) * CAPACITY / 16_000, 2)}
    rows["stub"] = {"computed": computed, **_batched([_ask(_small())] * 160, partial(_stub, COST))}
    return rows


def _batched(requests: list[bytes], serve: Callable[..., AbstractContextManager[_Running]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for size in (1, 16):
        with serve("--batch-size", str(size)) as server:
            asyncio.run(closed(server, requests[:16]))
            began = time.perf_counter()
            outcomes = asyncio.run(closed(server, requests))
            found[f"batch_size_{size}"] = summary(outcomes, time.perf_counter() - began)
    alone, together = (found[f"batch_size_{size}"]["goodput_per_s"] for size in (1, 16))
    return {"gain_of_serving_16_together": round(together / alone, 2), **found}


PARTS = {"fixed_cost": fixed_cost, "leaving": leaving, "memory": memory, "embedded": embedded, "batching": batching}


async def closed(server: _Running, requests: list[bytes], clients: int = 16) -> list[Any]:
    client = _client(server)
    try:
        return await closed_loop(client, requests, clients)
    finally:
        client.close()


async def _open(server: _Running, request: bytes, rate: float, seconds: float) -> list[Any]:
    client = _client(server)
    try:
        return await open_loop(client, request, rate, seconds, seed=0)
    finally:
        client.close()


class _Running:
    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self.process, self.address = process, address
        self.port = int(address.rpartition(":")[2])


@contextmanager
def _server(*flags: str, path: str = "", threads: str = "1") -> Iterator[_Running]:
    command = [sys.executable, "-m", "seesay", "serve", "--port", "0", "--json", "--voice", "", *flags]
    environ = {**os.environ, "OMP_NUM_THREADS": threads, "PYTHONPATH": f"{path}{os.environ.get('PYTHONPATH', '')}"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environ, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        try:
            yield _Running(process, json.loads(process.stdout.readline())["address"])
        finally:
            process.terminate()


@contextmanager
def _stub(cost: dict[str, int], *flags: str) -> Iterator[_Running]:
    """A server whose model is `FixedCost`, known by the entry point of a package that lies in a folder on the path."""
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "fixed_cost-1.0.dist-info"
        package.mkdir()
        (package / "METADATA").write_text("Metadata-Version: 2.1\nName: fixed-cost\nVersion: 1.0\n")
        (package / "entry_points.txt").write_text(
            "[seesay.models.families]\nfixed = benchmarks.server_load.fixed_cost\n"
        )
        model = Path(folder) / "fixed"
        model.mkdir()
        (model / "config.json").write_text(json.dumps({"model_type": "fixed-cost", **cost}))
        with _server("--model", str(model), *flags, path=f"{folder}:{ROOT}:") as server:
            yield server


def _client(server: _Running) -> Client:
    return Client("127.0.0.1", server.port)


def _figure(server: _Running, name: str) -> float:
    with urllib.request.urlopen(f"{server.address}/metrics") as reply:
        lines = reply.read().decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(f"{name} "))


def _resident(server: _Running) -> float:
    lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    return round(next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024, 1)


def _small() -> bytes:
    from io import BytesIO

    from PIL import Image

    buffer = BytesIO()
    Image.new("RGB", (64, 48), "red").save(buffer, "PNG")
    return buffer.getvalue()


def _ask(picture: bytes, question: str = "What is it?") -> bytes:
    body = b"".join(
        b"--x\r\nContent-Disposition: form-data; name=" + name + b"\r\n\r\n" + content + b"\r\n"
        for name, content in ((b'"picture"; filename="a"', picture), (b'"question"', question.encode()))
    )
    return _request("/ask", "multipart/form-data; boundary=x", body + b"--x--\r\n")


def _chat(picture: bytes, tokens: int) -> bytes:
    url = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
    parts = [{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {"url": url}}]
    body = {"model": "fixed", "stream": True, "max_tokens": tokens, "messages": [{"role": "user", "content": parts}]}
    return _request("/v1/chat/completions", "application/json", json.dumps(body).encode())


def _request(path: str, kind: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body
