"""How an answer's time grows: with the batch, the picture's size, the questions about one picture and the threads.

ViLT-B/32 for batch, size and threads, GIT-base for questions. Processor seconds for all but threads, which are by the clock. Draws
docs/images/scaling-*.png.
"""

import time
from pathlib import Path
from typing import Any

from .sides import in_turns, one_thread, photo
from .sizes import QUESTIONS, WORK, checkpoint

IMAGES = Path(__file__).parent.parent / "docs/images"
BATCHES, SIDES, ASKED, THREADS = (1, 2, 4, 8), (320, 640, 1280, 4000), (1, 2, 4, 8), (1, 2)


def measure() -> dict[str, object]:
    vilt, git = str(checkpoint("vilt-b32")), str(checkpoint("git-base"))
    one_thread()
    from seesay import models
    from seesay.models.memory import Memory
    from seesay.settings import AskSettings
    from seesay.types import Example

    ways: dict[str, Any] = {
        name: models.load(AskSettings(model=vilt, engine=engine))
        for name, engine in (("torch, exact", "torch"), ("onnx int8", "onnx"))
    }
    writers: dict[str, Any] = {
        name: models.load(AskSettings(model=git, engine=engine, max_new_tokens=5))
        for name, engine in (("torch, exact", "torch"), ("onnx int8", "onnx"))
    }
    picture = photo(WORK, 640, 427)

    def ask(family: Any, source: Path, count: int) -> None:
        family._memory, family.recall = Memory(), Memory()
        family.predict(family.prepare([Example((source,), QUESTIONS[n % len(QUESTIONS)]) for n in range(count)]), 1)

    def times(families: dict[str, Any], source: Path, count: int) -> dict[str, float]:
        rows = in_turns({name: lambda one=one: ask(one, source, count) for name, one in families.items()}, 3)
        return {name: row["ms"] for name, row in rows.items()}

    found: dict[str, Any] = {
        "batch": {str(count): times(ways, picture, count) for count in BATCHES},
        "picture": {str(side): times(ways, photo(WORK, side, side * 3 // 4), 1) for side in SIDES},
        "questions": {str(count): times(writers, picture, count) for count in ASKED},
        "threads": _threads(vilt, picture),
    }
    for what, label in LABELS.items():
        _plot(what, label, found[what])
    return found


LABELS = {
    "batch": "rows in a batch (ViLT-B/32)",
    "picture": "longer side of a JPEG, pixels (ViLT-B/32)",
    "questions": "questions about one picture (GIT-base, 5 tokens each)",
    "threads": "threads (ViLT-B/32, by the clock)",
}


def _threads(folder: str, picture: Path) -> dict[str, dict[str, float]]:
    import os

    import torch

    from seesay import models
    from seesay.settings import AskSettings
    from seesay.types import Example

    found: dict[str, dict[str, float]] = {}
    for count in THREADS:
        os.environ["OMP_NUM_THREADS"] = str(count)
        torch.set_num_threads(count)
        for name, engine in (("torch, exact", "torch"), ("onnx int8", "onnx")):
            family: Any = models.load(AskSettings(model=folder, engine=engine))
            batch = family.prepare([Example((picture,), QUESTIONS[0])])
            walls = []
            for _ in range(7):
                started = time.perf_counter()
                family.predict(batch, 1)
                walls.append(time.perf_counter() - started)
            found.setdefault(str(count), {})[name] = round(sorted(walls)[3] * 1e3, 1)
    one_thread()
    return found


def _plot(name: str, label: str, values: dict[str, dict[str, float]]) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(5, 3.2), dpi=110)
    places = [int(place) for place in values]
    for way in next(iter(values.values())):
        axes.plot(places, [row[way] for row in values.values()], marker="o", label=way)
    axes.set(xlabel=label, ylabel="ms", ylim=(0, None), xticks=places)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(IMAGES / f"scaling-{name}.png", metadata={"Software": None})
    pyplot.close(figure)
