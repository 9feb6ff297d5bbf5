"""Sound files and captions: right by their headers, whole or not there."""

import io
import sys
import wave
from pathlib import Path

import numpy
import pytest
import soundfile

from seesay.errors import MissingExtra, ResourceError, UsageError
from seesay.speech import encoder, save
from seesay.speech.write import webvtt
from seesay.types import Cue, Speech


@pytest.fixture
def tone() -> Speech:
    samples = (0.5 * numpy.sin(numpy.arange(48_000) * 0.1)).astype(numpy.float32)
    return Speech(samples, 24_000, (Cue("One & <two>.", 0.0, 0.9999), Cue("Three.", 1.2, 3723.0045)))


def test_a_wav_file_is_16_bits_mono_and_holds_the_samples(tone: Speech, tmp_path: Path) -> None:
    save(tone, tmp_path / "new" / "tone.wav")
    with wave.open(str(tmp_path / "new" / "tone.wav")) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 24_000)
        pcm = numpy.frombuffer(file.readframes(file.getnframes()), "<i2")
    assert numpy.abs(pcm / 32767 - tone.samples).max() < 1 / 32767


def test_samples_beyond_full_scale_are_clipped_not_wrapped() -> None:
    loud = Speech(numpy.array([2.0, -2.0], numpy.float32), 8_000, ())
    with wave.open(io.BytesIO(encoder(Path("a.wav"))(loud))) as file:
        assert numpy.frombuffer(file.readframes(2), "<i2").tolist() == [32767, -32767]


@pytest.mark.parametrize(("name", "tolerance"), [("tone.flac", 1e-4), ("tone.OGG", 0.1)])
def test_flac_and_ogg_sound_the_same(tone: Speech, tmp_path: Path, name: str, tolerance: float) -> None:
    save(tone, tmp_path / name)
    samples, rate = soundfile.read(tmp_path / name, dtype="float32")
    assert rate == 24_000
    assert samples.shape == tone.samples.shape
    assert numpy.abs(samples - tone.samples)[1000:-1000].max() < tolerance


def test_mp3_sounds_the_same(tone: Speech, tmp_path: Path) -> None:
    save(tone, tmp_path / "tone.mp3")
    samples, rate = soundfile.read(tmp_path / "tone.mp3", dtype="float32")
    assert rate == 24_000 and abs(len(samples) - len(tone.samples)) < 2_400
    assert numpy.sqrt(numpy.square(samples).mean()) == pytest.approx(
        numpy.sqrt(numpy.square(tone.samples).mean()), rel=0.1
    )


def test_minutes_of_ogg_are_written(tmp_path: Path) -> None:
    minutes = Speech(numpy.zeros(24_000 * 600, numpy.float32), 24_000, ())
    save(minutes, tmp_path / "long.ogg")
    assert soundfile.info(tmp_path / "long.ogg").duration == 600


@pytest.mark.parametrize(("name", "said"), [("a.aac", "'.aac' files are not written"), ("a", "no ending")])
def test_other_endings_are_refused_with_those_known(name: str, said: str) -> None:
    with pytest.raises(UsageError, match=rf"(?s){said}.*\.wav, \.flac, \.ogg"):
        encoder(Path(name))


def test_flac_without_soundfile_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(MissingExtra, match=r"(?s)\.flac.*seesay\[sound\]"):
        encoder(Path("a.flac"))


def test_captions_stand_beside_the_sound_escaped_and_never_late(tone: Speech, tmp_path: Path) -> None:
    save(tone, tmp_path / "tone.wav", captions=True)
    assert (tmp_path / "tone.vtt").read_text(encoding="utf-8") == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:00.999\nOne &amp; &lt;two&gt;.\n\n00:00:01.200 --> 01:02:03.004\nThree.\n"
    )


def test_captions_of_no_sentence_are_an_empty_file() -> None:
    assert webvtt(Speech(numpy.zeros(1, numpy.float32), 8_000, ())) == "WEBVTT\n"


def test_a_folder_in_the_way_is_told_and_nothing_is_left_behind(tone: Speech, tmp_path: Path) -> None:
    (tmp_path / "taken.wav").mkdir()
    with pytest.raises(ResourceError, match=r"taken\.wav: cannot be written"):
        save(tone, tmp_path / "taken.wav")
    assert [path.name for path in tmp_path.iterdir()] == ["taken.wav"]
