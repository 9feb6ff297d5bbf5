"""Ways of doing one thing, measured in turns in one process: processor seconds, so that other work on the machine counts little.

On two cores that other processes use as well, differences below a tenth mean nothing. `ceilings` says what the machine can do.
"""

import os
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Way = Callable[[], Any]


def one_thread() -> None:
    """As every figure is taken: two threads that wait for one another would count their waiting."""
    import torch

    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)


def in_turns(ways: Mapping[str, Way], rounds: int, *, flops: float = 0.0, limit: float = 0.0) -> dict[str, Any]:
    """The median of each way, its spread, and how many times as fast as the first it is; with `flops` (of one turn) and
    `limit` (per second) also the share of the machine's limit that it reaches."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way()
    for _ in range(rounds):
        for name, way in ways.items():
            started = time.process_time()
            way()
            taken[name].append(time.process_time() - started)
    first = statistics.median(taken[next(iter(ways))])
    rows = {}
    for name, values in taken.items():
        middle = statistics.median(values)
        rows[name] = {
            "ms": round(middle * 1e3, 1),
            "ms_min": round(min(values) * 1e3, 1),
            "ms_max": round(max(values) * 1e3, 1),
            "ratio": round(first / middle, 2),
        }
        if flops and limit:
            rows[name] |= {
                "gflops": round(flops / middle / 1e9, 1),
                "of_the_fp32_limit": round(flops / middle / limit, 2),
            }
    return rows


def flops_of(work: Way) -> float:
    """Floating-point operations of a torch computation, as torch counts them."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        work()
    return float(counter.get_total_flops())


def ceilings() -> dict[str, float]:
    """Operations per second of one thread, in GFLOP/s, at a size that a network has: what the best of a few tries reached."""
    import torch

    size = (512, 768, 3072)
    left, right = torch.randn(size[0], size[1]), torch.randn(size[1], size[2])
    small, large = left.bfloat16(), right.bfloat16()

    def best(work: Way) -> float:
        work()
        times = []
        for _ in range(7):
            started = time.process_time()
            for _ in range(4):
                work()
            times.append((time.process_time() - started) / 4)
        return round(2 * size[0] * size[1] * size[2] / min(times) / 1e9, 1)

    found = {"float32": best(lambda: left @ right)}
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    found["float32_onednn"] = best(lambda: left @ right)
    torch.set_float32_matmul_precision(before)
    found["bfloat16"] = best(lambda: small @ large)
    found["int8"] = best(_int8(size))
    return found


def _int8(size: tuple[int, int, int]) -> Way:
    """A product of 8-bit integers under ONNX Runtime."""
    import numpy
    import onnx
    import onnxruntime

    rng = numpy.random.default_rng(0)
    weights = onnx.numpy_helper.from_array(rng.integers(-90, 90, size[1:], numpy.int8), "b")
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("MatMulInteger", ["a", "b"], ["c"])], "product",
        [onnx.helper.make_tensor_value_info("a", onnx.TensorProto.UINT8, size[:2])],
        [onnx.helper.make_tensor_value_info("c", onnx.TensorProto.INT32, (size[0], size[2]))], [weights],
    )  # fmt: skip
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    values = rng.integers(0, 180, size[:2], numpy.uint8)
    return lambda: session.run(None, {"a": values})


def photo(folder: Path, width: int, height: int, seed: int = 0) -> Path:
    """A JPEG of that size, of a photograph that is enlarged and has some noise."""
    import numpy
    from PIL import Image

    file = folder / f"photo-{width}x{height}-{seed}.jpg"
    if not file.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        source = sorted((Path(__file__).parent.parent / "examples/pictures").glob("*.jpg"))
        with Image.open(source[seed % len(source)]) as image:
            large = numpy.asarray(image.convert("RGB").resize((width, height), Image.Resampling.BICUBIC), numpy.float32)
        noise = numpy.random.default_rng(seed).normal(scale=3, size=large.shape)
        Image.fromarray(numpy.clip(large + noise, 0, 255).astype(numpy.uint8)).save(file, quality=90)
    return file
