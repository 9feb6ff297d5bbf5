"""transformers' v4 pipelines back, with their call shapes and results, for code that stopped working with v5.

    from seesay import pipeline

    oracle = pipeline("visual-question-answering", model="runs/vqa")
    oracle(image="photo.jpg", question="What is she wearing?", top_k=1)    # [{'score': 0.948, 'answer': 'hat'}]

    captioner = pipeline("image-to-text", model="Salesforce/blip-image-captioning-base")
    captioner("photo.jpg", max_new_tokens=20)                              # [{'generated_text': 'a woman in a hat'}]

Shapes were read off transformers 4.57 (`VisualQuestionAnsweringPipeline`) and the code of `ImageToTextPipeline`; the
latter's deprecated `prompt` and its `generate_kwargs` are not here. Two things differ on purpose: pictures go
through seesay's guarded door (every mode converts, URLs are refused), and questions longer than the model reads are cut
instead of failing inside the network.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, TypedDict, Unpack, cast, get_args, overload

from . import config
from .api import Model, load
from .errors import UsageError
from .settings import CaptionSettings, ModelKeywords
from .types import Answer, Example, ImageSource

AskTask = Literal["visual-question-answering", "vqa"]
CaptionTask = Literal["image-to-text"]
TASKS = (*get_args(AskTask), *get_args(CaptionTask))


class ScoredAnswer(TypedDict):
    """One answer as the v4 pipeline gives it."""

    score: float
    answer: str


class GeneratedText(TypedDict):
    """One caption as the v4 pipeline gives it."""

    generated_text: str


@overload
def pipeline(
    task: AskTask, model: str | Model, **keywords: Unpack[ModelKeywords]
) -> VisualQuestionAnsweringPipeline: ...
@overload
def pipeline(task: CaptionTask, model: str | Model, **keywords: Unpack[ModelKeywords]) -> ImageToTextPipeline: ...
def pipeline(
    task: AskTask | CaptionTask, model: str | Model, **keywords: Unpack[ModelKeywords]
) -> VisualQuestionAnsweringPipeline | ImageToTextPipeline:
    """A callable with the inputs and outputs of the v4 pipeline of that name.

    Args:
        task: `visual-question-answering`, its short name `vqa`, or `image-to-text`.
        model: folder, Hub name, or a model that is loaded already.

    Raises:
        UsageError: another task.
    """
    if task not in TASKS:
        raise UsageError(f"unknown task {task!r}", where="pipeline", hint=f"known: {', '.join(TASKS)}")
    loaded = model if isinstance(model, Model) else load(model, **keywords)
    return ImageToTextPipeline(loaded) if task == "image-to-text" else VisualQuestionAnsweringPipeline(loaded)


class VisualQuestionAnsweringPipeline:
    """Answers questions about pictures; see `__call__` for what it takes."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def __call__(
        self,
        image: Any,
        question: str | list[str] | None = None,
        *,
        top_k: int = 5,
        batch_size: int = 1,
    ) -> list[ScoredAnswer] | list[list[ScoredAnswer]] | Iterator[list[ScoredAnswer]]:
        """One list of answers for one question; a list of such lists for several; an iterator for an iterator.

        Args:
            image: a picture and `question` beside it; a list of pictures; `{"image": ..., "question": ...}`; a list of
                such dicts; or a generator or data set of them.
            question: one for all pictures or a list. Several of both: every question about every picture, pictures in
                the inner loop.
            top_k: how many answers each; at most the model's vocabulary.
        """
        if isinstance(image, Mapping):
            return next(self._answers([image], top_k, batch_size))
        if isinstance(question, str) and not isinstance(image, list):
            return next(self._answers([{"image": image, "question": question}], top_k, batch_size))
        if question is not None:
            images = image if isinstance(image, list) else [image]
            questions = question if isinstance(question, list) else [question]
            return list(
                self._answers([{"image": i, "question": q} for q in questions for i in images], top_k, batch_size)
            )
        if isinstance(image, list):
            return list(self._answers(image, top_k, batch_size))
        if isinstance(image, Iterable) and not isinstance(image, (str, bytes)):
            return self._answers(cast("Iterable[Mapping[str, Any]]", image), top_k, batch_size)
        raise UsageError("a picture without a question", where="pipeline", hint="give question=...")

    def _answers(
        self, inputs: Iterable[Mapping[str, Any]], top_k: int, batch_size: int
    ) -> Iterator[list[ScoredAnswer]]:
        for answer in self.model.answer(map(_example, inputs), top_k=top_k, batch_size=batch_size, risk=1.0):
            yield [{"score": candidate.score, "answer": candidate.text} for candidate in answer.alternatives]


class ImageToTextPipeline:
    """Describes pictures; see `__call__` for what it takes."""

    def __init__(self, model: Model) -> None:
        self.model = model

    @overload
    def __call__(
        self, inputs: list[ImageSource], *, max_new_tokens: int | None = None, batch_size: int = 1
    ) -> list[list[GeneratedText]]: ...
    @overload
    def __call__(
        self, inputs: ImageSource, *, max_new_tokens: int | None = None, batch_size: int = 1
    ) -> list[GeneratedText]: ...
    def __call__(
        self, inputs: ImageSource | list[ImageSource], *, max_new_tokens: int | None = None, batch_size: int = 1
    ) -> list[GeneratedText] | list[list[GeneratedText]]:
        """A list of one caption for a picture; a list of such lists for a list of pictures.

        Args:
            inputs: a picture, or a list of them.
            max_new_tokens: where a model that writes token by token stops; the default is the setting's, 20.

        Raises:
            ImageError: a picture cannot be used.
            ModelError: the model cannot describe pictures.
            UsageError: `max_new_tokens` is out of range.
        """
        family = self.model.family
        before = family.generation
        family.generation = config.resolve(CaptionSettings, "caption", {"max_new_tokens": max_new_tokens})
        try:
            if isinstance(inputs, list):
                return [_generated(answer) for answer in self.model.caption(inputs, batch_size=batch_size)]
            return _generated(self.model.caption(inputs))
        finally:
            family.generation = before


def _generated(caption: Answer) -> list[GeneratedText]:
    return [{"generated_text": caption.text or ""}]


def _example(row: Mapping[str, Any]) -> Example:
    missing = [key for key in ("image", "question") if key not in row]
    if missing:
        here = ", ".join(map(str, row))
        raise UsageError(f"no {' and no '.join(missing)} in an input", where="pipeline", hint=f"keys here: {here}")
    return Example((row["image"],), row["question"])
