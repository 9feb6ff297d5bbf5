"""Which engine answers, and why; exports that are not as right are refused and the refusal is kept."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy
import pytest

from seesay.errors import ModelError, UsageError
from seesay.models import engines, explain, export, export_cache, load
from seesay.models.exported.base import Exported
from seesay.models.runtime import open_graph
from seesay.settings import AskSettings, ModelSettings
from seesay.types import Example

ENGINES: tuple[Literal["torch"], Literal["onnx"]] = ("torch", "onnx")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEESAY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(engines, "_accelerator", lambda: False)


def keep(model: Path, numbers: str, **manifest: Any) -> None:
    """Something under the key of an export."""
    from seesay.models.checkpoint import find

    export_cache.keep(export_cache.key_of(find(str(model)), "onnx", numbers), lambda _: manifest)


def test_auto_takes_torch_until_an_export_is_here(vilt_checkpoint: Path) -> None:
    settings = ModelSettings(model=str(vilt_checkpoint))
    assert explain(settings).engine == "torch"
    assert "--engine onnx makes one" in explain(settings).reason
    keep(vilt_checkpoint, "int8", refusal="too far")
    assert explain(settings).engine == "torch"
    keep(vilt_checkpoint, "float32", agreement={"largest_error": 1e-7})
    assert explain(settings).engine == "onnx"
    assert "float32" in explain(settings).reason
    states = {(one.engine, one.numbers): one.state for one in explain(settings).options}
    assert states["onnx", "int8"] == "too far"
    assert states["onnx", "float32"] == states["torch", "float32"] == "ready"


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"dtype": "bfloat16"}, "torch's affair"),
        ({"quantize": "int8"}, "torch's affair"),
        ({"engine": "torch"}, "asked for"),
        ({"device": "cuda"}, "--device cuda"),
    ],
)
def test_auto_leaves_to_torch_what_is_torchs(settings: dict[str, Any], why: str, vilt_checkpoint: Path) -> None:
    keep(vilt_checkpoint, "int8", agreement={"largest_error": 0.1})
    found = explain(ModelSettings(model=str(vilt_checkpoint), **settings))
    assert found.engine == "torch"
    assert why in found.reason


def test_where_an_accelerator_may_be_auto_is_torch(vilt_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(vilt_checkpoint, "int8", agreement={"largest_error": 0.1})
    monkeypatch.setattr(engines, "_accelerator", lambda: True)
    assert explain(ModelSettings(model=str(vilt_checkpoint))).engine == "torch"
    assert explain(ModelSettings(model=str(vilt_checkpoint), device="cpu")).engine == "onnx"


def test_the_embedded_model_has_its_own() -> None:
    assert explain(ModelSettings()).engine == "onnx"
    with pytest.raises(UsageError, match="run on ONNX Runtime"):
        explain(ModelSettings(engine="torch"))


@pytest.mark.parametrize(
    "settings",
    [
        {"engine": "onnx", "dtype": "bfloat16"},
        {"engine": "onnx", "device": "cuda"},
        {"engine": "onnx", "quantize": "int4"},
        {"engine": "openvino", "quantize": "int8"},
        {"engine": "openvino", "dtype": "float16"},
        {"engine": "ray"},
    ],
)
def test_settings_that_contradict_one_another_are_refused(settings: dict[str, Any], vilt_checkpoint: Path) -> None:
    with pytest.raises(UsageError):
        load(ModelSettings(model=str(vilt_checkpoint), **settings))


def test_a_family_without_export_says_so(blip2_checkpoint: Path) -> None:
    assert "no export is known" in explain(ModelSettings(model=str(blip2_checkpoint))).reason
    with pytest.raises(ModelError, match="no export is known"):
        load(ModelSettings(model=str(blip2_checkpoint), engine="onnx"))


def test_what_is_not_as_right_is_refused_and_not_made_twice(
    vilt_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The export's weights are disturbed, as a bad quantization would: 8 bits are refused, then float32."""
    written = export.write_graph

    def disturbed(part: Any, file: Path) -> None:
        import onnx

        written(part, file)
        model = onnx.load(str(file))
        rng = numpy.random.default_rng(0)
        for weight in model.graph.initializer:
            values = onnx.numpy_helper.to_array(weight)
            if values.ndim == 2:
                noisy = (values + rng.normal(scale=values.std(), size=values.shape)).astype(numpy.float32)
                weight.CopyFrom(onnx.numpy_helper.from_array(noisy, weight.name))
        onnx.save(model, str(file))

    monkeypatch.setattr(export, "write_graph", disturbed)
    settings = AskSettings(model=str(vilt_checkpoint), engine="onnx")
    with pytest.raises(
        ModelError, match=r"not as right as the original: int8: logits are off by .*; float32: a logit is off"
    ):
        load(settings)
    monkeypatch.setattr(export, "write_graph", lambda *_: pytest.fail("tried again"))
    with pytest.raises(ModelError, match="not as right"):
        load(settings)
    assert all(entry.refusal and not entry.manifest["files"] for entry in export_cache.entries())
    assert explain(ModelSettings(model=str(vilt_checkpoint))).engine == "torch"


def test_8_bits_that_are_refused_give_way_to_float32(vilt_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "SPREAD", 0.0)
    found = load(AskSettings(model=str(vilt_checkpoint), engine="onnx"))
    assert isinstance(found, Exported)
    assert found.placement.dtype == "float32"


def test_a_damaged_graph_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "network.onnx").write_bytes(b"no graph")
    with pytest.raises(ModelError, match="cannot open it"):
        open_graph(tmp_path / "network.onnx", "onnx", "float32")


def test_a_rest_beside_whole_patches_is_left_as_the_original_leaves_it(
    vilt_checkpoint: Path, tmp_path: Path, photo: Callable[..., Path]
) -> None:
    """A processor that rounds sides to less than a patch."""
    folder = tmp_path / "model"
    shutil.copytree(vilt_checkpoint, folder)
    (file,) = (one for one in folder.glob("*processor*.json") if "size_divisor" in one.read_text())
    half = json.loads((folder / "config.json").read_text())["patch_size"] // 2
    file.write_text(re.sub(r'"size_divisor": \d+', f'"size_divisor": {half}', file.read_text()))
    picture = photo(tmp_path / "narrow.png", (13 * half, 12 * half), "red")
    original, export = (load(AskSettings(model=str(folder), engine=engine, dtype="float32")) for engine in ENGINES)
    rows = [Example((picture,), "what color is it")]
    sides = original.prepare(rows).tensors["pixel_values"].shape[2:]
    assert [side % (2 * half) for side in sides] != [0, 0]
    expected, found = (one.predict(one.prepare(rows), 3) for one in (original, export))
    assert [one.text for one in found[0]] == [one.text for one in expected[0]]
    assert [one.score for one in found[0]] == pytest.approx([one.score for one in expected[0]], abs=1e-5)


def test_openvino_says_what_the_original_says(vilt_checkpoint: Path, vilt_pictures: list[Path]) -> None:
    pytest.importorskip("openvino")
    from seesay.types import Example

    examples = [
        Example((picture,), text) for picture, text in zip(vilt_pictures, ("what?", "a red dog", "how"), strict=True)
    ]
    original = load(AskSettings(model=str(vilt_checkpoint), engine="torch"))
    found = load(AskSettings(model=str(vilt_checkpoint), engine="openvino", dtype="float32"))
    assert found.engine.startswith("openvino ")
    wanted = original.logits(original.prepare(examples)).numpy()  # type: ignore[attr-defined]
    assert numpy.abs(found.found(found.prepare(examples), ()) - wanted).max() < 1e-4  # type: ignore[attr-defined]


def test_auto_opens_the_export_that_is_here_and_makes_none(
    vilt_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(AskSettings(model=str(vilt_checkpoint), engine="onnx", dtype="float32"))
    monkeypatch.setattr(export, "write_graph", lambda *_: pytest.fail("made one"))
    found = load(AskSettings(model=str(vilt_checkpoint)))
    assert isinstance(found, Exported)
    assert found.placement.dtype == "float32"


def test_where_nothing_is_kept_no_checkpoint_is_hashed(vilt_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_cache, "content_of", lambda _: pytest.fail("hashed"))
    assert explain(ModelSettings(model=str(vilt_checkpoint))).engine == "torch"
