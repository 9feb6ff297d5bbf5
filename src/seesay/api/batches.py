"""Many pictures times many questions: what `seesay batch` does. It gives `batch` a model, and the model its threads."""

from __future__ import annotations

import dataclasses
import hashlib
import threading
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import nullcontext
from functools import lru_cache
from typing import Any

from .. import models, reading
from ..batch import Compute, Done, Group, Job, Summary, Verb, computed, read_questions, run
from ..errors import UsageError
from ..media.ahead import cores
from ..models import Checkpoint
from ..settings import (
    BatchAskSettings,
    BatchCaptionSettings,
    BatchOutput,
    BatchReadSettings,
    BatchSettings,
)
from ..types import Answer, Example, Reading
from .model import Model

WEIGHTS = (".safetensors", ".onnx", ".json")
QUESTIONS_KEPT = 4096
"""Of which is known how much of a picture they want."""
_READER = threading.Lock()
"""There is one reader in a process."""

_SETTINGS: dict[Verb, type[BatchOutput]] = {
    "ask": BatchAskSettings,
    "caption": BatchCaptionSettings,
    "read": BatchReadSettings,
}
_FREE = {field.name for field in dataclasses.fields(BatchOutput)} | {"questions", "batch_size", "device"}
"""Settings that do not decide what a row says."""


def batch(
    settings: BatchSettings,
    source: str,
    questions: Sequence[str] = (),
    progress: Callable[[int, int], None] | None = None,
    tell: Callable[[str], None] = lambda text: None,
) -> Summary:
    """Ask about, describe or read every picture of a folder or a manifest; the same call goes on where one was stopped.

    Args:
        settings: `BatchAskSettings`, `BatchCaptionSettings` or `BatchReadSettings`.
        source: a folder, or a file: .jsonl or .csv with the fields image, question and id, .txt with one path a line.
        questions: asked about every picture that brings none of its own.
        progress: told how many rows of about how many are done.
        tell: told, in a line, of an export of the model that is made first because so many rows win it back.

    Raises:
        UsageError, DataError: the input, the questions or the output cannot be meant.
        RunError: the output holds rows made with other settings, or another process is writing it.
        ResourceError: the disk is full; what is written is whole.
        Interrupted: stopped by the user; what is written is whole.
    """
    size = batch_size(settings)
    job = batch_job(settings)

    def produce(groups: Iterator[Group], there: Collection[bytes], left: int) -> Generator[Done, None, None]:
        make_batch_export(settings, left, tell)
        return computed(groups, job, batch_computes(settings, cores()), there, size=size)

    return run(
        job,
        source,
        batch_questions(settings, questions),
        settings.output,
        produce,
        size=size,
        retry_failed=settings.retry_failed,
        progress=progress,
    )


def batch_job(settings: BatchSettings) -> Job:
    """What decides the rows. The model is found, and not loaded.

    Raises:
        ModelNotFound, ModelError: there is none of that name.
    """
    verb = next(verb for verb, kind in _SETTINGS.items() if isinstance(settings, kind))
    names = [field.name for field in dataclasses.fields(settings) if field.name not in _FREE]
    facts = {name: getattr(settings, name) for name in names}
    if not isinstance(settings, BatchReadSettings):
        checkpoint = models.identify(settings)
        facts |= {"model": checkpoint.name, "revision": checkpoint.revision or _digest(checkpoint)}
    else:
        facts |= {"model": "reader", "revision": ""}
    return Job(verb, facts)


def batch_questions(settings: BatchSettings, given: Sequence[str]) -> tuple[str, ...]:
    """The questions asked about every picture: those given, then those of the file that the settings name."""
    return read_questions(settings.questions, given) if isinstance(settings, BatchAskSettings) else ()


def batch_size(settings: BatchSettings) -> int:
    """Questions computed at once; pictures are read one by one."""
    return 1 if isinstance(settings, BatchReadSettings) else settings.batch_size


def make_batch_export(settings: BatchSettings, left: int, tell: Callable[[str], None]) -> None:
    """Make the export of the model, where that pays for `left` rows; see `models.make_ahead`."""
    if not isinstance(settings, BatchReadSettings):
        models.make_ahead(_on_each_machine(settings), left, tell)


def batch_computes(settings: BatchSettings, threads: int) -> list[Compute]:
    """What answers: a model for each thread where the model is small and not torch's, which uses all threads itself.

    Raises:
        UsageError: an engine is named for the reader.
        ModelNotFound, ModelError, MissingExtra: as `load`.
    """
    if isinstance(settings, BatchReadSettings):
        if settings.engine not in ("auto", "ray"):
            raise UsageError("the reader has one engine of its own", where=f"--engine {settings.engine}", hint="auto")
        return [_reader(settings)]
    settings = _on_each_machine(settings)
    first = Model(models.load(settings, threads=1))
    if isinstance(settings, BatchCaptionSettings):
        first.require_captions()
    alone = first.family.needs_torch or threads < 2
    others = [] if alone else [Model(models.load(settings, threads=1)) for _ in range(threads - 1)]
    return [_answerer(model, settings) for model in (first, *others)]


def _on_each_machine(
    settings: BatchAskSettings | BatchCaptionSettings,
) -> BatchAskSettings | BatchCaptionSettings:
    """Settings for one machine of those that Ray spreads the work over."""
    return dataclasses.replace(settings, engine="auto") if settings.engine == "ray" else settings


def _answerer(model: Model, settings: BatchAskSettings | BatchCaptionSettings) -> Compute:
    if isinstance(settings, BatchCaptionSettings):
        return Compute(lambda examples: list(model.answer(examples, batch_size=len(examples))), lambda _: model.fits())
    choices = settings.choices.split(",") if settings.choices else []
    keywords: dict[str, Any] = {"top_k": settings.top_k, "risk": settings.abstain_at_risk, "choices": choices}

    def answer(examples: Sequence[Example]) -> list[Answer]:
        read = [not choices and model.is_for_the_reader(example) for example in examples]
        given: dict[int, Answer] = {}
        for wanted in (False, True):  # what the model answers stays one batch
            places = [place for place, reads in enumerate(read) if reads is wanted]
            with _READER if wanted else nullcontext():
                found = model.answer([examples[place] for place in places], batch_size=len(examples), **keywords)
                given.update(zip(places, found, strict=True))
        return [given[place] for place in range(len(examples))]

    # Few questions are asked of many pictures.
    return Compute(answer, lru_cache(QUESTIONS_KEPT)(model.fits) if not choices else lambda _: model.family.fits)


def _reader(settings: BatchReadSettings) -> Compute:
    def read(examples: Sequence[Example]) -> list[Reading]:
        return [reading.read(example.images[0], min_confidence=settings.min_confidence) for example in examples]

    return Compute(read)


def _digest(checkpoint: Checkpoint) -> str:
    """sha256 over the files of a checkpoint whose revision is not known: a folder that no run of ours wrote."""
    total = hashlib.sha256()
    for path in sorted(path for path in checkpoint.folder.rglob("*") if path.suffix in WEIGHTS and path.is_file()):
        with path.open("rb") as file:
            total.update(f"{path.relative_to(checkpoint.folder)}\0".encode())
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()
