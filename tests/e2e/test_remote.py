"""Models that another server computes, through every command: here the other server is a seesay, a real process."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx2
import pytest

import seesay
from seesay import errors

PICTURES = Path(__file__).parents[2] / "examples" / "pictures"
DOGS, SIGN, CAT = (PICTURES / name for name in ("dogs.jpg", "sign.jpg", "cat.jpg"))


def run(*words: str | Path, code: int = 0, typed: str = "") -> str:
    command = [sys.executable, "-m", "seesay", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, input=typed)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout if code == 0 else done.stderr


@pytest.fixture(scope="module")
def name(server: Any) -> str:
    return f"openai:{server.address}/v1#seesay-mini"


@pytest.fixture(scope="module")
def remote(name: str) -> seesay.Model:
    return seesay.load(name)


@pytest.fixture(scope="module")
def mini() -> seesay.Model:
    return seesay.load()


def test_answers_are_those_of_the_model_itself(remote: seesay.Model, mini: seesay.Model) -> None:
    asked = [(DOGS, "What animal is this?"), (CAT, "Is there a dog?"), (SIGN, "What does the sign say?")]
    for picture, question in asked:
        here, there = mini.ask(picture, question), remote.ask(picture, question)
        assert there.text == here.text
        assert there.score == pytest.approx(here.score, abs=1e-5)
        assert there.provenance.inputs == here.provenance.inputs and there.provenance.family == "remote"
    assert remote.caption(DOGS).text == mini.caption(DOGS).text
    assert [answer.text for answer in remote.ask([DOGS, CAT], "What animal is this?")] == ["dog", "cat"]


def test_choices(remote: seesay.Model) -> None:
    answer = remote.ask(DOGS, "What animal is this?", choices=["cat", "dog"])
    assert answer.text == "dog" and sum(one.score for one in answer.alternatives) == pytest.approx(1)


def test_a_stream(remote: seesay.Model, mini: seesay.Model) -> None:
    with remote.stream(DOGS, "describe it") as pieces:
        assert "".join(pieces) == pieces.answer().text == mini.caption(DOGS).text


def test_the_commands(name: str, tmp_path: Path) -> None:
    row = json.loads(run("ask", DOGS, "What animal is this?", "--model", name, "--json"))
    assert row["answer"] == "dog" and row["provenance"]["model"] == name
    assert "four dogs" in run("caption", DOGS, "--model", name)
    turns = run("chat", DOGS, "--model", name, "--json", typed="What animal is this?\nHow many dogs are there?\n")
    assert [json.loads(line)["answer"] for line in turns.splitlines()] == ["dog", "4"]
    kinds = {DOGS: "dog", CAT: "cat"}
    rows = [{"image": path.name, "question": "What animal is this?", "answer": kind} for path, kind in kinds.items()]
    data = tmp_path / "test.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    there, here = (
        json.loads(run("evaluate", "vqa", "--data", data, "--images", PICTURES, "--model", model, "--json"))
        for model in (name, "seesay-mini")
    )
    assert there["accuracy"] == here["accuracy"] and there["accuracy"]["mean"] == 1.0


def test_a_server_before_a_server(server_maker: ModuleType, name: str) -> None:
    with server_maker.serving("--model", name, "--voice", "") as front:
        assert front.model == "seesay-mini"
        files = {"picture": DOGS.read_bytes()}
        reply = httpx2.post(f"{front.address}/ask", files=files, data={"question": "What animal is this?"}, timeout=240)
        assert reply.json()["answers"][0]["answer"] == "dog"
        assert name.partition("#")[0].removeprefix("openai:") not in reply.text


def test_a_key_is_taken_from_the_environment(server_maker: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    with server_maker.serving("--voice", "", environment={"SEESAY_SERVE__API_KEY": "sesame"}) as guarded:
        with pytest.raises(errors.UsageError, match="OPENAI_API_KEY"):
            seesay.load(f"openai:{guarded.address}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "sesame")
        assert seesay.load(f"openai:{guarded.address}/v1").ask(CAT, "What animal is this?").text == "cat"


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_what_goes_wrong_is_said(name: str, closed_port: int) -> None:
    with pytest.raises(errors.ModelNotFound, match=r"no model 'llava'.*\n.*seesay-mini"):
        seesay.load(name.replace("seesay-mini", "llava"))
    with pytest.raises(errors.UsageError, match="not openai: and an address"):
        seesay.load("openai:nonsense")
    with pytest.raises(errors.ResourceError, match="cannot be reached"):
        seesay.load(f"openai:http://127.0.0.1:{closed_port}/v1")
    with pytest.raises(errors.ModelError, match=r"not.*found|makes no sense|not on this server"):
        seesay.load(name.replace("/v1", "/nowhere"))
    said = run("ask", DOGS, "What?", "--model", f"openai:http://127.0.0.1:{closed_port}/v1", code=4)
    assert "cannot be reached" in said


def test_it_cannot_be_trained_or_looked_into(remote: seesay.Model, tmp_path: Path) -> None:
    with pytest.raises(errors.ModelError):
        remote.evidence(DOGS, "What animal is this?", "dog")
    with pytest.raises(errors.ModelError):
        remote.family.save(tmp_path)


@pytest.mark.slow
def test_a_server_that_is_not_ours(chat_checkpoint: Path, closed_port: int) -> None:
    """`transformers serve`: its words are those that the checkpoint gives here."""
    port = closed_port + 1
    command = ["transformers", "serve", str(chat_checkpoint), "--port", str(port), "--device", "cpu"]
    environ = {**os.environ, "HF_HUB_OFFLINE": "1", "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    with subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(f"http://127.0.0.1:{port}/health")
            there = seesay.load(f"openai:http://127.0.0.1:{port}/v1#{chat_checkpoint}")
            here = seesay.load(str(chat_checkpoint))
            conversation = seesay.Conversation().ask("What differs?", DOGS, SIGN)
            expected = here.chat(conversation, max_new_tokens=9)
            with there.stream(conversation, max_new_tokens=9) as pieces:
                assert "".join(pieces) == expected.text
                assert pieces.answer().finish == expected.finish
            with pytest.raises(errors.ModelError, match="does not choose"):
                there.ask(DOGS, "What?", choices=["a", "b"])
        finally:
            process.terminate()


def wait_for(address: str) -> None:
    for _ in range(240):
        with suppress(httpx2.HTTPError):
            if httpx2.get(address).status_code == 200:
                return
        time.sleep(0.5)
    raise AssertionError(address)
