"""Engines: which there are, which one answers, and which is fastest here."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from .. import models
from ..errors import ModelError
from ..settings import BenchSettings, ModelSettings, ModelsSettings

if TYPE_CHECKING:
    from ..models.engines import Option
    from ..models.export_cache import Entry
    from ..types import ImageSource

TIMES = ("start", "answer", "new_picture", "wall", "memory")


@dataclass(frozen=True, slots=True)
class Measured:
    """One engine with a model on this machine; times in seconds, medians over processes."""

    engine: str
    numbers: str
    start: float
    """Processor time to the first answer, importing and loading included."""
    answer: float
    """Processor time of a later answer to a new question about the same picture."""
    new_picture: float
    """Likewise about a picture that was not seen before."""
    wall: float
    """What such an answer takes by the clock; where other work goes on, it says little."""
    memory: float
    """MB that the process held at most."""
    error: str = ""
    """Why it was not measured."""


def list_models() -> list[models.Known]:
    """Every family of models, what is embedded, and on which engines it answers."""
    return models.known()


def kept_exports() -> list[Entry]:
    """The exports that are kept on this machine, what was used last first."""
    return models.kept_exports()


def explain_engine(settings: ModelsSettings) -> models.Explained:
    """Which engine answers with a model, why, and what else there is.

    Raises:
        ModelNotFound, ModelError: there is no such model.
    """
    return models.explain(settings)


def make_export_ahead(settings: ModelSettings, answers: int | None, tell: Callable[[str], None]) -> None:
    """Make the export by which `load` then answers, where `--engine auto` would take one and so many answers win it back.

    Args:
        answers: that are wanted; None where whoever comes may ask.
        tell: told, in a line each, what is done, and why there is none.

    Raises:
        ModelNotFound, ModelError: there is no such model.
    """
    models.make_ahead(settings, answers, tell)


def bench(settings: BenchSettings, progress: Callable[[str], None] | None = None) -> list[Measured]:
    """Measure every engine that is here with a model, each in processes of its own, in turns; the fastest first. Exports that
    are missing are made first. Where `settings` name an engine, that one and torch.

    Raises:
        ModelNotFound, ModelError: there is no such model, or it cannot answer.
    """
    tell = progress or (lambda _: None)
    wanted = ("torch", settings.engine)
    options = [
        one
        for one in models.explain(settings).options
        if not one.state.startswith("not installed") and (settings.engine == "auto" or one.engine in wanted)
    ]
    found: dict[int, list[dict[str, float]]] = {}
    errors: dict[int, str] = {}
    for index, option in enumerate(options):
        if option.state == "not made yet":
            tell(f"making {option.engine} {option.numbers}, once")
            errors |= _tried(index, partial(models.load, _settings(settings, option)))
        elif option.state != "ready":
            errors[index] = option.state
    for turn in range(settings.rounds):
        for index, option in enumerate(options):
            if index not in errors:
                tell(f"round {turn + 1} of {settings.rounds}: {option.engine} {option.numbers}")
                found.setdefault(index, []).append(_child(_settings(settings, option)))
    measured = []
    for index, one in enumerate(options):
        middle = _medians(found[index]) if index in found else dict.fromkeys(TIMES, 0.0)
        start, answer, fresh, wall, memory = (middle[name] for name in TIMES)
        measured.append(Measured(one.engine, one.numbers, start, answer, fresh, wall, memory, errors.get(index, "")))
    return sorted(measured, key=lambda one: (bool(one.error), one.new_picture))


def _settings(settings: BenchSettings, option: Option) -> BenchSettings:
    engine, numbers = option.engine, option.numbers
    if not option.agreement and engine == "onnx" and option.state == "ready":
        return replace(settings, engine="auto")  # made for ONNX Runtime, not exported
    changes = {"dtype": "auto", "quantize": "int8"} if numbers == "int8" else {"dtype": numbers, "quantize": ""}
    return replace(settings, engine=engine, device="cpu", **changes)  # type: ignore[arg-type]


def _tried(index: int, work: Callable[[], object]) -> dict[int, str]:
    try:
        work()
    except ModelError as error:
        return {index: error.message}
    return {}


def _child(settings: BenchSettings) -> dict[str, float]:
    """What one process measured."""
    values = asdict(settings) | {"picture": str(settings.picture) if settings.picture else None}
    words = [sys.executable, "-c", "from seesay.api.engines import measure; measure()"]
    done = subprocess.run(words, input=json.dumps(values), capture_output=True, text=True)
    if done.returncode:
        raise ModelError(
            f"{settings.engine} failed: {(done.stderr.strip().splitlines() or ['no word'])[-1]}", where=settings.model
        )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure() -> None:
    """In a process of its own: load, answer, and write what it took as JSON. Settings come on standard input."""
    import time
    from pathlib import Path

    values = json.load(sys.stdin)
    settings = BenchSettings(**values | {"picture": Path(values["picture"]) if values["picture"] else None})
    from .. import answering
    from ..models.export import QUESTIONS, sample_picture
    from ..types import Example

    family = models.load(settings)
    first = settings.picture or sample_picture(0, 640, 480)
    asked = QUESTIONS if family.answers else ("",)

    def timed(picture: ImageSource, question: str) -> tuple[float, float]:
        processor, clock = time.process_time(), time.perf_counter()
        list(answering.answer(family, [Example((picture,), question)]))
        return time.process_time() - processor, time.perf_counter() - clock

    timed(first, asked[0])
    start = time.process_time()
    again = [timed(first, asked[(turn + 1) % len(asked)])[0] for turn in range(settings.answers)]
    fresh = [timed(sample_picture(turn + 1, 640, 480), asked[0]) for turn in range(settings.answers)]
    measured = {
        "start": start,
        "answer": statistics.median(again),
        "new_picture": statistics.median(processor for processor, _ in fresh),
        "wall": statistics.median(clock for _, clock in fresh),
        "memory": _peak(),
    }
    sys.stdout.write(json.dumps(measured))


def _peak() -> float:
    """MB at most. On Linux from /proc: there `ru_maxrss` also counts what the process held that started this one."""
    import resource
    from pathlib import Path

    status = Path("/proc/self/status")
    if status.is_file():
        lines = status.read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def _medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
