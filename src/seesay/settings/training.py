"""Settings of training. What is left open is filled in by recipes."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

from .data import AnswerSettings, DataSettings
from .fields import setting
from .models import ModelSettings, Quantize
from .recipes import Recipe

Training = TypeVar("Training", bound="FineTuneSettings")


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """What decides on how many threads a run computes, and where its model goes."""

    threads: int = setting(0, low=0)
    """Threads that compute; 0 takes all cores. Part of what makes a run repeatable to the bit."""
    push_to_hub: bool = False
    """Upload the finished model. Needs a token in HF_TOKEN or `hf auth login`, checked before training."""
    hub_model_id: str = ""
    """Repository to upload to, as owner/name; the default is the run folder's name under your account."""
    hub_private: bool = False
    """Create the repository private."""


@dataclass(frozen=True, kw_only=True)
class FineTuneSettings(RunSettings, DataSettings, ModelSettings):
    """What training on questions, on captions and on conversations have in common.

    Settings that are None take their value from a `Recipe`: the guide's for a checkpoint, the configuration's own from
    scratch.
    """

    task: ClassVar[str]

    model: str = ""
    """What to start from: `seesay-mini` (the default), a checkpoint's folder, or a Hub repository."""
    output: Path = Path("runs/train")
    """Folder of the run. The same command continues it after any stop."""
    lora: int = setting(0, low=0, high=1024)
    """Leave the weights as they are and train adapters of this rank beside them, which takes far less memory; 0 trains the
    weights."""
    freeze_vision: bool = False
    """Leave the part that looks at pictures as it is; where it makes all of one size, what it sees is computed once a picture and
    kept on disk."""
    num_train_epochs: float | None = setting(None, low=0.0)
    """Passes over the training rows."""
    max_steps: int | None = setting(None, low=1)
    """Stop after this many optimizer steps, whatever the epochs."""
    per_device_train_batch_size: int | None = setting(None, low=1)
    """Rows in one forward and backward pass."""
    per_device_eval_batch_size: int = setting(64, low=1)
    """Rows in one forward pass of an evaluation."""
    gradient_accumulation_steps: int | None = setting(None, low=1)
    """Passes whose gradients make one optimizer step; the result equals the larger batch."""
    learning_rate: float | None = setting(None, low=0.0)
    """Peak of the learning rate. ViLT's loss is summed over the answers, so gradients grow with the vocabulary."""
    lr_scheduler_type: Literal["linear", "cosine", "constant_with_warmup", "warmup_stable_decay"] | None = None
    """How the learning rate goes on after the warm-up; `warmup_stable_decay` holds it and falls over the last quarter."""
    warmup_ratio: float | None = setting(None, low=0.0, high=1.0)
    """Share of all steps during which the learning rate rises from zero."""
    weight_decay: float | None = setting(None, low=0.0)
    """Decoupled weight decay of AdamW."""
    adam_beta2: float | None = setting(None, low=0.0, high=1.0)
    """Decay of AdamW's second moment."""
    max_grad_norm: float = setting(1.0, low=0.0)
    """Gradients are scaled down to this norm; 0 leaves them alone."""
    mixed_precision: Literal["auto", "bf16", "none"] = "auto"
    """bf16 autocast; `auto` uses it where the processor or accelerator multiplies bf16 in hardware."""
    eval_steps: int | None = setting(None, low=1)
    """Evaluate and write a checkpoint after this many steps."""
    save_total_limit: int | None = setting(None, low=1)
    """How many checkpoints to keep, beside the best one."""
    logging_steps: int | None = setting(None, low=1)
    """Note the loss after this many steps."""


@dataclass(frozen=True, kw_only=True)
class TrainSettings(FineTuneSettings):
    """What training on questions and training on captions have in common."""

    task: ClassVar[Literal["vqa", "caption"]]

    from_scratch: str = ""
    """Start from random weights with this named configuration instead of a checkpoint."""
    augment: Literal["none", "shift"] | None = None
    """Change training pictures without changing what is true about them: `shift` moves them by some pixels."""


@dataclass(frozen=True, kw_only=True)
class TrainVqaSettings(AnswerSettings, TrainSettings):
    """Fine-tune a model on questions and answers, or train a small one from scratch."""

    task: ClassVar[Literal["vqa", "caption"]] = "vqa"

    output: Path = Path("runs/vqa")
    """Folder of the run. The same command continues it after any stop."""
    open_questions_first: float | None = setting(None, low=0.0, high=1.0)
    """For this share of the steps, train only on questions whose answer is not yes or no."""


@dataclass(frozen=True, kw_only=True)
class TrainCaptionSettings(TrainSettings):
    """Fine-tune a model that describes pictures on pictures and their captions, or train a small one from scratch."""

    task: ClassVar[Literal["vqa", "caption"]] = "caption"

    output: Path = Path("runs/caption")
    """Folder of the run. The same command continues it after any stop."""


@dataclass(frozen=True, kw_only=True)
class TrainChatSettings(FineTuneSettings):
    """Fine-tune a model that chats on conversations about pictures; what is learned are the assistant's turns."""

    task: ClassVar[str] = "chat"

    model: str = ""
    """What to start from: the folder of a model that chats, or a Hub repository."""
    quantize: Quantize = ""
    """Hold the weights in 8 or 4 bits while adapters are trained beside them (QLoRA); wants `lora`. What is saved are the adapters
    alone."""
    output: Path = Path("runs/chat")
    """Folder of the run. The same command continues it after any stop."""
    freeze_vision: bool = False
    """Leave the part that looks at pictures as it is; adapters are then in the language model alone."""
    per_device_train_batch_size: int | None = setting(None, low=1)
    """Conversations in one forward and backward pass."""
    per_device_eval_batch_size: int = setting(4, low=1)
    """Conversations in one forward pass of an evaluation."""
    gradient_checkpointing: bool = False
    """Compute activations again in the backward pass instead of keeping them: less memory, about a third more time."""
    answers_shown: int = setting(8, low=0, high=64)
    """Validation conversations whose last question is answered at the end, for the report."""
    max_new_tokens: int = setting(128, low=1, high=1000)
    """Tokens after which such an answer stops."""


def answers_of(settings: TrainSettings) -> AnswerSettings:
    """How answers are counted in this training; captions are not."""
    return settings if isinstance(settings, AnswerSettings) else AnswerSettings()


def settle(settings: Training, recipe: Recipe) -> tuple[Training, Recipe]:
    """What the user left open taken from `recipe`: the settings without None, and the same values as a `Recipe`."""
    given = {field.name: getattr(settings, field.name) for field in dataclasses.fields(settings)}
    values: dict[str, Any] = {
        field.name: getattr(recipe, field.name) if given.get(field.name) is None else given[field.name]
        for field in dataclasses.fields(Recipe)
    }
    settled = {name: value for name, value in values.items() if name in given}
    return dataclasses.replace(settings, **settled), Recipe(**values)


@dataclass(frozen=True, kw_only=True)
class TrainSpeechSettings(RunSettings, DataSettings, ModelSettings):
    """Fine-tune a SpeechT5 on recordings and what is said in them, or train a small one from scratch.

    Settings that are None take their value from a `SpeechRecipe`: the guide's for a checkpoint, the configuration's own from
    scratch.
    """

    task: ClassVar[str] = "speech"

    model: str = ""
    """What to start from: the folder of a SpeechT5 or a Hub repository; the default is `microsoft/speecht5_tts`."""
    output: Path = Path("runs/speech")
    """Folder of the run. The same command continues it after any stop."""
    from_scratch: str = ""
    """Start from random weights with this named configuration (`speecht5-small`, `speecht5`); its tokenizer is made of the
    characters of the training texts."""
    language: str = ""
    """Language that is spoken, as a code such as `nl`: numbers are spelled in it. The default is the checkpoint's own."""
    speaker_model: str = "microsoft/wavlm-base-plus-sv"
    """Checkpoint that hears who speaks (x-vectors); `none` gives each speaker a vector that is drawn by its name and says
    nothing about the voice, so only speakers of the training rows can be spoken."""
    speaker_embeddings: Path | None = None
    """File (.safetensors) with a vector for each speaker of the data, instead of hearing them."""
    min_speaker_rows: int = setting(0, low=0)
    """Leave out speakers with fewer training rows; the guide takes 100 for VoxPopuli."""
    max_speaker_rows: int = setting(0, low=0)
    """Leave out speakers with more training rows (0 has no bound); the guide takes 400 for VoxPopuli."""
    max_tokens: int = setting(200, low=2, high=600)
    """Leave out rows whose text has more tokens; they take the most memory."""
    max_seconds: float = setting(30.0, low=0.2, high=60.0)
    """Leave out recordings that are longer after silence is cut off."""
    vocoder: str = ""
    """What speaks the samples: a HiFi-GAN's folder or Hub repository, or `griffin-lim`. The default is the checkpoint's own,
    else `microsoft/speecht5_hifigan`, else `griffin-lim`, and the run says which."""
    samples: int = setting(2, low=0, high=8)
    """Validation sentences that are spoken at every evaluation, for the report."""
    num_train_epochs: float | None = setting(None, low=0.0)
    """Passes over the training rows; `max_steps` decides where it is given."""
    max_steps: int | None = setting(None, low=1)
    """Optimizer steps."""
    per_device_train_batch_size: int | None = setting(None, low=1)
    """Rows in one forward and backward pass."""
    per_device_eval_batch_size: int = setting(8, low=1)
    """Rows in one forward pass of an evaluation."""
    gradient_accumulation_steps: int | None = setting(None, low=1)
    """Passes whose gradients make one optimizer step; each counts by its frames, so the result equals the larger batch."""
    gradient_checkpointing: bool = False
    """Compute activations again in the backward pass instead of keeping them: less memory, about a third more time."""
    learning_rate: float | None = setting(None, low=0.0)
    """Peak of the learning rate."""
    lr_scheduler_type: Literal["linear", "cosine", "constant_with_warmup", "warmup_stable_decay"] | None = None
    """How the learning rate goes on after the warm-up; `warmup_stable_decay` holds it and falls over the last quarter."""
    warmup_ratio: float | None = setting(None, low=0.0, high=1.0)
    """Share of all steps during which the learning rate rises from zero."""
    weight_decay: float = setting(0.0, low=0.0)
    """Decoupled weight decay of AdamW."""
    max_grad_norm: float = setting(1.0, low=0.0)
    """Gradients are scaled down to this norm; 0 leaves them alone."""
    mixed_precision: Literal["auto", "bf16", "none"] = "auto"
    """bf16 autocast; `auto` uses it where the processor or accelerator multiplies bf16 in hardware."""
    eval_steps: int | None = setting(None, low=1)
    """Evaluate, speak samples and write a checkpoint after this many steps."""
    save_total_limit: int = setting(2, low=1)
    """How many checkpoints to keep, beside the best one."""
    logging_steps: int | None = setting(None, low=1)
    """Note the loss after this many steps."""


@dataclass(frozen=True, kw_only=True)
class SpeechRecipe:
    """The settings of speech training whose right values depend on where it starts. The defaults are those of Hugging
    Face's guide, for fine-tuning `microsoft/speecht5_tts` on VoxPopuli; configurations from scratch bring their own."""

    num_train_epochs: float = 0.0
    max_steps: int | None = 4000
    per_device_train_batch_size: int = 4
    gradient_accumulation_steps: int = 8
    learning_rate: float = 1e-5
    lr_scheduler_type: Literal["linear", "cosine", "constant_with_warmup", "warmup_stable_decay"] = "linear"
    warmup_ratio: float = 0.125
    eval_steps: int = 1000
    logging_steps: int = 25


def settle_speech(settings: TrainSpeechSettings, recipe: SpeechRecipe) -> TrainSpeechSettings:
    """The settings with what the user left open taken from `recipe`; epochs that were asked for come before its steps."""
    steps = None if settings.num_train_epochs is not None else recipe.max_steps
    values = {
        field.name: getattr(recipe, field.name)
        for field in dataclasses.fields(SpeechRecipe)
        if getattr(settings, field.name) is None
    }
    if settings.max_steps is None:
        values["max_steps"] = steps
    return dataclasses.replace(settings, **values)
