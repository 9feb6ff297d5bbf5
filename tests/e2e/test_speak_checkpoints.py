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
from seesay.cli.main import main

ENVIRONMENT = {**os.environ, "PYTHONWARNINGS": "error", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


def seesay(*arguments: object) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "seesay", *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, env=ENVIRONMENT, timeout=120)


def here(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """The exit code of the same command within this process, where torch is imported already."""
    monkeypatch.setattr(sys, "argv", ["seesay", *map(str, arguments)])
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(SystemExit) as left:
        main()
    return int(left.value.code or 0)


def samples(file: Path) -> list[int]:
    with wave.open(str(file)) as sound:
        return list(numpy.frombuffer(sound.readframes(sound.getnframes()), "<i2"))


def test_a_voice_heard_in_a_recording_speaks(
    voice_checkpoints: dict[str, Path],
    xvector_checkpoint: Path,
    recording: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    common = ["speak", "A cat sat. Мир!", "--model", voice_checkpoints["speecht5"], "--json"]
    speaker = ["--speaker", recording, "--speaker-model", xvector_checkpoint]
    done = seesay(*common, *speaker, "-o", tmp_path / "me.wav")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["sample_rate"] == 16_000
    assert json.loads(done.stdout)["omitted"] == ["М", "и", "р"]
    assert done.stderr == "seesay: left out, because the voice cannot say it: М и р\n"
    assert here(monkeypatch, *common, "-o", tmp_path / "plain.wav") == 0
    assert here(monkeypatch, *common, *speaker, "-o", tmp_path / "again.wav") == 0
    plain, mine, again = (samples(tmp_path / f"{name}.wav") for name in ("plain", "me", "again"))
    # Another process may add in another order.
    assert plain != mine and again == pytest.approx(mine, abs=2)


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
    kind: str,
    arguments: list[str],
    code: int,
    said: str,
    voice_checkpoints: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    numpy.save(tmp_path / "wide.npy", numpy.zeros(256))
    model: object = voice_checkpoints.get(kind, kind)
    if kind == "no vocoder":
        model = shutil.copytree(voice_checkpoints["speecht5"], tmp_path / "voice")
        shutil.rmtree(tmp_path / "voice" / "vocoder")
    words = [str(tmp_path / "wide.npy") if word == "WIDE" else word for word in arguments]
    assert here(monkeypatch, "speak", "A cat.", "--model", model, "-o", tmp_path / "out.wav", *words) == code
    told = capsys.readouterr()
    assert said in told.err
    assert told.out == ""
    assert not (tmp_path / "out.wav").exists()


def test_a_question_asked_by_voice(
    whisper_checkpoint: Path,
    recording: Path,
    vilt_pictures: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The small Whisper writes nonsense; that it is the question which is then asked is what counts here."""
    done = seesay("ask", *vilt_pictures[:2], "--listen", recording, "--listen-model", whisper_checkpoint, "--json")
    text = listen(recording, model=str(whisper_checkpoint)).text
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["question"] for line in done.stdout.splitlines()] == [text, text]
    assert done.stderr == f"seesay: heard: {text}\n"
    silence = tmp_path / "silence.wav"
    with wave.open(str(silence), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(32_000))
    for sound, said in (
        (silence, "silence.wav: nothing was said in it"),
        (tmp_path / "gone.wav", "gone.wav: no such file"),
    ):
        assert here(monkeypatch, "ask", vilt_pictures[0], "--listen", sound, "--listen-model", whisper_checkpoint) == 3
        told = capsys.readouterr()
        assert (said in told.err, told.out) == (True, "")
