"""Fine-tuning a model that chats, from its settings to its finished folder: check, plan, train, let it answer, write.

The same settings continue a run that was stopped; other settings or other data are refused. It knows nothing about
architectures (`models`), about how conversations are written down (`data`), nor how progress is shown.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import config, data, models
from ..data import ConversationReport, ConversationSet
from ..errors import DataError, ImageError, InputError, RunError, UsageError
from ..evaluation.chat_page import Said, chat_training_page
from ..models import Batch, ChatLessons, Family
from ..settings import GUIDES, LORA_LEARNING_RATE, GenerationSettings, Recipe, TrainChatSettings, settle
from ..types import Conversation
from . import publish, session
from .plan import Plan, Visit, steps_of
from .planned import Progress, Stop, fixed_random_state, planned_trainer
from .run_folder import RunFolder
from .trainer import broken_row, training_arguments

if TYPE_CHECKING:
    from transformers import Trainer

TOKENS_ALIKE = 32
"""Conversations within this many tokens go into one batch."""


@dataclass(frozen=True, slots=True)
class ChatRun:
    """A finished run."""

    folder: Path
    model: Path
    """The folder that `seesay.load` opens; `folder` itself works as well."""
    steps: int
    best_step: int
    seconds: float
    """Wall time of the training in this process; less than the run's where it was resumed, 0 where it was finished."""
    losses: tuple[tuple[int, float], ...]
    """The loss a token on the validation conversations after each evaluation: step and loss."""
    said: tuple[Said, ...]
    """What the model says to validation conversations."""
    statements: tuple[str, ...]
    """What was learned from, and what was saved."""
    published: str
    """Where it was uploaded to, or empty."""

    @property
    def loss(self) -> float:
        """Of the best checkpoint, on the validation conversations."""
        return dict(self.losses)[self.best_step]


def train_chat(settings: TrainChatSettings, progress: Callable[[Progress], None] | None) -> ChatRun:
    """Fine-tune a model that chats; see `api.train_chat`."""
    settings, recipe = fill_chat(settings)
    found, checked = _checked(settings)
    # Before the folder is claimed and weights are read: a model that cannot learn this, and what it cannot read whole.
    lengths = _lengths(models.lessons(settings), found, checked)
    repository = session.hub_repository(settings)
    folder = RunFolder(settings.output)
    with folder.lock():
        session.claim(folder, settings, found)
        session.limit_threads(settings)
        settings = dataclasses.replace(settings, mixed_precision=session.precision(settings, settings))
        family = models.fine_tuned(settings, converses=True)
        family.generation = GenerationSettings(max_new_tokens=settings.max_new_tokens)
        with session.interruptible() as stop, session.log_file(folder) as log:
            tell = session.teller(log, progress)
            trainer = make_chat_trainer(family, found, lengths, settings, recipe, folder, tell, stop)
            seconds = session.to_the_end(trainer, folder, stop, log)
        return _finish(trainer, family, folder, settings, found, repository, seconds)


def fill_chat(settings: TrainChatSettings) -> tuple[TrainChatSettings, Recipe]:
    """Settings whose open values are taken from the recipe; adapters learn faster than weights.

    Raises:
        UsageError: no data, no model, quantized weights without adapters, or adapters to be uploaded that belong to weights
            which are on this machine alone.
    """
    if not settings.data:
        raise UsageError("no data set named", hint="give --data FILE, FOLDER or hf:OWNER/NAME")
    if not settings.model:
        hint = "give --model, such as HuggingFaceTB/SmolVLM-256M-Instruct, or the folder of a model that chats"
        raise UsageError("no model named", hint=hint)
    if settings.quantize and not settings.lora:
        raise UsageError("quantized weights cannot be trained", where="--quantize", hint="give --lora 16 beside it")
    if settings.quantize and settings.push_to_hub and Path(settings.model).expanduser().is_dir():
        hint = "name the model by its Hub repository, or leave out --quantize: adapters are then added to the weights"
        raise UsageError(
            "adapters alone would name a folder of this machine as their base", where="--push-to-hub", hint=hint
        )
    recipe = GUIDES[settings.task]
    if settings.lora:
        recipe = dataclasses.replace(recipe, learning_rate=LORA_LEARNING_RATE)
    return settle(settings, recipe)


def _checked(settings: TrainChatSettings) -> tuple[ConversationSet, ConversationReport]:
    found = data.load_conversations(settings, training=True)
    checked = data.check_conversations(found, training=True)
    checked.raise_for_problems()
    return found, checked


def _lengths(lessons: ChatLessons, found: ConversationSet, checked: ConversationReport) -> list[int]:
    """How many tokens each training conversation is.

    Raises:
        DataError: conversations that the model cannot read whole, or that its template refuses.
        ModelError: its template cannot be learned from.
    """
    lessons.require_true_prefixes()

    def why(row: Conversation) -> str:
        return lessons.too_long(row, list(map(checked.size, row.images)))

    problems = [
        problem for rows in (found.splits["train"], found.splits["validation"]) for problem in data.too_long(rows, why)
    ]
    dataclasses.replace(checked, problems=tuple(problems)).raise_for_problems()
    return [lessons.length(row, list(map(checked.size, row.images))) for row in found.splits["train"]]


def make_chat_trainer(
    family: Family,
    found: ConversationSet,
    lengths: Sequence[int],
    settings: TrainChatSettings,
    recipe: Recipe,
    folder: RunFolder,
    report: Callable[[Progress], None],
    stop: Stop,
) -> Trainer:
    """A Trainer for one run; `settings` are settled.

    Args:
        lengths: tokens of each training conversation.
    """
    rows = found.splits["train"]
    batch, accumulation = recipe.per_device_train_batch_size, recipe.gradient_accumulation_steps
    plan = Plan(
        costs=[(length // TOKENS_ALIKE, len(row.images)) for row, length in zip(rows, lengths, strict=True)],
        early=[],
        early_share=0.0,
        batch_size=batch,
        accumulation=accumulation,
        steps=settings.max_steps or steps_of(len(rows), recipe.num_train_epochs, batch * accumulation),
        seed=settings.seed,
    )

    def collate(items: Sequence[tuple[Conversation, Visit]]) -> dict[str, Any]:
        return _prepared(family, [row for row, _ in items]).tensors

    arguments = training_arguments(
        settings, recipe, plan, folder, family, metric="loss", checkpointing=settings.gradient_checkpointing
    )
    validation = found.splits["validation"]
    return planned_trainer(
        family.network,
        rows,
        collate,
        plan,
        arguments,
        folder,
        measure=lambda step: {"loss": validation_loss(family, validation, settings.per_device_eval_batch_size)},
        save=family.save,
        restore=family.restore,
        keep=recipe.save_total_limit,
        report=report,
        stop=stop,
    )


def validation_loss(family: Family, rows: Sequence[Conversation], batch_size: int) -> float:
    """The mean loss over all tokens of the assistant's turns in `rows`."""
    import torch

    family.network.eval()
    total, count = 0.0, 0
    with torch.inference_mode(), fixed_random_state():
        for start in range(0, len(rows), batch_size):
            one = family.examine(_prepared(family, rows[start : start + batch_size]), answer=False)
            total += one.loss * one.count
            count += one.count
    family.network.train()
    if not math.isfinite(total):
        hint = "lower learning_rate or max_grad_norm"
        raise RunError(f"the validation loss became {total}", hint=f"{hint}; checkpoints written before are kept")
    return total / count


def _prepared(family: Family, rows: Sequence[Conversation]) -> Batch:
    """The conversations with labels; what was changed since the data was checked is told with its row."""
    try:
        return family.prepare_lessons(rows)
    except ImageError as error:
        raise broken_row(rows, error) from None
    except InputError as error:
        raise DataError(error.message, where=error.where, hint=error.hint) from None


def answer_the_last(family: Family, rows: Sequence[Conversation]) -> tuple[Said, ...]:
    """What the model says where each conversation's last answer stands."""
    said = []
    for row in rows:
        asked = dataclasses.replace(row, messages=row.messages[:-1])
        try:
            answer = family.predict(family.prepare_conversation(asked), 1)[0][0].text
        except InputError as error:
            answer = f"({error.message})"
        said.append(Said(asked, row.messages[-1].text, answer))
    return tuple(said)


def _finish(
    trainer: Trainer,
    family: Family,
    folder: RunFolder,
    settings: TrainChatSettings,
    found: ConversationSet,
    repository: str,
    seconds: float,
) -> ChatRun:
    """Write the best checkpoint as `model/` with its card, and the run's report."""
    best, checkpoint = session.best_checkpoint(trainer, folder)
    family.restore(checkpoint)
    family.network.eval()
    history = trainer.state.log_history
    losses = session.losses_of(trainer)
    said = answer_the_last(family, found.splits["validation"][: settings.answers_shown])
    statements = tuple(_statements(settings, found))
    chat_training_page(history, said, statements, config.dump(settings, session.section(settings)), best, folder.path)
    loss = dict(losses)[best]

    def write(target: Path) -> None:
        family.save(target)
        card = _card(repository or folder.path.name, settings, found, losses, best, statements)
        (target / "README.md").write_text(card, encoding="utf-8")

    model = folder.write_folder("model", best, write)
    published = publish.publish(model, repository, message=f"loss {loss:.4f}") if repository else ""
    return ChatRun(folder.path, model, trainer.state.global_step, best, seconds, losses, said, statements, published)


def _statements(settings: TrainChatSettings, found: ConversationSet) -> list[str]:
    train, validation = found.splits["train"], found.splits["validation"]
    answers = sum(message.role == "assistant" for row in train for message in row.messages)
    told = [
        f"{len(train):,} conversations with {answers:,} answers to learn from, {len(validation):,} to validate with"
    ]
    if settings.quantize:
        told.append(
            f"the adapters alone are saved: they belong to {settings.model} in {settings.quantize}, which is read again"
            " where they are loaded"
        )
    return told


def _card(
    title: str,
    settings: TrainChatSettings,
    found: ConversationSet,
    losses: Sequence[tuple[int, float]],
    best: int,
    statements: Sequence[str],
) -> str:
    limits = [
        "The loss tells how likely the model finds the words of the validation conversations. Whether what it says by itself is"
        " right was not measured: read the answers in the run's report, and measure it on questions of your own.",
        "The checkpoint was chosen on the validation split, which makes the figure above slightly low.",
        "What the base model says wrongly or should not say it may still say.",
        *statements,
    ]
    return session.loss_card("chat", title, settings, len(found.splits["train"]), "loss a token", losses, best, limits)
