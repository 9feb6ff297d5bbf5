"""How a server behaves over its life: keys, streams that are left, a full queue, stopping. With a model that converses."""

import asyncio
import base64
import json
import socket
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

import seesay

PICTURES = Path(__file__).parents[2] / "examples" / "pictures"
DOGS, SIGN = PICTURES / "dogs.jpg", PICTURES / "sign.jpg"
KEY = "a-key-of-the-tests"
HEADERS = {"authorization": f"Bearer {KEY}"}


@pytest.fixture(scope="module")
def chatty(server_maker: ModuleType, chat_checkpoint: Path, whisper_checkpoint: Path) -> Iterator[Any]:
    """A small model that converses, one that listens, a key, and room for three that wait.

    torch answers: an export of so small a model would be done before anybody could leave.
    """
    flags = ["--model", chat_checkpoint, "--engine", "torch", "--listen-model", whisper_checkpoint, "--queue", "3"]
    with server_maker.serving(*flags, environment={"SEESAY_SERVE__API_KEY": KEY}) as running:
        yield running


@pytest.fixture(scope="module")
def client(chatty: Any) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{chatty.address}/v1", api_key=KEY, max_retries=0) as opened:
        yield opened


@pytest.fixture(scope="module")
def http(chatty: Any) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=chatty.address, timeout=240, headers=HEADERS) as opened:
        yield opened


def asking(*pictures: Path) -> list[Any]:
    parts: list[Any] = [{"type": "text", "text": "What differs?"}]
    for picture in pictures:
        url = f"data:image/jpeg;base64,{base64.b64encode(picture.read_bytes()).decode()}"
        parts.append({"type": "image_url", "image_url": {"url": url}})
    return [{"role": "user", "content": parts}]


def figure(http: httpx2.Client, name: str) -> float:
    lines = http.get("/metrics").text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith((f"{name} ", f"{name}{{")))


def wait_until(holds: Any, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


class TestKeys:
    def test_an_address_that_others_reach_needs_one(self) -> None:
        command = [sys.executable, "-m", "seesay", "serve", "--host", "0.0.0.0", "--port", "0"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=240)
        assert done.returncode == 2 and "SEESAY_SERVE__API_KEY" in done.stderr and "Traceback" not in done.stderr

    @pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer wrong"}, {"authorization": KEY}])
    def test_without_it_nothing_is_answered(self, chatty: Any, headers: dict[str, str]) -> None:
        for path in ("/v1/models", "/metrics"):
            assert httpx2.get(chatty.address + path, headers=headers).status_code == 401
        for path in ("/ask", "/v1/chat/completions", "/api/chat", "/speak"):
            assert httpx2.post(chatty.address + path, headers=headers).status_code == 401
        for path in ("/live", "/ready", "/about", "/openapi.json"):
            assert httpx2.get(chatty.address + path).status_code == 200

    def test_with_it_everything_is(self, client: openai.OpenAI) -> None:
        assert client.models.list().data[0].id == "idefics3"

    def test_it_is_in_no_log(self, chatty: Any, client: openai.OpenAI) -> None:
        client.models.list()
        assert KEY not in "".join(chatty.log)


class TestConversations:
    def test_two_pictures_and_a_turn_before(
        self, client: openai.OpenAI, chat_checkpoint: Path, http: httpx2.Client
    ) -> None:
        messages = [
            *asking(DOGS, SIGN),
            {"role": "assistant", "content": "a lot"},
            {"role": "user", "content": "What else?"},
        ]
        reply = client.chat.completions.create(model="idefics3", messages=messages, max_tokens=7)
        model = seesay.load(str(chat_checkpoint))
        expected = model.chat(seesay.conversation_from_openai(messages), max_new_tokens=7)
        assert reply.choices[0].message.content == expected.text
        assert reply.choices[0].finish_reason == ("length" if expected.finish == "length" else "stop")
        assert str(chat_checkpoint) not in reply.model_dump_json()

    def test_what_the_model_cannot_be_shown_is_said_without_its_folder(
        self, http: httpx2.Client, chat_checkpoint: Path
    ) -> None:
        long = [{"role": "user", "content": "word " * 6000}]
        unordered = [{"role": "assistant", "content": "a"}, {"role": "assistant", "content": "b"}, *asking(DOGS)]
        pictured = [{"role": "system", "content": asking(DOGS)[0]["content"][1:]}, *asking(SIGN)]
        for messages in (long, unordered, pictured):
            reply = http.post("/v1/chat/completions", json={"model": "idefics3", "messages": messages})
            assert reply.status_code in (200, 422) and str(chat_checkpoint.parent) not in reply.text
        reply = http.post("/v1/chat/completions", json={"model": "idefics3", "messages": long})
        assert reply.status_code == 422 and reply.json()["error"]["param"] == "conversation"

    def test_a_stream_comes_in_pieces_that_are_the_answer(self, client: openai.OpenAI) -> None:
        wanted: dict[str, Any] = {"model": "idefics3", "messages": asking(DOGS), "max_tokens": 24}
        whole = client.chat.completions.create(**wanted).choices[0].message.content
        pieces = [
            chunk.choices[0].delta.content or "" for chunk in client.chat.completions.create(**wanted, stream=True)
        ]
        assert "".join(pieces) == whole and len([piece for piece in pieces if piece]) > 1

    def test_decisions_are_made_by_likelihood(self, client: openai.OpenAI) -> None:
        url = asking(DOGS)[0]["content"][1]["image_url"]["url"]
        decided = client.decisions.create(
            model="idefics3",
            input=[{"role": "user", "content": [{"type": "input_image", "image_url": url}]}],
            questions=[{"type": "choice", "instructions": "What is it?", "choices": [{"value": "a"}, {"value": "b"}]}],
        )
        (answer,) = decided.answers
        assert answer.type == "choice" and sum(one.probability for one in answer.probabilities) == pytest.approx(1)

    def test_a_recording_is_written_down(
        self, client: openai.OpenAI, recording: Path, whisper_checkpoint: Path
    ) -> None:
        heard = client.audio.transcriptions.create(model="tiny.en", file=recording)
        assert heard.text == seesay.listen(recording, model=str(whisper_checkpoint)).text

    def test_a_recording_that_is_none(self, client: openai.OpenAI) -> None:
        with pytest.raises(openai.UnprocessableEntityError, match="recording"):
            client.audio.transcriptions.create(model="tiny.en", file=b"RIFFnonsense")


class TestLeaving:
    def test_a_stream_that_is_left_stops_within_a_token(self, client: openai.OpenAI, http: httpx2.Client) -> None:
        gone = figure(http, "seesay_clients_gone_total")
        for _ in range(3):
            wanted: dict[str, Any] = {"model": "idefics3", "messages": asking(DOGS), "max_tokens": 800}
            stream = client.chat.completions.create(**wanted, stream=True)
            next(iter(stream))
            stream.close()
        began = time.monotonic()
        reply = client.chat.completions.create(model="idefics3", messages=asking(DOGS), max_tokens=1)
        assert reply.usage is not None
        assert time.monotonic() - began < 5
        wait_until(lambda: figure(http, "seesay_in_flight") == 1)  # the one that asks
        # On a quick machine an answer may be complete before its client is seen to have gone.
        assert gone < figure(http, "seesay_clients_gone_total") <= gone + 3

    def test_most_of_the_clients_leave_and_nothing_stays(self, chatty: Any, http: httpx2.Client) -> None:
        body = json.dumps({"model": "idefics3", "messages": asking(DOGS), "max_tokens": 400}).encode()
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {KEY}\r\n"
        whole = f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        gone = figure(http, "seesay_clients_gone_total")
        for _ in range(2):
            with socket.create_connection(("127.0.0.1", chatty.port), 10) as raw:
                raw.sendall(whole)
        reply = http.post("/v1/chat/completions", content=body, headers={"content-type": "application/json"})
        assert reply.status_code == 200
        wait_until(lambda: figure(http, "seesay_in_flight") == 1 and figure(http, "seesay_waiting") == 0)
        assert gone < figure(http, "seesay_clients_gone_total") <= gone + 2

    def test_a_full_queue_refuses_at_once_and_says_when_to_ask_again(self, chatty: Any) -> None:
        async def run() -> list[tuple[int, float, str]]:
            async with httpx2.AsyncClient(base_url=chatty.address, headers=HEADERS, timeout=240) as asynchronous:
                body = {"model": "idefics3", "messages": asking(DOGS), "max_tokens": 400}

                async def one() -> tuple[int, float, str]:
                    began = time.monotonic()
                    reply = await asynchronous.post("/v1/chat/completions", json=body)
                    return reply.status_code, time.monotonic() - began, reply.headers.get("retry-after", "")

                return await asyncio.gather(*(one() for _ in range(12)))

        replies = asyncio.run(run())
        assert {status for status, _, _ in replies} == {200, 429}
        refused = [(seconds, again) for status, seconds, again in replies if status == 429]
        assert len(refused) >= 6 and all(again.isdigit() for _, again in refused)
        answered = [seconds for status, seconds, _ in replies if status == 200]
        assert max(seconds for seconds, _ in refused) < max(answered)


def test_stopping_answers_what_was_asked_and_refuses_what_comes(server_maker: ModuleType) -> None:
    with server_maker.serving() as running:
        text = " ".join(["A brown dog is running along the beach."] * 12)

        async def run() -> tuple[httpx2.Response, httpx2.Response, httpx2.Response]:
            async with httpx2.AsyncClient(base_url=running.address, timeout=240) as http:
                speaking = asyncio.ensure_future(http.post("/speak", data={"text": text}))
                while "seesay_in_flight 2.0" not in (await http.get("/metrics")).text:
                    await asyncio.sleep(0.02)
                running.process.terminate()
                while (ready := await http.get("/ready")).status_code == 200:
                    await asyncio.sleep(0.02)
                refused = await http.post("/speak", data={"text": "Late."})
                return await speaking, ready, refused

        spoken, ready, refused = asyncio.run(run())
        assert spoken.status_code == 200 and len(spoken.content) > 1_000_000
        assert ready.status_code == 503
        assert refused.status_code == 503 and refused.headers["retry-after"]
        assert running.process.wait(30) == 0
        assert not [line for line in running.log if '"error"' in line]


def test_a_port_that_is_taken_is_said_before_anything_is_loaded(server: Any) -> None:
    began = time.monotonic()
    command = [sys.executable, "-m", "seesay", "serve", "--port", str(server.port)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert done.returncode == 4 and "Address already in use" in done.stderr and "Traceback" not in done.stderr
    assert time.monotonic() - began < 30
