"""What callers hold: a model and its verbs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Unpack, overload

from .. import answering, config, models, reading
from ..errors import ModelError, UsageError
from ..media import clean_text, digest_image
from ..settings import (
    ChatSettings,
    ModelKeywords,
    ModelSettings,
    fields_of,
)
from ..types import (
    Answer,
    Candidate,
    Conversation,
    Evidence,
    Example,
    ImageSource,
    Note,
    Provenance,
    Reading,
)

if TYPE_CHECKING:
    from ..answering import AnswerStream, Limits
    from ..media import Scaling


QUESTION_CHARACTERS = 2_000


class Model:
    """A loaded model and what it can do. Made by `load`; safe to keep for as many questions as you like."""

    def __init__(self, family: models.Family) -> None:
        self.family = family

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The answers that a classifier can give."""
        return self.family.vocabulary

    @overload
    def ask(
        self,
        image: ImageSource,
        question: str,
        *,
        top_k: int = 1,
        batch_size: int = 16,
        risk: float | None = None,
        choices: Sequence[str] = (),
    ) -> Answer: ...
    @overload
    def ask(
        self,
        image: ImageSource | list[ImageSource],
        question: list[str],
        *,
        top_k: int = 1,
        batch_size: int = 16,
        risk: float | None = None,
        choices: Sequence[str] = (),
    ) -> list[Answer]: ...
    @overload
    def ask(
        self,
        image: list[ImageSource],
        question: str,
        *,
        top_k: int = 1,
        batch_size: int = 16,
        risk: float | None = None,
        choices: Sequence[str] = (),
    ) -> list[Answer]: ...
    def ask(
        self,
        image: ImageSource | list[ImageSource],
        question: str | list[str],
        *,
        top_k: int = 1,
        batch_size: int = 16,
        risk: float | None = None,
        choices: Sequence[str] = (),
    ) -> Answer | list[Answer]:
        """Answer a question about a picture; several of either in one call, batched, in order.

        Args:
            image: a path, a data URL, encoded bytes, a PIL image or an array; or a list of them.
            question: one question, asked of every picture, or a list of them. Two lists must be equally long and are
                taken in pairs.
            top_k: how many alternatives each answer carries, best first.
            risk: withhold answers so that at most this share (0 to 1) of those given is wrong; None takes the model's own
                default, 1 withholds nothing.
            choices: answer with one of these; the alternatives are all of them, with scores that sum to one.

        Raises:
            ImageError, TextError: a picture or a question cannot be used; nothing was computed for it.
            ModelError: a `risk` was given, and the model's scores are not calibrated; or it cannot give one of `choices`.
        """
        images = image if isinstance(image, list) else [image]
        questions = question if isinstance(question, list) else [question]
        pairs = _pairs(images, questions)
        answers = list(self.answer(pairs, top_k=top_k, batch_size=batch_size, risk=risk, choices=choices))
        return answers if isinstance(image, list) or isinstance(question, list) else answers[0]

    @overload
    def caption(self, image: ImageSource, *, batch_size: int = 16) -> Answer: ...
    @overload
    def caption(self, image: list[ImageSource], *, batch_size: int = 16) -> list[Answer]: ...
    def caption(self, image: ImageSource | list[ImageSource], *, batch_size: int = 16) -> Answer | list[Answer]:
        """Describe a picture in a sentence; several in one call, batched, in order.

        Raises:
            ImageError: a picture cannot be used.
            ModelError: the model cannot describe pictures.
        """
        self.require_captions()
        images = image if isinstance(image, list) else [image]
        answers = list(self.answer([Example((one,)) for one in images], batch_size=batch_size))
        return answers if isinstance(image, list) else answers[0]

    def evidence(self, image: ImageSource, question: str, answer: str) -> Evidence:
        """Which parts of the picture `answer` hangs on, found by hiding them one after another.

        Raises:
            ImageError: the picture cannot be used.
        """
        from ..answering.evidence import evidence

        return evidence(self.family, _clean(Example((image,), question)), answer)

    def answer(
        self,
        examples: Iterable[Example],
        *,
        top_k: int = 1,
        batch_size: int = 16,
        risk: float | None = None,
        choices: Sequence[str] = (),
    ) -> Iterator[Answer]:
        """Answers to examples, one by one as they are computed; for more of them than fit in memory.

        Questions for the text in a picture are answered by the reader where the model cannot read.
        """
        if choices:
            yield from answering.answer(
                self.family, map(_clean, examples), batch_size=batch_size, choices=_choices(choices)
            )
            return
        readings: dict[str, Reading] = {}
        for wants_text, group in groupby(map(_clean, examples), key=self.is_for_the_reader):
            if wants_text:
                yield from (_read_answer(example, readings) for example in group)
            else:
                yield from answering.answer(self.family, group, top_k=top_k, batch_size=batch_size, risk=risk)

    def chat(self, conversation: Conversation, **limits: Unpack[Limits]) -> Answer:
        """The next answer of a conversation, waited for; arguments and errors are those of `stream`."""
        with self.stream(conversation, **limits) as pieces:
            return pieces.answer()

    @overload
    def stream(self, about: Conversation, question: None = None, **limits: Unpack[Limits]) -> AnswerStream: ...
    @overload
    def stream(self, about: ImageSource, question: str, **limits: Unpack[Limits]) -> AnswerStream: ...
    def stream(
        self,
        about: Conversation | ImageSource,
        question: str | None = None,
        *,
        max_new_tokens: int = answering.MAX_NEW_TOKENS,
        stop: Sequence[str] = (),
        deadline: float = answering.DEADLINE,
    ) -> AnswerStream:
        """An answer in pieces, while it is written; to a conversation, or to one question as `ask` puts it.

        A model that does not converse answers the last question about the latest picture; one that does not write token
        by token gives its answer in one piece. Models answer one after another: a second stream waits for the first.

        Args:
            about: a conversation whose last turn is the user's, or a picture.
            question: asked about the picture.
            max_new_tokens: where to stop (1 to 1,024).
            stop: texts that end the answer and are not part of it.
            deadline: seconds after which to stop.

        Raises:
            InputError, TextError: a conversation that cannot be answered.
            UsageError: a value out of range.

        What goes wrong later, a broken picture among it, is raised where the pieces are read.
        """
        family, limits = self.family, {"max_new_tokens": max_new_tokens, "deadline": deadline}
        for field in fields_of(ChatSettings):
            if field.name in limits:
                config.coerce(field, limits[field.name], field.name)
        if isinstance(about, Conversation):
            conversation = answering.check(about)
            turn = Example(conversation.images) if family.converses else models.last_question(conversation)
            prepare = partial(family.prepare_conversation, conversation)
        else:
            turn = Example((about,), clean_question(question or ""))
            prepare = partial(family.prepare, [turn])
        if not family.streams or self.is_for_the_reader(turn):
            return answering.whole(lambda: next(self.answer([turn])))
        return answering.stream(family, turn, prepare, max_new_tokens=max_new_tokens, stop=stop, deadline=deadline)

    def fits(self, question: str = "") -> Scaling | None:
        """To what a picture is scaled that is asked this: whoever decodes it hands this to `media.open_image`. None where all of
        it is needed, by the model or by the reader."""
        return None if not self.family.reads and reading.asks_for_text(question) else self.family.fits

    def is_for_the_reader(self, example: Example) -> bool:
        """Whether it is the reader who answers this: a question for text, to a model that cannot read."""
        return not self.family.reads and len(example.images) == 1 and reading.asks_for_text(example.question)

    def require_captions(self) -> None:
        """Raises a ModelError where the model cannot describe pictures."""
        if not self.family.captions:
            name = self.family.checkpoint.name
            raise ModelError(
                "this model answers questions and cannot describe pictures", where=name, hint="seesay-mini can"
            )


def load(model: str = "seesay-mini", /, **keywords: Unpack[ModelKeywords]) -> Model:
    """Load the model that comes with the package, or one from the folder of a checkpoint or a run, or from the Hub.

    Args:
        model: `seesay-mini`, a folder, or `owner/name` of a Hub repository.
        keywords: `revision`, `device`, `dtype`, as in `ModelSettings`.

    Raises:
        ModelNotFound, ModelError: there is none, or it cannot answer.
        MissingExtra: torch and transformers are not installed.
    """
    return Model(models.load(config.resolve(ModelSettings, "model", {"model": model, **keywords})))


def _read_answer(example: Example, readings: dict[str, Reading]) -> Answer:
    """What the reader says to a question for text. `readings` keeps what was read, by picture."""
    started = time.perf_counter()
    digest = digest_image(example.images[0])
    if digest not in readings:
        readings[digest] = reading.read(example.images[0])
    text = readings[digest]
    found, confidence, lines = reading.answer_from(example.question, text)
    provenance = Provenance(
        "reader", "", "reader", text.engine, "cpu", "float32", (digest,), time.perf_counter() - started
    )
    reason = Note() if found else Note("no text was found in the picture", "no_text")
    return Answer(
        found or None, confidence, (Candidate(found, confidence),), provenance, example.id, reason=reason, lines=lines
    )


def _pairs(images: Sequence[ImageSource], questions: Sequence[str]) -> Iterator[Example]:
    if not images or not questions:
        return
    if len(images) != len(questions) and 1 not in (len(images), len(questions)):
        raise UsageError(
            f"{len(images)} pictures and {len(questions)} questions cannot be paired",
            hint="give one of either, or as many of the one as of the other",
        )
    count = max(len(images), len(questions))
    for index in range(count):
        yield Example((images[index % len(images)],), clean_question(questions[index % len(questions)]), id=str(index))


def _choices(choices: Sequence[str]) -> list[str]:
    cleaned = [clean_text(choice, QUESTION_CHARACTERS, where="choices") for choice in choices]
    if len(set(cleaned)) < 2 or len(set(cleaned)) < len(cleaned):
        raise UsageError(f"{', '.join(cleaned)}: at least two different choices are needed", where="choices")
    return cleaned


def _clean(example: Example) -> Example:
    if not example.question:  # describe it
        return example
    question = clean_question(example.question, example.origin)
    return example if question == example.question else replace(example, question=question)


def clean_question(text: str, where: str = "") -> str:
    return clean_text(text, QUESTION_CHARACTERS, where=where or "question")
