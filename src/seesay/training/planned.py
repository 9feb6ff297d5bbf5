"""transformers' Trainer, with the parts replaced that seesay does differently, whatever is learned:

- rows come from a `Plan`, so that their order is a function of the settings;
- an evaluation is a function of ours, instead of keeping every logit;
- checkpoints are written by `RunFolder`: whole, verified, and in the form that seesay opens;
- the random state of every step is set from (seed, step), so that a resumed run is equal to the bit.

It knows nothing of data, of architectures or of how progress is shown.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import RunError
from .dropout import drop_quickly
from .plan import Plan, Visit
from .run_folder import RunFolder
from .together import Team

if TYPE_CHECKING:
    import torch
    from transformers import Trainer, TrainerCallback, TrainingArguments

DECAY_SHARE = 0.25
ALONE = Team()
MASKED = -100
"""A label that the loss looks away from."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands; given to the caller after every step, with `values` where something was measured."""

    step: int
    steps: int
    epoch: float
    seconds_left: float
    values: dict[str, float]


@dataclass
class Stop:
    """Set from a signal handler; the step under way is finished, saved, and the run ends."""

    requested: bool = False


def planned_trainer(
    network: Any,
    rows: Sequence[Any],
    collate: Callable[[Any], dict[str, Any]],
    plan: Plan,
    arguments: TrainingArguments,
    folder: RunFolder,
    *,
    measure: Callable[[int], dict[str, float]],
    save: Callable[[Path], None],
    restore: Callable[[Path], None],
    keep: int,
    report: Callable[[Progress], None],
    stop: Stop,
    by_labels: bool = False,
    team: Team = ALONE,
) -> Trainer:
    """A Trainer for one run. The class lives in here because importing transformers' Trainer costs four seconds.

    Args:
        collate: pairs of a row and its `Visit` as the network's tensors.
        measure: what an evaluation after that many steps finds, by name; `loss` among it.
        save: writes the model into a folder, in the form that seesay opens.
        restore: reads what `save` wrote.
        keep: checkpoints to keep beside the best one.
        by_labels: the network's loss is a mean over the labels that are not -100, so that of the batches of one step each
            counts by how many it has. Else each counts the same.
        team: the processes of the run.
    """
    from transformers import PrinterCallback, Trainer
    from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

    epochs_per_step = plan.rows_per_step / len(rows)

    class PlannedTrainer(Trainer):
        control: Any
        staging = folder.path

        def get_train_dataloader(self) -> torch.utils.data.DataLoader[Any]:
            loader = _loader(_Rows(rows), plan, collate, team)
            # Prepared, whole batches would be dealt out to the processes, which take a part of each.
            prepared: torch.utils.data.DataLoader[Any] = self.accelerator.prepare(loader) if team.size == 1 else loader
            return prepared

        def get_batch_samples(self, *args: Any, **kwargs: Any) -> Any:
            batches, count = super().get_batch_samples(*args, **kwargs)
            _share(batches, by_labels)
            _share_out(batches, team)
            return batches, count

        def compute_loss(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
            share = inputs.pop("share")
            return super().compute_loss(model, inputs, *args, **kwargs) * share

        def evaluate(self, *args: Any, metric_key_prefix: str = "eval", **kwargs: Any) -> dict[str, float]:
            started = time.perf_counter()
            found = team.tell(partial(measure, self.state.global_step))
            metrics = {f"{metric_key_prefix}_{name}": value for name, value in found.items()}
            metrics[f"{metric_key_prefix}_seconds"] = time.perf_counter() - started
            self.log(metrics)
            self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
            return metrics

        def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
            super().log(logs, start_time)
            # The Trainer sees the whole plan as one epoch; people count passes over the rows.
            self.state.log_history[-1]["epoch"] = self.state.global_step * epochs_per_step

        def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
            team.only_first(save)(Path(output_dir or folder.path))

        def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
            restore(Path(resume_from_checkpoint))

        def _get_output_dir(self, trial: Any) -> str:
            return str(self.staging)

        def _save_checkpoint(self, model: Any, trial: Any) -> None:
            step = self.state.global_step
            parent = super()._save_checkpoint

            def write(target: Path) -> None:
                # The Trainer writes `checkpoint-<step>` into a folder; it is given one of its own beside the target.
                with tempfile.TemporaryDirectory(dir=target.parent, prefix=".staging-", suffix=".partial") as staging:
                    self.staging = Path(staging)
                    parent(model, trial)
                    for file in (self.staging / f"{PREFIX_CHECKPOINT_DIR}-{step}").iterdir():
                        file.rename(target / file.name)

            _write_checkpoint(team, folder, step, write)
            # Of step 0 there is no checkpoint, so nothing is spared while there is no best one.
            team.tell(partial(folder.rotate, keep, [folder.checkpoint(self.state.best_global_step or 0)]))

    _make_ready(network, arguments)
    trainer = PlannedTrainer(
        model=network,
        args=arguments,
        data_collator=collate,
        train_dataset=_Rows(rows),
        eval_dataset=_Rows(rows),
        callbacks=[_watch(plan, epochs_per_step, report, stop, team)],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _write_checkpoint(team: Team, folder: RunFolder, step: int, write: Callable[[Path], None]) -> None:
    """The first process writes the checkpoint. The Trainers of the others must do their part of it, because they speak to one
    another on the way; what they write is thrown away."""
    if team.first:
        folder.write_checkpoint(step, write)
    else:
        with tempfile.TemporaryDirectory() as beside:
            target = Path(beside) / "unused"
            target.mkdir()
            write(target)
    team.wait()


def _loader(rows: Any, plan: Plan, collate: Callable[[Any], dict[str, Any]], team: Team) -> Any:
    """This process's rows of each batch. `rows` is a map from visits, which is all that a data set needs to be."""
    import torch

    return torch.utils.data.DataLoader(rows, batch_sampler=team.share(plan.batches), collate_fn=collate)


def _make_ready(network: Any, arguments: TrainingArguments) -> None:
    """Dropout is quick on a processor. And the Trainer does not trust the `**kwargs` of ViLT and SpeechT5 to average the loss over
    accumulated batches. They do not: loss and gradients would grow with the number of accumulation steps."""
    if arguments.use_cpu:
        drop_quickly(network)
    if "accepts_loss_kwargs" not in vars(type(network)):
        network.accepts_loss_kwargs = False


def _share(batches: Sequence[dict[str, Any]], by_labels: bool) -> None:
    """Say of each batch of a step how much it counts: by its labels, 1 on average, or else 1."""
    counts = [int((batch["labels"] != MASKED).sum()) if by_labels else 1 for batch in batches]
    for batch, labels in zip(batches, counts, strict=True):
        batch["share"] = labels * len(counts) / sum(counts)


def _share_out(batches: Sequence[dict[str, Any]], team: Team) -> None:
    """Say how much this process's part of each batch counts where a loss is a mean over the tokens to be learned: by how many
    it has, 1 on average over the processes. Parts have as many rows each, so losses by row count the same."""
    import torch

    learned = [batch["labels"] for batch in batches]
    if team.size == 1 or any(torch.is_floating_point(labels) for labels in learned):
        return
    counts = [int((labels != MASKED).sum()) for labels in learned]
    for batch, count, total in zip(batches, counts, team.total(counts), strict=True):
        batch["share"] = batch["share"] * count * team.size / max(1, total)


def schedule(kind: str, plan: Plan) -> dict[str, int]:
    """What the Trainer must know of a learning rate's way beside its name."""
    return {"num_decay_steps": round(plan.steps * DECAY_SHARE)} if kind == "warmup_stable_decay" else {}


class _Rows:
    """Rows by visit, as the data loader asks for them."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, visit: Visit) -> tuple[Any, Visit]:
        return self.rows[visit.row], visit


def _watch(
    plan: Plan, epochs_per_step: float, report: Callable[[Progress], None], stop: Stop, team: Team
) -> TrainerCallback:
    import torch
    from transformers import TrainerCallback

    class Watch(TrainerCallback):
        """Sets the random state of each step, reports progress, and stops where asked."""

        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.started, self.first = time.monotonic(), state.global_step

        def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            # Processes drop out each in its own way, the first as one that is alone.
            torch.manual_seed((plan.seed * 2**31 + state.global_step) ^ (team.rank << 48))

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if state.global_step >= plan.steps:
                control.should_evaluate = control.should_log = control.should_save = True
            stop.requested = team.total([stop.requested]) != [0]
            if stop.requested:
                control.should_save = control.should_training_stop = True
            self.tell(state.global_step, {})

        def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            logs: dict[str, float] = kwargs["logs"]
            if not math.isfinite(logs.get("loss", 0.0)):
                raise RunError(
                    f"the loss became {logs['loss']} at step {state.global_step}",
                    hint="lower learning_rate or max_grad_norm; checkpoints written before are kept",
                )
            self.tell(state.global_step, logs)

        def tell(self, step: int, values: dict[str, float]) -> None:
            done = max(1, step - self.first)
            left = (time.monotonic() - self.started) / done * (plan.steps - step)
            # The Trainer's own "epoch" is the share of the plan that is done.
            measured = {name: value for name, value in values.items() if name != "epoch"}
            report(Progress(step, plan.steps, step * epochs_per_step, left, measured))

    return Watch()


@contextmanager
def fixed_random_state() -> Iterator[None]:
    """ViLT draws the order of its patches, and SpeechT5 drops out where it speaks; an evaluation must neither depend on the
    global state nor change it."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield
