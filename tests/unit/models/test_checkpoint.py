"""Checkpoints are found, and opened only when every tensor is accounted for."""

import json
import shutil
from pathlib import Path

import pytest

import seesay
from seesay.models.checkpoint import find


@pytest.fixture
def broken(vilt_checkpoint: Path, tmp_path: Path) -> Path:
    """A copy of a good checkpoint, to be damaged."""
    return Path(shutil.copytree(vilt_checkpoint, tmp_path / "model"))


def rewrite(folder: Path, change: object) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    change(tensors)  # type: ignore[operator]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def test_missing_tensors_are_an_error_that_names_one(broken: Path) -> None:
    rewrite(broken, lambda tensors: tensors.pop("classifier.0.weight"))
    with pytest.raises(seesay.ModelError, match=r"missing or of another shape[\s\S]*classifier.0.weight"):
        seesay.load(str(broken))


def test_tensors_of_another_shape_are_an_error(broken: Path) -> None:
    config = json.loads((broken / "config.json").read_text())
    config["intermediate_size"] = 128
    (broken / "config.json").write_text(json.dumps(config))
    with pytest.raises(seesay.ModelError, match="missing or of another shape"):
        seesay.load(str(broken))


def test_weights_that_are_not_finite_are_an_error(broken: Path) -> None:
    rewrite(broken, lambda tensors: tensors["classifier.3.bias"].fill_(float("nan")))
    with pytest.raises(seesay.ModelError, match=r"'classifier.3.bias' holds NaN or infinity"):
        seesay.load(str(broken))


def test_pickled_weights_are_refused(broken: Path) -> None:
    (broken / "model.safetensors").rename(broken / "pytorch_model.bin")
    with pytest.raises(seesay.ModelError, match=r"no \*.safetensors[\s\S]*pickled weights can run code"):
        seesay.load(str(broken))


def test_a_truncated_weights_file_is_told_without_a_traceback_of_a_library(broken: Path) -> None:
    weights = broken / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(seesay.ModelError, match="the weights cannot be read"):
        seesay.load(str(broken))


def test_a_shard_outside_the_folder_is_refused(broken: Path) -> None:
    index = {"metadata": {}, "weight_map": {"classifier.3.bias": "../secret.safetensors"}}
    (broken / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(seesay.ModelError, match="a shard lies outside the folder"):
        seesay.load(str(broken))


@pytest.mark.parametrize("content", ["{", "[]", '{"model_type": "nothing"}', "{}"])
def test_a_configuration_that_is_no_vilts_is_told(broken: Path, content: str) -> None:
    (broken / "config.json").write_text(content)
    with pytest.raises(seesay.ModelError):
        seesay.load(str(broken))


def test_a_checkpoint_without_tokenizer_is_told(broken: Path) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        (broken / name).unlink(missing_ok=True)
    with pytest.raises(seesay.ModelError, match="no usable processor"):
        seesay.load(str(broken))


def test_a_folder_without_model_lists_the_checkpoints_of_an_unfinished_run(broken: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    broken.rename(tmp_path / "run" / "checkpoint-200")
    with pytest.raises(seesay.ModelError, match=r"no model in this folder[\s\S]*checkpoint-200"):
        seesay.load(str(tmp_path / "run"))


def test_a_finished_run_is_opened_by_its_own_folder(broken: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    broken.rename(tmp_path / "run" / "model")
    assert find(str(tmp_path / "run")).folder == (tmp_path / "run" / "model").resolve()


def test_a_hub_name_is_opened_from_the_cache_without_a_connection(
    vilt_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = tmp_path / "models--dandelin--vilt-b32-finetuned-vqa"
    shutil.copytree(vilt_checkpoint, repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    model = seesay.load("dandelin/vilt-b32-finetuned-vqa")
    assert model.family.checkpoint.revision == commit
    assert model.family.checkpoint.name == "dandelin/vilt-b32-finetuned-vqa"
    with pytest.raises(seesay.ModelNotFound):
        seesay.load("dandelin/another")
