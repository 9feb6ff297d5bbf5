"""Fine-tuning a voice, from its settings to its finished folder: check, prepare, plan, train, speak samples, write.

The same settings continue a run that was stopped; other settings or other data are refused. It knows nothing about what a
data set looks like (`data`) nor how progress is shown.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import config, data, models
from ..data import RecordingSet
from ..errors import ModelNotFound, RunError, UsageError
from ..evaluation.speech_page import Sample, spectrogram_picture, speech_training_page
from ..files import write_whole
from ..models.checkpoint import find
from ..settings import ModelSettings, SpeechRecipe, TrainSpeechSettings, settle_speech
from ..speech.engines.speecht5 import open_vocoder
from ..speech.griffin_lim import NAME as GRIFFIN_LIM
from ..speech.griffin_lim import GriffinLim
from ..speech.learner import MASKED, Learner, scratch
from ..speech.write import encoder
from ..types import Speech
from . import publish, session
from .plan import Plan, Visit, steps_of
from .planned import Progress, Stop, fixed_random_state, planned_trainer, schedule
from .prepared import NONE, Prepared, PreparedSet, prepare, statements
from .run_folder import RunFolder
from .together import alone

if TYPE_CHECKING:
    import torch
    from transformers import Trainer, TrainingArguments

BASE = "microsoft/speecht5_tts"
SAMPLES = "samples"
FRAMES_ALIKE = 25
"""Recordings within this many frames (0.4 s) go into one batch."""


@dataclass(frozen=True, slots=True)
class SpeechRun:
    """A finished run."""

    folder: Path
    model: Path
    """The folder that `seesay.load_voice` opens; `folder` itself works as well."""
    steps: int
    best_step: int
    seconds: float
    """Wall time of the training in this process; less than the run's where it was resumed, 0 where it was finished."""
    losses: tuple[tuple[int, float], ...]
    """The loss on the validation rows after each evaluation: step and loss."""
    statements: tuple[str, ...]
    """What was left out, how speakers are told apart, what spoke the samples."""
    published: str
    """Where it was uploaded to, or empty."""

    @property
    def loss(self) -> float:
        """Of the best checkpoint, on the validation rows."""
        return dict(self.losses)[self.best_step]


def train_speech(settings: TrainSpeechSettings, progress: Callable[[Progress], None] | None) -> SpeechRun:
    """Fine-tune a voice; see `api.train_speech`."""
    alone("a voice")
    settings = fill_speech(settings)
    found = _checked(settings)
    repository = session.hub_repository(settings)
    folder = RunFolder(settings.output)
    with folder.lock():
        session.claim(folder, settings, found)
        session.limit_threads(settings)
        placed = ModelSettings(device=settings.device, dtype="float32")
        settings = dataclasses.replace(settings, mixed_precision=session.precision(settings, placed))
        learner = _learner(settings, placed, found)
        voice = _Samples(learner, settings, folder)
        prepared = prepare(found, learner, settings, folder)
        said = (*statements(prepared, settings), voice.statement)
        with session.interruptible() as stop, session.log_file(folder) as log:
            for sentence in said:
                log.info(sentence)
            tell = session.teller(log, progress)
            trainer = make_speech_trainer(learner, prepared, settings, folder, tell, stop, voice.speak)
            seconds = session.to_the_end(trainer, folder, stop, log)
        return _finish(trainer, learner, prepared, folder, settings, found, repository, said, seconds)


def fill_speech(settings: TrainSpeechSettings) -> TrainSpeechSettings:
    """Settings whose open values are taken from the recipe of the configuration, else from the guide.

    Raises:
        UsageError: both a checkpoint and a configuration were named, there is no such configuration, or no data.
    """
    if not settings.data:
        raise UsageError("no data set named", hint="give --data FOLDER, FILE or hf:OWNER/NAME")
    if settings.model and settings.from_scratch:
        raise UsageError(
            "give either --model or --from-scratch", hint="--model runs/x, or --from-scratch speecht5-small"
        )
    if settings.from_scratch:
        return settle_speech(settings, scratch(settings.from_scratch).recipe)
    return settle_speech(dataclasses.replace(settings, model=settings.model or BASE), SpeechRecipe())


def _checked(settings: TrainSpeechSettings) -> RecordingSet:
    found = data.load_recordings(settings, training=True)
    data.check_recordings(found, training=True).raise_for_problems()
    return found


def _learner(settings: TrainSpeechSettings, placed: ModelSettings, found: RecordingSet) -> Learner:
    placement = models.place(placed)
    if settings.from_scratch:
        texts = [row.text for row in found.splits["train"]]
        return Learner.create(settings.from_scratch, placement, settings.language or "en", texts, settings.seed)
    return Learner.open(find(settings.model, settings.revision), placement, settings.language)


class _Samples:
    """Speaks validation sentences while a voice learns, and keeps them in the run's folder."""

    def __init__(self, learner: Learner, settings: TrainSpeechSettings, folder: RunFolder) -> None:
        self._learner, self._settings, self._folder = learner, settings, folder.path / SAMPLES
        self._vocoder, self.statement = _vocoder(learner, settings)

    def speak(self, prepared: PreparedSet, step: int) -> None:
        """Write each sample sentence as it is spoken after `step` steps: a sound file and its spectrogram."""
        for index, row in enumerate(chosen(prepared, self._settings.samples)):
            lesson = prepared.lesson(row)
            frames = self._learner.speak(row.ids, lesson.speaker, self._settings.seed)
            self._write(f"step-{step:07}-{index}", frames)
            if not (self._folder / f"recording-{index}.wav").is_file():
                import numpy
                import torch

                self._write(f"recording-{index}", torch.from_numpy(numpy.array(lesson.frames)))

    def _write(self, name: str, frames: torch.Tensor) -> None:
        import torch

        with torch.inference_mode():
            sound = self._vocoder(frames.to(self._learner.placement.device)).float().cpu().numpy()
        spoken = Speech(sound, self._learner.sample_rate, ())
        self._folder.mkdir(exist_ok=True)
        write_whole(self._folder / f"{name}.wav", encoder(Path("x.wav"))(spoken))
        write_whole(self._folder / f"{name}.png", spectrogram_picture(frames.numpy(), self._learner.extractor))


def _vocoder(learner: Learner, settings: TrainSpeechSettings) -> tuple[Any, str]:
    """What turns spectrograms into sound, and a sentence that says what it is."""
    hollow = "samples are spoken by Griffin-Lim, which sounds hollow whatever the voice has learned"
    named, base = settings.vocoder, learner.base
    if named == GRIFFIN_LIM or not (named or base):
        return GriffinLim(learner.extractor), hollow
    try:
        vocoder = open_vocoder(named, base or find(named), learner.placement, learner.network.config.num_mel_bins)
    except ModelNotFound as error:
        if named:
            raise
        return GriffinLim(learner.extractor), f"{hollow}: {error.message}"
    return vocoder, f"samples are spoken by the vocoder {named or 'of the checkpoint'}"


def chosen(prepared: PreparedSet, count: int) -> list[Prepared]:
    """The validation rows that are spoken: those of about median length, of as many speakers as there are."""
    rows = sorted(prepared.splits["validation"], key=lambda row: (row.frames, row.where))
    middle = sorted(rows, key=lambda row: abs(row.frames - rows[len(rows) // 2].frames))
    first: dict[str, Prepared] = {}
    for row in middle:
        first.setdefault(row.speaker, row)
    others = [row for row in middle if row is not first[row.speaker]]
    return [*first.values(), *others][:count]


def make_speech_trainer(
    learner: Learner,
    prepared: PreparedSet,
    settings: TrainSpeechSettings,
    folder: RunFolder,
    report: Callable[[Progress], None],
    stop: Stop,
    speak: Callable[[PreparedSet, int], None],
) -> Trainer:
    """A Trainer for one run; `settings` are settled. `speak` is called after every evaluation with the step."""
    rows = prepared.splits["train"]
    batch, accumulation = settings.per_device_train_batch_size or 1, settings.gradient_accumulation_steps or 1
    plan = Plan(
        costs=[(row.frames // FRAMES_ALIKE, len(row.ids)) for row in rows],
        early=[],
        early_share=0.0,
        batch_size=batch,
        accumulation=accumulation,
        steps=settings.max_steps or steps_of(len(rows), settings.num_train_epochs or 1.0, batch * accumulation),
        seed=settings.seed,
    )
    speakers = prepared.speakers()

    def collate(items: Sequence[tuple[Prepared, Visit]]) -> dict[str, Any]:
        return learner.collate([prepared.lesson(row) for row, _ in items])

    def measure(step: int) -> dict[str, float]:
        loss = validation_loss(learner, prepared, settings.per_device_eval_batch_size)
        speak(prepared, step)
        return {"loss": loss}

    learner.network.config.use_cache = False  # kept states are of no use in training, and checkpointing refuses them
    return planned_trainer(
        learner.network,
        rows,
        collate,
        plan,
        _arguments(settings, plan, folder, learner),
        folder,
        measure=measure,
        save=lambda target: learner.save(target, speakers),
        restore=learner.restore,
        keep=settings.save_total_limit,
        report=report,
        stop=stop,
        by_labels=True,
    )


def validation_loss(learner: Learner, prepared: PreparedSet, batch_size: int) -> float:
    """The mean loss over the validation rows, each frame counting the same, whatever the size of a batch. Drop-out in the
    decoder's prenet stays on, as when it speaks, with chances that are the same each time."""
    import torch

    rows = sorted(prepared.splits["validation"], key=lambda row: row.frames)
    learner.network.eval()
    total, count = 0.0, 0
    with torch.inference_mode(), fixed_random_state():
        for start in range(0, len(rows), batch_size):
            batch = learner.collate([prepared.lesson(row) for row in rows[start : start + batch_size]])
            frames = int((batch["labels"][:, :, 0] != MASKED).sum())
            placed = {name: tensor.to(learner.placement.device) for name, tensor in batch.items()}
            total += float(learner.network(**placed).loss) * frames
            count += frames
    learner.network.train()
    if not math.isfinite(total):
        hint = "lower learning_rate or max_grad_norm"
        raise RunError(f"the validation loss became {total}", hint=f"{hint}; checkpoints written before are kept")
    return total / count


def _arguments(settings: TrainSpeechSettings, plan: Plan, folder: RunFolder, learner: Learner) -> TrainingArguments:
    from transformers import TrainingArguments

    return TrainingArguments(
        output_dir=str(folder.path),
        max_steps=plan.steps,
        per_device_train_batch_size=plan.batch_size,
        gradient_accumulation_steps=plan.accumulation,
        activation_checkpointing=settings.gradient_checkpointing,
        learning_rate=settings.learning_rate or 0.0,
        lr_scheduler_type=settings.lr_scheduler_type or "linear",
        lr_scheduler_kwargs=schedule(settings.lr_scheduler_type or "linear", plan),
        warmup_steps=round((settings.warmup_ratio or 0.0) * plan.steps),
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.max_grad_norm,
        optim="adamw_torch_fused",
        bf16=settings.mixed_precision == "bf16",
        use_cpu=learner.placement.device == "cpu",
        eval_strategy="steps",
        eval_steps=settings.eval_steps,
        save_strategy="steps",
        save_steps=settings.eval_steps or 500,
        logging_steps=settings.logging_steps or 500,
        logging_nan_inf_filter=False,
        metric_for_best_model="loss",
        greater_is_better=False,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        disable_tqdm=True,
        report_to=[],
        seed=settings.seed,
    )


def _finish(
    trainer: Trainer,
    learner: Learner,
    prepared: PreparedSet,
    folder: RunFolder,
    settings: TrainSpeechSettings,
    found: RecordingSet,
    repository: str,
    said: tuple[str, ...],
    seconds: float,
) -> SpeechRun:
    """Write the best checkpoint as `model/` with its card, and the run's report."""
    best, checkpoint = session.best_checkpoint(trainer, folder)
    learner.restore(checkpoint)
    learner.network.config.use_cache = True
    history = trainer.state.log_history
    losses = session.losses_of(trainer)
    settings_text = config.dump(settings, session.section(settings))
    rows = chosen(prepared, settings.samples)
    samples = [Sample(row.text, row.speaker, folder.path / SAMPLES, index) for index, row in enumerate(rows)]
    speech_training_page(history, samples, said, settings_text, best, folder.path)
    loss = dict(losses)[best]

    def write(target: Path) -> None:
        learner.save(target, prepared.speakers())
        card = _card(repository or folder.path.name, settings, prepared, losses, best, said)
        (target / "README.md").write_text(card, encoding="utf-8")

    model = folder.write_folder("model", best, write)
    published = publish.publish(model, repository, message=f"loss {loss:.4f}") if repository else ""
    return SpeechRun(folder.path, model, trainer.state.global_step, best, seconds, losses, said, published)


def _card(
    title: str,
    settings: TrainSpeechSettings,
    prepared: PreparedSet,
    losses: Sequence[tuple[int, float]],
    best: int,
    said: Sequence[str],
) -> str:
    limits = [
        "The loss compares spectrograms frame by frame while the recording is shown to the decoder; how it sounds is measured"
        " by `seesay evaluate speech`, and by listening.",
        "The checkpoint was chosen on the validation split, which makes the figure above slightly low.",
        "It speaks as the speakers of its training rows; have their consent to use their voices.",
        *(["It was trained from random weights: without a pretrained SpeechT5 an hour of recordings does not give speech"
           " that is understood."] if settings.from_scratch else []),
        *said,
    ]  # fmt: skip
    if settings.speaker_embeddings is None and settings.speaker_model != NONE:
        limits.append(f"Speaker embeddings are those of {settings.speaker_model}; those of other networks do not fit.")
    return session.loss_card("speech", title, settings, len(prepared.splits["train"]), "loss", losses, best, limits)
