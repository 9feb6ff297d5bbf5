"""SpeechT5: its vocoder, its speaker, its alphabet, and what is told where one of them is missing."""

import json
import shutil
from pathlib import Path
from types import ModuleType

import numpy
import pytest

from seesay.errors import ModelError, ModelNotFound, UsageError
from seesay.settings import VoiceSettings
from seesay.speech import load, omitted, speak


@pytest.fixture
def folder(voice_checkpoints: dict[str, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(voice_checkpoints["speecht5"], tmp_path / "voice"))


def test_numbers_are_spelled_and_only_what_it_has_letters_for_is_said(voice_checkpoints: dict[str, Path]) -> None:
    engine = load(VoiceSettings(model=str(voice_checkpoints["speecht5"])))
    assert omitted("Ça coûte 5 €, мир: 안!", engine) == ("м", "и", "р", "안")
    assert numpy.array_equal(engine.synthesize("5 cafés"), engine.synthesize("five cafés"))
    assert not numpy.array_equal(engine.synthesize("café"), engine.synthesize("cafe"))  # its alphabet has this é
    assert numpy.array_equal(engine.synthesize("ü"), engine.synthesize("u"))
    # A token of the network that somebody typed is letters.
    assert engine.tokenizer.eos_token_id not in engine.tokenizer(engine.speller.spell("a</s>b")).input_ids[:-1]


def test_the_seed_and_the_speaker_decide_the_sound(voice_checkpoints: dict[str, Path], tmp_path: Path) -> None:
    model = str(voice_checkpoints["speecht5"])
    numpy.save(tmp_path / "me.npy", numpy.linspace(-1, 1, 12))
    one, again, other = (load(VoiceSettings(model=model, seed=seed)).synthesize("A cat sat.") for seed in (0, 0, 1))
    me = load(VoiceSettings(model=model, speaker=str(tmp_path / "me.npy"))).synthesize("A cat sat.")
    assert numpy.array_equal(one, again)
    for sound in (other, me):
        assert one.shape != sound.shape or not numpy.allclose(one, sound)


def test_a_vocoder_is_named_or_lies_beside_it_or_the_message_says_so(
    folder: Path, voice_maker: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    beside = speak("A cat.", load(VoiceSettings(model=str(folder))))
    moved = shutil.move(folder / "vocoder", tmp_path / "elsewhere")
    assert numpy.array_equal(
        speak("A cat.", load(VoiceSettings(model=str(folder), vocoder=str(moved)))).samples, beside.samples
    )
    with pytest.raises(ModelNotFound, match=r"(?s)no vocoder.*microsoft/speecht5_hifigan.*--vocoder FOLDER.*vocoder/"):
        load(VoiceSettings(model=str(folder)))
    with pytest.raises(ModelNotFound, match="nowhere"):
        load(VoiceSettings(model=str(folder), vocoder="nowhere"))
    voice_maker.vocoder(tmp_path / "wide", model_in_dim=9)
    with pytest.raises(ModelError, match="takes spectrograms of 9 mel bins, the voice makes 8"):
        load(VoiceSettings(model=str(folder), vocoder=str(tmp_path / "wide")))
    with pytest.raises(ModelError, match=r"cannot speak \(SpeechT5ForTextToSpeech\)"):
        load(VoiceSettings(model=str(folder), vocoder=str(folder)))


def test_a_checkpoint_that_is_not_whole_or_of_another_head_is_refused(folder: Path) -> None:
    (folder / "spm_char.model").rename(folder / "away")
    with pytest.raises(ModelError, match=r"(?s)no tokenizer.*spm_char\.model"):
        load(VoiceSettings(model=str(folder)))
    (folder / "spm_char.model").write_bytes(b"not a model")
    with pytest.raises(ModelError, match="no usable tokenizer"):
        load(VoiceSettings(model=str(folder)))
    (folder / "away").replace(folder / "spm_char.model")
    config = json.loads((folder / "config.json").read_text())
    for change, said in (
        ({"architectures": ["SpeechT5ForSpeechToText"]}, "cannot speak"),
        ({"vocab_size": 10}, "10 tokens"),
        ({"hidden_size": 32}, "of another shape"),
        ({"hidden_size": "many"}, r"config\.json cannot be used"),
    ):
        (folder / "config.json").write_text(json.dumps({**config, **change}))
        with pytest.raises(ModelError, match=said):
            load(VoiceSettings(model=str(folder)))


def test_its_pace_cannot_be_changed(folder: Path) -> None:
    with pytest.raises(UsageError, match="one pace"):
        load(VoiceSettings(model=str(folder), speed=1.5))
