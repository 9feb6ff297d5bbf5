"""WAV files (RIFF, PCM or floating point) without a package: the header checked first, then the samples in blocks.

What says otherwise than it holds is refused here; other codings in a WAV file (A-law, ADPCM) are for `soundfile`. This
module knows nothing about limits.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
CHUNKS = 1_000
"""Most chunks looked at. A file of 25 MB could hold three million empty ones."""
UNTOLD = 0x7FFF_F000
"""Who writes to a pipe does not know the length and states 0 or one from here on: then it is all that follows."""


class NotPlainWave(Exception):
    """Not a WAV file of PCM or floating point; its text says what is wrong, empty where another decoder may know it."""


@dataclass(frozen=True, slots=True)
class Wave:
    """What a header says and where the samples lie."""

    coding: int
    channels: int
    sample_rate: int
    bits: int
    start: int
    """Byte at which the samples begin."""
    frames: int

    @property
    def frame_bytes(self) -> int:
        return self.channels * self.bits // 8


def read_header(data: bytes) -> Wave:
    """The header of a WAV file.

    Raises:
        NotPlainWave: another coding, or a header that cannot be.
    """
    form = None
    at, chunks = 12, 0
    while at + 8 <= len(data):
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        at, chunks = at + 8, chunks + 1
        if chunks > CHUNKS:
            raise NotPlainWave(f"over {CHUNKS:,} chunks before the sound")
        if kind == b"fmt ":
            form = _format(data[at : at + size])
        elif kind == b"data":
            if form is None:
                raise NotPlainWave("the sound comes before the chunk that says how it is coded")
            return _with_samples(form, at, size, len(data))
        at += size + size % 2
    raise NotPlainWave("no sound in it (no data chunk)")


def blocks(wave: Wave, data: bytes, frames: int) -> Iterator[numpy.ndarray[Any, numpy.dtype[numpy.float32]]]:
    """The samples, at most `frames` at a time: float32 (frames, channels), full scale being 1."""
    import numpy

    step = frames * wave.frame_bytes
    end = wave.start + wave.frames * wave.frame_bytes
    for at in range(wave.start, end, step):
        raw = memoryview(data)[at : min(at + step, end)]
        if wave.coding == FLOAT:
            # A float64 may be more than a float32 holds; it then becomes infinite, which the caller refuses.
            with numpy.errstate(over="ignore"):
                values = numpy.frombuffer(raw, f"<f{wave.bits // 8}").astype(numpy.float32)
        else:
            values = _integers(raw, wave.bits)
        yield values.reshape(-1, wave.channels)


def _integers(raw: memoryview, bits: int) -> numpy.ndarray[Any, numpy.dtype[numpy.float32]]:
    import numpy

    values: numpy.ndarray[Any, Any]
    if bits == 8:  # the only width that is stored without a sign
        values = numpy.frombuffer(raw, numpy.uint8).astype(numpy.float32) - 128
    elif bits == 24:
        wide = numpy.zeros((len(raw) // 3, 4), numpy.uint8)
        wide[:, 1:] = numpy.frombuffer(raw, numpy.uint8).reshape(-1, 3)
        values, bits = wide.view("<i4")[:, 0], 32
    else:
        values = numpy.frombuffer(raw, f"<i{bits // 8}")
    return values.astype(numpy.float32) / numpy.float32(2 ** (bits - 1))


def _format(chunk: bytes) -> tuple[int, int, int, int]:
    """(coding, channels, samples a second, bits a sample) of a `fmt ` chunk (Microsoft's WAVEFORMATEX)."""
    if len(chunk) < 16:
        raise NotPlainWave("a header that is cut short")
    coding, channels, rate, _, _, bits = struct.unpack("<HHIIHH", chunk[:16])
    if coding == EXTENSIBLE and len(chunk) >= 26:
        coding = int.from_bytes(chunk[24:26], "little")
    if coding not in (PCM, FLOAT) or bits not in ((8, 16, 24, 32) if coding == PCM else (32, 64)):
        raise NotPlainWave("")
    if not channels or not rate:
        raise NotPlainWave(f"{channels} channels at {rate} samples a second")
    return coding, channels, rate, bits


def _with_samples(form: tuple[int, int, int, int], start: int, size: int, length: int) -> Wave:
    coding, channels, rate, bits = form
    frame = channels * bits // 8
    there = length - start
    if size == 0 or size >= UNTOLD:
        size = there
    if size > there:
        raise NotPlainWave(f"cut short: {there:,} of {size:,} bytes of sound are there")
    return Wave(coding, channels, rate, bits, start, size // frame)
