"""Names by which a server may be addressed, and what is said to whom."""

import logging
import sys

import pytest

from seesay import errors
from seesay.server.guard import host_of, is_this_machine, known_hosts
from seesay.server.observe import JsonLines
from seesay.server.replies import of_error, public_message
from seesay.server.service import public_name


@pytest.mark.parametrize(
    ("header", "host"),
    [
        (b"localhost:8000", "localhost"),
        (b"LOCALHOST", "localhost"),
        (b"[::1]:80", "[::1]"),
        (b"", ""),
        (b"127.0.0.1:1@evil", "127.0.0.1"),
        (b"[::1", ""),
    ],
)
def test_the_name_in_a_host_header(header: bytes, host: str) -> None:
    assert host_of(header) == host


def test_what_only_this_machine_reaches() -> None:
    assert all(map(is_this_machine, ("127.0.0.1", "127.8.9.1", "::1", "localhost")))
    assert not any(map(is_this_machine, ("0.0.0.0", "::", "192.168.1.2", "example.org")))


def test_names_of_a_server() -> None:
    assert known_hosts("127.0.0.1", "") == {"127.0.0.1", "localhost", "[::1]"}
    assert "box.local" in known_hosts("127.0.0.1", "Box.local, other")
    assert "*" in known_hosts("0.0.0.0", "")
    assert "*" not in known_hosts("0.0.0.0", "pictures.example.org")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (errors.TextError("the text is empty", where="question"), "question: the text is empty"),
        (errors.ResourceError("cannot be written", where="/srv/secret"), "the server ran out"),
        (
            errors.ModelError("this model never answers 'x'", where="/srv/model", hint="it can"),
            "this model never answers 'x'; it can",
        ),
        (errors.Busy("32 requests are waiting", hint="ask again"), "32 requests are waiting; ask again"),
        (errors.InputError("the server refuses it", where="http://10.0.0.1/v1"), "the server refuses it"),
        (
            errors.InputError("the server refuses it: no /srv/m/x at http://10.0.0.1:1", where="http://10.0.0.1/v1"),
            "the server refuses it: no ... at ...",
        ),
    ],
)
def test_messages_give_no_path_and_no_address_away(error: errors.SeesayError, said: str) -> None:
    assert public_message(error).startswith(said)
    whole = bytes(of_error("/ask", error).body).decode()
    assert "/srv" not in whole and "10.0.0.1" not in whole


def test_what_broke_inside_a_voice_is_not_told() -> None:
    try:
        raise errors.SpeechError("the voice failed: RuntimeError: at 0x7f") from RuntimeError("at 0x7f")
    except errors.SpeechError as error:
        assert "0x" not in public_message(error)


def test_what_a_library_said_is_not_told() -> None:
    try:
        raise errors.InputError("the processor: no /srv/x", where="conversation") from ValueError("no /srv/x")
    except errors.InputError as error:
        assert b"/srv" not in of_error("/v1/responses", error).body


def test_the_log_has_where_and_not_what() -> None:
    try:
        raise ValueError("a question of somebody")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "f", 1, "surprise", None, sys.exc_info())
    line = JsonLines().format(record)
    assert '"ValueError"' in line and "test_guard.py" in line and "somebody" not in line


def test_what_clients_call_a_model(tmp_path: object) -> None:
    assert public_name("seesay-mini") == "seesay-mini"
    assert public_name("dandelin/vilt-b32-finetuned-vqa") == "dandelin/vilt-b32-finetuned-vqa"
    assert public_name(str(tmp_path)) == str(tmp_path).rpartition("/")[2]
    assert public_name("openai:http://10.0.0.1/v1#Qwen/Qwen3-VL") == "Qwen/Qwen3-VL"
