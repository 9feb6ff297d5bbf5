"""A network as an ONNX file, run on the processor by ONNX Runtime or by OpenVINO: arrays in, arrays out.

Knows nothing of what a network computes, of torch, or of where files come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy

from ..errors import MissingExtra, ModelError

Array = numpy.ndarray[Any, Any]
Runtime = Literal["onnx", "openvino"]
PACKAGES: dict[Runtime, str] = {"onnx": "onnxruntime", "openvino": "openvino"}
EXTRAS = {"openvino": "seesay[openvino]", "onnx": "seesay"}


class Graph(Protocol):
    """A network that was opened."""

    def __call__(self, **inputs: Array) -> list[Array]:
        """Its outputs, in their order."""


def installed(runtime: Runtime) -> bool:
    """Whether the runtime's package is here; nothing is imported."""
    return find_spec(PACKAGES[runtime]) is not None


def named(runtime: Runtime) -> str:
    """The runtime with its version, such as `onnxruntime 1.31.1`."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"{PACKAGES[runtime]} {version(PACKAGES[runtime])}"
    except PackageNotFoundError:
        return PACKAGES[runtime]


def open_graph(path: Path, runtime: Runtime, numbers: str, threads: int = 0) -> Graph:
    """The network in an ONNX file.

    Args:
        numbers: what OpenVINO computes in, `float32` or `bfloat16`; ONNX Runtime takes what the file says.
        threads: 0 takes as many as this process may use.

    Raises:
        MissingExtra: the runtime is not installed.
        ModelError: it cannot read the file.
    """
    if not installed(runtime):
        raise MissingExtra(f"--engine {runtime}", EXTRAS[runtime])
    try:
        if runtime == "openvino":
            return _OpenVino(path, numbers, threads)
        return _OnnxRuntime(path, threads)
    except Exception as error:  # both raise whatever their C++ side made of it
        why = str(error).strip().splitlines()[0][:200]
        raise ModelError(f"{named(runtime)} cannot open it: {why}", where=str(path)) from None


class _OnnxRuntime:
    def __init__(self, path: Path, threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or available_threads()
        options.log_severity_level = 3
        # What one request took is given back before the next; it costs no time that could be measured.
        options.enable_cpu_mem_arena = False
        # A sum and the normalization behind it take seven times as long in one operator as in two (onnxruntime 1.31).
        apart = ["SkipLayerNormFusion"]
        providers = ["CPUExecutionProvider"]
        self._session = onnxruntime.InferenceSession(str(path), options, providers, disabled_optimizers=apart)
        self._wanted = {given.name for given in self._session.get_inputs()}

    def __call__(self, **inputs: Array) -> list[Array]:
        try:
            found: list[Array] = self._session.run(None, _wanted(inputs, self._wanted))
        except Exception as error:  # whatever its C++ side made of it, such as a kernel that this processor has not
            why = str(error).strip().splitlines()[0][:200]
            raise ModelError(f"{named('onnx')} cannot compute it: {why}") from None
        return found


class _OpenVino:
    def __init__(self, path: Path, numbers: str, threads: int) -> None:
        import openvino

        core = openvino.Core()
        core.set_property("CPU", {"INFERENCE_NUM_THREADS": threads or available_threads()})
        hint = {"float32": "f32", "bfloat16": "bf16"}[numbers]
        options = {"INFERENCE_PRECISION_HINT": hint, "PERFORMANCE_HINT": "LATENCY"}
        self._model = core.compile_model(core.read_model(str(path)), "CPU", options)
        self._wanted = {name for given in self._model.inputs for name in given.names}

    def __call__(self, **inputs: Array) -> list[Array]:
        # A request of its own, so that threads may call at the same time; copied, because its memory goes with it.
        found = self._model.create_infer_request().infer(_wanted(inputs, self._wanted))
        return [numpy.array(found[output]) for output in self._model.outputs]


@cache
def processor_features() -> frozenset[str]:
    """What /proc/cpuinfo calls the features of this processor; empty where there is none."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return frozenset()
    return frozenset(next((line.split(":", 1)[1].split() for line in lines if line.startswith("flags")), []))


def fast_8_bits() -> bool:
    """Whether the processor adds up products of 8 bits in 32. Others add pairs in 16 first, which can run over: what was verified
    on one kind is not verified on the other."""
    return bool({"avx512_vnni", "avx_vnni", "asimddp"} & processor_features())


def available_threads() -> int:
    """Threads that compute: as OMP_NUM_THREADS says, else the cores that this process may use."""
    import os

    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdigit() and int(asked):
        return int(asked)
    cores = getattr(os, "sched_getaffinity", None)
    return len(cores(0)) if cores else os.cpu_count() or 1


def _wanted(inputs: Mapping[str, Array], names: set[str]) -> dict[str, Array]:
    """What the network takes: an exporter leaves out inputs that nothing depends on."""
    return {name: value for name, value in inputs.items() if name in names}
