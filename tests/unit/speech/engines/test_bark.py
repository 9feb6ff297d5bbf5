"""Bark: presets, cues, and a generation config that a checkpoint lacks."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy
import pytest

from seesay.errors import ModelError, UsageError
from seesay.models.checkpoint import find
from seesay.settings import VoiceSettings
from seesay.speech import load, omitted
from seesay.speech.engines.bark import complete_generation_config

PRESET = "v2/en_speaker_6"


@pytest.fixture
def folder(voice_checkpoints: dict[str, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(voice_checkpoints["bark"], tmp_path / "voice"))


def said(folder: Path, text: str = "A dog.", **more: Any) -> Any:
    return load(VoiceSettings(model=str(folder), **more)).synthesize(text)


def arrays(folder: Path) -> dict[str, Any]:
    parts = ("semantic_prompt", "coarse_prompt", "fine_prompt")
    return {part: numpy.load(folder / f"speaker_embeddings/{PRESET}_{part}.npy") for part in parts}


def test_a_preset_by_name_and_as_a_file_is_one_voice(folder: Path, tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    numpy.savez(tmp_path / "p.npz", **arrays(folder))
    save_file(arrays(folder), tmp_path / "p.safetensors")
    by_name = said(folder, speaker=PRESET)
    for file in ("p.npz", "p.safetensors"):
        assert numpy.array_equal(said(folder, speaker=str(tmp_path / file)), by_name)
    without = said(folder)
    assert by_name.shape != without.shape or not numpy.allclose(by_name, without)


def test_presets_that_are_none_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"(?s)no preset 'v2/en_speaker_7'.*v2/en_speaker_6"):
        said(folder, speaker="v2/en_speaker_7")
    with pytest.raises(UsageError, match=r"\.npy files are no presets"):
        said(folder, speaker="a.npy")
    good = arrays(folder)
    for name, bad in {
        "missing": {**good, "fine_prompt": None},
        "float": {**good, "coarse_prompt": good["coarse_prompt"].astype(float)},
        "flat": {**good, "coarse_prompt": good["coarse_prompt"][0]},
    }.items():
        numpy.savez(tmp_path / f"{name}.npz", **{key: value for key, value in bad.items() if value is not None})
        with pytest.raises(UsageError, match=r"not a preset: (fine|coarse)_prompt is"):
            said(folder, speaker=str(tmp_path / f"{name}.npz"))
    (tmp_path / "secret.npy").write_bytes((folder / f"speaker_embeddings/{PRESET}_semantic_prompt.npy").read_bytes())
    index = folder / "speaker_embeddings_path.json"
    table = json.loads(index.read_text())
    for path in ("../secret.npy", str(tmp_path / "secret.npy"), "config.json"):
        index.write_text(json.dumps({**table, PRESET: {**table[PRESET], "semantic_prompt": path}}))
        with pytest.raises(UsageError, match="names the file"):
            said(folder, speaker=PRESET)
    index.write_text(json.dumps({**table, PRESET: {**table[PRESET], "semantic_prompt": "gone.npy"}}))
    with pytest.raises(ModelError, match=r"no file 'gone\.npy'"):
        said(folder, speaker=PRESET)
    index.unlink()
    with pytest.raises(UsageError, match="this checkpoint has none"):
        said(folder, speaker=PRESET)


def test_cues_reach_it_as_they_are_written_and_special_tokens_do_not(folder: Path) -> None:
    engine: Any = load(VoiceSettings(model=str(folder)))
    text = engine.speller.spell("[laughs] Hello ♪ in 2 days [SEP]")
    assert text == "[laughs] Hello ♪ in two days [SEP]"
    assert engine.tokenizer.tokenize("[laughs]")[0] == "["
    assert (
        engine.tokenizer.sep_token_id
        not in engine.tokenizer(text, add_special_tokens=False, split_special_tokens=True).input_ids
    )
    assert omitted("♪ La 안", engine) == ("안",)


@pytest.mark.parametrize(
    "left", [None, {}, {"semantic_config": {"temperature": 0.9}}, {"transformers_version": "4.31"}]
)
def test_a_generation_config_is_completed_as_the_published_one(folder: Path, left: dict[str, Any] | None) -> None:
    file = folder / "generation_config.json"
    if left is None:
        file.unlink()
    else:
        file.write_text(json.dumps(left))
    config = complete_generation_config(find(str(folder)))
    assert (config.sample_rate, config.codebook_size) == (24_000, 1024)
    assert config.coarse_acoustics_config == {"do_sample": True, "temperature": 0.7}
    semantic = config.semantic_config
    assert semantic["temperature"] == (0.9 if left and "semantic_config" in left else 0.7)
    assert semantic["max_input_semantic_length"] == 256


def test_one_that_is_there_is_kept(folder: Path) -> None:
    given = json.loads((folder / "generation_config.json").read_text())
    engine: Any = load(VoiceSettings(model=str(folder)))
    assert engine.network.generation_config.semantic_config == given["semantic_config"]
    assert engine.network.generation_config.codebook_size == 16


def test_a_configuration_that_cannot_be_is_refused(folder: Path) -> None:
    (folder / "generation_config.json").write_text("[1]")
    with pytest.raises(ModelError, match="holds a list"):
        said(folder)
    (folder / "generation_config.json").write_text("{")
    with pytest.raises(ModelError, match="cannot be read"):
        said(folder)
