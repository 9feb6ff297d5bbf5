"""transformers' Trainer, with the parts replaced that seesay does differently:

- rows come from a `Plan`, so that their order is a function of the settings;
- an evaluation asks the model as a user would and measures VQA accuracy, instead of keeping every logit;
- of several captions of a picture each visit learns one, and after as many epochs all of them have been learned;
- checkpoints are written by `RunFolder`: whole, verified, and in the form that `seesay ask` opens;
- the random state of every step is set from (seed, step), so that a resumed run is equal to the bit.

It knows nothing of data formats, of architectures or of how progress is shown.
"""

from __future__ import annotations

import dataclasses
import math
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DataError, ImageError, RunError
from ..media import open_image
from ..metrics import normalizer
from ..metrics.vqa import score
from ..models import Batch, Family
from ..settings import Recipe, TrainSettings, answers_of
from ..types import Example
from .augment import shift
from .plan import Plan, Visit
from .run_folder import RunFolder

if TYPE_CHECKING:
    import torch
    from transformers import Trainer, TrainerCallback, TrainingArguments

METRIC = "vqa_accuracy"
DECAY_SHARE = 0.25


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


def make_trainer(
    family: Family,
    train: Sequence[Example],
    validation: Sequence[Example],
    plan: Plan,
    settings: TrainSettings,
    recipe: Recipe,
    folder: RunFolder,
    report: Callable[[Progress], None],
    stop: Stop,
) -> Trainer:
    """A Trainer for one run. The classes live in here because importing transformers' Trainer costs four seconds."""
    import torch
    from transformers import PrinterCallback, Trainer
    from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

    epochs_per_step = plan.rows_per_step / len(train)
    collate = _collator(family, settings, recipe)

    class SeesayTrainer(Trainer):
        control: Any
        staging = folder.path

        def get_train_dataloader(self) -> torch.utils.data.DataLoader[Any]:
            rows: Any = _Rows(train)  # a map from visits to rows, which is all that a data set needs to be
            loader: Any = torch.utils.data.DataLoader(rows, batch_sampler=plan.batches, collate_fn=collate)
            prepared: torch.utils.data.DataLoader[Any] = self.accelerator.prepare(loader)
            return prepared

        def evaluate(self, *args: Any, metric_key_prefix: str = "eval", **kwargs: Any) -> dict[str, float]:
            started = time.perf_counter()
            measured = validate(family, validation, settings)
            measured["seconds"] = time.perf_counter() - started
            metrics = {f"{metric_key_prefix}_{name}": value for name, value in measured.items()}
            self.log(metrics)
            self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
            return metrics

        def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
            super().log(logs, start_time)
            # The Trainer sees the whole plan as one epoch; people count passes over the rows.
            self.state.log_history[-1]["epoch"] = self.state.global_step * epochs_per_step

        def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
            family.save(Path(output_dir or folder.path))

        def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
            family.restore(Path(resume_from_checkpoint))

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

            folder.write_checkpoint(step, write)
            best = self.state.best_global_step
            folder.rotate(recipe.save_total_limit, [folder.checkpoint(best)] if best else [])

    network = family.network
    if "accepts_loss_kwargs" not in vars(type(network)):
        # Without this the Trainer trusts ViLT's `**kwargs` to average the loss over accumulated batches, and it does not:
        # loss and gradients would grow with the number of accumulation steps.
        network.accepts_loss_kwargs = False  # type: ignore[assignment]
    trainer = SeesayTrainer(
        model=network,
        args=_arguments(settings, recipe, plan, folder, family),
        data_collator=collate,
        train_dataset=_Rows(train),
        eval_dataset=_Rows(validation),
        callbacks=[_watch(settings, plan, epochs_per_step, report, stop)],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _collator(
    family: Family, settings: TrainSettings, recipe: Recipe
) -> Callable[[Sequence[tuple[Example, Visit]]], dict[str, Any]]:
    """What makes the rows of a batch into tensors."""
    import torch

    def collate(items: Sequence[tuple[Example, Visit]]) -> dict[str, Any]:
        rows = [one_caption(example, visit, settings.seed) for example, visit in items]
        tensors = _prepared(family, rows, settings).tensors
        if recipe.augment == "shift":
            pixels = tensors["pixel_values"]
            mask = tensors.get("pixel_mask", torch.ones_like(pixels[:, 0]))
            tensors["pixel_values"] = shift(pixels, mask, [visit for _, visit in items], settings.seed)
        return tensors

    return collate


def validate(family: Family, examples: Sequence[Example], settings: TrainSettings) -> dict[str, float]:
    """Over `examples`, prepared as for an answer: the mean `loss`, of captions that of the first one, and to questions the
    mean `vqa_accuracy` of the answers. Captions are written at the end only: each takes as many passes as it has tokens."""
    import torch

    asks = settings.task == "vqa"
    normalize = normalizer(answers_of(settings).normalizer)
    family.network.eval()
    loss = accuracy = 0.0
    count = 0
    with torch.inference_mode(), _fixed_random_state():
        for start in range(0, len(examples), settings.per_device_eval_batch_size):
            group = examples[start : start + settings.per_device_eval_batch_size]
            found = family.examine(_prepared(family, group, settings), answer=asks)
            loss += found.loss * found.count
            count += found.count
            for example, candidates in zip(group, found.answers, strict=asks):
                accuracy += score(example, candidates[0].text, normalize=normalize)
    family.network.train()
    return {"loss": loss / count, **({METRIC: accuracy / len(examples)} if asks else {})}


def one_caption(example: Example, visit: Visit, seed: int) -> Example:
    """The row with one of its captions, another one at each visit until all came by; a row with a question as it is."""
    import numpy

    if example.question or len(example.answers) < 2:
        return example
    turn, place = divmod(visit.epoch, len(example.answers))
    order = numpy.random.default_rng([seed, visit.row, turn]).permutation(len(example.answers))
    return dataclasses.replace(example, answers=(example.answers[order[place]],), weights=())


def _prepared(family: Family, examples: Sequence[Example], settings: TrainSettings) -> Batch:
    """The rows with labels; a picture that broke since the data was checked is told with its row."""
    try:
        return family.prepare(examples, normalize=normalizer(answers_of(settings).normalizer))
    except ImageError as error:
        for example in examples:
            try:
                for source in example.images:
                    open_image(source)
            except ImageError as broken:
                hint = broken.hint or "replace it and give the same command again"
                raise DataError(
                    f"{Path(broken.where).name}: {broken.message}", where=example.origin, hint=hint
                ) from None
        raise DataError(
            f"{error.message}, for a moment", where=error.where, hint="give the same command again"
        ) from None


class _Rows:
    """Rows by visit, as the data loader asks for them."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self.examples = examples

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, visit: Visit) -> tuple[Example, Visit]:
        return self.examples[visit.row], visit


def _arguments(
    settings: TrainSettings, recipe: Recipe, plan: Plan, folder: RunFolder, family: Family
) -> TrainingArguments:
    from transformers import TrainingArguments

    return TrainingArguments(
        output_dir=str(folder.path),
        max_steps=plan.steps,
        per_device_train_batch_size=plan.batch_size,
        gradient_accumulation_steps=plan.accumulation,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type=recipe.lr_scheduler_type,
        lr_scheduler_kwargs=_schedule(recipe, plan),
        warmup_steps=round(recipe.warmup_ratio * plan.steps),
        weight_decay=recipe.weight_decay,
        adam_beta2=recipe.adam_beta2,
        max_grad_norm=settings.max_grad_norm,
        optim="adamw_torch_fused",
        bf16=settings.mixed_precision == "bf16",
        use_cpu=family.placement.device == "cpu",
        eval_strategy="steps",
        eval_steps=recipe.eval_steps,
        save_strategy="steps",
        save_steps=recipe.eval_steps,
        logging_steps=recipe.logging_steps,
        logging_nan_inf_filter=False,
        # Two captions are seldom the same to the letter, so captioners are compared by their loss.
        metric_for_best_model="loss" if settings.task == "caption" else METRIC,
        greater_is_better=settings.task != "caption",
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        disable_tqdm=True,
        report_to=[],
        seed=settings.seed,
    )


def _schedule(recipe: Recipe, plan: Plan) -> dict[str, int]:
    decays = recipe.lr_scheduler_type == "warmup_stable_decay"
    return {"num_decay_steps": round(plan.steps * DECAY_SHARE)} if decays else {}


def _watch(
    settings: TrainSettings, plan: Plan, epochs_per_step: float, report: Callable[[Progress], None], stop: Stop
) -> TrainerCallback:
    import torch
    from transformers import TrainerCallback

    class Watch(TrainerCallback):
        """Sets the random state of each step, reports progress, and stops where asked."""

        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.started, self.first = time.monotonic(), state.global_step

        def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            torch.manual_seed(settings.seed * 2**31 + state.global_step)

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if state.global_step >= plan.steps:
                control.should_evaluate = control.should_log = control.should_save = True
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
def _fixed_random_state() -> Iterator[None]:
    """ViLT draws the order of its patches; an evaluation must neither depend on the global state nor change it."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield
