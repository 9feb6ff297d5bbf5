"""What every training run has in common, whatever it learns: its folder is claimed, threads and precision are decided, it is
stopped and continued, logged, and its best checkpoint found again.

It knows nothing of models or data.
"""

from __future__ import annotations

import json
import logging
import math
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from .. import config, models
from ..errors import Interrupted, ResourceError, RunError
from ..settings import ModelSettings, TrainChatSettings, TrainSpeechSettings
from . import publish, together
from .card import model_card
from .planned import Progress, Stop
from .run_folder import LOCK, RunFolder

if TYPE_CHECKING:
    from transformers import Trainer

LOG = "train.log"
FREE_TO_CHANGE = {"output", "threads", "save_total_limit", "push_to_hub", "hub_model_id", "hub_private"}
"""Settings that may differ when a run is continued, because they do not decide what is learned."""


class Data(Protocol):
    """What a run must know of its data."""

    @property
    def name(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...


class Settings(Protocol):
    """The settings that every training has."""

    task: ClassVar[Any]

    @property
    def output(self) -> Path: ...
    @property
    def threads(self) -> int: ...
    @property
    def mixed_precision(self) -> Literal["auto", "bf16", "none"]: ...
    @property
    def push_to_hub(self) -> bool: ...
    @property
    def hub_model_id(self) -> str: ...
    @property
    def hub_private(self) -> bool: ...


def section(settings: Settings) -> str:
    """Where these settings stand in a file."""
    return f"train.{settings.task}"


def hub_repository(settings: Settings) -> str:
    """Where the model will be uploaded to, checked before anything is trained; empty where it will not be."""
    if not settings.push_to_hub:
        return ""
    name = settings.output.resolve().name
    return publish.check_access(settings.hub_model_id, private=settings.hub_private, name_if_empty=name)


def claim(folder: RunFolder, settings: Settings, dataset: Data, processes: int = 1) -> None:
    """Take the folder for this run, or go on with the run of the same settings and data that is there."""
    saved, facts = folder.path / "settings.toml", folder.path / "run.json"
    if facts.is_file():
        before = config.resolve(type(settings), section(settings), {}, file=saved, environ={})
        other = [name for name in config.changed(before, settings) if name not in FREE_TO_CHANGE]
        if other:
            hint = f"it differs in {', '.join(other)}; choose another --output, or give the settings in {saved}"
            raise RunError("this folder holds a run with other settings", where=str(folder.path), hint=hint)
        known = json.loads(facts.read_text(encoding="utf-8"))
        if known.get("processes", 1) != processes:
            message = f"this run was begun by {known.get('processes', 1)} processes, and these are {processes}"
            raise RunError(message, where=str(folder.path), hint="go on with as many, or choose another --output")
        if known["data_fingerprint"] != dataset.fingerprint:
            hint = "rows or pictures changed since; choose another --output"
            raise RunError("this folder holds a run on other data", where=str(folder.path), hint=hint)
    elif {entry.name for entry in folder.path.iterdir()} - {LOCK, saved.name}:
        raise RunError(
            "this folder is not empty and holds no run", where=str(folder.path), hint="choose another --output"
        )
    else:
        folder.write_text(saved.name, config.dump(settings, section(settings)))
        # Written last: only with it is the folder a run, so a kill in between leaves one that can be taken again.
        stated = {"data_fingerprint": dataset.fingerprint, "data": dataset.name, "processes": processes}
        folder.write_text(facts.name, json.dumps(stated))


def limit_threads(settings: Settings) -> None:
    """Compute on as many threads as the settings say."""
    torch = models.import_torch()
    torch.set_num_threads(settings.threads or together.threads())


def precision(settings: Settings, placed: ModelSettings) -> Any:
    """bf16 autocast only where the hardware multiplies it: elsewhere it is emulated and slower than float32."""
    if settings.mixed_precision != "auto":
        return settings.mixed_precision
    torch = models.import_torch()
    if models.place(placed).device == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "none"
    return "bf16" if torch.ops.mkldnn._is_mkldnn_bf16_supported() and _has_bf16_instructions() else "none"


def _has_bf16_instructions() -> bool:
    try:
        return "avx512_bf16" in Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False


def to_the_end(trainer: Trainer, folder: RunFolder, stop: Stop, log: logging.Logger) -> float:
    """Train to the end, from the newest checkpoint that verifies; the seconds it took."""
    import torch

    newest, skipped = folder.newest_verified()
    for sentence in skipped:
        log.warning(sentence)
    if newest is not None:
        log.info("continuing from %s", newest.name)
    try:
        with models.fast_float32():
            output = trainer.train(resume_from_checkpoint=str(newest) if newest else None)
    except torch.OutOfMemoryError:
        hint = "lower per_device_train_batch_size and raise gradient_accumulation_steps by the same factor"
        raise ResourceError("out of memory", where=str(folder.path), hint=hint) from None
    if stop.requested and trainer.state.global_step < trainer.args.max_steps:
        step = trainer.state.global_step
        raise Interrupted(f"stopped at step {step:,} of {trainer.args.max_steps:,}", hint="the same command goes on")
    return float(output.metrics["train_runtime"])


def best_checkpoint(trainer: Trainer, folder: RunFolder) -> tuple[int, Path]:
    """The step and folder of the checkpoint that was best, else of the last.

    Raises:
        RunError: it is damaged.
    """
    best = trainer.state.best_global_step or trainer.state.global_step
    found = folder.checkpoint(best)
    damage = folder.verify(found)
    if damage:
        hint = "delete this checkpoint's folder and give the same command again"
        raise RunError(f"the best checkpoint is damaged: {damage[0]}", where=str(found), hint=hint)
    return best, found


@contextmanager
def interruptible() -> Iterator[Stop]:
    """The first Ctrl-C (or SIGTERM) finishes the step and saves; the second stops at once."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def request(signum: int, frame: object) -> None:
        if stop.requested:
            raise KeyboardInterrupt
        stop.requested = True

    before = {number: signal.signal(number, request) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def log_file(folder: RunFolder) -> Iterator[logging.Logger]:
    """The run's train.log, appended to by the first process."""
    log = logging.Logger("seesay.training")
    handler = logging.FileHandler(folder.path / LOG if together.rank() == 0 else os.devnull, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.addHandler(handler)
    try:
        yield log
    finally:
        handler.close()


def teller(log: logging.Logger, progress: Callable[[Progress], None] | None) -> Callable[[Progress], None]:
    """What writes down every measurement and hands it on."""

    def tell(state: Progress) -> None:
        if state.values:
            shown = " ".join(f"{name}={value:.5g}" for name, value in state.values.items() if math.isfinite(value))
            log.info("step %d of %d: %s", state.step, state.steps, shown)
        if progress is not None:
            progress(state)

    return tell


def losses_of(trainer: Trainer) -> tuple[tuple[int, float], ...]:
    """Step and validation loss of each evaluation."""
    history = trainer.state.log_history
    return tuple((int(entry["step"]), float(entry["eval_loss"])) for entry in history if "eval_loss" in entry)


def loss_card(
    task: Literal["chat", "speech"],
    title: str,
    settings: TrainChatSettings | TrainSpeechSettings,
    rows: int,
    loss: str,
    losses: Sequence[tuple[int, float]],
    best: int,
    limits: Sequence[str],
) -> str:
    """The card of a model whose checkpoints are compared by their loss.

    Args:
        rows: it was trained on.
        loss: what the loss is, in words.
        losses: step and validation loss of each evaluation; `best` is the step that was chosen.
    """
    first, text = losses[0], config.dump(settings, section(settings), leave_out=("output", "images"))
    return model_card(
        task=task,
        title=title,
        base_model=settings.model,
        data_name=settings.data,
        data_rows=rows,
        metrics=[
            (f"{loss}, validation split", f"{dict(losses)[best]:.4f}"),
            (f"the same after {first[0]:,} steps", f"{first[1]:.4f}"),
        ],
        settings_text=text,
        command="",
        limits=limits,
    )
