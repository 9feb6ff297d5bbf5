"""Which engine answers: torch, or an export of the checkpoint under ONNX Runtime or OpenVINO; and why.

`auto` takes an export where one is kept that was verified. It makes none for a question, because making takes torch and a
minute; where many answers are wanted, `make_ahead` has it made first. It takes torch where an accelerator may be here, where the
numbers that are asked for are torch's affair, and where no export is. A named engine makes what is missing, once, or says why
there is none. Knows no architecture; `exported/` does.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ..errors import MissingExtra, ModelError, UsageError
from ..registry import discover
from ..settings import ModelSettings
from . import export_cache, export_process
from .checkpoint import Checkpoint
from .exported.base import Exported
from .family import Family
from .runtime import EXTRAS, Runtime, fast_8_bits, installed, processor_features

MAKING = ("torch", "transformers", "onnx")
"""Packages that make an export."""
RUNTIMES: tuple[Runtime, ...] = ("onnx", "openvino")


@dataclass(frozen=True, slots=True)
class Choice:
    """What answers, and why."""

    engine: str
    """`torch`, or a runtime's name."""
    numbers: str
    reason: str


@dataclass(frozen=True, slots=True)
class Option:
    """One engine that could answer, and how it stands."""

    engine: str
    numbers: str
    state: str
    """`ready`, `not made yet`, or why it is none."""
    agreement: dict[str, float]
    """What was measured against the original: see `models.export`; empty where nothing was."""


def all_exported() -> dict[str, type[Exported]]:
    """Every architecture that can be exported, by the name of its family."""
    return discover("seesay.models.exported", Exported)


def choose(checkpoint: Checkpoint, family: type[Family], settings: ModelSettings) -> Choice:
    """Which engine `settings` mean for a checkpoint. Nothing is made, and torch is not imported.

    Raises:
        UsageError: settings that contradict one another.
    """
    _refuse_contradictions(family, settings)
    if not family.needs_torch:
        return Choice("onnx", "float32", "it is made for ONNX Runtime")
    if settings.engine == "torch":
        return Choice("torch", settings.dtype, "asked for")
    if settings.engine != "auto":
        runtime: Runtime = "openvino" if settings.engine == "openvino" else "onnx"
        return Choice(runtime, wanted_numbers(runtime, settings)[0], "asked for")
    why = _why_torch(family, checkpoint, settings)
    if why:
        return Choice("torch", settings.dtype, why)
    refusals = []
    for runtime, numbers in _fastest_first(settings):
        entry = _kept(checkpoint, runtime, numbers)
        if entry is not None and entry.refusal:
            refusals.append(entry.refusal)
        elif entry is not None:
            how = f"its export in {numbers} is here and says what the original says"
            return Choice(runtime, numbers, how)
    if refusals:
        return Choice("torch", settings.dtype, f"its export is not as right as the original: {'; '.join(refusals)}")
    hint = "no verified export of it is here; --engine onnx makes one, once, and so do large batches and servers"
    return Choice("torch", settings.dtype, hint)


def make_ahead(
    checkpoint: Checkpoint,
    family: type[Family],
    settings: ModelSettings,
    answers: int | None,
    tell: Callable[[str], None],
) -> None:
    """Make the export in 8 bits that `auto` would answer by, where none is here and enough answers are wanted to win it back.
    What keeps it from being made is told, and torch answers.

    Args:
        answers: that are wanted; None where whoever comes may ask.
        tell: told in a line each what is done.
    """
    if answers is not None and answers < export_process.MANY:
        return
    if not (_is_missing(checkpoint, family, settings) and all(map(find_spec, MAKING))):
        return
    failed = export_process.make(settings, checkpoint.name, tell)
    if failed:
        entry = _kept(checkpoint, "onnx", "int8")
        tell(f"torch answers: {entry.refusal if entry is not None and entry.refusal else failed}")


def _is_missing(checkpoint: Checkpoint, family: type[Family], settings: ModelSettings) -> bool:
    """Whether `auto` means torch only because nobody has made the export in 8 bits, which is the fastest."""
    if settings.engine != "auto" or not family.needs_torch or _why_torch(family, checkpoint, settings):
        return False
    order = _fastest_first(settings)
    # Other numbers are hardly faster than torch.
    if ("onnx", "int8") not in order[:1]:
        return False
    kept = [_kept(checkpoint, runtime, numbers) for runtime, numbers in order]
    return kept[0] is None and all(entry is None or entry.refusal for entry in kept)


def open_export(
    checkpoint: Checkpoint, family: type[Family], settings: ModelSettings, load: Callable[[], Family], threads: int = 0
) -> Exported:
    """The export of a checkpoint, made and verified where there is none yet.

    Args:
        load: opens the original, under torch in float32.
        threads: that compute one batch; 0 takes as many as this process may use.

    Raises:
        ModelError: it cannot be exported, or no export of it is as right as the original.
        MissingExtra: a package is missing.
    """
    choice = choose(checkpoint, family, settings)
    runtime: Runtime = "openvino" if choice.engine == "openvino" else "onnx"
    kind = all_exported().get(family.name)
    reason = f"no export is known of the family {family.name}" if kind is None else kind.refused(checkpoint)
    if kind is None or reason:
        raise ModelError(reason, where=checkpoint.name, hint="--engine torch")
    if not installed(runtime):
        raise MissingExtra(f"--engine {runtime}", EXTRAS[runtime])
    refusals = []
    # `auto` takes what is here and makes nothing.
    for numbers in [choice.numbers] if settings.engine == "auto" else wanted_numbers(runtime, settings):
        entry = export_cache.keep(
            export_cache.key_of(checkpoint, runtime, numbers), _maker(kind, runtime, numbers, load)
        )
        if not entry.refusal:
            export_cache.used(entry)
            return kind(checkpoint, entry.folder, runtime, numbers, threads)
        refusals.append(entry.refusal)
    raise ModelError(
        f"its export is not as right as the original: {'; '.join(refusals)}",
        where=checkpoint.name,
        hint="--engine torch",
    )


def options(checkpoint: Checkpoint, family: type[Family]) -> list[Option]:
    """Every engine for a checkpoint, with how it stands here. Nothing is made, and torch is not imported."""
    if not family.needs_torch:
        return [Option("onnx", "float32", "ready", {})]
    torch = "ready" if find_spec("torch") and find_spec("transformers") else "not installed: seesay[models]"
    found, kind = [Option("torch", "float32", torch, {})], all_exported().get(family.name)
    if kind is None:
        return found
    for runtime, numbers in _fastest_first(ModelSettings(), only_here=False):
        entry = _kept(checkpoint, runtime, numbers)
        if not installed(runtime):
            state = f"not installed: {EXTRAS[runtime]}"
        elif entry is None:
            state = kind.refused(checkpoint) or "not made yet"
        else:
            state = entry.refusal or "ready"
        found.append(Option(runtime, numbers, state, dict(entry.manifest.get("agreement", {})) if entry else {}))
    return found


def wanted_numbers(runtime: Runtime, settings: ModelSettings) -> list[str]:
    """What an export may compute in, the fastest first."""
    if settings.quantize:
        return ["int8"]
    if settings.dtype != "auto":
        return [settings.dtype]
    if runtime == "onnx":
        return ["int8", "float32"]
    return ["bfloat16", "float32"] if {"avx512_bf16", "amx_bf16"} & processor_features() else ["float32"]


def _kept(checkpoint: Checkpoint, runtime: Runtime, numbers: str) -> export_cache.Entry | None:
    if export_cache.is_empty():
        return None
    return export_cache.find(export_cache.key_of(checkpoint, runtime, numbers))


def _maker(
    kind: type[Exported], runtime: Runtime, numbers: str, load: Callable[[], Family]
) -> Callable[[Path], dict[str, object]]:
    def make(folder: Path) -> dict[str, object]:
        from .export import make as write

        return write(load(), kind, runtime, numbers, folder)

    return make


def _fastest_first(settings: ModelSettings, *, only_here: bool = True) -> list[tuple[Runtime, str]]:
    """Every runtime (that is here) with every kind of numbers, in the order that was measured (docs/performance.md)."""
    if not fast_8_bits():
        order: list[tuple[Runtime, str]] = [("openvino", "float32"), ("onnx", "float32"), ("onnx", "int8")]
    else:
        order = [("onnx", "int8"), ("openvino", "bfloat16"), ("openvino", "float32"), ("onnx", "float32")]
    return [
        (runtime, numbers)
        for runtime, numbers in order
        if (installed(runtime) or not only_here) and numbers in wanted_numbers(runtime, settings)
    ]


def _why_torch(family: type[Family], checkpoint: Checkpoint, settings: ModelSettings) -> str:
    """Why `auto` means torch, whatever exports are here; empty where it does not."""
    kind = all_exported().get(family.name)
    if kind is None:
        return f"no export is known of the family {family.name}"
    if find_spec("tokenizers") is None:
        return "exports need the package tokenizers"
    if settings.device not in ("auto", "cpu"):
        return f"--device {settings.device}"
    if settings.device == "auto" and _accelerator():
        return "an accelerator may be here; exports compute on the processor"
    if settings.quantize or settings.dtype not in ("auto", "float32"):
        return "weights in these numbers are torch's affair"
    return kind.refused(checkpoint)


def _accelerator() -> bool:
    """Whether a CUDA device, or Apple's, may be here; to know it surely takes a second's import of torch."""
    if platform.system() == "Darwin":
        return platform.machine() == "arm64"
    return Path("/dev/nvidia0").exists() or Path("/dev/kfd").exists() or Path("/dev/dxg").exists()


def _refuse_contradictions(family: type[Family], settings: ModelSettings) -> None:
    if settings.engine == "ray":
        hint = "take it for `seesay batch` and `seesay serve`"
        raise UsageError("this is computed on one machine", where="--engine ray", hint=hint)
    if settings.engine in ("auto", "torch"):
        if settings.engine == "torch" and not family.needs_torch:
            raise UsageError(
                f"models of the family {family.name} run on ONNX Runtime", where="--engine torch", hint="auto"
            )
        return
    if settings.device not in ("auto", "cpu"):
        raise UsageError(f"--engine {settings.engine} computes on the processor", where=f"--device {settings.device}")
    able = {"onnx": ("auto", "float32"), "openvino": ("auto", "float32", "bfloat16")}[settings.engine]
    if settings.dtype not in able:
        hint = f"it takes {', '.join(able)}"
        raise UsageError(f"not with --engine {settings.engine}", where=f"--dtype {settings.dtype}", hint=hint)
    if settings.quantize and (settings.engine, settings.quantize) != ("onnx", "int8"):
        hint = "--engine onnx takes int8"
        raise UsageError(f"not with --engine {settings.engine}", where=f"--quantize {settings.quantize}", hint=hint)
