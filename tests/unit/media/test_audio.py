"""The door for sound: what it gives, what it refuses and how, and that no bytes get past it as anything but an error."""

import io
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from seesay.errors import AudioError, AudioNotFound, AudioTooLarge, AudioUnreadable
from seesay.media import AudioLimits, digest_audio, open_audio, probe_audio

RATE = 16_000


def tone(seconds: float = 0.5, rate: int = RATE, hertz: float = 440) -> Any:
    return (0.5 * numpy.sin(2 * numpy.pi * hertz * numpy.arange(round(seconds * rate)) / rate)).astype(numpy.float32)


def encoded(samples: Any, rate: int = RATE, kind: str = "WAV", subtype: str | None = None) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=kind, subtype=subtype)
    return buffer.getvalue()


def wav(
    data: bytes, *, coding: int = 1, channels: int = 1, rate: int = RATE, bits: int = 16, size: int | None = None
) -> bytes:
    form = struct.pack("<HHIIHH", coding, channels, rate, rate * channels * bits // 8, channels * bits // 8, bits)
    head = b"fmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", len(data) if size is None else size)
    return b"RIFF" + struct.pack("<I", 4 + len(head) + len(data)) + b"WAVE" + head + data


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_wav_of_every_width_gives_the_same_samples_as_libsndfile(subtype: str) -> None:
    data = encoded(numpy.stack([tone(), -0.5 * tone()], 1), subtype=subtype)
    expected = soundfile.read(io.BytesIO(data), dtype="float32")[0].mean(axis=1)
    sound = open_audio(data)
    assert (sound.sample_rate, sound.samples.dtype, sound.samples.ndim) == (RATE, numpy.float32, 1)
    assert numpy.allclose(sound.samples, expected, atol=1e-7)
    assert sound.seconds == 0.5


@pytest.mark.parametrize(
    ("kind", "subtype"),
    [("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", None), ("WAV", "ULAW"), ("RF64", "PCM_16")],
)
def test_compressed_kinds_are_heard_as_the_wav_is(kind: str, subtype: str | None) -> None:
    sound = open_audio(encoded(tone(2), kind=kind, subtype=subtype), RATE)
    assert sound.seconds == pytest.approx(2, abs=0.15)
    spectrum = numpy.abs(numpy.fft.rfft(sound.samples))
    assert spectrum.argmax() / sound.seconds == pytest.approx(440, abs=2)


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000, 192_000])
def test_another_rate_keeps_length_and_pitch(rate: int) -> None:
    import soxr

    sound = open_audio(encoded(tone(6, rate), rate), RATE)
    assert (sound.sample_rate, len(sound.samples)) == (RATE, 6 * RATE)
    whole = soxr.resample(open_audio(encoded(tone(6, rate), rate)).samples, rate, RATE)
    assert numpy.allclose(sound.samples, whole, atol=1e-5)
    assert numpy.abs(numpy.fft.rfft(sound.samples)).argmax() / 6 == pytest.approx(440, abs=1)


@pytest.mark.parametrize("dtype", ["int16", "int32", "uint8", "float64", "float32"])
def test_arrays_of_every_type_are_full_scale_one(dtype: str) -> None:
    scaled = (
        tone() if dtype.startswith("f") else numpy.round(tone() * {"int16": 2**15, "int32": 2**31, "uint8": 128}[dtype])
    )
    array = (scaled + (128 if dtype == "uint8" else 0)).astype(dtype)
    sound = open_audio((array, RATE))
    assert numpy.abs(sound.samples - tone()).max() < (0.01 if dtype == "uint8" else 1e-4)
    assert numpy.array_equal(open_audio((numpy.stack([array, array], 1), RATE)).samples, sound.samples)


def test_a_path_its_bytes_and_its_digest_are_one_recording(tmp_path: Path) -> None:
    data = encoded(tone())
    file = tmp_path / "a.dat"  # the name says nothing
    file.write_bytes(data)
    for source in (file, str(file), data, bytearray(data), memoryview(data)):
        assert open_audio(source).sha256 == digest_audio(source)
        assert digest_audio(source) == digest_audio(data)
    assert digest_audio((tone(), RATE)) != digest_audio((tone(), RATE * 2))
    info = probe_audio(file)
    assert (info.format, info.sample_rate, info.channels, info.seconds, info.bytes) == ("WAV", RATE, 1, 0.5, len(data))
    assert probe_audio((tone(), RATE)).seconds == 0.5


def test_floating_point_beyond_full_scale_is_scaled_and_never_clipped() -> None:
    sound = open_audio(encoded(4 * tone(), subtype="FLOAT"))
    assert numpy.abs(sound.samples).max() == 1
    assert numpy.allclose(sound.samples, tone() / numpy.abs(tone()).max(), atol=1e-6)


def test_a_length_that_is_not_told_is_all_that_follows() -> None:
    data = (tone() * 32767).astype("<i2").tobytes()
    for size in (0, 0xFFFFFFFF):
        assert len(open_audio(wav(data, size=size)).samples) == len(tone())


SOUND = (tone() * 32767).astype("<i2").tobytes()
NAN = numpy.where(numpy.arange(8000) == 4000, numpy.nan, 0.1).astype("<f4").tobytes()
REFUSED: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "empty, 0 bytes"),
    "text": (b"This is not a recording.\n", "not a recording of a known kind"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(90), "a picture, which is not accepted"),
    "phone": (b"\0\0\0\x20ftypM4A " + bytes(90), "an MP4 or M4A file, which is not accepted"),
    "browser": (b"\x1aE\xdf\xa3" + bytes(90), "a WebM or Matroska file, which is not accepted"),
    "pointer": (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
    "no sound": (b"RIFF\4\0\0\0WAVE", "no data chunk"),
    "header alone": (wav(b""), "0.000 seconds; the shortest is 0.1"),
    "short": (wav(SOUND[:3000]), "0.094 seconds; the shortest is 0.1"),
    "cut": (wav(SOUND[:8000], size=16_000), "cut short: 8,000 of 16,000 bytes"),
    "data first": (b"RIFF\0\0\0\0WAVEdata\4\0\0\0abcd", "before the chunk that says how it is coded"),
    "chunks": (b"RIFF\0\0\0\0WAVE" + b"junk\0\0\0\0" * 1_001, "over 1,000 chunks"),
    "no channels": (wav(SOUND, channels=0), "0 channels"),
    "no rate": (wav(SOUND, rate=0), "0 samples a second"),
    "slow": (wav(SOUND, rate=3_999), "3,999 samples a second; allowed are 4,000 to 192,000"),
    "fast": (wav(SOUND, rate=192_001), "192,001 samples a second"),
    "nine channels": (wav(SOUND * 9, channels=9), "9 channels; the limit is 8"),
    "65,535 channels": (wav(bytes(10**6), channels=65_535, bits=8), "65,535 channels"),
    "NaN": (wav(NAN, coding=3, bits=32), "not numbers or infinite"),
    "huge": (wav(struct.pack("<d", 1e300) * 8000, coding=3, bits=64), "not numbers or infinite"),
    "long": (wav(bytes(4_000 * 601), rate=4_000, bits=8), "601.0 seconds; the limit is 600 seconds"),
    "FLAC cut": (encoded(tone(3) + 0.01 * numpy.random.default_rng(0).normal(size=48_000), kind="FLAC")[:20_000], "FLAC|cut short"),
    "FLAC head": (encoded(tone(), kind="FLAC")[:60], "broken or cut-short FLAC|cut short"),
    "Ogg head": (encoded(tone(), kind="OGG")[:200], "broken or cut-short Ogg"),
    "odd coding": (wav(SOUND, coding=0x1234), "broken or cut-short WAV"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_used_is_refused_by_name(name: str, tmp_path: Path) -> None:
    data, said = REFUSED[name]
    file = tmp_path / "bad.wav"
    file.write_bytes(data)
    with pytest.raises(AudioError, match=f"(?s)bad.wav: .*({said}).*hint: ") as caught:
        open_audio(file, RATE)
    assert "0x" not in str(caught.value)
    with pytest.raises(AudioError, match=said):
        open_audio(data)


def test_a_flac_that_unpacks_to_hours_is_refused_before_it_is_unpacked() -> None:
    """25 MB of compressed silence could be days of sound."""
    data = encoded(numpy.zeros(4_000 * 3_600, numpy.int16), 4_000, "FLAC")
    assert len(data) < 200_000
    with pytest.raises(AudioTooLarge, match=r"3,600\.0 seconds; the limit is 600 seconds"):
        open_audio(data)


def test_a_header_that_claims_less_than_there_is_does_not_lift_the_limit() -> None:
    data = bytearray(encoded(numpy.zeros(4_000 * 700, numpy.int16), 4_000, "FLAC"))
    # The number of samples: 36 bits that end at byte 26 of a FLAC file.
    data[22:26] = (4_000 * 10).to_bytes(4, "big")
    data[21] &= 0xF0
    try:
        assert open_audio(bytes(data)).seconds <= 600  # a decoder may stop where the header says
    except AudioError as error:
        assert "600 seconds" in str(error) or "broken" in str(error)


def test_limits_are_the_callers_to_set() -> None:
    data = wav(SOUND)
    with pytest.raises(AudioTooLarge, match=r"the limit is 0\.25 seconds"):
        open_audio(data, limits=AudioLimits(seconds=0.25))
    with pytest.raises(AudioTooLarge, match="the limit is 100 bytes"):
        open_audio(data, limits=AudioLimits(bytes=100))


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "question.wav").write_bytes(wav(SOUND))
    with pytest.raises(AudioNotFound, match=r"(?s)no such file.*did you mean question\.wav"):
        open_audio(tmp_path / "questoin.wav")
    with pytest.raises(AudioNotFound, match="the path is empty"):
        open_audio("")
    with pytest.raises(AudioUnreadable, match="a folder, not a recording"):
        open_audio(tmp_path)
    with pytest.raises(AudioUnreadable, match="web addresses are not opened"):
        open_audio("https://example.org/a.wav")
    with pytest.raises(AudioUnreadable, match="not a possible path"):
        open_audio("a\0b")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(AudioUnreadable, match="a pipe"):
        open_audio(tmp_path / "pipe")
    heavy = tmp_path / "heavy.wav"
    with heavy.open("wb") as file:
        file.truncate(25_000_001)  # sparse
    with pytest.raises(AudioTooLarge, match="25,000,001 bytes; the limit is 25,000,000"):
        open_audio(heavy)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (12, "value of type int: not a recording"),
        (numpy.zeros(9), "not a recording"),
        ((numpy.zeros(9000), 16_000.5), "not a number of samples a second"),
        ((numpy.zeros(9000), True), "not a number of samples a second"),
        ((numpy.zeros((2, 9000)), 16_000), "9,000 channels; the limit is 8"),
        ((numpy.zeros((9000, 1, 1)), 16_000), "is no recording"),
        ((numpy.zeros(0), 16_000), "is no recording"),
        ((numpy.zeros(9000, complex), 16_000), "is no recording"),
        ((numpy.full(9000, numpy.inf), 16_000), "not numbers or infinite"),
        ((numpy.zeros(10), 16_000), "the shortest is 0.1"),
    ],
)
def test_values_that_are_none(source: Any, said: str) -> None:
    with pytest.raises(AudioError, match=said):
        open_audio(source)


@given(st.data())
@settings(max_examples=300)
def test_a_damaged_file_is_opened_or_refused(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["WAV", "FLAC", "OGG", "MP3"]))
    content = bytearray(WHOLE[kind])
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, min(len(content) - 1, 120) if data.draw(st.booleans()) else len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content))) :]
    _opened_or_refused(bytes(content))


@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0", b"fLaC", b"OggS\0\2", b"ID3", b"\xff\xfb"]),
)
@settings(max_examples=300)
def test_any_bytes_are_opened_or_refused(content: bytes, start: bytes) -> None:
    _opened_or_refused(start + content)


WHOLE = {kind: encoded(tone(0.3), kind=kind) for kind in ("WAV", "FLAC", "OGG", "MP3")}


def _opened_or_refused(content: bytes) -> None:
    try:
        sound = open_audio(content, 8_000)
    except AudioError as error:
        assert error.where and error.hint
    else:
        assert numpy.isfinite(sound.samples).all()
        assert numpy.abs(sound.samples).max(initial=0) <= 1
        assert 0.05 < sound.seconds <= 601


def test_wav_files_need_no_package(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(wav(SOUND))
    (tmp_path / "a.flac").write_bytes(encoded(tone(), kind="FLAC"))
    code = (
        "import sys\n"
        "sys.modules['soundfile'] = sys.modules['soxr'] = None\n"
        "from seesay.errors import MissingExtra\n"
        "from seesay.media import open_audio\n"
        f"print(open_audio({str(tmp_path / 'a.wav')!r}).seconds)\n"
        f"for source, rate in (({str(tmp_path / 'a.wav')!r}, 8000), ({str(tmp_path / 'a.flac')!r}, None)):\n"
        "    try:\n        open_audio(source, rate)\n    except MissingExtra as error:\n        print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("0.5\n")
    assert done.stdout.count("seesay[sound]") == 2
