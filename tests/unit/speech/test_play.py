"""Playing, with a stand-in player on the PATH: machines that test have no loudspeaker."""

import sys
import wave
from pathlib import Path

import numpy
import pytest

from seesay.errors import ResourceError
from seesay.speech import player
from seesay.types import Speech

SPEECH = Speech(numpy.full(2400, 0.1, numpy.float32), 24_000, ())


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    monkeypatch.setenv("PATH", str(tmp_path))


def stand_in(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_a_player_on_the_path_is_given_the_whole_sound(tmp_path: Path) -> None:
    stand_in(tmp_path / "aplay", f'test "$1" = -q && /bin/cp "$2" {tmp_path}/heard.wav')
    player()(SPEECH)
    with wave.open(str(tmp_path / "heard.wav")) as file:
        assert (file.getframerate(), file.getnframes()) == (24_000, 2400)


def test_without_any_player_the_error_says_what_was_looked_for() -> None:
    with pytest.raises(ResourceError, match=r"(?s)paplay, aplay, afplay.*--output"):
        player()


@pytest.mark.parametrize(
    ("script", "said"), [("echo 'no sound card' >&2; exit 1", "no sound card"), ("exit 3", "code 3")]
)
def test_a_player_that_fails_says_why(tmp_path: Path, script: str, said: str) -> None:
    stand_in(tmp_path / "paplay", script)
    with pytest.raises(ResourceError, match=f"(?s)paplay cannot play.*{said}"):
        player()(SPEECH)
