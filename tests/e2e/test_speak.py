"""`seesay speak` as people type it, with the mistakes they make."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import wave
from pathlib import Path

import numpy
import pytest
import soundfile

# No player may be found: what a test plays would be heard.
ENVIRONMENT = {**os.environ, "PYTHONWARNINGS": "error", "OMP_NUM_THREADS": "1", "PATH": ""}
TEXT = "A brown dog is running along the beach. Is it happy? It looks so."


def seesay(*arguments: object, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "seesay", "speak", *map(str, arguments)]
    done = subprocess.run(words, input=stdin, capture_output=True, env=ENVIRONMENT, timeout=120)
    return subprocess.CompletedProcess(words, done.returncode, done.stdout.decode(), done.stderr.decode())


def test_a_wav_file_with_captions(tmp_path: Path) -> None:
    done = seesay(TEXT, "-o", tmp_path / "out.wav", "--captions", "--json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    row = json.loads(done.stdout)
    assert row["file"] == str(tmp_path / "out.wav")
    assert [sentence["text"] for sentence in row["sentences"]] == re.split(r"(?<=[.?]) ", TEXT)
    with wave.open(str(tmp_path / "out.wav")) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, row["sample_rate"])
        seconds = file.getnframes() / file.getframerate()
        samples = numpy.frombuffer(file.readframes(file.getnframes()), "<i2")
    assert seconds == pytest.approx(row["seconds"], abs=0.001)
    assert 3 < seconds < 8
    assert 3000 < numpy.abs(samples.astype(int)).max() < 32767
    captions = (tmp_path / "out.vtt").read_text(encoding="utf-8")
    times = [_seconds(stamp) for stamp in re.findall(r"\d\d:\d\d:\d\d\.\d{3}", captions)]
    assert captions.startswith("WEBVTT\n\n")
    assert len(times) == 6
    assert times == sorted(times)
    assert times[-1] <= seconds


def test_flac_ogg_and_wav_last_the_same(tmp_path: Path) -> None:
    for ending in ("wav", "flac", "ogg"):
        done = seesay("Hello there.", "-o", tmp_path / f"out.{ending}")
        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith("seconds, 1 sentence\n")
    kinds = [soundfile.info(tmp_path / f"out.{ending}") for ending in ("wav", "flac", "ogg")]
    assert [kind.format for kind in kinds] == ["WAV", "FLAC", "OGG"]
    assert len({kind.frames for kind in kinds}) == 1


def test_text_from_standard_input_sounds_as_from_the_command_line(tmp_path: Path) -> None:
    seesay(TEXT, "-o", tmp_path / "argument.wav")
    done = seesay("-", "-o", tmp_path / "stdin.wav", stdin=f"\ufeff{TEXT}\r\n".encode())
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "stdin.wav").read_bytes() == (tmp_path / "argument.wav").read_bytes()


def test_what_is_left_out_is_told_on_standard_error(tmp_path: Path) -> None:
    done = seesay("Hello 안녕 🙂.", "-o", tmp_path / "out.wav", "--json")
    assert done.returncode == 0
    assert done.stderr == "seesay: left out, because the voice cannot say it: 안 녕 🙂\n"
    assert json.loads(done.stdout)["omitted"] == ["안", "녕", "🙂"]


def test_speed_shortens(tmp_path: Path) -> None:
    plain, fast = (
        json.loads(seesay(TEXT, "-o", tmp_path / "out.wav", "--json", "--speed", speed).stdout) for speed in (1, 2)
    )
    assert fast["seconds"] < 0.7 * plain["seconds"]


@pytest.mark.parametrize(
    ("arguments", "stdin", "code", "said"),
    [
        (["Hello."], b"", 2, "nowhere to speak to"),
        (["Hello.", "--play", "--captions"], b"", 2, "captions stand beside a sound file"),
        (["Hello.", "-o", "OUT.aac"], b"", 2, "'.aac' files are not written"),
        (["Hello.", "-o", "OUT"], b"", 2, "no ending"),
        (["Hello.", "-o", "OUT.wav", "--speed", "3"], b"", 2, "out of range"),
        (["Hello.", "--play"], b"", 4, "no way to play sound"),
        (["Hello.", "-o", "/proc/nowhere/out.wav"], b"", 4, "cannot be written"),
        (["", "-o", "OUT.wav"], b"", 3, "the text is empty"),
        (["...", "-o", "OUT.wav"], b"", 3, "only punctuation"),
        (["안녕 🙂", "-o", "OUT.wav"], b"", 3, "nothing in it can be spoken: 안 녕 🙂"),
        (["-", "-o", "OUT.wav"], b"", 3, "the text is empty"),
        (["-", "-o", "OUT.wav"], b"caf\xe9", 3, "standard input: not UTF-8 at byte 4"),
        (["-", "-o", "OUT.wav"], b"a\x1b[31m", 3, "a control character"),
        (["-", "-o", "OUT.wav"], b"a" * 50_001, 3, "more than the limit of 50,000"),
    ],
)
def test_mistakes_are_told_without_a_traceback_and_write_nothing(
    tmp_path: Path, arguments: list[str], stdin: bytes, code: int, said: str
) -> None:
    done = seesay(*(argument.replace("OUT", str(tmp_path / "out")) for argument in arguments), stdin=stdin)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_killed_while_speaking_leaves_the_old_file_as_it_was(tmp_path: Path) -> None:
    target = tmp_path / "out.wav"
    target.write_bytes(b"old")
    words = [sys.executable, "-m", "seesay", "speak", "-", "-o", str(target)]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, env=ENVIRONMENT)
    assert process.stdin is not None
    process.stdin.write(TEXT.encode() * 700)
    process.stdin.close()
    time.sleep(1.5)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert target.read_bytes() == b"old"


def test_torch_is_never_imported(tmp_path: Path) -> None:
    code = (
        "import sys, seesay\n"
        f"seesay.save_speech(seesay.speak('Hello.'), {str(tmp_path / 'out.wav')!r})\n"
        "print(*[name for name in ('torch', 'transformers', 'rich') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRONMENT, check=True)
    assert done.stdout.strip() == ""
    assert (tmp_path / "out.wav").stat().st_size > 10_000


def _seconds(stamp: str) -> float:
    hours, minutes, seconds = stamp.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
