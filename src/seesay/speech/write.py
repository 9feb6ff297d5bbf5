"""Speech as files: WAV, FLAC, Ogg Vorbis or MP3 by the ending of the name, and captions (WebVTT). A file is whole or not there.

Knows nothing about how speech is made.
"""

from __future__ import annotations

import io
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import MissingExtra, UsageError
from ..files import write_whole
from ..types import Speech

Encoder = Callable[[Speech], bytes]

_BLOCK = 2**16


def encoder(path: Path) -> Encoder:
    """What turns speech into the bytes of a file of that name; ask before speaking, so that a wrong name costs nothing.

    Raises:
        UsageError: the name has an ending that is not written.
        MissingExtra: FLAC, Ogg or MP3 without the package `soundfile`.
    """
    kind = path.suffix.lower()
    if kind == ".wav":
        return _wav
    if kind in _COMPRESSED:
        soundfile = _import_soundfile(kind)
        return lambda speech: _compressed(soundfile, speech, *_COMPRESSED[kind])
    found = f"{kind!r} files are not written" if kind else "the name has no ending that says which kind of file"
    raise UsageError(found, where=str(path), hint=f"endings known: {', '.join(('.wav', *_COMPRESSED))}")


def save(speech: Speech, path: Path, *, captions: bool = False) -> None:
    """Write the sound, with `captions` also its WebVTT captions beside it (out.wav, out.vtt).

    Raises:
        UsageError, MissingExtra: as `encoder`.
        ResourceError: it cannot be written; what stood there before still does.
    """
    write_whole(path, encoder(path)(speech))
    if captions:
        write_whole(captions_path(path), webvtt(speech))


def captions_path(path: Path) -> Path:
    """Where the captions of a sound file go."""
    return path.with_suffix(".vtt")


def webvtt(speech: Speech) -> str:
    """One caption a sentence, in the format that browsers and players read."""
    blocks = ["WEBVTT"]
    for cue in speech.cues:
        text = cue.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        blocks.append(f"{_clock(cue.start)} --> {_clock(cue.end)}\n{text}")
    return "\n\n".join(blocks) + "\n"


def _clock(seconds: float) -> str:
    # Cut, not rounded: a caption must not end after the sound does.
    milliseconds = int(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}.{rest % 1000:03}"


def _wav(speech: Speech) -> bytes:
    import numpy

    pcm = numpy.round(numpy.clip(speech.samples, -1, 1) * 32767).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(speech.sample_rate)
        file.writeframes(pcm.tobytes())
    return buffer.getvalue()


_COMPRESSED = {".flac": ("FLAC", "PCM_16"), ".ogg": ("OGG", "VORBIS"), ".mp3": ("MP3", "MPEG_LAYER_III")}


def _import_soundfile(kind: str) -> Any:
    try:
        import soundfile
    # OSError: the package is there, the library that it wraps is not.
    except (ImportError, OSError):
        raise MissingExtra(f"writing {kind} files", "seesay[sound]") from None
    return soundfile


def _compressed(soundfile: Any, speech: Speech, container: str, subtype: str) -> bytes:
    buffer = io.BytesIO()
    with soundfile.SoundFile(
        buffer, "w", samplerate=speech.sample_rate, channels=1, format=container, subtype=subtype
    ) as file:
        # libsndfile's Vorbis encoder overflows the stack when it is given minutes at once.
        for start in range(0, len(speech.samples), _BLOCK):
            file.write(speech.samples[start : start + _BLOCK])
    return buffer.getvalue()
