"""The Trainer of models that answer and describe (see `planned`): an evaluation asks the model as a user would and measures
VQA accuracy.

It knows nothing of data formats, of architectures or of how progress is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..metrics import normalizer
from ..metrics.vqa import score
from ..models import Family
from ..settings import Recipe, TrainVqaSettings
from ..types import Example
from .augment import shift
from .plan import Plan, Visit
from .planned import Progress, Stop, fixed_random_state, planned_trainer, schedule
from .run_folder import RunFolder

if TYPE_CHECKING:
    import torch
    from transformers import Trainer, TrainingArguments

METRIC = "vqa_accuracy"


def make_trainer(
    family: Family,
    train: Sequence[Example],
    validation: Sequence[Example],
    plan: Plan,
    settings: TrainVqaSettings,
    recipe: Recipe,
    folder: RunFolder,
    report: Callable[[Progress], None],
    stop: Stop,
) -> Trainer:
    """A Trainer for one run."""
    normalize = normalizer(settings.normalizer)

    def collate(items: Sequence[tuple[Example, Visit]]) -> dict[str, torch.Tensor]:
        tensors = family.prepare([example for example, _ in items], normalize=normalize).tensors
        if recipe.augment == "shift":
            visits = [visit for _, visit in items]
            moved = shift(tensors["pixel_values"], tensors["pixel_mask"], visits, settings.seed)
            tensors["pixel_values"] = moved
        return tensors

    def measure(step: int) -> dict[str, float]:
        loss, accuracy = validate(family, validation, settings)
        return {"loss": loss, METRIC: accuracy}

    return planned_trainer(
        family.network,
        train,
        collate,
        plan,
        _arguments(settings, recipe, plan, folder, family),
        folder,
        measure=measure,
        save=family.save,
        keep=settings.save_total_limit,
        report=report,
        stop=stop,
    )


def validate(family: Family, examples: Sequence[Example], settings: TrainVqaSettings) -> tuple[float, float]:
    """Mean loss and mean VQA accuracy over `examples`, prepared and computed as for an answer."""
    import torch

    normalize = normalizer(settings.normalizer)
    family.network.eval()
    loss = accuracy = 0.0
    with torch.inference_mode(), fixed_random_state():
        for start in range(0, len(examples), settings.per_device_eval_batch_size):
            group = examples[start : start + settings.per_device_eval_batch_size]
            mean, answers = family.examine(family.prepare(group, normalize=normalize))
            loss += mean * len(group)
            for example, candidates in zip(group, answers, strict=True):
                accuracy += score(example, candidates[0].text, normalize=normalize)
    family.network.train()
    return loss / len(examples), accuracy / len(examples)


def _arguments(
    settings: TrainVqaSettings, recipe: Recipe, plan: Plan, folder: RunFolder, family: Family
) -> TrainingArguments:
    from transformers import TrainingArguments

    return TrainingArguments(
        output_dir=str(folder.path),
        max_steps=plan.steps,
        per_device_train_batch_size=plan.batch_size,
        gradient_accumulation_steps=plan.accumulation,
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
        # Two captions are seldom the same to the letter, so captioners are compared by their loss.
        metric_for_best_model="loss" if settings.task == "caption" else METRIC,
        greater_is_better=settings.task != "caption",
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        disable_tqdm=True,
        report_to=[],
        seed=settings.seed,
    )
