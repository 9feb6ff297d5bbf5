"""A ViLT with random weights, saved as the Hub has one; prints what its batches cost and how much of the processor they use."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

ROUNDS = 3
SIZES = (1, 4, 16)
ANSWERS, SMALL_ANSWERS = 3129, 100
QUESTION = "how many dogs is there?"
PICTURE = Path(__file__).parents[2] / "examples" / "pictures" / "dogs.jpg"


def build(kind: str, folder: Path) -> None:
    """`vilt-b32`, or a configuration of `--from-scratch`, with random weights."""
    if kind == "vilt-b32":
        _build_b32(folder)
        return
    from seesay.models import Placement
    from seesay.models.families.vilt import Vilt

    answers = [f"answer {index}" for index in range(SMALL_ANSWERS)]
    Vilt.create(kind, Placement("cpu", "float32"), answers, [QUESTION, "is there a cat?"], 0).save(folder)


def _build_b32(folder: Path) -> None:
    import torch
    from transformers import BertTokenizerFast, ViltConfig, ViltForQuestionAnswering

    torch.manual_seed(0)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"how many dogs is there a cat what it ?".split()]
    (folder / "vocab.txt").write_text("\n".join(words) + "\n")
    labels = {index: f"answer {index}" for index in range(ANSWERS)}
    config = ViltConfig(id2label=labels, label2id={name: index for index, name in labels.items()})
    ViltForQuestionAnswering(config).save_pretrained(folder)
    BertTokenizerFast(vocab_file=str(folder / "vocab.txt"), vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    preprocessor = {
        "image_processor_type": "ViltImageProcessor", "do_resize": True, "size": {"shortest_edge": 384},
        "size_divisor": 32, "resample": 3, "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True,
        "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "do_pad": True,
    }  # fmt: skip
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor))


def cost(folder: Path, threads: int) -> dict[str, Any]:
    """Median milliseconds of `predict` with its `prepare` by rows of a batch, and what that is of what the processor can do: the
    share of the rate at which it multiplies large matrices. Where a batch of one is near it, batches cannot gain."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from seesay.models import load
    from seesay.settings import ModelSettings
    from seesay.types import Example

    torch.set_num_threads(threads)
    family = load(ModelSettings(model=str(folder)))
    taken, peak = {}, _peak()
    for size in SIZES:
        examples = [Example((PICTURE,), QUESTION)] * size
        taken[size] = _median(partial(_answered, family, examples))
    with FlopCounterMode(display=False) as counted:
        _answered(family, [Example((PICTURE,), QUESTION)])
    work = counted.get_total_flops()
    return {
        "ms_by_batch": {str(size): round(seconds * 1000, 2) for size, seconds in taken.items()},
        "gain_of_computing_16_together": round(16 * taken[1] / taken[16], 2),
        "gflop_a_row": round(work / 1e9, 3),
        "gflop_per_s_of_large_matrices": round(peak / 1e9, 1),
        "share_of_it_by_batch": {str(size): round(size * work / seconds / peak, 3) for size, seconds in taken.items()},
    }


def _answered(family: Any, examples: Sequence[Any]) -> None:
    family.predict(family.prepare(examples), 1)


def _peak() -> float:
    """Floating point operations a second in a product of matrices that leaves nothing to wait for."""
    import torch

    left, right = torch.randn(2048, 2048), torch.randn(2048, 2048)
    return 2 * 2048**3 / _median(lambda: left @ right)


def _median(work: Callable[[], object]) -> float:
    spent = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        spent.append(time.perf_counter() - began)
    return statistics.median(spent)


if __name__ == "__main__":
    target = Path(sys.argv[2])
    build(sys.argv[1], target)
    print(json.dumps({threads: cost(target, int(threads)) for threads in sys.argv[3:]}))
