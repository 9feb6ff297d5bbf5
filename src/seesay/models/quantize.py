"""Weights of linear layers in 8 or 4 bits, made while a checkpoint is read: the whole of it in full numbers never exists.

int8 is torchao's weight-only one (a scale for each output), int4 NF4 of bitsandbytes (a scale for 64 weights; Dettmers et
al., "QLoRA", NeurIPS 2023). Embeddings, the output layer, norms and convolutions keep the number type of the placement.

Measured, transformers' own way of quantizing takes more memory than no quantization: it maps the whole file, and what it
frees stays with the process. Here each weight is read by itself, and freed memory goes back at once.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import MissingExtra

if TYPE_CHECKING:
    import torch

EXTRA = "seesay[quantize]"
PACKAGES = {"int8": "torchao", "int4": "bitsandbytes"}
BLOCK = 64
"""Weights that share a scale in 4 bits."""
M_MMAP_THRESHOLD = -3
"""`mallopt` of glibc: blocks from this size on are mapped one by one, and given back when they are freed."""
MAPPED, USUAL = 2**20, 2**25


def quantized_arguments(network: Any, config: Any, folder: Path, bits: str, dtype: str) -> dict[str, Any]:
    """The arguments of transformers' `from_pretrained` that read the safetensors of `folder` weight by weight and quantize.

    Args:
        network, config: classes of transformers and the configuration they are built with.
        bits: `int8` or `int4`.
        dtype: number type of what is not quantized, and of computing.

    Raises:
        MissingExtra: the package for it is not installed.
    """
    if find_spec(PACKAGES[bits]) is None:
        raise MissingExtra(f"--quantize {bits}", EXTRA)
    from safetensors import safe_open

    index = sorted(folder.glob("*.safetensors.index.json"))
    names = json.loads(index[0].read_text(encoding="utf-8"))["weight_map"].values() if index else ["model.safetensors"]
    weights: dict[str, Any] = {}
    for name in sorted(set(names)):
        file: Any = safe_open(folder / name, framework="pt", backend="pread")
        weights.update({key: file.get_slice(key) for key in file.keys()})  # noqa: SIM118
    return {
        "pretrained_model_name_or_path": None,
        "state_dict": weights,
        "quantization_config": _config(network, config, bits, dtype),
    }


def plain_tensors(tensor: torch.Tensor) -> list[torch.Tensor]:
    """The tensors that hold the numbers of one that may be quantized; where a weight was not finite, its scale is not."""
    if hasattr(tensor, "__tensor_flatten__"):
        return [part for name in tensor.__tensor_flatten__()[0] for part in plain_tensors(getattr(tensor, name))]
    state = getattr(tensor, "quant_state", None)
    return [tensor] if state is None else [tensor, state.absmax]


def bytes_held(network: torch.nn.Module) -> int:
    """Bytes of a network's weights, as they are; transformers' `get_memory_footprint` counts what they stand for."""
    tensors = [*network.parameters(), *network.buffers()]
    held = {part.data_ptr(): part.untyped_storage().nbytes() for tensor in tensors for part in plain_tensors(tensor)}
    return sum(held.values())


def keep_layout(network: torch.nn.Module) -> None:
    """Leave 4-bit weights as they were read. On some processors bitsandbytes lays them out anew in the first evaluation and
    rounds otherwise from then on, so that a run that was resumed would learn something else."""
    for module in network.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False  # type: ignore[assignment]


@contextmanager
def freed_at_once() -> Iterator[None]:
    """Give memory back to the system when it is freed; where the allocator is another than glibc's, nothing is done."""
    import ctypes

    allocator = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if allocator:
        allocator(M_MMAP_THRESHOLD, MAPPED)
    try:
        yield
    finally:
        if allocator:
            allocator(M_MMAP_THRESHOLD, USUAL)


def _config(network: Any, config: Any, bits: str, dtype: str) -> Any:
    import torch
    import transformers

    if bits == "int4":
        with torch.device("meta"):
            empty = network(config)
        linear = {name: module for name, module in empty.named_modules() if isinstance(module, torch.nn.Linear)}
        output = empty.get_output_embeddings()
        # Its kernel for processors fails where a row is no whole number of blocks.
        left = [name for name, module in linear.items() if module is output or module.in_features % BLOCK]
        return transformers.BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=getattr(torch, dtype),
            llm_int8_skip_modules=left,
        )  # fmt: skip
    from torchao.quantization import Int8WeightOnlyConfig

    # The configuration itself: its name as a string is refused.
    return transformers.TorchAoConfig(Int8WeightOnlyConfig())
