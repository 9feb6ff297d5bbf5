"""What the measurements of fine-tuning share: the guide's way and ours, each in a process of its own, in turns, on one thread
(two that wait for one another would count their waiting).

Steps are counted from the end of the second one: until then memory is touched for the first time. How many times as fast one
way is, is told by its processor seconds a sample, because other work on the machine changes the samples a second. Knows
nothing of models; a measurement states its `Subject`.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PICTURES = Path(__file__).parent.parent / "examples/pictures"
BATCH, ROWS, ROUNDS = 4, 64, 5
WORDS = "dog cat bird ball cup chair book flower tree lamp shoe hat spoon boat bike kite".split()


class Clock:
    """Notes the ends of steps."""

    def __init__(self) -> None:
        self.ends: list[tuple[float, float]] = []

    def tick(self) -> None:
        self.ends.append((time.perf_counter(), time.process_time()))

    def speed(self) -> dict[str, float]:
        counted = self.ends[1:]
        wall, processor = (counted[-1][kind] - counted[0][kind] for kind in (0, 1))
        samples = BATCH * (len(counted) - 1)
        return {"samples_per_second": samples / wall, "processor_seconds_per_sample": processor / samples}


@dataclass(frozen=True)
class Subject:
    """What is trained."""

    module: str
    """The measurement, run as `python -m benchmarks.<module> WAY FOLDER`."""
    prepare: Callable[[Path], None]
    """Writes the checkpoint, as the Hub has it, into `model` and the rows beside it."""
    guide: Callable[[Path, int, Clock], None]
    """The guide's own code for so many steps."""
    seesay: Callable[[Path, Path, Mapping[str, Any], Callable[[Any], None]], None]
    """Ours: rows, output, settings, what to tell of each step."""
    steps: Mapping[str, int]
    """Of `guide` and of ours by name."""
    ours: Mapping[str, Mapping[str, Any]]
    """Settings of ours beside the defaults, by name."""
    first: tuple[str, ...] = ()
    """Run once before, so that what it keeps on disk is there, as in every epoch but the first."""
    after: Mapping[str, Callable[[Path], dict[str, Any]]] = field(default_factory=dict)
    """What is measured behind the turns."""

    def measure(self) -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            self._run(folder, "prepare")
            for way in self.first:
                self._run(folder, way)
            taken: dict[str, list[dict[str, float]]] = {way: [] for way in ("guide", *self.ours)}
            for _ in range(ROUNDS):
                for way, found in taken.items():
                    found.append(self._run(folder, way))
            after = {what: self._run(folder, what) for what in self.after}
        middle = {
            way: {name: statistics.median(one[name] for one in found) for name in found[0]}
            for way, found in taken.items()
        }
        rows = {
            LABELS.get(way, way): {
                "samples_per_second": round(one["samples_per_second"], 3),
                "all_rounds": [round(found["samples_per_second"], 3) for found in taken[way]],
                "ratio": round(
                    middle["guide"]["processor_seconds_per_sample"] / one["processor_seconds_per_sample"], 2
                ),
                "processor_seconds_per_sample": round(one["processor_seconds_per_sample"], 2),
                "peak_memory_mb": round(max(found["peak_memory_mb"] for found in taken[way])),
            }
            for way, one in middle.items()
        }
        return {"threads": 1, f"training, batches of {BATCH}": {"ways": rows}, **after}

    def main(self) -> None:
        """What one process does; it prints its result last."""
        what, folder = sys.argv[1], Path(sys.argv[2])
        result: dict[str, Any] = {}
        if what == "prepare":
            self.prepare(folder)
        elif what in self.after:
            result = self.after[what](folder)
        else:
            clock = Clock()
            if what == "guide":
                self.guide(folder, self.steps[what], clock)
            else:
                self._ours(folder, what, clock)
            result = clock.speed()
        lines = Path("/proc/self/status").read_text().splitlines()
        peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
        print(json.dumps({**result, "peak_memory_mb": round(peak)}))

    def _ours(self, folder: Path, way: str, clock: Clock) -> None:
        import shutil

        output = folder / way
        shutil.rmtree(output, ignore_errors=True)
        settings = {
            "max_steps": self.steps[way],
            "per_device_train_batch_size": BATCH,
            "gradient_accumulation_steps": 1,
            "threads": 1,
            **self.ours[way],
        }

        def step(state: Any) -> None:
            if not state.values:
                clock.tick()

        self.seesay(folder, output, settings, step)

    def _run(self, folder: Path, way: str) -> dict[str, Any]:
        environment = {**os.environ, "SEESAY_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
        environment["HF_HUB_OFFLINE"] = "1"
        words = [sys.executable, "-m", f"benchmarks.{self.module}", way, str(folder)]
        done = subprocess.run(words, capture_output=True, text=True, env=environment, cwd=PICTURES.parent.parent)
        if done.returncode:
            raise RuntimeError(f"{way}: {done.stderr}")
        result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return result


LABELS = {
    "guide": "transformers, as the guide",
    "ours": "ours, default",
    "lora": "ours, LoRA",
    "frozen": "ours, frozen tower",
    "exact": "ours, float32",
}


def trained_by_guide(network: Any, rows: Any, collate: Any, output: Path, steps: int, clock: Clock) -> None:
    """The guide's Trainer, on the processor (its fp16 needs a GPU)."""
    from transformers import Trainer, TrainerCallback, TrainingArguments

    class Watch(TrainerCallback):
        def on_step_end(self, *args: Any, **kwargs: Any) -> None:
            clock.tick()

    arguments = TrainingArguments(
        output_dir=str(output),
        learning_rate=5e-5,
        max_steps=steps,
        per_device_train_batch_size=BATCH,
        remove_unused_columns=False,
        save_strategy="no",
        use_cpu=True,
        disable_tqdm=True,
        report_to=[],
    )
    Trainer(network, arguments, data_collator=collate, train_dataset=rows, callbacks=[Watch()]).train()


def write_rows(folder: Path, row_of: Callable[[str, int], Mapping[str, Any]], sizes: Callable[[int], Any]) -> None:
    """Pictures and rows of both splits. `row_of` gives a row but for its image, `sizes` the width and height."""
    from PIL import Image

    pictures = sorted(PICTURES.glob("*.jpg"))
    for split, count in (("train", ROWS), ("validation", 2)):
        rows = []
        for index in range(count):
            with Image.open(pictures[index % len(pictures)]) as picture:
                name = f"{split}{index}.jpg"
                picture.convert("RGB").resize(sizes(index)).save(folder / name)
            rows.append(json.dumps({"image": name, **row_of(split, index)}) + "\n")
        (folder / f"{split}.jsonl").write_text("".join(rows))
