"""Graphs in 8 bits, and what counts as right."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import get_args

import numpy
import onnx
import pytest
import torch

from seesay.errors import ModelError
from seesay.models import export
from seesay.models.exported.base import Part, Scales
from seesay.models.narrow import quantize, save, taken
from seesay.models.numpy_beams import Reply, beam_search
from seesay.models.runtime import open_graph


class Net(torch.nn.Module):
    """A table of words, large enough to be narrowed, and a layer behind it."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.table = torch.nn.Embedding(20_000, 64)
        self.layer = torch.nn.Linear(64, 32)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.layer(self.table(ids))


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    part = Part(Net().eval(), {"ids": torch.ones(1, 3, dtype=torch.int64)}, ("out",), {"ids": {1: "tokens"}})
    export.write_graph(part, tmp_path / "net.onnx")
    return tmp_path / "net.onnx"


def test_8_bits_are_a_quarter_in_size_and_near(graph: Path) -> None:
    ids = numpy.array([[0, 7, 19_999, 123, 5]], numpy.int64)
    wanted = Net().eval()(torch.from_numpy(ids)).detach().numpy()
    before = graph.stat().st_size
    exact = open_graph(graph, "onnx", "float32")(ids=ids)[0]
    assert numpy.abs(exact - wanted).max() < 1e-5
    quantize(graph, "product")
    assert sum(file.stat().st_size for file in graph.parent.iterdir()) < 0.3 * before
    kinds = [node.op_type for node in onnx.load(str(graph)).graph.node]
    assert "MatMulInteger" in kinds
    assert kinds.count("Gather") == 2
    narrow = open_graph(graph, "onnx", "float32")(ids=ids)[0]
    assert 0 < numpy.abs(narrow - wanted).max() < 0.05 * wanted.std()


def test_scales_of_rows_and_blocks_hold_where_a_few_numbers_are_a_hundred_times_larger(tmp_path: Path) -> None:
    torch.manual_seed(0)
    layer = torch.nn.Sequential(torch.nn.Linear(72, 40, bias=False), torch.nn.Linear(40, 24)).eval()
    part = Part(layer, {"x": torch.zeros(1, 3, 72)}, ("out",), {"x": {1: "tokens"}})
    values = numpy.random.default_rng(0).normal(size=(1, 5, 72)).astype(numpy.float32)
    values[0, 0, 3] = 400.0
    wanted = layer(torch.from_numpy(values)).detach().numpy()
    errors, kinds = {}, {}
    for scales in get_args(Scales):
        file = tmp_path / f"{scales}.onnx"
        export.write_graph(part, file)
        quantize(file, scales)
        found = open_graph(file, "onnx", "float32")(x=values)[0]
        errors[scales] = numpy.abs(found - wanted)[0].max(-1) / wanted[0].std(-1)  # (5,): of each row
        kinds[scales] = [node.op_type for node in onnx.load(str(file)).graph.node]
    assert kinds["block"].count("MatMulNBits") == 2
    assert kinds["row"].count("MatMulInteger") == 2
    # The large number is in the first row alone.
    assert errors["product"][1:].max() > 10 * errors["row"][1:].max()
    assert max(errors["row"][1:].max(), errors["block"][1:].max()) < 0.05
    assert errors["block"][0] < 0.05


def test_with_a_scale_for_each_row_what_comes_of_one_is_the_same_in_any_company(tmp_path: Path) -> None:
    torch.manual_seed(0)
    layer = torch.nn.Sequential(torch.nn.Linear(64, 300), torch.nn.GELU(), torch.nn.Linear(300, 24)).eval()
    file = tmp_path / "rows.onnx"
    export.write_graph(Part(layer, {"x": torch.zeros(1, 3, 64)}, ("out",), {"x": {1: "tokens"}}), file)
    quantize(file, "row")
    graph = open_graph(file, "onnx", "float32")
    values = (
        numpy.random.default_rng(0).normal(size=(1, 7, 64)).astype(numpy.float32) * 10.0 ** numpy.arange(7)[:, None]
    )
    values[0, 3] = 0
    values = values.astype(numpy.float32)
    together = graph(x=values)[0][0]
    for row in range(7):
        alone = graph(x=values[:, row : row + 1])[0][0, 0]
        assert numpy.allclose(together[row], alone, rtol=1e-6, atol=0), row
    wanted = layer(torch.from_numpy(values)).detach().numpy()[0]
    assert (numpy.abs(together - wanted).max(-1) < 0.05 * wanted.std(-1) + 1e-6).all()


def test_a_graph_that_cannot_be_computed_is_told_in_one_line(graph: Path) -> None:
    with pytest.raises(ModelError, match="cannot compute it"):
        open_graph(graph, "onnx", "float32")(ids=numpy.array([[99_999]], numpy.int64))


def test_weights_that_lie_beside_are_the_same_graph(graph: Path) -> None:
    ids = numpy.array([[1, 2, 3]], numpy.int64)
    before = open_graph(graph, "onnx", "float32")(ids=ids)[0]
    save(taken(graph), graph)
    assert graph.stat().st_size < 10_000
    assert numpy.array_equal(open_graph(graph, "onnx", "float32")(ids=ids)[0], before)


@pytest.mark.parametrize("scales", get_args(Scales))
def test_a_graph_too_large_for_one_file_is_narrowed_like_any_other(graph: Path, tmp_path: Path, scales: Scales) -> None:
    """The exporter then writes each weight into a file of its own; none of them stays."""
    ids = numpy.array([[1, 2, 3]], numpy.int64)
    whole = tmp_path / "whole"
    whole.mkdir()
    shutil.copyfile(graph, whole / graph.name)
    quantize(whole / graph.name, scales)
    wanted = open_graph(whole / graph.name, "onnx", "float32")(ids=ids)[0]
    cut = tmp_path / "cut"
    cut.mkdir()
    scattered = cut / graph.name
    onnx.save(
        onnx.load(str(graph)),
        str(scattered),
        save_as_external_data=True,
        all_tensors_to_one_file=False,
        size_threshold=0,
    )
    assert len(list(cut.iterdir())) > 3
    quantize(scattered, scales)
    assert {file.name for file in cut.iterdir()} == {"net.onnx", "net.weights"}
    assert numpy.array_equal(open_graph(scattered, "onnx", "float32")(ids=ids)[0], wanted)


@pytest.mark.parametrize(
    ("numbers", "largest", "square", "lost", "right"),
    [
        ("float32", 1e-6, 1e-7, 0.0, True),
        ("float32", 2e-4, 1e-6, 0.0, False),
        ("int8", 0.4, 0.05, 0.01, True),
        ("int8", 0.4, 0.2, 0.0, False),
        ("int8", 0.4, 0.05, 0.2, False),
        ("bfloat16", float("nan"), 0.0, 0.0, False),
    ],
)
def test_what_counts_as_right(numbers: str, largest: float, square: float, lost: float, right: bool) -> None:
    assert (export._judged(numbers, largest, square, lost) == "") is right


def test_sample_pictures_are_always_the_same() -> None:
    one, again, other = (export.sample_picture(index, 64, 48) for index in (0, 0, 1))
    assert one.shape == (48, 64, 3)
    assert numpy.array_equal(one, again)
    assert not numpy.array_equal(one, other)
    assert one.std() > 20


def test_beams_find_what_greed_misses() -> None:
    """Behind 1 all is certain; greed takes 2 first, behind which nothing is. 0 ends."""
    table = {(): [-5.0, -0.9, -0.6], (1,): [-0.01, -9, -9], (2,): [-2, -2, -1.5]}

    def step(tokens: object, before: tuple[int, ...] | None) -> tuple[numpy.ndarray, tuple[int, ...]]:
        state = () if before is None else (*before, *tokens)  # type: ignore[misc]
        return numpy.array(table.get(state, [-3.0, -3.0, -3.0])), state

    found = beam_search(step, [9], [0], 2, 4)
    assert found[0] == Reply((1,), pytest.approx(-0.455))
    assert len(found) == 2
    assert found[0].mean >= found[1].mean
