"""`seesay speak --model` and `seesay ask --listen` as people type them, with the mistakes they make."""

import json
import os
import shutil
import subprocess
import sys
import wave
from pathlib import Path

import numpy
import pytest

from seesay import listen

ENVIRONMENT = {**os.environ, "PYTHONWARNINGS": "error", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


def seesay(*arguments: object) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "seesay", *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, env=ENVIRONMENT, timeout=120)


def samples(file: Path) -> list[int]:
    with wave.open(str(file)) as sound:
        return list(numpy.frombuffer(sound.readframes(sound.getnframes()), "<i2"))


def test_a_voice_heard_in_a_recording_speaks(
    voice_checkpoints: dict[str, Path], xvector_checkpoint: Path, recording: Path, tmp_path: Path
) -> None:
    common = ["speak", "A cat sat. Мир!", "--model", voice_checkpoints["speecht5"], "--json"]
    plain = seesay(*common, "-o", tmp_path / "plain.wav")
    mine = seesay(*common, "-o", tmp_path / "me.wav", "--speaker", recording, "--speaker-model", xvector_checkpoint)
    for done in (plain, mine):
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["sample_rate"] == 16_000
        assert json.loads(done.stdout)["omitted"] == ["М", "и", "р"]
        assert done.stderr == "seesay: left out, because the voice cannot say it: М и р\n"
    assert samples(tmp_path / "plain.wav") != samples(tmp_path / "me.wav")


@pytest.mark.parametrize(
    ("kind", "arguments", "code", "said"),
    [
        ("speecht5", ["--speaker", "WIDE"], 2, "this voice takes 12 numbers"),
        ("no vocoder", [], 3, "no vocoder to turn its spectrograms into sound"),
        ("bark", ["--speaker", "v2/en_speaker_66"], 2, "no preset 'v2/en_speaker_66'"),
        ("hibari", ["--speaker", "4"], 2, "hibari has one speaker"),
        ("no checkpoint", [], 3, "no such folder"),
    ],
)
def test_mistakes_have_a_message_and_write_nothing(
    kind: str, arguments: list[str], code: int, said: str, voice_checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    numpy.save(tmp_path / "wide.npy", numpy.zeros(256))
    model: object = voice_checkpoints.get(kind, kind)
    if kind == "no vocoder":
        model = shutil.copytree(voice_checkpoints["speecht5"], tmp_path / "voice")
        shutil.rmtree(tmp_path / "voice" / "vocoder")
    words = [str(tmp_path / "wide.npy") if word == "WIDE" else word for word in arguments]
    done = seesay("speak", "A cat.", "--model", model, "-o", tmp_path / "out.wav", *words)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out.wav").exists()


def test_a_question_asked_by_voice(
    whisper_checkpoint: Path, recording: Path, vilt_pictures: list[Path], tmp_path: Path
) -> None:
    """The small Whisper writes nonsense; that it is the question which is then asked is what counts here."""
    done = seesay("ask", *vilt_pictures[:2], "--listen", recording, "--listen-model", whisper_checkpoint, "--json")
    text = listen(recording, model=str(whisper_checkpoint)).text
    if done.returncode == 0:  # a nonsense with control characters in it is refused
        assert [json.loads(line)["question"] for line in done.stdout.splitlines()] == [text, text]
    assert f"heard: {text}" in done.stderr
    assert "Traceback" not in done.stderr
    silence = tmp_path / "silence.wav"
    with wave.open(str(silence), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(32_000))
    done = seesay("ask", vilt_pictures[0], "--listen", silence, "--listen-model", whisper_checkpoint)
    assert (done.returncode, done.stdout) == (3, "")
    assert "silence.wav: nothing was said in it" in done.stderr
    done = seesay("ask", vilt_pictures[0], "--listen", tmp_path / "gone.wav", "--listen-model", "nothing")
    assert (done.returncode, "gone.wav: no such file" in done.stderr) == (3, True)
