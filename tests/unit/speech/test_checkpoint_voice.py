"""Finding a voice by its config.json, and what holds for all voices that are checkpoints."""

import json
import shutil
import threading
from pathlib import Path
from typing import Any

import numpy
import pytest

import seesay
from seesay.errors import ModelError, ModelNotFound, SpeechError, UsageError
from seesay.settings import VoiceSettings
from seesay.speech import CheckpointVoice, all_engines, load, speak


def test_a_voice_is_found_by_its_model_type(voice_checkpoints: dict[str, Path]) -> None:
    for name, folder in voice_checkpoints.items():
        assert load(VoiceSettings(model=str(folder))).name == name
    claimed = [
        kind for voice in all_engines().values() if issubclass(voice, CheckpointVoice) for kind in voice.model_types
    ]
    assert len(claimed) == len(set(claimed))


def test_what_is_no_voice_is_refused(vilt_checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"(?s)model_type 'vilt' is not a voice.*bark.*vits"):
        load(VoiceSettings(model=str(vilt_checkpoint)))
    with pytest.raises(ModelNotFound, match="no such folder"):
        load(VoiceSettings(model="hibara"))
    with pytest.raises(ModelError, match="no model in this folder"):
        load(VoiceSettings(model=str(tmp_path)))
    with pytest.raises(UsageError, match="hibari has one speaker"):
        load(VoiceSettings(speaker="jane"))


def test_pickled_and_damaged_weights_are_refused(voice_checkpoints: dict[str, Path], tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    folder = Path(shutil.copytree(voice_checkpoints["vits"], tmp_path / "voice"))
    weights = load_file(folder / "model.safetensors")
    name = "text_encoder.embed_tokens.weight"
    save_file({**weights, name: weights[name] * torch.nan}, folder / "model.safetensors")
    with pytest.raises(ModelError, match="NaN or infinity"):
        load(VoiceSettings(model=str(folder)))
    save_file({key: value for key, value in weights.items() if key != name}, folder / "model.safetensors")
    with pytest.raises(ModelError, match="1 weights are missing"):
        load(VoiceSettings(model=str(folder)))
    (folder / "model.safetensors").unlink()
    torch.save(weights, folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"(?s)no \*\.safetensors.*only safetensors are opened"):
        load(VoiceSettings(model=str(folder)))


@pytest.mark.parametrize("name", ["bark", "vits"])
def test_weights_are_read_by_the_names_of_the_published_checkpoints(
    name: str, voice_checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    """They were saved when torch called the two factors of a normalized weight weight_g and weight_v."""
    from safetensors.torch import load_file, save_file

    folder = Path(shutil.copytree(voice_checkpoints[name], tmp_path / "voice"))
    weights, renamed = load_file(folder / "model.safetensors"), {}
    for key, value in weights.items():
        for new, old in (("original0", "weight_g"), ("original1", "weight_v")):
            key = key.replace(f"parametrizations.weight.{new}", old)
        renamed[key] = value
    assert weights.keys() != renamed.keys()
    save_file(renamed, folder / "model.safetensors", metadata={"format": "pt"})
    one, other = (
        load(VoiceSettings(model=str(path))).synthesize("a cat") for path in (folder, voice_checkpoints[name])
    )
    assert numpy.array_equal(one, other)


def test_a_text_is_spoken_alike_by_two_threads_at_once(voice_checkpoints: dict[str, Path]) -> None:
    engine = load(VoiceSettings(model=str(voice_checkpoints["vits"])))
    alone = engine.synthesize("A brown dog is running.")
    heard: list[Any] = []
    threads = [
        threading.Thread(target=lambda: heard.append(engine.synthesize("A brown dog is running."))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(numpy.array_equal(alone, sound) for sound in heard)
    assert len(heard) == 4


def test_numbers_that_are_long_when_spelled_are_said_in_parts(voice_checkpoints: dict[str, Path]) -> None:
    """SpeechT5's positions end at 80 here; 60 digits are some 280 letters."""
    engine = load(VoiceSettings(model=str(voice_checkpoints["speecht5"])))
    speech = speak("1234567890" * 6, engine)
    assert len(speech.cues) == 1
    assert speech.omitted == ()


def test_the_settings_of_speak_hold_for_the_functions(
    voice_checkpoints: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    model = str(voice_checkpoints["vits"])
    (tmp_path / "seesay.toml").write_text(f"[speak]\nmodel = {json.dumps(model)}\nseed = 3\n")
    assert numpy.array_equal(seesay.speak("A dog.").samples, seesay.speak("A dog.", model, seed=3).samples)
    assert seesay.speak("A dog.", "hibari").sample_rate == 24_000


def test_the_public_functions(voice_checkpoints: dict[str, Path]) -> None:
    model = str(voice_checkpoints["vits"])
    voice = seesay.load_voice(model, seed=3)
    speech = voice.speak("A dog. A cat.")
    assert speech.sample_rate == voice.sample_rate == 16_000
    assert numpy.array_equal(
        speech.samples, numpy.concatenate([part.samples for part in voice.stream("A dog. A cat.")])
    )
    assert numpy.array_equal(speech.samples, seesay.speak("A dog. A cat.", model, seed=3).samples)
    assert not numpy.array_equal(speech.samples[:2000], seesay.speak("A dog. A cat.", model).samples[:2000])
    with pytest.raises(seesay.TextError, match="empty"):
        voice.speak(" ")
    with pytest.raises(SpeechError, match="only punctuation"):
        voice.speak("...")
    with pytest.raises(UsageError, match="unknown setting 'voice'"):
        seesay.load_voice(model, voice="jane")  # type: ignore[call-arg]


def test_a_network_that_fails_names_the_sentence(voice_checkpoints: dict[str, Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(voice_checkpoints["bark"], tmp_path / "voice"))
    config = json.loads((folder / "generation_config.json").read_text())
    config["semantic_config"]["text_encoding_offset"] = 10**6  # outside of the network's tokens
    (folder / "generation_config.json").write_text(json.dumps(config))
    with pytest.raises(SpeechError, match=r"(?s)the voice bark failed on 'A dog\.'"):
        speak("A dog.", load(VoiceSettings(model=str(folder))))
