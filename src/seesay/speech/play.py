"""Speech on the loudspeaker: through the package `sounddevice` where it is installed, else through a player on the PATH.

Knows nothing about how speech is made.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import ResourceError
from ..types import Speech
from .write import save

PLAYERS = (("paplay",), ("aplay", "-q"), ("afplay",))
"""Commands that play a WAV file and return when it has ended: PulseAudio and PipeWire, ALSA, macOS."""


def player() -> Callable[[Speech], None]:
    """What plays speech here and returns when it has ended; ask before speaking.

    Raises:
        ResourceError: there is no way to play sound here; from the function returned: there is no device.
    """
    try:
        import sounddevice
    # OSError: the package is there, PortAudio is not.
    except (ImportError, OSError):
        return _by_command(_command())
    return lambda speech: _by_sounddevice(sounddevice, speech)


def _command() -> tuple[str, ...]:
    for command in PLAYERS:
        if shutil.which(command[0]):
            return command
    looked = ", ".join(command[0] for command in PLAYERS)
    hint = "pip install sounddevice, or write a file with --output"
    raise ResourceError(f"no way to play sound (looked for sounddevice, {looked})", where="--play", hint=hint)


def _by_command(command: tuple[str, ...]) -> Callable[[Speech], None]:
    def play(speech: Speech) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "speech.wav"
            save(speech, file)
            done = subprocess.run([*command, str(file)], capture_output=True, text=True, errors="replace")
        if done.returncode:
            said = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
            raise _cannot(command[0], said[0])

    return play


def _by_sounddevice(sounddevice: Any, speech: Speech) -> None:
    try:
        sounddevice.play(speech.samples, speech.sample_rate, blocking=True)
    except sounddevice.PortAudioError as error:
        raise _cannot("sounddevice", str(error)) from None


def _cannot(what: str, reason: str) -> ResourceError:
    hint = "is a sound device connected? a file can be written with --output"
    return ResourceError(f"{what} cannot play: {reason}", where="--play", hint=hint)
