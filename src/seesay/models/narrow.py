"""The products and tables of an ONNX file in 8 bits.

Each column of weights has a scale, or each block of it; activations are scaled as they come, all of a product by one scale, each
row by one, or each block (`exported.base.Scales`). Knows nothing of what a network computes.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy

from .exported.base import Scales

if TYPE_CHECKING:
    import onnx

BLOCK = 32
"""Numbers that share a scale where products are narrowed by blocks."""
EIGHT_BITS_LEFT = 4
"""`accuracy_level` of ONNX Runtime's MatMulNBits that narrows the left side to 8 bits too."""


def quantize(file: Path, scales: Scales) -> None:
    """Weights of linear layers in 8 bits, multiplied with activations that are scaled as they come; large tables of embeddings in
    8 bits with a scale for each row.
    """
    if scales == "product":
        _narrow_outputs(file)
    model = taken(file)
    if scales == "block":
        _narrow_blocks(model)
    elif scales == "row":
        _narrow_rows(model)
    _narrow_tables(model)
    save(model, file)


def _narrow_outputs(file: Path) -> None:
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

    beside = _weights_of(onnx.load(str(file), load_external_data=False), file.parent)
    # What does not fit into one file of protobuf has its weights beside it, and so has what is made of it.
    large = {
        "save_as_external_data": True, "all_tensors_to_one_file": True, "external_data_location": f"{file.stem}.prepared",
    } if beside else {}  # fmt: skip
    with _quiet():
        # Constants are computed and shapes inferred before; without that, weights are not seen to be constant.
        quant_pre_process(str(file), str(file), skip_symbolic_shape=True, **large)
        _remove(beside)
        model = onnx.load(str(file), load_external_data=False)
        beside, graph = _weights_of(model, file.parent), model.graph
        tables = {weight.name for weight in graph.initializer if len(weight.dims) == 2}
        linear = [node.name for node in graph.node if node.op_type in ("MatMul", "Gemm") and node.input[1] in tables]
        quantize_dynamic(
            str(file), str(file), weight_type=QuantType.QInt8, per_channel=True, nodes_to_quantize=linear,
            use_external_data_format=bool(beside), extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
        )  # fmt: skip
        _remove(beside)


def _narrow_rows(model: onnx.ModelProto) -> None:
    """Products (..., K) @ (K, N) as products of integers: each row of the left side is divided by a 127th of its largest
    number, each column of the right side by a 127th of its own. What comes of a row is the same whatever stands beside it."""
    import onnx

    node_of, tensor = onnx.helper.make_node, onnx.numpy_helper.from_array
    graph = model.graph
    weights = {weight.name: weight for weight in graph.initializer}
    constants = {"row_levels": numpy.float32(127), "row_middle": numpy.float32(128), "row_least": numpy.float32(1e-30)}
    made = {name: tensor(numpy.array(value), name) for name, value in constants.items()}
    made["row_zero"] = tensor(numpy.array(128, numpy.uint8), "row_zero")
    nodes: list[onnx.NodeProto] = []
    narrowed: set[str] = set()
    for node in graph.node:
        name = node.input[1] if node.op_type == "MatMul" else ""
        if name not in weights or len(weights[name].dims) != 2:
            nodes.append(node)
            continue
        if f"{name}_narrow" not in made:
            values = onnx.numpy_helper.to_array(weights[name])
            scales = numpy.maximum(numpy.abs(values).max(0), 1e-30).astype(numpy.float32) / 127  # (N,)
            made[f"{name}_narrow"] = tensor(numpy.round(values / scales).astype(numpy.int8), f"{name}_narrow")
            made[f"{name}_scales"] = tensor(scales, f"{name}_scales")
        left, out = node.input[0], node.output[0]
        if left not in narrowed:
            narrowed.add(left)
            nodes += [
                node_of("Abs", [left], [f"{left}_sizes"]),
                node_of("ReduceMax", [f"{left}_sizes"], [f"{left}_size"], axes=[-1], keepdims=1),
                node_of("Max", [f"{left}_size", "row_least"], [f"{left}_largest"]),
                node_of("Div", [f"{left}_largest", "row_levels"], [f"{left}_scale"]),
                node_of("Div", [left, f"{left}_scale"], [f"{left}_scaled"]),
                node_of("Round", [f"{left}_scaled"], [f"{left}_round"]),
                node_of("Add", [f"{left}_round", "row_middle"], [f"{left}_above"]),
                node_of("Cast", [f"{left}_above"], [f"{left}_narrow"], to=onnx.TensorProto.UINT8),
            ]
        nodes += [
            node_of("MatMulInteger", [f"{left}_narrow", f"{name}_narrow", "row_zero"], [f"{out}_sum"], node.name),
            node_of("Cast", [f"{out}_sum"], [f"{out}_wide"], to=onnx.TensorProto.FLOAT),
            node_of("Mul", [f"{out}_wide", f"{left}_scale"], [f"{out}_rows"]),
            node_of("Mul", [f"{out}_rows", f"{name}_scales"], [out]),
        ]
    used = {name for node in nodes for name in node.input}
    kept = [weight for weight in graph.initializer if weight.name in used]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend([*kept, *made.values()])


def _narrow_blocks(model: onnx.ModelProto) -> None:
    """Products (..., K) @ (K, N) as ONNX Runtime's own operator, which also narrows the left side block by block."""
    import onnx

    graph = model.graph
    weights = {weight.name: weight for weight in graph.initializer}
    made: dict[str, list[onnx.TensorProto]] = {}
    for node in graph.node:
        name = node.input[1] if node.op_type == "MatMul" else ""
        if name not in weights or len(weights[name].dims) != 2:
            continue
        depth, width = weights[name].dims
        if name not in made:
            values = onnx.numpy_helper.to_array(weights[name]).T
            values = numpy.pad(values, ((0, 0), (0, -depth % BLOCK))).reshape(width, -1, BLOCK)
            scales = numpy.maximum(numpy.abs(values).max(2), 1e-30).astype(numpy.float32) / 127
            narrow = (numpy.round(values / scales[..., None]) + 128).astype(numpy.uint8)
            parts = {f"{name}_narrow": narrow, f"{name}_scales": scales}
            made[name] = [onnx.numpy_helper.from_array(part, key) for key, part in parts.items()]
        facts = {"K": depth, "N": width, "bits": 8, "block_size": BLOCK, "accuracy_level": EIGHT_BITS_LEFT}
        inputs = [node.input[0], *(part.name for part in made[name])]
        product = onnx.helper.make_node("MatMulNBits", inputs, node.output, node.name, domain="com.microsoft", **facts)
        node.CopyFrom(product)
    used = {name for node in graph.node for name in node.input}
    kept = [weight for weight in graph.initializer if weight.name in used]
    del graph.initializer[:]
    graph.initializer.extend([*kept, *(part for parts in made.values() for part in parts)])
    model.opset_import.append(onnx.helper.make_opsetid("com.microsoft", 1))


def _narrow_tables(model: onnx.ModelProto, smallest: int = 2**20) -> None:
    """Tables of embeddings in 8 bits with a scale for each row: the largest of them would be most of what a server holds."""
    import onnx

    graph = model.graph
    weights = {weight.name: weight for weight in graph.initializer}
    uses = [name for node in graph.node for name in node.input]
    for node in list(graph.node):
        name = node.input[0] if node.op_type == "Gather" else ""
        if name not in weights or len(weights[name].dims) != 2 or uses.count(name) > 1:
            continue
        table = onnx.numpy_helper.to_array(weights[name])
        if table.size < smallest or table.dtype != numpy.float32:
            continue
        scales = numpy.maximum(numpy.abs(table).max(1, keepdims=True), 1e-30) / 127
        narrow = numpy.round(table / scales).astype(numpy.int8)
        graph.initializer.remove(weights[name])
        helper, after = onnx.helper, f"{name}_row"
        graph.initializer.extend(
            [
                onnx.numpy_helper.from_array(narrow, f"{name}_narrow"),
                onnx.numpy_helper.from_array(scales.astype(numpy.float32), f"{name}_scales"),
            ]
        )
        place = list(graph.node).index(node)
        graph.node.remove(node)
        new = [
            helper.make_node("Gather", [f"{name}_narrow", node.input[1]], [f"{after}_narrow"]),
            helper.make_node("Cast", [f"{after}_narrow"], [f"{after}_cast"], to=onnx.TensorProto.FLOAT),
            helper.make_node("Gather", [f"{name}_scales", node.input[1]], [f"{after}_scale"]),
            helper.make_node("Mul", [f"{after}_cast", f"{after}_scale"], list(node.output)),
        ]
        for offset, one in enumerate(new):
            graph.node.insert(place + offset, one)


def taken(file: Path) -> onnx.ModelProto:
    """A graph with its weights; what lies of them beside the file is removed."""
    import onnx

    beside = _weights_of(onnx.load(str(file), load_external_data=False), file.parent)
    model = onnx.load(str(file))
    _remove(beside)
    return model


def save(model: onnx.ModelProto, file: Path) -> None:
    """Weights in a file of their own, which is mapped and not copied: a third less memory when the graph is opened."""
    import onnx

    file.unlink(missing_ok=True)
    onnx.save(model, str(file), save_as_external_data=True, location=f"{file.stem}.weights", size_threshold=1024)


def _weights_of(model: onnx.ModelProto, folder: Path) -> set[Path]:
    """The files that lie beside a graph."""
    places = (entry for weight in model.graph.initializer for entry in weight.external_data if entry.key == "location")
    return {folder / entry.value for entry in places}


def _remove(files: Iterable[Path]) -> None:
    for file in files:
        file.unlink(missing_ok=True)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the advice that onnxruntime's quantizer gives through the root logger."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        root.setLevel(level)
