"""Fine-tuning a GIT of the published size on captions: the way of Hugging Face's guide, and ours four ways.

The network has the geometry of microsoft/git-base (12 ViT-B/16 layers at 224 pixels, 6 text layers, 30,522 words) and random
weights, which cost the same. The guide's way is transformers alone: the processor pads to its 512 tokens, labels are the
input ids, float32, the Trainer's own AdamW. Ours is `seesay train caption` with its defaults, in float32, with --freeze-vision
and with --lora 8.
"""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .fine_tuning import WORDS, Clock, Subject, trained_by_guide, write_rows
from .sizes import git

CAPTION = "a photo of a {} lying on a wooden table beside a {} in the garden"


def prepare(folder: Path) -> None:
    git(folder / "model")
    write_rows(
        folder,
        lambda split, index: {"caption": CAPTION.format(WORDS[index % 16], WORDS[(3 - index) % 16])},
        lambda index: (320 + 4 * (index % 16), 280),
    )


def guide(folder: Path, steps: int, clock: Clock) -> None:
    from PIL import Image
    from transformers import BertTokenizer, GitForCausalLM, GitProcessor
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    model = folder / "model"
    processor = GitProcessor(CLIPImageProcessorPil.from_pretrained(model), BertTokenizer.from_pretrained(model))
    rows = [json.loads(line) for line in (folder / "train.jsonl").read_text().splitlines()]

    def transform(batch: list[dict[str, str]]) -> Any:
        images = [Image.open(folder / row["image"]) for row in batch]
        inputs = processor(
            images=images, text=[row["caption"] for row in batch], padding="max_length", return_tensors="pt"
        )
        inputs.pop("token_type_ids", None)
        return {**inputs, "labels": inputs["input_ids"]}

    trained_by_guide(GitForCausalLM.from_pretrained(model), rows, transform, folder / "guide", steps, clock)


def ours(folder: Path, output: Path, settings: Mapping[str, Any], step: Callable[[Any], None]) -> None:
    """`seesay train caption` but for its command line."""
    import seesay

    model = str(folder / "model")
    seesay.train_caption(seesay.TrainCaptionSettings(data=str(folder), model=model, output=output, **settings), step)


def caption(folder: Path) -> dict[str, Any]:
    """One picture described by what was trained."""
    import seesay

    model = seesay.load(str(folder / "ours"))
    started = time.perf_counter()
    given = model.caption(folder / "train0.jpg")
    assert given.text is not None
    return {"seconds": round(time.perf_counter() - started, 2)}


SUBJECT = Subject(
    "git_training",
    prepare,
    guide,
    ours,
    {"guide": 4, "exact": 5, "ours": 6, "frozen": 10, "lora": 6},
    {"exact": {"mixed_precision": "none"}, "ours": {}, "frozen": {"freeze_vision": True}, "lora": {"lora": 8}},
    first=("frozen",),
    after={"caption": caption},
)


def measure() -> dict[str, object]:
    return SUBJECT.measure()


if __name__ == "__main__":
    SUBJECT.main()
