"""One training run from its settings to its finished folder: check, plan, train, measure, write.

The same settings continue a run that was stopped; other settings or other data are refused. It knows nothing about
architectures (`models`), about what a data set looks like (`data`), nor how progress is shown.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .. import answering, config, data, models
from ..data import CheckReport, Dataset
from ..errors import DataError, ModelError, UsageError
from ..evaluation import (
    CaptionPrior,
    Looking,
    Prior,
    Report,
    by_content,
    describe_and_measure,
    draw,
    measure,
    training_page,
)
from ..metrics import normalizer
from ..metrics.tokenize import tokenize
from ..models import Family
from ..settings import ModelSettings, Recipe, Training, TrainSettings, answers_of, settle
from ..types import Example
from . import publish, session
from .card import model_card
from .plan import Plan, steps_of
from .planned import Progress
from .run_folder import RunFolder
from .trainer import make_trainer

if TYPE_CHECKING:
    from transformers import Trainer

WORDS_ALIKE = 16
"""Questions, or captions, within this many words go into one batch. Sorting by the word would put those of one kind
together, and a small model learns badly from batches of one kind (docs/log.md)."""


DESCRIBED = 256
"""Validation pictures that a finished captioner is measured on, drawn by the seed: writing takes its time."""
EVERY_QUESTION = (
    "It gives its best answer to every question, also to one that the picture cannot answer. Scores are not calibrated."
)


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run."""

    folder: Path
    model: Path
    """The folder that `seesay.load` opens; `folder` itself works as well."""
    steps: int
    best_step: int
    seconds: float
    """Wall time of the training in this process; less than the run's where it was resumed, 0 where it was finished."""
    report: Report
    """The best checkpoint, measured on the validation split."""
    published: str
    """Where it was uploaded to, or empty."""


def train(settings: TrainSettings, progress: Callable[[Progress], None] | None) -> Run:
    """Train a model on questions and answers, or on captions; see `api.train_vqa` and `api.train_caption`."""
    settings, recipe = fill(settings)
    dataset, checked = _checked_data(settings)
    rows, validation = dataset.splits["train"], dataset.splits["validation"]
    asked = [example for example in rows if example.question]
    answers = answers_of(settings)
    vocabulary = data.build_vocabulary(asked, answers.vocabulary_size, normalizer(answers.normalizer))
    repository = session.hub_repository(settings)
    folder = RunFolder(settings.output)
    with folder.lock():
        session.claim(folder, settings, dataset)
        session.limit_threads(settings)
        settings = dataclasses.replace(settings, mixed_precision=session.precision(settings, settings))
        texts = [text for row in rows for text in ([row.question] if row.question else row.answers)]
        family = models.for_training(settings, (*vocabulary, *_caption_words(rows)), texts)
        _refuse_what_it_cannot_learn(family, settings, recipe, rows)
        plan = _plan(family, settings, recipe, rows, checked)
        with session.interruptible() as stop, session.log_file(folder) as log:
            tell = session.teller(log, progress)
            trainer = make_trainer(family, rows, validation, plan, settings, recipe, folder, tell, stop)
            seconds = session.to_the_end(trainer, folder, stop, log)
        return _finish(trainer, family, folder, settings, dataset, repository, seconds)


def _caption_words(rows: Sequence[Example]) -> list[str]:
    """The words of the captions, for models that write in words of their own: a new one would have to be spelled."""
    captions = (caption for row in rows if not row.question for caption in row.answers)
    return sorted({word for caption in captions for word in tokenize(caption) if word.isalpha()})


def fill(settings: Training) -> tuple[Training, Recipe]:
    """Settings whose open values are taken from the recipe of the configuration, else from the guide.

    Raises:
        UsageError: both a checkpoint and a configuration were named, or no data.
    """
    if not settings.data:
        raise UsageError("no data set named", hint="give --data FILE, FOLDER, hf:OWNER/NAME or easy-vqa")
    if settings.model and settings.from_scratch:
        raise UsageError("give either --model or --from-scratch", hint="--model runs/x, or --from-scratch vilt-small")
    if not settings.from_scratch:
        settings = dataclasses.replace(settings, model=settings.model or ModelSettings.model)
    return settle(settings, models.recipe(settings))


def _refuse_what_it_cannot_learn(
    family: Family, settings: TrainSettings, recipe: Recipe, rows: Sequence[Example]
) -> None:
    name = family.checkpoint.name
    if not family.captions and any(not example.question for example in rows):
        hint = "one that describes pictures can, such as seesay-mini; this one wants rows with a question"
        raise ModelError("this model cannot learn captions", where=name, hint=hint)
    if not family.answers and any(example.question for example in rows):
        hint = "one that answers can, such as seesay-mini; this one wants rows with a caption"
        raise ModelError("this model cannot learn to answer questions", where=name, hint=hint)
    if recipe.augment != "none" and (settings.freeze_vision or not family.sees_pixels):
        hint = "leave out --augment, or --freeze-vision where it was given"
        raise UsageError("what is seen in a picture is computed once, so it cannot be shifted", where=name, hint=hint)


def _checked_data(settings: TrainSettings) -> tuple[Dataset, CheckReport]:
    dataset = data.load(settings, training=True)
    answers = answers_of(settings)
    checked = data.check(dataset, vocabulary_size=answers.vocabulary_size, normalizer=answers.normalizer)
    checked.raise_for_problems()
    for split in ("train", "validation"):
        if not dataset.splits.get(split):
            known = ", ".join(dataset.splits)
            hint = f"splits here: {known}; --validation-fraction holds pictures of the training split out"
            raise DataError(f"no {split} rows", where=settings.data, hint=hint)
    if settings.task == "caption" and any(example.question for example in dataset.splits["train"]):
        raise DataError(
            "these rows ask questions", where=settings.data, hint="seesay train vqa; captions stand in 'caption'"
        )
    return dataset, checked


def _plan(
    family: Family, settings: TrainSettings, recipe: Recipe, train: Sequence[Example], checked: CheckReport
) -> Plan:
    normalize, closed = normalizer(answers_of(settings).normalizer), {"yes", "no"}
    batch, accumulation = recipe.per_device_train_batch_size, recipe.gradient_accumulation_steps

    def cost(example: Example) -> tuple[int, ...]:
        words = max(len(text.split()) for text in ([example.question] if example.question else example.answers))
        return (*(() if family.one_size else checked.shape(example)), words // WORDS_ALIKE)

    return Plan(
        costs=list(map(cost, train)),
        early=[row for row, example in enumerate(train) if not closed & set(map(normalize, example.answers))],
        early_share=recipe.open_questions_first,
        batch_size=batch,
        accumulation=accumulation,
        steps=settings.max_steps or steps_of(len(train), recipe.num_train_epochs, batch * accumulation),
        seed=settings.seed,
    )


def _finish(
    trainer: Trainer,
    family: Family,
    folder: RunFolder,
    settings: TrainSettings,
    dataset: Dataset,
    repository: str,
    seconds: float,
) -> Run:
    """Write the best checkpoint as `model/` with its card and its baselines, and the run's report."""
    best, checkpoint = session.best_checkpoint(trainer, folder)
    family.restore(checkpoint)
    family.network.eval()
    report, baselines = _measure(family, settings, dataset)
    settings_text = config.dump(settings, session.section(settings))
    training_page(trainer.state.log_history, settings_text, folder.path, evaluation=report)

    def write(target: Path) -> None:
        family.save(target)
        for name, text in baselines.items():
            (target / name).write_text(text, encoding="utf-8")
        card = _card(repository or folder.path.name, settings, dataset, report)
        (target / "README.md").write_text(card, encoding="utf-8")

    model = folder.write_folder("model", best, write)
    name, figure = report.headline()
    published = publish.publish(model, repository, message=f"{name} {figure.mean:.4f}") if repository else ""
    return Run(folder.path, model, trainer.state.global_step, best, seconds, report, published)


def _measure(family: Family, settings: TrainSettings, dataset: Dataset) -> tuple[Report, dict[str, str]]:
    """The model on the validation rows, and the baselines beside it as files: name and content."""
    train, validation, batch = (
        dataset.splits["train"],
        dataset.splits["validation"],
        settings.per_device_eval_batch_size,
    )
    if settings.task == "caption":
        pictures, looking = by_content(validation), Looking()
        chosen = draw(pictures, DESCRIBED, settings.seed)
        captions = CaptionPrior.fit(by_content(train), looking)
        report = describe_and_measure(
            family,
            chosen,
            captions.answer(chosen, looking),
            out_of=len(pictures),
            seed=settings.seed,
            batch_size=batch,
        )
        return report, {captions.file: captions.to_json()}
    normalize = normalizer(answers_of(settings).normalizer)
    prior = Prior.fit(train, normalize)
    answers = list(answering.answer(family, validation, batch_size=batch))
    measured = measure(validation, answers, prior=prior, normalize=normalize, vocabulary=family.vocabulary)
    return measured, {prior.file: prior.to_json()}


def _card(title: str, settings: TrainSettings, dataset: Dataset, report: Report) -> str:
    if report.task == "caption":
        can = (
            "It puts captions together from words, best those of its training rows; pictures of other kinds are described"
            " badly.",
            "It describes every picture, also one that it does not recognize. Scores are not calibrated.",
        )
    elif report.vocabulary_size:
        can = (
            f"It is a classifier: it knows {report.vocabulary_size:,} answers and no others, and gives each a score from 0"
            " to 1 that do not sum to one. The question decides which are likely, so ask about what the training questions"
            " ask about.",
            EVERY_QUESTION,
        )
    else:
        can = (
            "It puts answers together from words, best those of its training rows; ask about what those ask about.",
            EVERY_QUESTION,
        )
    chosen = (
        "The checkpoint was chosen on the validation split, which makes the figures above slightly high; measure it on rows"
        f" of your own with `seesay evaluate {report.task}`."
    )
    (name, value), *others = report.compared()
    return model_card(
        task=report.task,
        title=title,
        base_model=settings.model,
        data_name=settings.data,
        data_rows=len(dataset.splits["train"]),
        metrics=[(f"{name}, validation split", value), *others],
        settings_text=config.dump(settings, session.section(settings), leave_out=("output", "images")),
        command="",
        limits=[*can, chosen],
    )
