"""The Trainer of models that answer and describe (see `planned`):

- an evaluation asks the model as a user would and measures VQA accuracy, or has pictures described and measures CIDEr-D;
- of several captions of a picture each visit learns one, and after as many epochs all of them have been learned.

It knows nothing of data formats, of architectures or of how progress is shown.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import answering
from ..errors import DataError, ImageError
from ..evaluation import by_content, draw
from ..media import open_image
from ..metrics import caption_metrics, normalizer
from ..metrics.vqa import score
from ..models import Batch, Family
from ..settings import FineTuneSettings, Recipe, TrainSettings, answers_of
from ..types import Conversation, Example
from .augment import shift
from .plan import Plan, Visit
from .planned import ALONE, Progress, Stop, fixed_random_state, planned_trainer, schedule
from .run_folder import RunFolder
from .together import Team

if TYPE_CHECKING:
    from transformers import Trainer, TrainingArguments

METRIC = "vqa_accuracy"
MERIT = "merit"
"""By which captioners are compared: CIDEr-D, and where it is the same, as it is of two or three pictures, the loss. By their
loss alone the best would be the one before it has learned to name things: on small sets the loss of what it has not seen rises
while captions get better (docs/log.md)."""
WRITTEN = 128
"""Validation pictures that a captioner describes at each evaluation, drawn by the seed: writing takes its time."""


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
    team: Team = ALONE,
) -> Trainer:
    """A Trainer for one run."""
    described = draw(by_content(validation), WRITTEN, settings.seed) if settings.task == "caption" else {}
    metric = MERIT if settings.task == "caption" else METRIC
    return planned_trainer(
        family.network,
        train,
        _collator(family, settings, recipe),
        plan,
        training_arguments(settings, recipe, plan, folder, family, metric=metric),
        folder,
        measure=lambda step: validate(family, validation, settings, described),
        save=family.save,
        restore=family.restore,
        keep=recipe.save_total_limit,
        report=report,
        stop=stop,
        team=team,
    )


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


def validate(
    family: Family, examples: Sequence[Example], settings: TrainSettings, described: Mapping[str, Example]
) -> dict[str, float]:
    """Over `examples`, prepared as for an answer: the mean `loss`, of captions that of the first one, and to questions the
    mean `vqa_accuracy` of the answers. A captioner describes the pictures `described`, which gives `cider_d` and its merit."""
    import torch

    asks = settings.task == "vqa"
    normalize = normalizer(answers_of(settings).normalizer)
    family.network.eval()
    loss = accuracy = 0.0
    count = 0
    with torch.inference_mode(), fixed_random_state():
        for start in range(0, len(examples), settings.per_device_eval_batch_size):
            group = examples[start : start + settings.per_device_eval_batch_size]
            found = family.examine(_prepared(family, group, settings), answer=asks)
            loss += found.loss * found.count
            count += found.count
            for example, candidates in zip(group, found.answers, strict=asks):
                accuracy += score(example, candidates[0].text, normalize=normalize)
        cider = _cider(family, described, settings.per_device_eval_batch_size) if described else 0.0
    family.network.train()
    if asks:
        return {"loss": loss / count, METRIC: accuracy / len(examples)}
    return {"loss": loss / count, "cider_d": cider, MERIT: cider - 1e-6 * loss / count}


def _cider(family: Family, described: Mapping[str, Example], batch_size: int) -> float:
    """The mean CIDEr-D of what the model says about pictures."""
    said = answering.answer(family, [Example(example.images) for example in described.values()], batch_size=batch_size)
    metric = caption_metrics()["cider-d"]()
    scores = metric.score([answer.text or "" for answer in said], [list(one.answers) for one in described.values()])
    return sum(scores.captions) / len(scores.captions)


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
        raise broken_row(examples, error) from None


def broken_row(rows: Sequence[Example] | Sequence[Conversation], error: ImageError) -> DataError:
    """The error for a picture of one of these rows that broke since the data was checked."""
    for row in rows:
        try:
            for source in row.images:
                open_image(source)
        except ImageError as broken:
            hint = broken.hint or "replace it and give the same command again"
            return DataError(f"{Path(broken.where).name}: {broken.message}", where=row.origin, hint=hint)
    return DataError(f"{error.message}, for a moment", where=error.where, hint="give the same command again")


def training_arguments(
    settings: FineTuneSettings,
    recipe: Recipe,
    plan: Plan,
    folder: RunFolder,
    family: Family,
    *,
    metric: str,
    checkpointing: bool = False,
) -> TrainingArguments:
    """What transformers' Trainer must know of a run.

    Args:
        metric: what the best checkpoint has most of; of `loss` least.
        checkpointing: compute activations again in the backward pass.
    """
    from transformers import TrainingArguments

    return TrainingArguments(
        output_dir=str(folder.path),
        max_steps=plan.steps,
        per_device_train_batch_size=plan.batch_size,
        gradient_accumulation_steps=plan.accumulation,
        activation_checkpointing=checkpointing,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type=recipe.lr_scheduler_type,
        lr_scheduler_kwargs=schedule(recipe.lr_scheduler_type, plan),
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
        metric_for_best_model=metric,
        greater_is_better=metric != "loss",
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        disable_tqdm=True,
        report_to=[],
        seed=settings.seed,
    )
