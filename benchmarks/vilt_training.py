"""Fine-tuning a ViLT of the published size on questions: the way of Hugging Face's guide, and ours three ways.

The network has the geometry of dandelin/vilt-b32-mlm with a head of 3,129 answers and random weights, which cost the same. The
guide's way is transformers alone: questions are padded to 40 tokens, pictures to the largest, float32, the Trainer's own
AdamW. Ours is `seesay train vqa` with its defaults (bfloat16 products where the processor has them), in float32, and with
--lora 8. Pictures have the shapes of photographs, so that some batches are padded on both sides.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .fine_tuning import WORDS, Clock, Subject, trained_by_guide, write_rows
from .sizes import QUESTIONS, vilt

ANSWERS = 3129


def prepare(folder: Path) -> None:
    vilt(folder / "model")
    write_rows(
        folder,
        lambda split, index: {"question": QUESTIONS[index % len(QUESTIONS)], "answers": [WORDS[index % 4]] * 10},
        lambda index: (640, 480 - 16 * (index % 4)) if index % 3 else (480, 640),
    )


def guide(folder: Path, steps: int, clock: Clock) -> None:
    import torch
    from PIL import Image
    from transformers import BertTokenizer, ViltForQuestionAnswering, ViltProcessor
    from transformers.models.vilt.image_processing_pil_vilt import ViltImageProcessorPil

    model = folder / "model"
    processor = ViltProcessor(ViltImageProcessorPil.from_pretrained(model), BertTokenizer.from_pretrained(model))
    rows = [json.loads(line) for line in (folder / "train.jsonl").read_text().splitlines()]

    def collate(batch: list[dict[str, Any]]) -> Any:
        images = [Image.open(folder / row["image"]) for row in batch]
        text = [row["question"] for row in batch]
        inputs = processor(images, text, padding="max_length", truncation=True, return_tensors="pt")
        labels = torch.zeros(len(batch), ANSWERS)
        for place, row in enumerate(batch):
            labels[place, WORDS.index(row["answers"][0])] = 1.0
        return {**inputs, "labels": labels}

    trained_by_guide(ViltForQuestionAnswering.from_pretrained(model), rows, collate, folder / "guide", steps, clock)


def ours(folder: Path, output: Path, settings: Mapping[str, Any], step: Callable[[Any], None]) -> None:
    """`seesay train vqa` but for its command line."""
    import seesay

    model = str(folder / "model")
    seesay.train_vqa(seesay.TrainVqaSettings(data=str(folder), model=model, output=output, **settings), step)


SUBJECT = Subject(
    "vilt_training",
    prepare,
    guide,
    ours,
    {"guide": 6, "exact": 7, "ours": 8, "lora": 8},
    {"exact": {"mixed_precision": "none"}, "ours": {}, "lora": {"lora": 8}},
)


def measure() -> dict[str, object]:
    return SUBJECT.measure()


if __name__ == "__main__":
    SUBJECT.main()
