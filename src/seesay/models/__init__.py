"""Families of models: the only layer that knows how a network is fed and read. `load` finds the family by config.json."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from .. import __version__
from ..errors import ModelError, UsageError
from ..lazy import lazily
from ..registry import discover
from ..settings import GUIDES, GenerationSettings, ModelSettings, Recipe
from ..types import Example
from .arithmetic import fast_float32
from .checkpoint import Checkpoint, Placement, find, import_torch, place
from .family import Batch, Encoded, Examined, Family, Scratch, last_question
from .quantize import keep_layout
from .remote import PREFIX, Remote

if TYPE_CHECKING:
    from ..settings import FineTuneSettings, TrainSettings
    from .chat_lesson import ChatLessons as ChatLessons
    from .engines import Option
    from .export_cache import Entry

__all__ = [
    "Batch",
    "ChatLessons",
    "Checkpoint",
    "Encoded",
    "Examined",
    "Explained",
    "Family",
    "Known",
    "Placement",
    "Scratch",
    "all_families",
    "explain",
    "fast_float32",
    "fine_tuned",
    "for_training",
    "identify",
    "import_torch",
    "kept_exports",
    "known",
    "last_question",
    "lessons",
    "load",
    "make_ahead",
    "place",
    "preview",
    "recipe",
    "scratch",
]

__getattr__, __dir__ = lazily(__name__, __file__)


def all_families() -> dict[str, type[Family]]:
    """Every family by its name."""
    return discover("seesay.models.families", Family)


def identify(settings: ModelSettings) -> Checkpoint:
    """The checkpoint that `load` would open; of one on the Hub, its files are fetched.

    Raises the errors of `load` as far as they can be told without opening it.
    """
    return _find(settings)


def load(settings: ModelSettings, *, threads: int = 0) -> Family:
    """The model that `settings` names, ready to answer.

    Args:
        threads: that compute one batch, where torch does not (torch's are the whole process's); 0 leaves it to the engine.

    Raises:
        UsageError: no model was named.
        ModelNotFound, ModelError: there is none of that name, or it cannot answer questions.
        ResourceError: the server that has it cannot be reached.
        MissingExtra: packages that it needs are not installed.
    """
    if settings.model.startswith(PREFIX):
        return Remote.connect(settings)
    checkpoint = _find(settings)
    family = _family_of(checkpoint)
    if settings.quantize and not family.needs_torch:
        hint = "leave out --quantize; its eye is held in 8 bits already"
        raise ModelError("this model is not quantized while it is loaded", where=checkpoint.name, hint=hint)
    from .engines import choose, open_export

    engine = choose(checkpoint, family, settings).engine
    if not family.needs_torch:
        model = family.load(checkpoint, Placement("cpu", "float32", threads=threads))
    elif engine == "torch":
        model = family.load(checkpoint, place(settings))
    else:
        plain = replace(settings, engine="torch", device="cpu", dtype="float32", quantize="")
        model = open_export(checkpoint, family, settings, lambda: family.load(checkpoint, place(plain)), threads)
    if isinstance(settings, GenerationSettings):
        model.generation = settings
    return model


def make_ahead(settings: ModelSettings, answers: int | None, tell: Callable[[str], None]) -> None:
    """Make the export that `load` then takes, where that pays; see `engines.make_ahead`.

    Raises:
        UsageError, ModelNotFound, ModelError: there is no such model.
        KeyboardInterrupt: stopped by the user; nothing is left of it.
    """
    if settings.engine != "auto" or settings.model.startswith(PREFIX):
        return
    from .engines import make_ahead as make

    checkpoint = _find(settings)
    make(checkpoint, _family_of(checkpoint), settings, answers, tell)


@dataclass(frozen=True, slots=True)
class Explained:
    """Which engine answers with a model, why, and what else there is."""

    model: str
    family: str
    engine: str
    reason: str
    options: tuple[Option, ...]


def explain(settings: ModelSettings) -> Explained:
    """Which engine `load` takes for these settings; nothing is loaded or made.

    Raises:
        ModelNotFound, ModelError, UsageError: as `load` does.
    """
    from .engines import choose, options

    checkpoint = _find(settings)
    family = _family_of(checkpoint)
    choice = choose(checkpoint, family, settings)
    return Explained(checkpoint.name, family.name, choice.engine, choice.reason, tuple(options(checkpoint, family)))


@dataclass(frozen=True, slots=True)
class Known:
    """A family of models, as `seesay models` lists it."""

    family: str
    model_types: tuple[str, ...]
    embedded: tuple[str, ...]
    from_scratch: tuple[str, ...]
    engines: tuple[str, ...]


def known() -> list[Known]:
    """All families, and on which engines they answer."""
    from .engines import all_exported

    exported = all_exported()
    return [
        Known(
            name,
            family.model_types,
            tuple(family.embedded),
            tuple(family.scratch),
            ("torch", "onnx", "openvino") if name in exported else ("torch",) if family.needs_torch else ("onnx",),
        )
        for name, family in all_families().items()
    ]


def kept_exports() -> list[Entry]:
    """The exports on this machine, what was used last first."""
    from .export_cache import entries

    return entries()


def for_training(settings: TrainSettings, vocabulary: Sequence[str], texts: Iterable[str]) -> Family:
    """A model to be trained as `settings` say, with a head for `vocabulary` where it is a classifier: from a checkpoint, or
    new where they name a configuration (its tokenizer is then made from `texts`).

    Raises:
        UsageError: random weights are left as they are, or quantized weights are to be trained.
        ModelError: it has no part that could be left as it is.
    """
    if settings.from_scratch:
        scratch(settings.from_scratch)
        if settings.lora or settings.freeze_vision:
            hint = "leave out --lora and --freeze-vision, or give --model instead of --from-scratch"
            raise UsageError("random weights must be trained", where="--from-scratch", hint=hint)
        if settings.quantize:
            raise UsageError("random weights are not quantized", where="--quantize", hint="leave it out")
        family = next(family for family in all_families().values() if settings.from_scratch in family.scratch)
        return family.create(settings.from_scratch, _place_to_learn(settings), vocabulary, texts, settings.seed)
    return fine_tuned(settings, vocabulary)


def fine_tuned(settings: FineTuneSettings, vocabulary: Sequence[str] = (), *, converses: bool = False) -> Family:
    """A checkpoint to be trained further as `settings` say, with a head for `vocabulary` where it is a classifier.

    Args:
        converses: it is to learn conversations.

    Raises:
        UsageError: quantized weights are to be trained without adapters, or this family has none for them.
        ModelError: it has no part that could be left as it is, or cannot learn this.
    """
    checkpoint = _find(settings)
    family = _family_of(checkpoint)
    if converses and not family.converses:
        raise family.no_conversations(checkpoint.name)
    if settings.quantize and not (family.adapts_quantized and settings.lora):
        hint = "give --lora 16 beside it" if family.adapts_quantized else "leave it out"
        raise UsageError("quantized weights cannot be trained", where="--quantize", hint=hint)
    model = family.fine_tune(checkpoint, _place_to_learn(settings), vocabulary, settings.seed)
    if settings.quantize:
        keep_layout(model.network)
    model.adapt(lora=settings.lora, freeze_vision=settings.freeze_vision, seed=settings.seed)
    return model


def _place_to_learn(settings: FineTuneSettings) -> Placement:
    if settings.engine not in ("auto", "torch"):
        raise UsageError("models are trained by torch", where=f"--engine {settings.engine}", hint="leave it out")
    if settings.dtype == "auto" and not settings.quantize:
        # Steps are too small for bfloat16 weights; what is computed with them may still be (mixed precision). Those that are
        # quantized do not learn, and the adapters beside them are float32 whatever they are.
        settings = replace(settings, dtype="float32")
    return place(settings)


def lessons(settings: ModelSettings) -> ChatLessons:
    """What makes conversations ready for the model in `settings` to learn from; no weights are read.

    Raises:
        ModelError, ModelNotFound: there is none of that name, or it does not converse.
    """
    checkpoint = _find(settings)
    return _family_of(checkpoint).lessons_of(checkpoint)


def preview(
    settings: ModelSettings, examples: Sequence[Example], normalize: Callable[[str], str]
) -> list[tuple[tuple[str, bool], ...]]:
    """For each row its text as the tokens of the model in `settings`, each with whether it is learned; empty where that
    model is a classifier, whose tokens carry no loss."""
    family = _family_of(_find(settings))
    if not family.writes:
        return []
    model = load(replace(settings, engine="auto" if not family.needs_torch else "torch"))
    return [model.preview(example, normalize) for example in examples]


def scratch(name: str) -> Scratch:
    """The small configuration of that name.

    Raises:
        UsageError: there is none; the hint lists them.
    """
    known = {key: value for family in all_families().values() for key, value in family.scratch.items()}
    if name not in known:
        hint = "; ".join(f"{key}: {value.summary}" for key, value in known.items())
        raise UsageError(f"no configuration named {name!r}", where="--from-scratch", hint=hint)
    return known[name]


def recipe(settings: TrainSettings) -> Recipe:
    """The training settings that suit a start: those of the configuration, of the family, or the guide's for what is on
    the Hub and not looked at yet."""
    if settings.from_scratch:
        return scratch(settings.from_scratch).recipe
    local = settings.model in _embedded() or Path(settings.model).is_dir()
    return (_family_of(_find(settings)).recipes if local else GUIDES)[settings.task]


def _embedded() -> dict[str, Path]:
    return {name: folder for family in all_families().values() for name, folder in family.embedded.items()}


def _find(settings: ModelSettings) -> Checkpoint:
    if not settings.model:
        raise UsageError("no model named", hint="give --model FOLDER or --model OWNER/NAME")
    embedded = _embedded()
    if settings.model in embedded:
        checkpoint = find(str(embedded[settings.model]))
        return replace(checkpoint, name=settings.model, revision=__version__)
    return find(settings.model, settings.revision)


def _family_of(checkpoint: Checkpoint) -> type[Family]:
    by_type: dict[str, type[Family]] = {}
    for family in all_families().values():
        for model_type in family.model_types:
            if by_type.setdefault(model_type, family) is not family:
                raise ValueError(f"{model_type!r} is claimed by {by_type[model_type].name} and {family.name}")
    if checkpoint.model_type in by_type:
        return by_type[checkpoint.model_type]
    adopting = [family for family in all_families().values() if family.adopts(checkpoint.model_type)]
    if len(adopting) > 1:
        names = " and ".join(family.name for family in adopting)
        raise ValueError(f"{checkpoint.model_type!r} is adopted by {names}")
    if not adopting:
        found = checkpoint.model_type or "none"
        hint = f"supported: {', '.join(sorted(by_type))}, and what transformers opens as image-text-to-text"
        raise ModelError(f"model_type {found!r} is not supported", where=checkpoint.name, hint=hint)
    return adopting[0]
