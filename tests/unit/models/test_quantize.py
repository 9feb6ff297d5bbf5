"""Weights in 8 and 4 bits, made while a checkpoint is read."""

import importlib.util
import json
import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image

import seesay
from seesay.errors import MissingExtra, ModelError, UsageError
from seesay.models import for_training, load
from seesay.models.quantize import PACKAGES, bytes_held
from seesay.settings import ModelSettings, Quantize, TrainVqaSettings

SQUARE = Image.new("RGB", (32, 32), "red")
BITS: list[Quantize] = [bits for bits in ("int8", "int4") if importlib.util.find_spec(PACKAGES[bits])]
quantized = pytest.mark.parametrize("bits", BITS)
# Both packages use what torch and Python have deprecated, when they are imported.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")


@quantized
@pytest.mark.parametrize("name", ["idefics3", "llava", "qwen2_vl"])
def test_answers_come_from_fewer_bytes_and_provenance_says_so(
    bits: Quantize, name: str, chat_checkpoints: dict[str, Path]
) -> None:
    whole = seesay.load(str(chat_checkpoints[name]), dtype="bfloat16", device="cpu")
    model = seesay.load(str(chat_checkpoints[name]), quantize=bits, device="cpu")
    # In 4 bits, rows that are no whole number of blocks of 64 stay as they are: most of these small ones.
    assert bytes_held(model.family.network) < (0.9 if bits == "int8" else 1) * bytes_held(whole.family.network)
    answer = model.ask(SQUARE, "what is it ?")
    assert answer.provenance.dtype == f"{bits} and bfloat16"
    assert whole.ask(SQUARE, "what is it ?").provenance.dtype == "bfloat16"
    # Where a text ends stands in a file of its own.
    assert model.family.network.generation_config.eos_token_id == whole.family.network.generation_config.eos_token_id


@quantized
def test_every_weight_is_that_of_the_file_within_its_step(bits: Quantize, chat_checkpoints: dict[str, Path]) -> None:
    whole = seesay.load(str(chat_checkpoints["llava"]), dtype="float32", device="cpu").family.network
    network = seesay.load(str(chat_checkpoints["llava"]), quantize=bits, dtype="float32", device="cpu").family.network
    changed = 0
    for name, module in network.named_modules():
        if isinstance(module, torch.nn.Linear):
            expected = whole.get_submodule(name)
            assert isinstance(expected, torch.nn.Linear)
            seen = torch.eye(module.in_features)
            with torch.inference_mode():
                error = (module(seen) - expected(seen)).abs().max()
            step = expected.weight.abs().max() / (127 if bits == "int8" else 5)
            assert error <= step, name
            changed += bool(error > 0)
    assert changed > (10 if bits == "int8" else 1)


@quantized
def test_a_weight_that_is_not_finite_is_refused(
    bits: Quantize, chat_checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "broken"
    shutil.copytree(chat_checkpoints["llava"], folder)
    weights = load_file(folder / "model.safetensors")
    name = next(key for key in weights if key.endswith("q_proj.weight"))
    weights[name][0, 0] = torch.nan
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="NaN or infinity"):
        seesay.load(str(folder), quantize=bits, device="cpu")


@quantized
def test_shards_are_read_by_their_index(bits: Quantize, chat_checkpoints: dict[str, Path], tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "shards"
    shutil.copytree(chat_checkpoints["idefics3"], folder)
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    halves = [dict(list(weights.items())[start::2]) for start in range(2)]
    for index, half in enumerate(halves):
        save_file(half, folder / f"model-{index}.safetensors", metadata={"format": "pt"})
    places = {key: f"model-{index}.safetensors" for index, half in enumerate(halves) for key in half}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))
    found, expected = (
        seesay.load(str(path), quantize=bits, device="cpu") for path in (folder, chat_checkpoints["idefics3"])
    )
    assert found.ask(SQUARE, "what ?").alternatives == expected.ask(SQUARE, "what ?").alternatives


@pytest.mark.parametrize("bits", ["int8", "int4"])
def test_what_is_missing_is_named(bits: Quantize, chat_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seesay.models.quantize.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=bits):
        seesay.load(str(chat_checkpoint), quantize=bits)


def test_training_and_the_embedded_model_refuse() -> None:
    with pytest.raises(UsageError, match="cannot be trained"):
        for_training(TrainVqaSettings(model="seesay-mini", quantize="int8"), ["red"], ["what?"])
    with pytest.raises(ModelError, match="not quantized while it is loaded"):
        load(ModelSettings(quantize="int8"))
