"""The server as replicas on Ray Serve: as the plain one answers, whatever happens to a replica, and gone when told to stop."""

import asyncio
import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx2
import openai
import pytest

PICTURES = Path(__file__).parents[2] / "examples" / "pictures"
DOGS = PICTURES / "dogs.jpg"
needed = ("ray", "grpc", "aiohttp")
pytestmark = [
    pytest.mark.skipif(not all(map(importlib.util.find_spec, needed)), reason="seesay[ray] is not installed"),
    pytest.mark.slow,
    pytest.mark.timeout(600),
]
# Ray and what it brings use what Python will drop; a busy machine starts its processes late.
ENVIRONMENT = {"PYTHONWARNINGS": "default", "RAY_agent_register_timeout_ms": "200000"}


@pytest.fixture(scope="module")
def spread(server_maker: ModuleType) -> Iterator[Any]:
    with server_maker.serving("--engine", "ray", environment=ENVIRONMENT) as running:
        yield running


@pytest.fixture(scope="module")
def http(spread: Any) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=spread.address, timeout=120) as opened:
        yield opened


def replicas(running: Any) -> set[int]:
    """The process ids of the replicas of this server: their raylet was started with the server's process as its ancestor."""
    found = set()
    for entry in Path("/proc").iterdir():
        try:
            named = entry.name.isdigit() and b"ray::ServeReplica:seesay" in (entry / "cmdline").read_bytes()
            if named and running.process.pid in ancestors(int(entry.name)):
                found.add(int(entry.name))
        except OSError:
            continue
    return found


def ancestors(pid: int) -> set[int]:
    found = set()
    while pid > 1:
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        found.add(pid)
    return found


def ask(http: httpx2.Client, question: str = "What animal is this?") -> httpx2.Response:
    return http.post("/ask", files={"picture": DOGS.read_bytes()}, data={"question": question})


def test_replicas_answer_as_the_plain_server_does(spread: Any, http: httpx2.Client, server: Any) -> None:
    questions = ["What animal is this?", "Is there a cat?", "How many dogs are there?", "What color is it?"] * 6

    async def ask_all(address: str) -> list[Any]:
        async with httpx2.AsyncClient(base_url=address, timeout=120) as client:
            data = DOGS.read_bytes()
            calls = [client.post("/ask", files={"picture": data}, data={"question": one}) for one in questions]
            replies = await asyncio.gather(*calls)
        assert {reply.status_code for reply in replies} == {200}
        rows = [reply.json()["answers"][0] for reply in replies]
        return [(row["answer"], round(row["score"], 4), row["provenance"]["inputs"]) for row in rows]

    assert asyncio.run(ask_all(spread.address)) == asyncio.run(ask_all(server.address))
    assert len(replicas(spread)) == 2
    # Each of them had a part of it.
    counted = set()
    for _ in range(20):
        lines = http.get("/metrics").text.splitlines()
        counted.add(next((line for line in lines if 'seesay_request_seconds_sum{route="/ask"}' in line), ""))
    assert len(counted) == 2 and "" not in counted


def test_what_the_page_and_clients_use(spread: Any, http: httpx2.Client) -> None:
    assert "<title>" in http.get("/").text and http.get("/ready").status_code == 200
    refused = http.get("/about", headers={"host": "evil.example"})
    assert refused.status_code == 421
    with openai.OpenAI(base_url=f"{spread.address}/v1", api_key="none", max_retries=0) as client:
        wanted: dict[str, Any] = {"model": "seesay-mini", "input": "What?"}
        with pytest.raises(openai.BadRequestError, match="'voodoo'"):
            client.responses.create(**wanted, extra_body={"voodoo": 1})
        sound = client.audio.speech.create(model="hibari", voice="default", input="A dog.", response_format="wav")
        assert sound.read()[:4] == b"RIFF"


def test_a_client_that_leaves_takes_its_work_along(spread: Any, http: httpx2.Client) -> None:
    async def leave() -> None:
        text = " ".join(["A brown dog is running along the beach."] * 40)
        async with httpx2.AsyncClient(base_url=spread.address, timeout=120) as client:
            call = asyncio.ensure_future(client.post("/speak", data={"text": text}))
            await asyncio.sleep(0.3)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)

    asyncio.run(leave())
    until, idle = time.monotonic() + 20, 0
    while idle < 8:  # replicas answer in turn: so often is both of them
        text = http.get("/metrics").text
        idle = idle + 1 if "seesay_in_flight 1.0" in text else 0
        assert time.monotonic() < until
    assert ask(http).status_code == 200


def test_a_replica_that_is_killed_is_replaced_and_no_request_after_it_fails(spread: Any, http: httpx2.Client) -> None:
    before = replicas(spread)
    lost = min(before)
    os.kill(lost, signal.SIGKILL)
    codes, until = [], time.monotonic() + 90
    while len(replicas(spread) - {lost}) < 2 or len(codes) < 60:
        codes.append(ask(http).status_code)
        assert time.monotonic() < until
    assert set(codes) == {200}
    assert before - {lost} < replicas(spread)


def test_ctrl_c_answers_what_was_asked_refuses_what_comes_and_ends_everything(spread: Any) -> None:
    left = replicas(spread)

    async def run() -> tuple[httpx2.Response, list[int]]:
        text = " ".join(["A brown dog is running along the beach."] * 30)
        async with httpx2.AsyncClient(base_url=spread.address, timeout=120) as client:
            speaking = asyncio.ensure_future(client.post("/speak", data={"text": text}))
            await asyncio.sleep(0.3)
            spread.process.send_signal(signal.SIGINT)
            late = []
            while not speaking.done():
                late.append(asyncio.ensure_future(client.post("/speak", data={"text": "Late."})))
                await asyncio.sleep(0.05)
            replies = await asyncio.gather(*late, return_exceptions=True)
            # The last one may come when nobody listens any more.
            return await speaking, [reply.status_code for reply in replies if isinstance(reply, httpx2.Response)]

    spoken, codes = asyncio.run(run())
    assert spoken.status_code == 200 and len(spoken.content) > 1_000_000
    assert set(codes) <= {200, 503, 404} and codes.count(503) >= len(codes) / 2
    assert spread.process.wait(60) == 0
    until = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").exists() for pid in left):
        assert time.monotonic() < until
        time.sleep(0.1)
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"{spread.address}/live")
    assert "Traceback" not in "".join(spread.log)


def test_a_model_that_is_not_there_is_said_as_the_plain_server_says_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "seesay", "serve", "--port", "0", "--model", str(tmp_path / "none")]
    environment = {**os.environ, **ENVIRONMENT}
    plain = subprocess.run(command, capture_output=True, text=True, timeout=240, env=environment)
    ray = subprocess.run([*command, "--engine", "ray"], capture_output=True, text=True, timeout=240, env=environment)
    assert ray.returncode == plain.returncode == 3
    assert plain.stderr.strip() in ray.stderr and "Traceback" not in ray.stderr
