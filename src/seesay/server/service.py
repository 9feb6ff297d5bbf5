"""What the routes call: a model, the reader, a voice and a listener, each with a thread of its own, behind one queue.

Pictures are decoded in a pool beside them, so that a huge one holds up nobody but its sender. It knows no HTTP.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

from .. import answering, api, models, speech
from ..answering import AnswerStream
from ..answering.draw import draw_evidence
from ..errors import ImageError, ModelNotFound, UsageError
from ..media import Scaling, open_image, probe_image
from ..settings import ListenSettings, ServeSettings, VoiceSettings
from ..types import (
    Answer,
    Conversation,
    Evidence,
    Example,
    ImagePart,
    Picture,
    Reading,
    Transcript,
    Utterance,
)
from .alt_texts import AltTexts
from .batching import Lane
from .finder import Finder
from .limits import PICTURES, PIXELS, Budget, Queue, Ticket, check_pixels
from .observe import Metrics
from .turns import Steps, TurnTaking

DECODERS = 2
"""Threads that decode pictures."""


@dataclass(frozen=True)
class _Asking:
    """Questions that may be computed together: to one model, wanted in one way."""

    model: api.Model
    top_k: int
    risk: float | None
    choices: tuple[str, ...]

    def __call__(self, examples: list[Example]) -> Sequence[Answer]:
        size = len(examples)
        wanted = {"top_k": self.top_k, "risk": self.risk, "choices": self.choices}
        return list(self.model.answer(examples, batch_size=size, **wanted))  # type: ignore[arg-type]


@dataclass(frozen=True)
class _Reading:
    min_confidence: float | None

    def __call__(self, pictures: list[Picture]) -> Sequence[Reading]:
        return [api.read(picture, min_confidence=self.min_confidence) for picture in pictures]


class Service:
    """All that is loaded. It is loaded when the server starts; nothing can be added later."""

    def __init__(self, settings: ServeSettings, tell: Callable[[str], None] = lambda text: None) -> None:
        """
        Args:
            tell: told, in a line, of an export of the model that is made first, because so many questions may come.

        Raises:
            ModelNotFound, ModelError, MissingExtra: as `models.load`, `speech.load` and `speech.load_listener`.
        """
        self.settings = settings
        models.make_ahead(settings, None, tell)
        self.model = api.Model(models.load(settings))
        self.name = public_name(settings.model)
        self.voice_name = public_name(settings.voice) if settings.voice else ""
        self.listener_name = public_name(settings.listen_model) if settings.listen_model else ""
        self._voice = api.Voice(speech.load(self._voice_settings(1.0))) if settings.voice else None
        listening = ListenSettings(model=settings.listen_model, device=settings.device)
        self._listener = speech.load_listener(listening) if settings.listen_model else None
        self.queue = Queue(settings.queue)
        self.in_flight = 0
        """Requests that are being worked on, or waited for."""
        self.metrics = Metrics(lambda: len(self.queue), lambda: self.in_flight)
        self._model_lane = Lane("model", settings.batch_size, self.metrics.batch, self.model.family.parallel)
        self._reader_lane, self._voice_lane, self._listener_lane = (
            Lane("reader", 1),
            Lane("voice", 1),
            Lane("listen", 1),
        )
        self._decoders = ThreadPoolExecutor(DECODERS, thread_name_prefix="seesay-decode")
        self._pixels = Budget(PIXELS)
        self.finder = Finder(settings, settings.index, self.model, self._model_lane) if settings.index else None
        self.alt_texts = AltTexts(self.caption, self._reader_lane, self.model.fits())
        self.draining = False

    def close(self) -> None:
        """Stop all threads, after what they are computing."""
        for lane in (self._model_lane, self._reader_lane, self._voice_lane, self._listener_lane):
            lane.close()
        if self.finder is not None:
            self.finder.close()
        self.alt_texts.close()
        self._decoders.shutdown(wait=True, cancel_futures=True)

    async def aside(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """The result of something that takes longer than the event loop should wait, from a thread of the pool."""
        return await asyncio.get_running_loop().run_in_executor(self._decoders, work, *arguments)

    @asynccontextmanager
    async def opened(
        self, sources: Sequence[bytes | str], names: Sequence[str] = (), *, fits: Scaling | None = None
    ) -> AsyncIterator[list[Picture]]:
        """Pictures decoded, while inside; as `opened_for` one size."""
        async with self.opened_for(sources, names, [fits]) as found:
            yield found[fits]

    @asynccontextmanager
    async def opened_for(
        self, sources: Sequence[bytes | str], names: Sequence[str], sizes: Iterable[Scaling | None]
    ) -> AsyncIterator[dict[Scaling | None, list[Picture]]]:
        """Pictures decoded in several sizes, while inside.

        Args:
            sources: encoded bytes or data URLs, never paths.
            names: what to call them in messages.
            sizes: as `fits` of `media.open_image`; those of `api.Model.fits`, so that answers are those of the command line.

        Raises:
            UsageError: too many.
            ImageError: one cannot be used; the message names it.
        """
        if len(sources) > PICTURES:
            raise UsageError(f"{len(sources)} pictures; the limit is {PICTURES} in one request", where="pictures")
        names = names or [f"picture {place}" for place in range(1, len(sources) + 1)]
        check_pixels(await self._count_pixels(sources, names, None))
        wanted = list(dict.fromkeys(sizes))
        # All at once: two requests that each held some and waited for more would wait for ever.
        async with self._pixels.taken(sum([await self._count_pixels(sources, names, size) for size in wanted])):
            yield {size: await self.aside(_each, partial(open_image, fits=size), sources, names) for size in wanted}

    async def _count_pixels(self, sources: Sequence[bytes | str], names: Sequence[str], fits: Scaling | None) -> int:
        infos = await self.aside(_each, partial(probe_image, fits=fits), sources, names)
        return sum(info.width * info.height for info in infos)

    async def answer(
        self,
        ticket: Ticket,
        examples: Sequence[Example],
        *,
        top_k: int = 1,
        risk: float | None = None,
        choices: Sequence[str] = (),
    ) -> list[Answer]:
        """Answers in the order of the examples. Questions for text go to the reader's thread where the model cannot read."""
        reads = [not choices and self.model.is_for_the_reader(example) for example in examples]
        work = _Asking(self.model, top_k, risk, tuple(choices))

        async def part(lane: Lane, wanted: bool) -> list[Answer]:
            rows = [example for example, is_read in zip(examples, reads, strict=True) if is_read is wanted]
            return await lane.run(ticket, work, rows) if rows else []

        read, asked = await asyncio.gather(part(self._reader_lane, True), part(self._model_lane, False))
        by_reader, by_model = iter(read), iter(asked)
        return [self._public(next(by_reader if is_read else by_model)) for is_read in reads]

    async def caption(self, ticket: Ticket, pictures: Sequence[Picture]) -> list[Answer]:
        """Descriptions.

        Raises:
            ModelError: the model cannot describe pictures.
        """
        self.model.require_captions()
        return await self.answer(ticket, [Example((picture,)) for picture in pictures])

    async def decide(
        self, ticket: Ticket, pictures: Sequence[Picture], questions: Sequence[tuple[str, tuple[str, ...]]]
    ) -> list[tuple[float, ...] | None]:
        """For each question how likely each of its allowed answers is, by the model's head or by likelihood; None where the
        model cannot tell: it never gives one of these answers, or finds that the picture does not show it.

        Args:
            questions: each with its answers, all different.
        """
        family = self.model.family
        found: list[tuple[float, ...] | None] = [None] * len(questions)
        groups: dict[tuple[str, ...], list[int]] = {}
        for place, (_, options) in enumerate(questions):
            if not family.vocabulary or set(options) <= set(family.vocabulary):
                groups.setdefault(options, []).append(place)

        async def group(options: tuple[str, ...], places: list[int]) -> None:
            # "I cannot tell" is an answer too, where a model has one.
            choices = (*options, family.unknown) if family.unknown and family.unknown not in options else options
            examples = [Example(tuple(pictures), questions[place][0]) for place in places]
            for place, answer in zip(places, await self.answer(ticket, examples, choices=choices), strict=True):
                if answer.text != family.unknown or family.unknown in options:
                    scores = {one.text: one.score for one in answer.alternatives}
                    total = sum(scores[option] for option in options)
                    found[place] = tuple(scores[option] / total for option in options)

        await asyncio.gather(*(group(options, places) for options, places in groups.items()))
        return found

    async def read(
        self, ticket: Ticket, pictures: Sequence[Picture], min_confidence: float | None = None
    ) -> list[Reading]:
        """The text in pictures."""
        return await self._reader_lane.run(ticket, _Reading(min_confidence), pictures)

    async def chat(
        self, ticket: Ticket, conversation: Conversation, *, max_new_tokens: int, stop: Sequence[str] = ()
    ) -> AsyncGenerator[str | Answer, None]:
        """Pieces of the next answer while it is written, and the answer at the end. Leaving it ends the work at a token.

        Raises:
            InputError, TextError: the conversation cannot be answered.
        """
        family = self.model.family
        conversation = answering.check(conversation)
        turn = Example(conversation.images) if family.converses else models.last_question(conversation)
        if not family.streams or self.model.is_for_the_reader(turn):
            (answer,) = await self.answer(ticket, [turn])
            if answer.text:
                yield answer.text
            yield answer
            return
        loop = asyncio.get_running_loop()
        mail: asyncio.Queue[str | None] = asyncio.Queue()
        handle = _Handle()

        def write() -> Answer:
            seconds = max(self.settings.deadline - ticket.seconds - 1, 1.0)
            with self.model.stream(conversation, max_new_tokens=max_new_tokens, stop=stop, deadline=seconds) as pieces:
                handle.give(pieces)
                for piece in pieces:
                    loop.call_soon_threadsafe(mail.put_nowait, piece)
                return pieces.answer()

        writing = asyncio.ensure_future(self._model_lane.call(ticket, write))
        writing.add_done_callback(lambda _: mail.put_nowait(None))
        try:
            while (piece := await mail.get()) is not None:
                yield piece
            yield self._public(await writing)
        finally:
            handle.cancel()
            writing.cancel()

    async def evidence(
        self, ticket: Ticket, picture: Picture, question: str, answer: str = ""
    ) -> tuple[Evidence, Answer | None]:
        """Which parts of the picture an answer hangs on (by default the model's own), and that answer.

        Raises:
            UsageError: the reader answers this question, and cites its lines.
        """
        example = Example((picture,), question)
        if self.model.is_for_the_reader(example):
            hint = "ask it: the answer has the lines"
            raise UsageError(
                "this question is answered by the reader, which cites its lines", where="question", hint=hint
            )
        given = None
        if not answer:
            (given,) = await self.answer(ticket, [example])
            answer = given.alternatives[0].text
        steps = Steps(ticket)
        try:
            asked = api.Model(cast("models.Family", TurnTaking(self.model.family, self._model_lane, steps)))
            # Not in the pool that decodes: it waits for its turns most of the time.
            return await asyncio.to_thread(asked.evidence, picture, question, answer), given
        finally:
            steps.cancel()

    async def draw(self, picture: Picture, question: str, found: Evidence, *, words: bool) -> bytes:
        """The evidence as a PNG."""
        return cast("bytes", await self.aside(partial(draw_evidence, words=words), picture, question, found))

    async def speak(self, ticket: Ticket, text: str, speed: float = 1.0) -> AsyncGenerator[Utterance, None]:
        """Sentences, each as soon as it is spoken; those of other requests come in between.

        Raises:
            ModelNotFound: no voice was loaded.
            TextError, SpeechError: the text cannot be spoken.
        """
        sentences = self.voice(speed).stream(text)
        while (utterance := await self._voice_lane.call(ticket, lambda: next(sentences, None))) is not None:
            yield utterance

    def voice(self, speed: float = 1.0) -> api.Voice:
        """The voice at a speed.

        Raises:
            ModelNotFound: no voice was loaded.
            UsageError: it has one speed.
        """
        if self._voice is None:
            raise ModelNotFound("this server has no voice", hint="seesay serve --voice hibari")
        if speed == 1.0:
            return self._voice
        if isinstance(self._voice.engine, speech.CheckpointVoice):
            raise UsageError(f"the voice {self.voice_name} has one speed here", where="speed", hint="leave it out")
        return api.Voice(speech.load(self._voice_settings(speed)))

    async def transcribe(self, ticket: Ticket, recording: bytes) -> Transcript:
        """What is said in a recording.

        Raises:
            ModelNotFound: no Whisper was loaded.
            AudioError: the recording cannot be used.
        """
        if self._listener is None:
            hint = "seesay serve --listen-model FOLDER"
            raise ModelNotFound("this server has no model that writes down recordings", hint=hint)
        heard: Transcript = await self._listener_lane.call(ticket, partial(self._listener.listen, recording))
        return replace(heard, model=self.listener_name)

    @property
    def names(self) -> list[str]:
        """What is loaded: the model, the voice, the Whisper."""
        return [name for name in (self.name, self.voice_name, self.listener_name) if name]

    def require(self, model: str) -> None:
        """Raises a ModelNotFound where `model` is not the one that answers here."""
        if model.removesuffix(":latest") != self.name:
            raise ModelNotFound(f"no model {model!r} is served here", where="model", hint=f"it is {self.name!r}")

    def tokens(self, text: str) -> int:
        """How many tokens a text is to the model."""
        return self.model.family.count_tokens(text) if text else 0

    def _voice_settings(self, speed: float) -> VoiceSettings:
        return VoiceSettings(model=self.settings.voice, device=self.settings.device, speed=speed)

    def _public(self, answer: Answer) -> Answer:
        """Without the path that the model was loaded from."""
        if answer.provenance.model != self.model.family.checkpoint.name:
            return answer
        return replace(answer, provenance=replace(answer.provenance, model=self.name))


class _Handle:
    """A stream that another thread makes, to be cancelled from here, also before it was made."""

    def __init__(self) -> None:
        self._lock, self._stream, self._cancelled = threading.Lock(), cast("AnswerStream | None", None), False

    def give(self, stream: AnswerStream) -> None:
        with self._lock:
            self._stream = stream
            if self._cancelled:
                stream.cancel()

    def cancel(self) -> None:
        with self._lock:
            self._cancelled = True
            if self._stream is not None:
                self._stream.cancel()


def with_pictures(conversation: Conversation, pictures: Sequence[Picture]) -> Conversation:
    """The conversation with its pictures, in order, replaced by opened ones."""
    opened = iter(pictures)
    messages = tuple(
        replace(
            message,
            parts=tuple(ImagePart(next(opened)) if isinstance(part, ImagePart) else part for part in message.parts),
        )
        for message in conversation.messages
    )
    return Conversation(messages)


def public_name(model: str) -> str:
    """What clients call a model: a Hub name as it is, a folder by its last part, a remote one by the remote's name."""
    if model.startswith("openai:"):
        return model.rpartition("#")[2] if "#" in model else "remote"
    path = Path(model).expanduser()
    return path.resolve().name if path.exists() else model


def _each(work: Callable[[Any], Any], sources: Sequence[bytes | str], names: Sequence[str]) -> list[Any]:
    """`work` for each picture, with the name that the client knows it by in what is raised."""
    done = []
    for source, name in zip(sources, names, strict=True):
        try:
            done.append(work(source))
        except ImageError as error:
            raise type(error)(error.message, where=name, hint=error.hint) from None
    return done
