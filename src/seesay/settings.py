"""Every setting of every command, once: these dataclasses are the flags, the TOML keys, the environment variables, the
keywords of the Python functions and what a run saves.

A field's type, default and the text below it are all there is to say about a setting; `fields_of` reads them. Supported
types: str, int, float, bool, Path, Literal of strings, and `X | None`. Ranges are checked by `config`.

To add a setting, add a field. This module computes nothing and knows nothing about where values come from (`config`).
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import itertools
import types
import typing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Literal, TypedDict, TypeVar

Device = Literal["auto", "cpu", "cuda", "mps"]
Dtype = Literal["auto", "float32", "bfloat16", "float16"]
Normalizer = Literal["english", "unicode", "none"]
Training = TypeVar("Training", bound="TrainSettings")


def setting(default: Any, *, low: float | None = None, high: float | None = None) -> Any:
    """A field with a default and the range (both ends included) that its value must lie in."""
    return dataclasses.field(default=default, metadata={"low": low, "high": high})


@dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """What decides which model computes, and on what."""

    model: str = "seesay-mini"
    """`seesay-mini`, which comes with the package, the folder of a checkpoint or of a finished run, or a Hub repository."""
    revision: str = ""
    """Branch, tag or commit of a Hub repository."""
    device: Device = "auto"
    """Where to compute; `auto` takes CUDA, then Apple's MPS, then the processor."""
    dtype: Dtype = "auto"
    """Number type of the weights; `auto` is float32 on a processor and bfloat16 on an accelerator that has it."""


class ModelKeywords(TypedDict, total=False):
    """`ModelSettings` as keywords of `seesay.load`; a test keeps the two alike."""

    revision: str
    device: Device
    dtype: Dtype


@dataclass(frozen=True, kw_only=True)
class GenerationSettings:
    """How large models (GIT, BLIP, BLIP-2, InstructBLIP, those that chat) write; `seesay-mini` and classifiers take no
    notice."""

    max_new_tokens: int = setting(20, low=1, high=1000)
    """Tokens (about as many as words) after which GIT, BLIP and the like stop writing."""
    num_beams: int = setting(1, low=1, high=32)
    """Beginnings of an answer that GIT, BLIP and the like keep in view; more find likelier ones and take longer. At least
    3 where several answers are asked for."""


@dataclass(frozen=True, kw_only=True)
class AskSettings(GenerationSettings, ModelSettings):
    """Ask questions about pictures."""

    top_k: int = setting(1, low=1, high=1000)
    """How many answers to give, best first."""
    choices: str = ""
    """Answer with one of these, separated by commas, such as `yes,no`; scores say how likely each is among them."""
    batch_size: int = setting(16, low=1, high=1024)
    """How many questions are computed at once; it never changes an answer."""
    abstain_at_risk: float | None = setting(None, low=0.0, high=1.0)
    """Give no answer where too many such answers are wrong: of those given at most this share is. 1 always answers; the
    default is the model's own, 0.1 for `seesay-mini`."""
    evidence: Path | None = None
    """Draw into this PNG file which parts of the picture the answer hangs on; for one picture and one question."""
    listen: Path | None = None
    """Take the question from this recording."""
    listen_model: str = "openai/whisper-base.en"
    """The Whisper checkpoint that writes the question down: a folder or a Hub repository."""
    speak: bool = False
    """Speak the answers on this machine's loudspeaker."""
    speech: Path | None = None
    """Write the answers as speech into this sound file."""


@dataclass(frozen=True, kw_only=True)
class CaptionSettings(GenerationSettings, ModelSettings):
    """Describe pictures."""

    batch_size: int = setting(16, low=1, high=1024)
    """How many pictures are computed at once; it never changes a caption."""
    speak: bool = False
    """Speak the captions on this machine's loudspeaker."""
    speech: Path | None = None
    """Write the captions as speech into this sound file."""


@dataclass(frozen=True, kw_only=True)
class ChatSettings(ModelSettings):
    """Talk about pictures."""

    max_new_tokens: int = setting(128, low=1, high=1024)
    """Tokens (about as many as words) after which an answer stops."""
    deadline: float = setting(120.0, low=1.0, high=3600.0)
    """Seconds after which an answer stops."""
    speak: bool = False
    """Speak the answers on this machine's loudspeaker."""


@dataclass(frozen=True, kw_only=True)
class ReadSettings:
    """Read the text in pictures."""

    min_confidence: float = setting(0.5, low=0.0, high=1.0)
    """Leave out lines of less confidence than this."""


@dataclass(frozen=True, kw_only=True)
class DataSettings:
    """What decides which rows are read."""

    data: str = ""
    """A file, a folder, a Hub data set (`hf:owner/name`) or `easy-vqa`; the format is found by content."""
    images: Path | None = None
    """Folder of the pictures or recordings, where it is not the folder of the data."""
    split: str = ""
    """Read this split alone (such as `validation[:200]`)."""
    validation_fraction: float = setting(0.1, low=0.0, high=0.9)
    """Share of the training pictures held out for validation where the data has no validation split of its own."""
    test_fraction: float = setting(0.0, low=0.0, high=0.9)
    """Share of the training pictures held out for a test where the data has no test split of its own. Training never sees
    them, and `evaluate` with the same data, seed and fractions measures on them."""
    seed: int = setting(42, low=0, high=2**32 - 1)
    """Decides every random choice: splits, order, augmentation, dropout, fresh weights."""


@dataclass(frozen=True, kw_only=True)
class AnswerSettings:
    """How the answers to questions are counted."""

    vocabulary_size: int = setting(0, low=0)
    """Keep the most frequent training answers only; 0 keeps all."""
    normalizer: Normalizer = "english"
    """How answers are made comparable for vocabulary, targets and accuracy."""


@dataclass(frozen=True, kw_only=True)
class CheckSettings(AnswerSettings, DataSettings):
    """Read a data set as training would, and say what is in it and what is wrong with it."""

    model: str = ""
    """Show the first rows as this model's tokens, those marked that it would learn to write; of recordings, tell which
    characters the tokenizer of this voice lacks."""
    plots: Path | None = None
    """Of recordings: write a page with plots of lengths, paces, levels and speakers into this HTML file."""


@dataclass(frozen=True, kw_only=True)
class TrainSettings(DataSettings, ModelSettings):
    """What training on questions and training on captions have in common.

    Settings that are None take their value from a `Recipe`: the guide's for a checkpoint, the configuration's own from
    scratch.
    """

    task: ClassVar[Literal["vqa", "caption"]]

    model: str = ""
    """What to start from: `seesay-mini` (the default), a checkpoint's folder, or a Hub repository."""
    output: Path = Path("runs/train")
    """Folder of the run. The same command continues it after any stop."""
    from_scratch: str = ""
    """Start from random weights with this named configuration instead of a checkpoint."""
    lora: int = setting(0, low=0, high=1024)
    """Leave the weights as they are and train adapters of this rank beside them, which takes far less memory; 0 trains the
    weights."""
    freeze_vision: bool = False
    """Leave the part that looks at pictures as it is; what it sees is computed once a picture and kept on disk."""
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
    augment: Literal["none", "shift"] | None = None
    """Change training pictures without changing what is true about them: `shift` moves them by some pixels."""
    eval_steps: int | None = setting(None, low=1)
    """Evaluate and write a checkpoint after this many steps."""
    save_total_limit: int | None = setting(None, low=1)
    """How many checkpoints to keep, beside the best one."""
    logging_steps: int | None = setting(None, low=1)
    """Note the loss after this many steps."""
    threads: int = setting(0, low=0)
    """Threads that compute; 0 takes all cores. Part of what makes a run repeatable to the bit."""
    push_to_hub: bool = False
    """Upload the finished model. Needs a token in HF_TOKEN or `hf auth login`, checked before training."""
    hub_model_id: str = ""
    """Repository to upload to, as owner/name; the default is the run folder's name under your account."""
    hub_private: bool = False
    """Create the repository private."""


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


def answers_of(settings: TrainSettings) -> AnswerSettings:
    """How answers are counted in this training; captions are not."""
    return settings if isinstance(settings, AnswerSettings) else AnswerSettings()


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The training settings whose right values depend on where the training starts. The defaults are those of Hugging
    Face's guide to visual question answering; configurations from scratch bring their own."""

    num_train_epochs: float = 20.0
    per_device_train_batch_size: int = 4
    gradient_accumulation_steps: int = 1
    learning_rate: float = 5e-5
    lr_scheduler_type: Literal["linear", "cosine", "constant_with_warmup", "warmup_stable_decay"] = "linear"
    warmup_ratio: float = 0.0
    weight_decay: float = 0.0
    adam_beta2: float = 0.999
    augment: Literal["none", "shift"] = "none"
    open_questions_first: float = 0.0
    eval_steps: int = 200
    save_total_limit: int = 2
    logging_steps: int = 50


GUIDES = {
    "vqa": Recipe(),
    "caption": Recipe(
        num_train_epochs=50.0,
        per_device_train_batch_size=32,
        gradient_accumulation_steps=2,
        eval_steps=50,
        save_total_limit=3,
    ),
}
"""Hugging Face's guides to visual question answering and to image captioning, by task."""


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
class TrainSpeechSettings(DataSettings, ModelSettings):
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
    threads: int = setting(0, low=0)
    """Threads that compute; 0 takes all cores. Part of what makes a run repeatable to the bit."""
    push_to_hub: bool = False
    """Upload the finished model. Needs a token in HF_TOKEN or `hf auth login`, checked before training."""
    hub_model_id: str = ""
    """Repository to upload to, as owner/name; the default is the run folder's name under your account."""
    hub_private: bool = False
    """Create the repository private."""


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


@dataclass(frozen=True, kw_only=True)
class EvaluateVqaSettings(DataSettings, ModelSettings):
    """Measure answers by the official VQA accuracy, with intervals and the baselines beside it."""

    split: str = ""
    """The split to measure on; the default is test, else validation, else all rows."""
    output: Path | None = None
    """Folder for report.json and report.html; nothing is written without it."""
    batch_size: int = setting(32, low=1, high=1024)
    """Rows computed at once; it never changes a figure."""
    limit: int = setting(0, low=0)
    """Measure on this many rows only, drawn by the seed; 0 takes all."""
    normalizer: Normalizer = "english"
    """How answers are made comparable."""
    accuracy: Literal["official", "always-normalize"] = "official"
    """`official` leaves answers as they are where all annotators agree to the letter, as the published code does."""


@dataclass(frozen=True, kw_only=True)
class EvaluateCaptionSettings(DataSettings, GenerationSettings, ModelSettings):
    """Measure generated captions by BLEU, ROUGE-L, CIDEr-D and others, with intervals and the baselines beside them."""

    split: str = ""
    """The split to measure on; the default is test, else validation, else all rows."""
    output: Path | None = None
    """Folder for report.json and report.html; nothing is written without it."""
    batch_size: int = setting(16, low=1, high=1024)
    """Pictures computed at once; it never changes a figure."""
    limit: int = setting(0, low=0)
    """Measure on this many pictures only, drawn by the seed; 0 takes all."""


@dataclass(frozen=True, slots=True)
class Field:
    """One setting as the dataclass states it."""

    name: str
    type: Any
    """The type without `| None`."""
    optional: bool
    default: Any
    doc: str
    low: float | None
    high: float | None

    @property
    def choices(self) -> tuple[str, ...]:
        """The values of a Literal; empty for every other type."""
        return typing.get_args(self.type) if typing.get_origin(self.type) is Literal else ()


@cache
def fields_of(settings: type[Any]) -> tuple[Field, ...]:
    """The fields of a settings class, in the order of its bases, with their documentation."""
    hints = typing.get_type_hints(settings)
    documentation: dict[str, str] = {}
    for cls in reversed(settings.__mro__):
        if dataclasses.is_dataclass(cls):
            documentation |= _attribute_docstrings(cls)
    return tuple(_field(field, hints[field.name], documentation[field.name]) for field in dataclasses.fields(settings))


def _field(field: dataclasses.Field[Any], hint: Any, doc: str) -> Field:
    optional = typing.get_origin(hint) in (types.UnionType, typing.Union)
    plain = next(arg for arg in typing.get_args(hint) if arg is not type(None)) if optional else hint
    low, high = field.metadata.get("low"), field.metadata.get("high")
    return Field(field.name, plain, optional, field.default, doc, low, high)


def _attribute_docstrings(cls: type) -> dict[str, str]:
    """The string below each field of a class body. Python drops them, so they are read from the source."""
    body = _class_bodies(inspect.getsourcefile(cls) or "")[cls.__name__]
    return {
        statement.target.id: inspect.cleandoc(following.value.value)
        for statement, following in itertools.pairwise(body)
        if isinstance(statement, ast.AnnAssign)
        and isinstance(statement.target, ast.Name)
        and isinstance(following, ast.Expr)
        and isinstance(following.value, ast.Constant)
        and isinstance(following.value.value, str)
    }


@cache
def _class_bodies(file: str) -> dict[str, list[ast.stmt]]:
    """The statements of each class of a file; the file is parsed once, not once a class."""
    tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    return {node.name: node.body for node in tree.body if isinstance(node, ast.ClassDef)}


@dataclass(frozen=True, kw_only=True)
class VoiceSettings:
    """What decides which voice speaks, and how."""

    model: str = "hibari"
    """`hibari`, the English voice that comes with the package, the folder of a Bark, SpeechT5, VITS (MMS) or
    FastSpeech2Conformer checkpoint, or a Hub repository."""
    revision: str = ""
    """Branch, tag or commit of a Hub repository."""
    device: Device = "auto"
    """Where to compute; `auto` takes CUDA, then Apple's MPS, then the processor. `hibari` takes no notice."""
    speaker: str = ""
    """Who speaks, where a checkpoint has a choice. Bark: a preset (`v2/en_speaker_6`) or an .npz file. SpeechT5: a .npy,
    .json or .safetensors file of its speaker embedding, or a recording of the speaker. VITS: a number."""
    speaker_model: str = "microsoft/wavlm-base-plus-sv"
    """Checkpoint that makes speaker embeddings (x-vectors) of recordings."""
    vocoder: str = ""
    """Folder or Hub repository of the vocoder of a SpeechT5 or FastSpeech2Conformer; the default is the checkpoint's own
    (`vocoder/` in its folder), else the one published with it. For a SpeechT5 also `griffin-lim`, which needs no weights and
    sounds hollow."""
    seed: int = setting(0, low=0, high=2**32 - 1)
    """Decides the chance in checkpoints' voices; the same seed says a sentence the same way."""
    speed: float = setting(1.0, low=0.5, high=2.0)
    """How fast to speak; 2 is twice as fast as the voice's natural pace. Bark and SpeechT5 have one pace."""


class VoiceKeywords(TypedDict, total=False):
    """`VoiceSettings` as keywords of `seesay.load_voice`; a test keeps the two alike."""

    revision: str
    device: Device
    speaker: str
    speaker_model: str
    vocoder: str
    seed: int
    speed: float


@dataclass(frozen=True, kw_only=True)
class SpeakSettings(VoiceSettings):
    """Speak a text."""

    output: Path | None = None
    """Sound file to write; the ending decides the kind: .wav, .flac or .ogg."""
    captions: bool = False
    """Write WebVTT captions beside the sound file, with the times of its sentences."""
    play: bool = False
    """Play it on this machine's loudspeaker."""


@dataclass(frozen=True, kw_only=True)
class ListenSettings:
    """Write down what is said in a recording."""

    model: str = "openai/whisper-base.en"
    """The folder of a Whisper checkpoint (of transformers, or converted for CTranslate2), or a Hub repository."""
    revision: str = ""
    """Branch, tag or commit of a Hub repository."""
    device: Device = "auto"
    """Where to compute; `auto` takes CUDA, then Apple's MPS, then the processor."""
    language: str = ""
    """Language that is spoken, as a code such as `en`; the default is what the model hears."""


@dataclass(frozen=True, kw_only=True)
class EvaluateSpeechSettings(DataSettings, VoiceSettings):
    """Measure a voice against recordings of the same sentences."""

    split: str = ""
    """The split to measure on; the default is test, else validation, else all rows."""
    output: Path | None = None
    """Folder for report.json and report.html; nothing is written without it."""
    limit: int = setting(50, low=0)
    """Measure on this many rows only, drawn by the seed; 0 takes all."""
    listen_model: str = ""
    """The Whisper checkpoint that writes down what is heard, for the word error rate; without one there is none."""
    language: str = ""
    """Language that is spoken, as a code such as `nl`, for Whisper and for espeak-ng; the default is the voice's own."""
