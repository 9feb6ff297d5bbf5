"""A ViLT of B/32 geometry with random weights, saved as a Hub repository looks; prints what its batches cost on one thread.

Processor time, not wall time, so that others on the machine do not count.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

ROUNDS = 5
SIZES = (1, 2, 4, 8, 16)
ANSWERS = 3129
PICTURE = Path(__file__).parents[2] / "examples" / "pictures" / "dogs.jpg"


def build(folder: Path) -> None:
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


def cost(folder: Path) -> dict[str, float]:
    """Median processor milliseconds of `predict` and its share in `prepare`, by rows of a batch."""
    import torch

    from seesay.models import load
    from seesay.settings import ModelSettings
    from seesay.types import Example

    torch.set_num_threads(1)
    family = load(ModelSettings(model=str(folder)))
    taken = {}
    for size in SIZES:
        examples = [Example((PICTURE,), "how many dogs is there?")] * size
        spent = []
        for _ in range(ROUNDS):
            began = time.process_time()
            family.predict(family.prepare(examples), 1)
            spent.append(time.process_time() - began)
        taken[str(size)] = round(statistics.median(spent) * 1000, 1)
    return taken


if __name__ == "__main__":
    target = Path(sys.argv[1])
    build(target)
    print(json.dumps(cost(target)))
