"""Open a recording, whatever it comes as: a path, encoded bytes, or samples with their rate.

    sound = open_audio("question.wav", 16_000)
    sound.samples    # float32, mono, (samples,), within -1 and 1, at 16,000 a second
    sound.sha256     # names what went in

This is the only place in seesay that turns what a caller hands in into samples: for questions asked by voice, reference
recordings, training rows and the server alike. The header is checked before anything is decoded, decoding goes block by
block and stops at the limit whatever the header said, and everything that can be wrong is an `AudioError` that names it.

WAV files (PCM, floating point) need no package; FLAC, Ogg and MP3 need `soundfile`, another sampling rate needs `soxr`
(`pip install "seesay[sound]"`).
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any

from ..errors import AudioError, AudioNotFound, AudioTooLarge, AudioUnreadable, MissingExtra
from ..types import AudioSource
from .source import WEB_ADDRESS, expanded, is_array, nearest_name, printable
from .wav import NotPlainWave, blocks, read_header

if TYPE_CHECKING:
    import numpy

    Samples = numpy.ndarray[tuple[int], numpy.dtype[numpy.float32]]
    Block = numpy.ndarray[Any, numpy.dtype[numpy.float32]]

ACCEPTED_SHOWN = "WAV, FLAC, Ogg (Vorbis, Opus) and MP3"
EXTRA = "seesay[sound]"
BLOCK = 65_536
"""Frames decoded at once."""

_ENCODED = (str, PathLike, bytes, bytearray, memoryview)
_MAGIC = (
    (8, b"WAVE", "WAV"),
    (0, b"fLaC", "FLAC"),
    (0, b"OggS", "Ogg"),
    (0, b"ID3", "MP3"),
    (4, b"ftyp", "an MP4 or M4A file"),
    (0, b"\x1aE\xdf\xa3", "a WebM or Matroska file"),
    (8, b"AIFF", "an AIFF file"),
    (0, b"caff", "a CAF file"),
    (0, b"0&\xb2u", "a WMA file"),
    (0, b"#!AMR", "an AMR file"),
    (0, b"\x89PNG", "a picture"),
    (0, b"\xff\xd8\xff", "a picture"),
    (0, b"PK\3\4", "a ZIP archive"),
    (0, b"version https://git-lfs", "a Git LFS pointer (run git lfs pull)"),
)
_MP3_FRAME = (b"\xff\xfb", b"\xff\xfa", b"\xff\xf3", b"\xff\xf2", b"\xff\xe3", b"\xff\xe2")
_BY_SOUNDFILE = {"FLAC": ("FLAC",), "Ogg": ("OGG",), "MP3": ("MP3", "MPEG"), "WAV": ("WAV", "WAVEX", "RF64")}
"""Our names of the kinds and what libsndfile calls them, so that no other of its thirty decoders is let in."""


@dataclass(frozen=True, slots=True)
class AudioLimits:
    """What a recording may cost and must have."""

    bytes: int = 25_000_000
    """Encoded size; does not apply to samples."""
    seconds: float = 600.0
    shortest: float = 0.1
    """Seconds below which there is nothing to hear."""
    lowest_rate: int = 4_000
    """Samples a second."""
    highest_rate: int = 192_000
    channels: int = 8


DEFAULT_AUDIO_LIMITS = AudioLimits()


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """A recording that passed the door."""

    samples: Samples
    """float32, mono (the mean of the channels), (samples,), finite and within -1 and 1."""
    sample_rate: int
    """Samples a second."""
    sha256: str
    """In hexadecimal: of the encoded bytes; of rate and samples where it came decoded."""
    name: str
    """What to call it in a message."""

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.sample_rate


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """What the header of a recording says."""

    format: str
    """WAV, FLAC, Ogg or MP3; empty where it came decoded."""
    sample_rate: int
    channels: int
    seconds: float
    bytes: int
    """Encoded size; 0 where it came decoded."""


@dataclass(frozen=True, slots=True)
class _Stream:
    """A recording whose header was read: what it claims, and its samples (frames, channels) as they are decoded."""

    format: str
    sample_rate: int
    channels: int
    frames: int
    exact: bool
    """Whether the number of frames is what the file must hold; in a compressed stream it may be a guess."""
    blocks: Callable[[], Iterator[Block]]


def open_audio(
    source: AudioSource, sample_rate: int | None = None, *, limits: AudioLimits = DEFAULT_AUDIO_LIMITS
) -> Sound:
    """Open a recording: within the limits, decoded, mono, at the rate asked for.

    Args:
        source: a path, encoded bytes, or a pair of an array and its rate: (samples,) or (samples, channels), floating
            point within -1 and 1 or integers of full scale.
        sample_rate: samples a second of what is returned; None keeps the recording's own.

    Raises:
        AudioNotFound: no such file.
        AudioTooLarge: over one of the limits.
        AudioUnreadable: anything else that keeps it from being a recording.
        MissingExtra: it needs soundfile or soxr, which are not installed.
    """
    name = audio_name(source)
    if isinstance(source, _ENCODED):
        data = _read_encoded(source, name, limits)
        with _opened(data, name) as stream:
            _check(stream, name, limits)
            return Sound(*_decoded(stream, sample_rate, name, limits), _sha256(data), name)
    stream = _of_array(source, name)
    _check(stream, name, limits)
    samples, rate = _decoded(stream, sample_rate, name, limits)
    digest = _sha256(str(stream.sample_rate).encode(), *(block.tobytes() for block in stream.blocks()))
    return Sound(samples, rate, digest, name)


def probe_audio(source: AudioSource, *, limits: AudioLimits = DEFAULT_AUDIO_LIMITS) -> AudioInfo:
    """What the header says, without decoding. Raises the errors of `open_audio` as far as a header can tell."""
    name = audio_name(source)
    if not isinstance(source, _ENCODED):
        stream, size = _of_array(source, name), 0
        _check(stream, name, limits)
    else:
        data = _read_encoded(source, name, limits)
        size = len(data)
        with _opened(data, name) as stream:
            _check(stream, name, limits)
    return AudioInfo(stream.format, stream.sample_rate, stream.channels, stream.frames / stream.sample_rate, size)


def digest_audio(source: AudioSource, *, limits: AudioLimits = DEFAULT_AUDIO_LIMITS) -> str:
    """The `sha256` that `open_audio` would give; encoded sources are not decoded."""
    if isinstance(source, _ENCODED):
        return _sha256(_read_encoded(source, audio_name(source), limits))
    return open_audio(source, limits=limits).sha256


def audio_name(source: object) -> str:
    """What to call a recording in a message: its path as given, or what it is and how large."""
    if isinstance(source, (str, PathLike)):
        return printable(os.fsdecode(source))
    if isinstance(source, (bytes, bytearray, memoryview)):
        return f"recording of {memoryview(source).nbytes:,} bytes"
    if isinstance(source, tuple) and _is_pair(source):
        return f"samples {source[0].shape}"
    return f"value of type {type(source).__name__}"


def _is_pair(source: tuple[Any, ...]) -> bool:
    return len(source) == 2 and is_array(source[0])


def _read_encoded(
    source: str | PathLike[str] | bytes | bytearray | memoryview, name: str, limits: AudioLimits
) -> bytes:
    """The encoded bytes: at least one, at most `limits.bytes`, measured before they are read."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        _check_bytes(memoryview(source).nbytes, name, limits)
        return bytes(source)
    text = os.fsdecode(source)
    if not text:
        raise AudioNotFound("the path is empty", where="recording", hint="give the path of a recording")
    if WEB_ADDRESS.match(text):
        raise AudioUnreadable("web addresses are not opened", where=name, hint="download it first and give its path")
    path = expanded(text)
    try:
        # What kind of file it is comes from the system, before it is opened: opening a pipe would wait for ever.
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            what = "a folder" if stat.S_ISDIR(state.st_mode) else "a pipe, a socket or a device"
            raise AudioUnreadable(f"{what}, not a recording", where=name, hint="name a sound file")
        _check_bytes(state.st_size, name, limits)
        with path.open("rb") as file:
            data = file.read(limits.bytes + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise AudioNotFound("no such file", where=name, hint=nearest_name(path)) from None
    except (OSError, ValueError) as error:
        # The system's own words; a ValueError is a path with a NUL character in it.
        reason = (isinstance(error, OSError) and error.strerror) or "not a possible path"
        raise AudioUnreadable(
            f"cannot be read: {reason}", where=name, hint="check the name and the permissions"
        ) from None
    # Again: the file may have grown since.
    _check_bytes(len(data), name, limits)
    return data


def _check_bytes(size: int, name: str, limits: AudioLimits) -> None:
    if size == 0:
        raise AudioUnreadable("empty, 0 bytes", where=name, hint="record or download it again")
    if size > limits.bytes:
        hint = "cut it, or save it as FLAC or Ogg; from Python, pass AudioLimits(bytes=...)"
        raise AudioTooLarge(f"{size:,} bytes; the limit is {limits.bytes:,} bytes", where=name, hint=hint)


@contextmanager
def _opened(data: bytes, name: str) -> Iterator[_Stream]:
    """The recording in `data`: header read, nothing decoded. What goes wrong within the block is our error."""
    kind = _kind(data, name)
    if kind == "WAV":
        try:
            wave = read_header(data)
        except NotPlainWave as reason:
            if str(reason):
                raise AudioUnreadable(f"a broken WAV file: {reason}", where=name, hint=_AGAIN) from None
        else:
            yield _Stream(kind, wave.sample_rate, wave.channels, wave.frames, True, lambda: blocks(wave, data, BLOCK))
            return
    soundfile = _import_soundfile(kind)
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            if file.format not in _BY_SOUNDFILE[kind]:
                raise AudioUnreadable(f"begins like {kind} and is {file.format}", where=name, hint=_AGAIN)

            def decoded() -> Iterator[Block]:
                while len(block := file.read(BLOCK, dtype="float32", always_2d=True)):
                    yield block

            yield _Stream(kind, file.samplerate, file.channels, file.frames, kind == "FLAC", decoded)
    except soundfile.SoundFileError:
        # Its texts are for programmers and may hold an address.
        raise AudioUnreadable(f"a broken or cut-short {kind} file", where=name, hint=_AGAIN) from None


_AGAIN = "record, copy or download it again; a media player tells whether it is whole"


def _kind(data: bytes, name: str) -> str:
    """Which kind these bytes are, by what they begin with, never by a name."""
    kind = next((kind for at, magic, kind in _MAGIC if data.startswith(magic, at)), "")
    if kind == "WAV" and data[:4] not in (b"RIFF", b"RF64"):
        kind = ""
    if not kind and data[:2] in _MP3_FRAME:
        kind = "MP3"
    if kind in _BY_SOUNDFILE:
        return kind
    what = f"{kind}, which is not accepted" if kind else "not a recording of a known kind"
    hint = f"accepted: {ACCEPTED_SHOWN}; ffmpeg -i IN OUT.wav converts"
    raise AudioUnreadable(what, where=name, hint=hint)


def _import_soundfile(kind: str) -> Any:
    try:
        import soundfile
    # OSError: the package is there, the library that it wraps is not.
    except (ImportError, OSError):
        raise MissingExtra(f"reading {kind} files of this coding", EXTRA) from None
    return soundfile


def _of_array(source: object, name: str) -> _Stream:
    if not (isinstance(source, tuple) and _is_pair(source)):
        hint = "give a path, encoded bytes, or a pair (array, samples a second)"
        raise AudioUnreadable("not a recording", where=name, hint=hint)
    array, rate = source
    if isinstance(rate, bool) or not isinstance(rate, int) or rate < 1:
        raise AudioUnreadable(f"{rate!r} is not a number of samples a second", where=name, hint="such as 16000")
    if array.ndim not in (1, 2) or array.dtype.kind not in "fiu" or 0 in array.shape:
        found = f"{array.dtype} {array.shape}"
        hint = "give numbers as (samples,) or (samples, channels), at least one"
        raise AudioUnreadable(f"{found} is no recording", where=name, hint=hint)
    table = array.reshape(len(array), -1)
    return _Stream("", rate, table.shape[1], len(table), True, lambda: _array_blocks(table))


def _array_blocks(table: numpy.ndarray[Any, Any]) -> Iterator[Block]:
    import numpy

    for at in range(0, len(table), BLOCK):
        part = table[at : at + BLOCK]
        with numpy.errstate(over="ignore"):
            block = part.astype(numpy.float32)
        if part.dtype.kind != "f":
            half = 2.0 ** (8 * part.dtype.itemsize - 1)
            block = block / half - (1 if part.dtype.kind == "u" else 0)
        yield block


def _check(stream: _Stream, name: str, limits: AudioLimits) -> None:
    """What a header says against the limits."""
    rate, seconds = stream.sample_rate, stream.frames / max(stream.sample_rate, 1)
    if not limits.lowest_rate <= rate <= limits.highest_rate:
        found = f"{rate:,} samples a second; allowed are {limits.lowest_rate:,} to {limits.highest_rate:,}"
        raise AudioUnreadable(found, where=name, hint="save it at 16,000; from Python, pass AudioLimits(...)")
    if not 1 <= stream.channels <= limits.channels:
        found = f"{stream.channels:,} channels; the limit is {limits.channels}"
        hint = "mix it down to one; an array is (samples, channels)"
        raise AudioTooLarge(found, where=name, hint=hint)
    if seconds > limits.seconds:
        raise _too_long(f"{seconds:,.1f} seconds", name, limits)
    if stream.exact and seconds < limits.shortest:
        raise _too_short(seconds, name, limits)


def _decoded(stream: _Stream, wanted: int | None, name: str, limits: AudioLimits) -> tuple[Samples, int]:
    """All samples, mono, at the rate `wanted`, and that rate."""
    import numpy

    rate = stream.sample_rate
    resample = _resampler(rate, wanted or rate)
    frames, parts = 0, []
    for block in stream.blocks():
        frames += len(block)
        if frames > limits.seconds * rate:
            raise _too_long(f"over {limits.seconds:g} seconds, whatever its header says", name, limits)
        with numpy.errstate(over="ignore", invalid="ignore"):
            parts.append(resample(_finite(block.mean(axis=1, dtype=numpy.float32), name), False))
    if stream.exact and frames < stream.frames:
        found = f"cut short: {frames:,} of {stream.frames:,} samples are there"
        raise AudioUnreadable(found, where=name, hint=_AGAIN)
    if frames < limits.shortest * rate:
        raise _too_short(frames / rate, name, limits)
    parts.append(resample(numpy.zeros(0, numpy.float32), True))
    samples = _finite(numpy.concatenate(parts), name)
    # Floating point may go beyond full scale. Scaling keeps its shape, clipping would not.
    peak = float(numpy.abs(samples).max(initial=0.0))
    return (samples / numpy.float32(peak) if peak > 1 else samples), wanted or rate


def _resampler(rate: int, wanted: int) -> Callable[[Samples, bool], Samples]:
    """What takes the samples in parts and gives them at another rate; the flag says that there are no more."""
    if rate == wanted:
        return lambda part, last: part
    try:
        import soxr
    except ImportError:
        raise MissingExtra(f"changing {rate:,} samples a second into {wanted:,}", EXTRA) from None
    stream = soxr.ResampleStream(rate, wanted, 1, dtype="float32")
    return lambda part, last: stream.resample_chunk(part, last)


def _finite(samples: Samples, name: str) -> Samples:
    import numpy

    if not numpy.isfinite(samples).all():
        hint = "it is damaged, or was made by a computation that failed"
        raise AudioUnreadable("samples that are not numbers or infinite", where=name, hint=hint)
    return samples


def _too_long(found: str, name: str, limits: AudioLimits) -> AudioError:
    hint = "cut it into parts; from Python, pass AudioLimits(seconds=...)"
    return AudioTooLarge(f"{found}; the limit is {limits.seconds:g} seconds", where=name, hint=hint)


def _too_short(seconds: float, name: str, limits: AudioLimits) -> AudioError:
    found = f"{seconds:.3f} seconds; the shortest is {limits.shortest:g}"
    return AudioUnreadable(found, where=name, hint="record it again")


def _sha256(*parts: bytes) -> str:
    import hashlib

    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()
