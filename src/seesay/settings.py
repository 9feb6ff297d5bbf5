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
from typing import Any, ClassVar, Literal, TypedDict

Device = Literal["auto", "cpu", "cuda", "mps"]
Dtype = Literal["auto", "float32", "bfloat16", "float16"]
Quantize = Literal["", "int8", "int4"]
Normalizer = Literal["english", "unicode", "none"]


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
    quantize: Quantize = ""
    """Hold the weights of linear layers in 8 or 4 bits, made while they are loaded; the others are then bfloat16 by `auto`."""


class ModelKeywords(TypedDict, total=False):
    """`ModelSettings` as keywords of `seesay.load`; a test keeps the two alike."""

    revision: str
    device: Device
    dtype: Dtype
    quantize: Quantize


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
    """Folder of the pictures, where it is not the folder of the data."""
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
class CheckSettings(DataSettings):
    """Read a data set as training would, and say what is in it and what is wrong with it."""

    vocabulary_size: int = setting(0, low=0)
    """Keep the most frequent training answers only; 0 keeps all."""
    normalizer: Normalizer = "english"
    """How answers are made comparable before they are counted."""


@dataclass(frozen=True, kw_only=True)
class TrainVqaSettings(DataSettings, ModelSettings):
    """Fine-tune a soft-target classifier on questions and answers, or train a small one from scratch.

    Settings that are None take their value from a `Recipe`: the guide's for a checkpoint, the configuration's own from
    scratch.
    """

    task: ClassVar[str] = "vqa"

    model: str = ""
    """What to start from: `seesay-mini` (the default), a checkpoint's folder, or a Hub repository."""
    output: Path = Path("runs/vqa")
    """Folder of the run. The same command continues it after any stop."""
    from_scratch: str = ""
    """Start from random weights with this named configuration instead of a checkpoint."""
    vocabulary_size: int = setting(0, low=0)
    """Keep the most frequent training answers only; 0 keeps all."""
    normalizer: Normalizer = "english"
    """How answers are made comparable for vocabulary, targets and accuracy."""
    num_train_epochs: float | None = setting(None, low=0.0)
    """Passes over the training rows."""
    max_steps: int | None = setting(None, low=1)
    """Stop after this many optimizer steps, whatever the epochs."""
    per_device_train_batch_size: int | None = setting(None, low=1)
    """Rows in one forward and backward pass."""
    per_device_eval_batch_size: int = setting(64, low=1)
    """Rows in one forward pass of an evaluation."""
    gradient_accumulation_steps: int = setting(1, low=1)
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
    open_questions_first: float | None = setting(None, low=0.0, high=1.0)
    """For this share of the steps, train only on questions whose answer is not yes or no."""
    eval_steps: int | None = setting(None, low=1)
    """Evaluate and write a checkpoint after this many steps."""
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
class TrainCaptionSettings(TrainVqaSettings):
    """Fine-tune a model that describes pictures on pictures and their captions."""

    task: ClassVar[str] = "caption"
    output: Path = Path("runs/caption")
    """Folder of the run. The same command continues it after any stop."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The training settings whose right values depend on where the training starts. The defaults are those of Hugging
    Face's task guide, for fine-tuning a checkpoint; configurations from scratch bring their own."""

    num_train_epochs: float = 20.0
    per_device_train_batch_size: int = 4
    learning_rate: float = 5e-5
    lr_scheduler_type: Literal["linear", "cosine", "constant_with_warmup", "warmup_stable_decay"] = "linear"
    warmup_ratio: float = 0.0
    weight_decay: float = 0.0
    adam_beta2: float = 0.999
    augment: Literal["none", "shift"] = "none"
    open_questions_first: float = 0.0
    eval_steps: int = 200
    logging_steps: int = 50


def settle(settings: TrainVqaSettings, recipe: Recipe) -> tuple[TrainVqaSettings, Recipe]:
    """What the user left open taken from `recipe`: the settings without None, and the same values as a `Recipe`."""
    values: dict[str, Any] = {
        field.name: getattr(recipe, field.name)
        if getattr(settings, field.name) is None
        else getattr(settings, field.name)
        for field in dataclasses.fields(Recipe)
    }
    return dataclasses.replace(settings, **values), Recipe(**values)


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
    (`vocoder/` in its folder), else the one published with it."""
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
