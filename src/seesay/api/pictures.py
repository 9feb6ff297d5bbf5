"""Pictures asked about, described, talked about and read: what the commands of that name do."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path

from .. import answering, config, models, reading
from ..errors import UsageError
from ..files import write_whole
from ..media import probe_image
from ..settings import (
    AskSettings,
    CaptionSettings,
    ChatSettings,
    ReadSettings,
)
from ..types import (
    Answer,
    Conversation,
    Example,
    ImageSource,
    Reading,
)
from .model import Model, clean_question


def ask(settings: AskSettings, images: Sequence[ImageSource], questions: Sequence[str]) -> Iterator[Answer]:
    """Every question about every picture, questions in the inner loop. Pictures are looked at before a model is loaded."""
    for image in images:
        probe_image(image)
    examples = [Example((image,), clean_question(question)) for image in images for question in questions]
    model = Model(models.load(settings))
    choices = settings.choices.split(",") if settings.choices else []
    if settings.evidence is not None:
        return iter([_with_evidence(settings, model, examples[0], settings.evidence, choices)])
    return model.answer(
        examples,
        top_k=settings.top_k,
        batch_size=settings.batch_size,
        risk=settings.abstain_at_risk,
        choices=choices,
    )


def _with_evidence(settings: AskSettings, model: Model, example: Example, file: Path, choices: Sequence[str]) -> Answer:
    from ..answering.draw import draw_evidence

    if not choices and model.is_for_the_reader(example):
        raise UsageError("this question is answered by the reader, which cites its lines", where="--evidence")
    (given,) = model.answer([example], top_k=settings.top_k, risk=settings.abstain_at_risk, choices=choices)
    found = model.evidence(example.images[0], example.question, given.alternatives[0].text)
    write_whole(file, draw_evidence(example.images[0], example.question, found))
    return given


def caption(settings: CaptionSettings, images: Sequence[ImageSource]) -> Iterator[Answer]:
    """Every picture described. Pictures are looked at before a model is loaded."""
    for image in images:
        probe_image(image)
    model = Model(models.load(settings))
    model.require_captions()
    return model.answer([Example((image,)) for image in images], batch_size=settings.batch_size)


def open_chat(settings: ChatSettings, images: Sequence[ImageSource]) -> Model:
    """The model for a conversation that begins with `images`. They are looked at before it is loaded."""
    for image in images:
        probe_image(image)
    return Model(models.load(settings))


def save_conversation(conversation: Conversation, path: str | PathLike[str], /) -> None:
    """Write a conversation as JSON, whole or not at all: OpenAI's messages, every picture within.

    Raises:
        ImageError: a picture cannot be read any more.
        ResourceError: the file cannot be written.
    """
    messages = answering.conversation_to_openai(conversation)
    write_whole(Path(path), json.dumps(messages, ensure_ascii=False, indent=1).encode())


def read(source: ImageSource, *, min_confidence: float | None = None) -> Reading:
    """Read the text in a picture; one without text gives a reading without lines.

    Args:
        source: a path, a data URL, encoded bytes, a PIL image or an array.
        min_confidence: leave out lines of less confidence than this (0 to 1); None takes the setting, which is 0.5.

    Raises:
        ImageError: the picture cannot be used.
        UsageError: `min_confidence` is out of range.
    """
    settings = config.resolve(ReadSettings, "read", {"min_confidence": min_confidence})
    return reading.read(source, min_confidence=settings.min_confidence)
