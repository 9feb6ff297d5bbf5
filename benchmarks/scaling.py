"""How an answer's time grows: with the batch, the picture's size, the pictures of a question, the questions about one picture and
the threads.

ViLT-B/32 for batch, size and threads, SmolVLM-256M's size for several pictures, GIT-base for questions. Processor seconds for all
but threads, which are by the clock. Draws docs/images/scaling-*.png.
"""

import time
from pathlib import Path
from typing import Any, Literal

from .sides import in_turns, one_thread, photo
from .sizes import QUESTIONS, WORK, checkpoint

IMAGES = Path(__file__).parent.parent / "docs/images"
BATCHES, SIDES, PICTURES, ASKED, THREADS = (1, 2, 4, 8), (320, 640, 1280, 4000), (1, 2, 4), (1, 2, 4, 8), (1, 2)

ENGINES: dict[str, Literal["torch", "onnx"]] = {"torch, exact": "torch", "onnx int8": "onnx"}


def measure() -> dict[str, object]:
    vilt, git, chat = (str(checkpoint(name)) for name in ("vilt-b32", "git-base", "smolvlm-256m"))
    one_thread()
    from seesay import models
    from seesay.models.memory import Memory
    from seesay.settings import AskSettings
    from seesay.types import Example

    def opened(folder: str, tokens: int) -> dict[str, Any]:
        return {
            name: models.load(AskSettings(model=folder, engine=engine, max_new_tokens=tokens))
            for name, engine in ENGINES.items()
        }

    ways, writers = opened(vilt, 1), opened(git, 5)
    picture = photo(WORK, 640, 427)

    def ask(family: Any, source: Path, count: int) -> None:
        family._memory, family.recall = Memory(), Memory()
        family.predict(family.prepare([Example((source,), QUESTIONS[n % len(QUESTIONS)]) for n in range(count)]), 1)

    def compare(family: Any, count: int) -> None:
        family.recall = Memory()
        if hasattr(family, "images"):
            family.images.forget()
        pictures = tuple(photo(WORK, 640, 427, seed) for seed in range(count))
        family.predict(family.prepare([Example(pictures, QUESTIONS[0])]), 1)

    def times(families: dict[str, Any], source: Path, count: int) -> dict[str, float]:
        return medians({name: lambda one=one: ask(one, source, count) for name, one in families.items()})

    def medians(works: dict[str, Any]) -> dict[str, float]:
        return {name: row["ms"] for name, row in in_turns(works, 3).items()}

    talkers = opened(chat, 1)
    found: dict[str, Any] = {
        "batch": {str(count): times(ways, picture, count) for count in BATCHES},
        "picture": {str(side): times(ways, photo(WORK, side, side * 3 // 4), 1) for side in SIDES},
        "pictures": {
            str(count): medians(
                {name: lambda one=one, count=count: compare(one, count) for name, one in talkers.items()}
            )
            for count in PICTURES
        },
        "questions": {str(count): times(writers, picture, count) for count in ASKED},
        "threads": _threads(vilt, picture),
    }
    for what, label in LABELS.items():
        _plot(what, label, found[what])
    return found


LABELS = {
    "batch": "rows in a batch (ViLT-B/32)",
    "picture": "longer side of a JPEG, pixels (ViLT-B/32)",
    "pictures": "pictures in a question (SmolVLM-256M, first token)",
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
        for name, engine in ENGINES.items():
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
