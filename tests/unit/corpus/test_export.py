"""Networks as the package stores them: smaller, and exactly what they were narrowed to."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy
import onnx
import pytest
import torch

from seesay.models.mini.encoder import open_session
from seesay.models.mini.network import MiniConfig, MiniNetwork
from seesay.models.mini.onnx_export import export

CONFIG = MiniConfig(vocabulary=90, names=20, first_name=10, dim=64, heads=2, vision_layers=1, text_layers=2)


@pytest.fixture(scope="module")
def storing() -> ModuleType:
    path = Path(__file__).parents[3] / "corpus" / "export.py"
    spec = importlib.util.spec_from_file_location("corpus_export", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def network(storing: ModuleType) -> MiniNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = MiniNetwork(CONFIG).eval().requires_grad_(False)
    made.load_state_dict({name: storing.narrow(name, value) for name, value in made.state_dict().items()})
    return made


def test_a_matrix_is_narrowed_by_its_outputs_and_a_small_one_is_left(storing: ModuleType) -> None:
    narrow = storing.narrow
    values = torch.randn(100, 50) * torch.logspace(-3, 3, 100)[:, None]
    narrowed = narrow("layer.weight", values)
    assert ((narrowed - values).abs().amax(1) <= values.abs().amax(1) / 250).all()
    assert all(len(row.unique()) <= 255 for row in narrowed)
    assert torch.equal(narrow("layer.weight", values[:50]), values[:50])
    assert torch.equal(narrow("position", values.t()), narrow("layer.weight", values).t())
    assert torch.equal(narrow("layer.weight", torch.zeros(100, 50)), torch.zeros(100, 50))


@pytest.mark.parametrize("name", ["look", "decode"])
def test_what_is_stored_in_8_bits_computes_the_same_to_the_bit(
    storing: ModuleType, network: MiniNetwork, tmp_path: Path, name: str
) -> None:
    export(network, tmp_path)
    plain, stored = tmp_path / f"{name}.onnx", tmp_path / "stored.onnx"
    storing.store_narrow(plain, stored)
    assert stored.stat().st_size < 0.45 * plain.stat().st_size
    kinds = [node.op_type for node in onnx.load(stored).graph.node]
    assert kinds.count("DequantizeLinear") > 5
    random = numpy.random.default_rng(0)
    given = {
        "fine": random.normal(size=(2, 112, 14, 14)), "coarse": random.normal(size=(2, 320, 7, 7)),
        "pooled": random.random((2, 1280)), "colors": random.random((2, 14, 14, 14)), "hints": random.integers(10, 30, (2, 8)),
        "chances": random.random((2, 8)), "ids": random.integers(0, 90, (2, 6)), "memory": random.normal(size=(2, 58, 64)),
        "places": numpy.array([4, 5]),
    }  # fmt: skip
    sessions = [open_session(path, 1) for path in (plain, stored)]
    named = {
        one.name: given[one.name].astype(numpy.int64 if "int64" in one.type else numpy.float32)
        for one in sessions[0].get_inputs()
    }
    one, other = (session.run(None, named)[0] for session in sessions)
    assert numpy.array_equal(one, other)


def test_matrices_that_were_not_narrowed_are_stored_as_they_are(storing: ModuleType, tmp_path: Path) -> None:
    export(MiniNetwork(CONFIG).eval(), tmp_path)
    storing.store_narrow(tmp_path / "decode.onnx", tmp_path / "stored.onnx")
    before, after = (onnx.load(tmp_path / f"{name}.onnx") for name in ("decode", "stored"))
    assert [tensor.name for tensor in after.graph.initializer] == [tensor.name for tensor in before.graph.initializer]
