"""Making an export: the networks of an opened original as ONNX files, in 8 bits where asked, held against the original.

An export is right where it says what the original says. On sample pictures and questions:

- in float32 every logit is the original's within `EXACT` of their spread;
- in fewer bits the mean square error of the logits is at most `SPREAD` of their spread, and where another answer comes
  first, the original gives it a score at most `LOST` below its own best. Of models that chat each token that the export
  writes is judged so: after one that was as likely as another, whole answers go their own ways.

What is not as right is refused with the figures. Imports torch inside functions; knows nothing of where exports are kept.
"""

from __future__ import annotations

import json
import math
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy

from ..errors import MissingExtra, ModelError
from ..types import Example
from .checkpoint import EXTRA
from .exported.base import FACTS, Exported, Part
from .family import Family
from .narrow import quantize, save, taken
from .runtime import Array, Runtime

EXACT, SPREAD, LOST = 1e-4, 0.1, 0.05
OPSET = 17
QUESTIONS = ("What is in the picture?", "Is there a dog on the left of the table?", "What color is it?", "How many?")
SIZES = ((640, 480), (480, 640), (500, 500), (300, 900))
"""(width, height) of the sample pictures."""


def make(original: Family, kind: type[Exported], runtime: Runtime, numbers: str, folder: Path) -> dict[str, Any]:
    """Write the export of `original` into an empty folder, verify it, and return its manifest; where it is not as right, one
    with `refusal` and no files.

    Args:
        numbers: `float32`, `int8` (weights and what they are multiplied with) or `bfloat16` (what OpenVINO computes in).

    Raises:
        MissingExtra: the package onnx is not installed.
    """
    started = time.monotonic()
    facts = kind.facts_of(original)
    (folder / FACTS).write_text(json.dumps(facts), encoding="utf-8")
    kind.keep_preparing(original, folder)
    for name, part in kind.parts(original).items():
        file = folder / f"{name}.onnx"
        write_graph(part, file)
        if numbers == "int8":
            quantize(file, part.scales)
        else:
            save(taken(file), file)
    try:
        agreement, refusal = verify(original, kind(original.checkpoint, folder, runtime, numbers), numbers)
    except ModelError as error:
        agreement, refusal = {}, f"{numbers}: {error.message}"
    manifest = {
        "model": original.checkpoint.name, "family": kind.name, "runtime": runtime, "numbers": numbers,
        "made_with": original.engine, "agreement": agreement,
    }  # fmt: skip
    if refusal:
        for file in folder.iterdir():
            file.unlink()
        manifest["refusal"] = refusal
    return {**manifest, "seconds": round(time.monotonic() - started, 1)}


def write_graph(part: Part, file: Path) -> None:
    """A network as an ONNX file of its own.

    Raises:
        MissingExtra: the package onnx is not installed.
    """
    import torch

    try:
        import onnx  # noqa: F401
    except ImportError:
        raise MissingExtra("making an export", EXTRA) from None
    with warnings.catch_warnings(), torch.inference_mode(), _told(file.stem):
        # The exporter that works without further packages warns of its successor, and of shapes it takes for constant.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            part.network, tuple(part.inputs.values()), str(file), input_names=list(part.inputs),
            output_names=list(part.outputs), dynamic_axes={name: dict(axes) for name, axes in part.free.items()},
            opset_version=OPSET, dynamo=False,
        )  # fmt: skip


@contextmanager
def _told(part: str) -> Iterator[None]:
    """What the exporter cannot do becomes one line of ours."""
    try:
        yield
    except (RuntimeError, ValueError, TypeError) as error:
        why = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        hint = "--engine torch"
        raise ModelError(f"its part {part!r} cannot be written as ONNX: {why}", hint=hint) from None


def verify(original: Family, export: Exported, numbers: str) -> tuple[dict[str, float], str]:
    """How far an export is from its original on the samples, and why that is too far; empty where it is as right."""
    errors, lost, other, count = [], 0.0, 0, 0
    for examples in samples(original, *type(export).samples):
        theirs, ours = original.prepare(examples), export.prepare(examples)
        replies = [best[0].text for best in original.predict(theirs, 1)]
        wanted, found = export.wanted(original, theirs, replies), export.found(ours, replies)
        spread = wanted.std(axis=1, keepdims=True) + 1e-12
        errors.append((found - wanted) / spread)
        given = [best[0].text for best in export.predict(ours, 1)]
        lost = max(lost, export.lost(original, theirs, ours, replies, given))
        other += sum(mine != one for mine, one in zip(replies, given, strict=True))
        count += len(examples)
    every = numpy.concatenate([error.ravel() for error in errors])
    largest, square = float(numpy.abs(every).max()), float(math.sqrt((every**2).mean()))
    agreement = {
        "largest_error": largest, "root_mean_square_error": square, "score_lost": lost, "same_best": 1 - other / count
    }  # fmt: skip
    return {name: round(value, 7) for name, value in agreement.items()}, _judged(numbers, largest, square, lost)


def _judged(numbers: str, largest: float, square: float, lost: float) -> str:
    if not math.isfinite(largest):
        return f"{numbers}: its logits are not finite"
    if numbers == "float32":
        return (
            ""
            if largest <= EXACT
            else f"float32: a logit is off by {largest:.2g} of their spread; allowed are {EXACT:g}"
        )
    if square > SPREAD:
        return f"{numbers}: logits are off by {square:.2g} of their spread; allowed are {SPREAD:g}"
    if lost > LOST:
        return f"{numbers}: an answer comes first whose score is {lost:.2f} below the best; allowed are {LOST:g}"
    return ""


def samples(original: Family, batches: int, rows: int) -> Iterator[list[Example]]:
    """Batches to compare on: pictures of several shapes, each asked something else, or described."""
    pictures = [sample_picture(index, *size) for index, size in enumerate(SIZES)]
    asked: Sequence[str] = QUESTIONS if original.answers else ("",) * len(pictures)
    numbers = range(batches * rows)
    every = [Example((pictures[one % 4],), asked[(one + one // 4) % len(asked)]) for one in numbers]
    for start in numbers[::rows]:
        yield every[start : start + rows]


def sample_picture(index: int, width: int, height: int) -> Array:
    """(height, width, 3): soft colors with hard edges in them, as photographs have them; always the same."""
    rng = numpy.random.default_rng([2026, index])
    y, x = numpy.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    waves = [
        sum(
            rng.normal() / turn * numpy.sin(2 * math.pi * (turn * (rng.normal() * x + rng.normal() * y) + rng.random()))
            for turn in range(1, 5)
        )
        for _ in range(3)
    ]
    picture = numpy.stack(waves, axis=-1)
    for _ in range(6):
        left, top = rng.random(2) * 0.8
        inside = (x > left) & (x < left + 0.3 * rng.random()) & (y > top) & (y < top + 0.3 * rng.random())
        picture[inside] = rng.normal(size=3)
    picture += rng.normal(scale=0.05, size=picture.shape)
    values: Array = (numpy.clip(picture * 0.25 + 0.5, 0, 1) * 255).astype(numpy.uint8)
    return values
