"""`seesay chat` as people use it: line by line from a pipe, and on a terminal with Ctrl-C in the middle of an answer."""

import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pty = pytest.importorskip("pty")
ENVIRONMENT = {**os.environ, "PYTHONWARNINGS": "error", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


def chat(lines: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "seesay", "chat", *map(str, arguments)]
    return subprocess.run(words, input=lines, capture_output=True, text=True, env=ENVIRONMENT, timeout=120)


def test_questions_from_a_pipe_are_answered_in_one_conversation(
    chat_checkpoint: Path, vilt_pictures: list[Path], tmp_path: Path
) -> None:
    saved = tmp_path / "talk.json"
    lines = f"what is it?\n\n/image {vilt_pictures[1]}\nand what differs?\n/save {saved}\n"
    done = chat(lines, vilt_pictures[0], "--model", chat_checkpoint, "--max-new-tokens", 12, "--json")
    assert done.returncode == 0, done.stderr
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert first["pictures"] == [str(vilt_pictures[0])]
    assert second["pictures"] == [str(vilt_pictures[1])]
    assert len(second["provenance"]["inputs"]) == 2  # it sees the first picture again
    messages = json.loads(saved.read_text())
    assert [message["role"] for message in messages] == ["user", "assistant", "user", "assistant"]
    assert messages[1]["content"] == first["answer"]
    assert messages[2]["content"][0]["image_url"]["url"].startswith("data:image/png;base64,")


def test_the_embedded_model_answers_each_question_about_the_latest_picture(vilt_pictures: list[Path]) -> None:
    done = chat("Is it red?\nIs it blue?\n/quit\nnever asked\n", vilt_pictures[0], "--json")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["question"] for row in rows] == ["Is it red?", "Is it blue?"]
    assert {row["provenance"]["model"] for row in rows} == {"seesay-mini"}


def test_a_turn_that_fails_is_told_and_the_conversation_goes_on(
    chat_checkpoint: Path, vilt_pictures: list[Path]
) -> None:
    lines = "/image /no/such.png\n/dance\n/save\n/speak\nwhat is it?\n"
    done = chat(lines, vilt_pictures[0], "--model", chat_checkpoint, "--max-new-tokens", 5)
    assert done.returncode != 0
    for said in ("/no/such.png: no such file", "unknown command '/dance'", "no file named", "nothing to speak yet"):
        assert said in done.stderr
    assert len(done.stdout.splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_a_mistyped_picture_fails_before_anything_is_loaded(vilt_pictures: list[Path]) -> None:
    started = time.perf_counter()
    done = chat("", vilt_pictures[0].with_name("0.pgn"), "--model", "no/such-model")
    assert done.returncode == 3
    assert "0.png" in done.stderr
    assert time.perf_counter() - started < 3


class Terminal:
    """A pseudo-terminal with `seesay chat` on it."""

    def __init__(self, *arguments: object) -> None:
        self.pid, self.file = pty.fork()
        if self.pid == 0:
            words = [sys.executable, "-m", "seesay", "chat", *map(str, arguments)]
            os.execvpe(sys.executable, words, {**ENVIRONMENT, "TERM": "dumb"})
        self.seen = ""

    def until(self, text: str, seconds: float = 60) -> str:
        """What is shown up to `text`."""
        end = time.monotonic() + seconds
        while text not in self.seen:
            if time.monotonic() > end or not select.select([self.file], [], [], end - time.monotonic())[0]:
                raise AssertionError(f"no {text!r} in {self.seen!r}")
            try:
                self.seen += os.read(self.file, 4096).decode()
            except OSError:
                raise AssertionError(f"ended before {text!r}: {self.seen!r}") from None
        before, _, self.seen = self.seen.partition(text)
        return before

    def type(self, keys: str) -> None:
        os.write(self.file, keys.encode())

    def end(self) -> int:
        _, status = os.waitpid(self.pid, 0)
        os.close(self.file)
        return os.waitstatus_to_exitcode(status)


def test_ctrl_c_stops_an_answer_and_keeps_the_conversation(
    chat_checkpoints: dict[str, Path], vilt_pictures: list[Path], tmp_path: Path
) -> None:
    saved = tmp_path / "talk.json"
    # Three pictures and a model that goes on for its whole 1,024 tokens: seconds to interrupt it in.
    terminal = Terminal(
        *vilt_pictures, "--model", chat_checkpoints["idefics2"], "--max-new-tokens", 1024, "--device", "cpu"
    )
    terminal.until("sdpa attention, cpu, float32)")
    terminal.until("/help lists what can be typed.")
    terminal.until("> ")
    terminal.type("what is the first?\r")
    terminal.until("on ")  # an answer has begun
    terminal.type("\x03")
    terminal.until("nothing of this turn is kept")
    terminal.until("> ")
    terminal.type(f"/save {saved}\r")
    terminal.until("0 questions and answers")
    assert json.loads(saved.read_text()) == []
    terminal.until("> ")
    time.sleep(0.5)  # a Ctrl-C while readline draws its prompt waits for the next key
    terminal.type("\x03")
    terminal.until("ends the conversation)")
    terminal.until("> ")
    terminal.type("\x04")
    assert terminal.end() == 0


def test_help_and_save_on_a_terminal(vilt_pictures: list[Path], tmp_path: Path) -> None:
    saved: Any = tmp_path / "talk.json"
    terminal = Terminal(vilt_pictures[0])
    terminal.until("> ")
    terminal.type("/help\r")
    terminal.until("/image PATH")
    terminal.until("> ")
    terminal.type("Is it red?\r")
    terminal.until("> ")
    terminal.type(f"/save {saved}\r")
    terminal.until("1 question and answers")
    terminal.until("> ")
    terminal.type("/quit\r")
    assert terminal.end() == 0
    assert len(json.loads(saved.read_text())) == 2
