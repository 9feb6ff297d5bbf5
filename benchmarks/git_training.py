"""Fine-tuning a GIT of the published size on captions: the way of Hugging Face's guide, and ours three ways.

The network has the geometry of microsoft/git-base (12 ViT-B/16 layers at 224 pixels, 6 text layers, 30,522 words) and random
weights, which cost the same. The guide's way is transformers alone: the processor pads to its 512 tokens, labels are the
input ids, float32, the Trainer's own AdamW. Ours is `seesay train caption` with its defaults, with --freeze-vision (what
the tower sees is on disk already, as in every epoch but the first) and with --lora 8. Every figure is of a process of its own,
in turns, on one thread (two that wait for one another would count their waiting); steps are counted from the end of the
first one. Processor seconds a sample stand beside the samples a second, because other work on the machine changes the latter.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PICTURES = Path(__file__).parent.parent / "examples/pictures"
BATCH, ROWS, ROUNDS = 4, 16, 3
STEPS = {"guide": 3, "ours": 4, "frozen": 6, "lora": 4}
OURS = {"ours": {}, "frozen": {"freeze_vision": True}, "lora": {"lora": 8}}
CAPTION = "a photo of a {} lying on a wooden table beside a {} in the garden"
WORDS = "dog cat bird ball cup chair book flower tree lamp shoe hat spoon boat bike kite".split()


def measure() -> dict[str, object]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _run(folder, "prepare")
        _run(folder, "frozen")  # what the tower sees, computed and kept
        taken: dict[str, list[dict[str, float]]] = {way: [] for way in STEPS}
        for _ in range(ROUNDS):
            for way, found in taken.items():
                found.append(_run(folder, way))
        caption = _run(folder, "caption")
    speed = {way: statistics.median(one["samples_per_second"] for one in found) for way, found in taken.items()}
    return {
        "batch": BATCH,
        "threads": 1,
        "ways": {
            way: {
                "samples_per_second": round(speed[way], 3),
                "all_rounds": [round(one["samples_per_second"], 3) for one in found],
                "times_the_guide": round(speed[way] / speed["guide"], 2),
                "processor_seconds_per_sample": round(
                    statistics.median(one["processor_seconds_per_sample"] for one in found), 2
                ),
                "peak_memory_gib": round(max(one["memory"] for one in found), 2),
            }
            for way, found in taken.items()
        },
        "caption": {"seconds": round(caption["seconds"], 2), "peak_memory_gib": round(caption["memory"], 2)},
    }


def _run(folder: Path, way: str) -> dict[str, Any]:
    """One way in a process of its own; what it prints last."""
    environment = {**os.environ, "SEESAY_CACHE": str(folder / "cache"), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    words = [sys.executable, __file__, way, str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise RuntimeError(f"{way}: {done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


class Clock:
    """Notes the ends of steps."""

    def __init__(self) -> None:
        self.ends: list[tuple[float, float]] = []

    def tick(self) -> None:
        self.ends.append((time.perf_counter(), time.process_time()))

    def speed(self) -> dict[str, float]:
        wall, processor = (self.ends[-1][kind] - self.ends[0][kind] for kind in (0, 1))
        samples = BATCH * (len(self.ends) - 1)
        return {"samples_per_second": samples / wall, "processor_seconds_per_sample": processor / samples}


def prepare(folder: Path) -> dict[str, Any]:
    """The checkpoint as the Hub has it, and the rows."""
    import torch
    from PIL import Image
    from transformers import BertTokenizer, GitConfig, GitForCausalLM
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    model = folder / "model"
    torch.manual_seed(0)
    network = GitForCausalLM(GitConfig())
    network.save_pretrained(model)
    known = ["[PAD]", *(f"[unused{index}]" for index in range(99)), "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    known += sorted({*CAPTION.replace("{} ", "").split(), *WORDS})
    known += [f"word{index}" for index in range(network.config.vocab_size - len(known))]
    BertTokenizer(vocab={word: index for index, word in enumerate(known)}, model_max_length=512).save_pretrained(model)
    square = {"height": 224, "width": 224}
    CLIPImageProcessorPil(size={"shortest_edge": 224}, crop_size=square).save_pretrained(model)
    pictures = sorted(PICTURES.glob("*.jpg"))
    for split, count in (("train", ROWS), ("validation", 2)):
        rows = []
        for index in range(count):
            with Image.open(pictures[index % len(pictures)]) as picture:
                name = f"{split}{index}.jpg"
                picture.convert("RGB").resize((320 + 4 * index, 280)).save(folder / name)
            caption = CAPTION.format(WORDS[index], WORDS[-1 - index])
            rows.append(json.dumps({"image": name, "caption": caption}) + "\n")
        (folder / f"{split}.jsonl").write_text("".join(rows))
    return {}


def guide(folder: Path) -> dict[str, Any]:
    """The guide's own code, where it still runs; fp16 needs a GPU."""
    import torch
    from PIL import Image
    from transformers import BertTokenizer, GitForCausalLM, GitProcessor, Trainer, TrainerCallback, TrainingArguments
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    model = folder / "model"
    processor = GitProcessor(CLIPImageProcessorPil.from_pretrained(model), BertTokenizer.from_pretrained(model))
    rows = [json.loads(line) for line in (folder / "train.jsonl").read_text().splitlines()]

    def transform(batch: list[dict[str, str]]) -> dict[str, torch.Tensor]:
        images = [Image.open(folder / row["image"]) for row in batch]
        inputs = processor(
            images=images, text=[row["caption"] for row in batch], padding="max_length", return_tensors="pt"
        )
        inputs.pop("token_type_ids", None)
        return {**inputs, "labels": inputs["input_ids"]}

    clock = Clock()

    class Watch(TrainerCallback):
        def on_step_end(self, *args: Any, **kwargs: Any) -> None:
            clock.tick()

    arguments = TrainingArguments(
        output_dir=str(folder / "guide"),
        learning_rate=5e-5,
        max_steps=STEPS["guide"],
        per_device_train_batch_size=BATCH,
        remove_unused_columns=False,
        save_strategy="no",
        use_cpu=True,
        disable_tqdm=True,
        report_to=[],
    )
    network = GitForCausalLM.from_pretrained(model)
    Trainer(network, arguments, data_collator=transform, train_dataset=rows, callbacks=[Watch()]).train()
    return clock.speed()


def seesay_trains(folder: Path, way: str) -> dict[str, Any]:
    """`seesay train caption` but for its command line."""
    import shutil

    import seesay

    output, clock = folder / way, Clock()
    shutil.rmtree(output, ignore_errors=True)
    settings = seesay.TrainCaptionSettings(
        data=str(folder),
        model=str(folder / "model"),
        output=output,
        max_steps=STEPS[way],
        per_device_train_batch_size=BATCH,
        gradient_accumulation_steps=1,
        threads=1,
        **OURS[way],
    )

    def step(state: Any) -> None:
        if not state.values:
            clock.tick()

    seesay.train_caption(settings, step)
    return clock.speed()


def caption(folder: Path) -> dict[str, Any]:
    """One picture described by what was trained."""
    import seesay

    model = seesay.load(str(folder / "ours"))
    started = time.perf_counter()
    given = model.caption(folder / "train0.jpg")
    assert given.text is not None
    return {"seconds": time.perf_counter() - started}


def _peak() -> float:
    """GiB that this process held at most."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 2**20


if __name__ == "__main__":
    what, where = sys.argv[1], Path(sys.argv[2])
    alone = {"prepare": prepare, "guide": guide, "caption": caption}
    result = alone[what](where) if what in alone else seesay_trains(where, what)
    print(json.dumps({**result, "memory": _peak()}))
