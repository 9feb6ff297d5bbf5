"""What callers do with pictures and models. Each function is short: it puts the layers below in order and decides nothing.

import seesay

model = seesay.load()
answer = model.ask("photo.jpg", "What animal is this?", top_k=5)
print(answer.text, answer.score)
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Unpack, overload

from . import answering, config, data, models, reading, speech
from .errors import ModelError, UsageError
from .files import write_whole
from .media import clean_text, digest_image, probe_audio, probe_image
from .metrics import normalizer
from .settings import (
    AskSettings,
    CaptionSettings,
    ChatSettings,
    CheckSettings,
    DataSettings,
    Device,
    EvaluateCaptionSettings,
    EvaluateSpeechSettings,
    EvaluateVqaSettings,
    ListenSettings,
    ModelKeywords,
    ModelSettings,
    ReadSettings,
    SpeakSettings,
    TrainCaptionSettings,
    TrainSpeechSettings,
    TrainVqaSettings,
    VoiceKeywords,
    fields_of,
)
from .types import (
    Answer,
    AudioSource,
    Candidate,
    Conversation,
    Evidence,
    Example,
    ImageSource,
    Preview,
    Provenance,
    Reading,
    Speech,
    Transcript,
    Utterance,
)

if TYPE_CHECKING:
    from .answering import AnswerStream, Limits
    from .data import CheckReport, RecordingReport, RecordingSet
    from .evaluation import CaptionReport, VqaReport
    from .evaluation.speech import SpeechReport
    from .training import Progress, Run, SpeechRun

PREVIEWED = 3
"""Rows that `preview` shows."""
QUESTION_CHARACTERS = 2_000
SPEECH_CHARACTERS = 50_000
"""About an hour of speech, which is 300 MB of samples."""


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
        self._require_captions()
        images = image if isinstance(image, list) else [image]
        answers = list(self.answer([Example((one,)) for one in images], batch_size=batch_size))
        return answers if isinstance(image, list) else answers[0]

    def evidence(self, image: ImageSource, question: str, answer: str) -> Evidence:
        """Which parts of the picture `answer` hangs on, found by hiding them one after another.

        Raises:
            ImageError: the picture cannot be used.
        """
        from .answering.evidence import evidence

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
        for wants_text, group in groupby(map(_clean, examples), key=self._is_for_the_reader):
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
            turn = Example((about,), _question(question or ""))
            prepare = partial(family.prepare, [turn])
        if not family.streams or self._is_for_the_reader(turn):
            return answering.whole(lambda: next(self.answer([turn])))
        return answering.stream(family, turn, prepare, max_new_tokens=max_new_tokens, stop=stop, deadline=deadline)

    def _is_for_the_reader(self, example: Example) -> bool:
        return not self.family.reads and len(example.images) == 1 and reading.asks_for_text(example.question)

    def _require_captions(self) -> None:
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


def ask(settings: AskSettings, images: Sequence[ImageSource], questions: Sequence[str]) -> Iterator[Answer]:
    """Every question about every picture, questions in the inner loop. Pictures are looked at before a model is loaded."""
    for image in images:
        probe_image(image)
    examples = [Example((image,), _question(question)) for image in images for question in questions]
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


def save_conversation(conversation: Conversation, path: str | PathLike[str], /) -> None:
    """Write a conversation as JSON, whole or not at all: OpenAI's messages, every picture within.

    Raises:
        ImageError: a picture cannot be read any more.
        ResourceError: the file cannot be written.
    """
    messages = answering.conversation_to_openai(conversation)
    write_whole(Path(path), json.dumps(messages, ensure_ascii=False, indent=1).encode())


def open_chat(settings: ChatSettings, images: Sequence[ImageSource]) -> Model:
    """The model for a conversation that begins with `images`. They are looked at before it is loaded."""
    for image in images:
        probe_image(image)
    return Model(models.load(settings))


def caption(settings: CaptionSettings, images: Sequence[ImageSource]) -> Iterator[Answer]:
    """Every picture described. Pictures are looked at before a model is loaded."""
    for image in images:
        probe_image(image)
    model = Model(models.load(settings))
    model._require_captions()
    return model.answer([Example((image,)) for image in images], batch_size=settings.batch_size)


def _with_evidence(settings: AskSettings, model: Model, example: Example, file: Path, choices: Sequence[str]) -> Answer:
    from .answering.draw import draw_evidence

    if not choices and model._is_for_the_reader(example):
        raise UsageError("this question is answered by the reader, which cites its lines", where="--evidence")
    (given,) = model.answer([example], top_k=settings.top_k, risk=settings.abstain_at_risk, choices=choices)
    found = model.evidence(example.images[0], example.question, given.alternatives[0].text)
    write_whole(file, draw_evidence(example.images[0], example.question, found))
    return given


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
    reason = "" if found else "no text was found in the picture"
    return Answer(
        found or None, confidence, (Candidate(found, confidence),), provenance, example.id, reason=reason, lines=lines
    )


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


def load_data(settings: DataSettings) -> data.Dataset:
    """Read the rows of a data set into examples by split; `check` says what is wrong with them."""
    return data.load(settings)


def load_recordings(settings: DataSettings) -> RecordingSet:
    """Read recordings and what is said in them into rows by split; `check` says what is wrong with them."""
    return data.load_recordings(settings)


def check(settings: CheckSettings, progress: Callable[[int, int], None] | None = None) -> CheckReport | RecordingReport:
    """Read a data set as training would and report what is in it and what is wrong with it. Of recordings (found by their
    rows) it also tells what the tokenizer of `settings.model` lacks, and draws `settings.plots`."""
    if settings.data and data.holds_recordings(settings):
        return _check_recordings(settings, progress)
    if settings.plots is not None:
        raise UsageError("plots are drawn of recordings, and these rows name none", where="--plots")
    return data.check(
        data.load(settings, training=True),
        vocabulary_size=settings.vocabulary_size,
        normalizer=settings.normalizer,
        training=True,
        progress=progress,
    )


def _check_recordings(settings: CheckSettings, progress: Callable[[int, int], None] | None) -> RecordingReport:
    can_say = speech.alphabet_of(settings.model).__contains__ if settings.model else None
    found = data.load_recordings(settings, training=True)
    report = data.check_recordings(found, can_say=can_say, training=True, progress=progress)
    if settings.plots is not None:
        from .evaluation.speech_page import recordings_page

        recordings_page(report, settings.plots)
    return report


def preview(settings: CheckSettings) -> list[Preview] | None:
    """The first training rows as the tokens of the model in `settings`, each with whether it is learned; empty where that
    model is a classifier, whose tokens carry no loss; None of recordings. Loads the model, and opens no picture.

    Raises:
        ModelError, ModelNotFound: there is none of that name, or it cannot answer.
    """
    if data.holds_recordings(settings):
        return None
    splits = data.load(settings, training=True).splits
    rows = [example for example in splits.get("train", ()) if example.answers][:PREVIEWED]
    tokens = models.preview(ModelSettings(model=settings.model), rows, normalizer(settings.normalizer))
    return [Preview(row.origin, shown) for row, shown in zip(rows, tokens, strict=False)]


def train_vqa(settings: TrainVqaSettings, progress: Callable[[Progress], None] | None = None) -> Run:
    """Train or fine-tune a model that answers; the same settings continue a run that was stopped.

    Raises:
        ModelError: the model cannot learn to answer, or has no part that `lora` or `freeze_vision` speak of.
        DataError: the data set has problems; it is read and checked in full before torch is imported.
        RunError: the folder holds a run with other settings or other data.
        Interrupted: stopped by the user; the run can be continued.
    """
    from . import training

    return training.train(settings, progress)


def train_caption(settings: TrainCaptionSettings, progress: Callable[[Progress], None] | None = None) -> Run:
    """Fine-tune a model that describes pictures; as `train_vqa`, with the loss deciding which checkpoint is best.

    Raises:
        DataError, RunError, Interrupted: as `train_vqa`.
        ModelError: the model cannot learn captions.
    """
    from . import training

    return training.train(settings, progress)


def train_speech(settings: TrainSpeechSettings, progress: Callable[[Progress], None] | None = None) -> SpeechRun:
    """Fine-tune a SpeechT5 on recordings and what is said in them; the same settings continue a run that was stopped.

    Raises:
        DataError: the data set has problems, or nothing in it can be learned; it is checked before torch is imported.
        ModelNotFound, ModelError: there is no such model, or none that hears who speaks (`speaker_model`).
        RunError, Interrupted: as `train_vqa`.
    """
    from . import training

    return training.train_speech(settings, progress)


def evaluate_vqa(settings: EvaluateVqaSettings, progress: Callable[[int, int], None] | None = None) -> VqaReport:
    """Measure a model on a data set by the official VQA accuracy, beside the baselines."""
    from . import evaluation

    return evaluation.evaluate_vqa(settings, progress)


def evaluate_caption(
    settings: EvaluateCaptionSettings, progress: Callable[[int, int], None] | None = None
) -> CaptionReport:
    """Have the pictures of a data set described, as `Model.caption` does, and measure that against what people wrote.

    Every caption metric, how varied the captions are, and the baselines: the most frequent training caption, and that of
    the training picture which looks most alike. All captions of a picture, by content, are its references.

    Args:
        progress: told how many steps of how many are done.

    Raises:
        DataError: the data set has problems, or no captions to measure against.
        ModelError: the model cannot describe pictures.
    """
    from . import evaluation

    return evaluation.evaluate_caption(settings, progress)


def evaluate_speech(
    settings: EvaluateSpeechSettings, progress: Callable[[int, int], None] | None = None
) -> SpeechReport:
    """Measure a voice against recordings: mel-cepstral distortion, pitch, duration, word error rate where `listen_model` is
    named, and speed, beside the recording, the recording through the vocoder, and espeak-ng where it is installed.

    Raises:
        DataError: no recordings to measure against, or none of their sentences could be spoken.
        ModelNotFound, ModelError: there is no such voice.
    """
    from .evaluation.speech import evaluate_speech as measured

    return measured(settings, progress)


class Voice:
    """A loaded voice. Made by `load_voice`; safe to keep for as many texts as you like."""

    def __init__(self, engine: speech.Engine) -> None:
        self.engine = engine

    @property
    def sample_rate(self) -> int:
        """Samples a second of what it says."""
        return self.engine.sample_rate

    def speak(self, text: str) -> Speech:
        """A text as speech.

        Args:
            text: up to 50,000 characters.

        Raises:
            TextError: the text is empty, too long, or holds control characters.
            SpeechError: nothing in it can be spoken, or the voice failed on a sentence, which is named.
        """
        return speech.speak(clean_text(text, SPEECH_CHARACTERS, where="text"), self.engine)

    def stream(self, text: str) -> Iterator[Utterance]:
        """The sentences of a text, each as soon as it is spoken. Raises as `speak`; what was spoken before stands."""
        return speech.stream(clean_text(text, SPEECH_CHARACTERS, where="text"), self.engine)


def load_voice(model: str | None = None, /, **keywords: Unpack[VoiceKeywords]) -> Voice:
    """Load the voice that comes with the package, or a Bark, SpeechT5, VITS (MMS) or FastSpeech2Conformer checkpoint.

    Args:
        model: `hibari`, a folder, or `owner/name` of a Hub repository; None takes the setting, which is `hibari`.
        keywords: `revision`, `device`, `speaker`, `speaker_model`, `vocoder`, `seed`, `speed`, as in `VoiceSettings`.

    Raises:
        UsageError: it has no such speaker, or one pace only.
        ModelNotFound, ModelError: there is none, or it cannot speak.
        AudioError: the reference recording cannot be used.
        MissingExtra: packages that it needs are not installed.
    """
    return Voice(speech.load(config.resolve(SpeakSettings, "speak", {"model": model, **keywords})))


def speak(text: str, /, model: str | None = None, **keywords: Unpack[VoiceKeywords]) -> Speech:
    """A text as speech; `load_voice(...).speak` for more than one.

    Args:
        text: up to 50,000 characters.
        model, keywords: as in `load_voice`.

    Raises:
        TextError, SpeechError: as `Voice.speak`.
        UsageError, ModelError, AudioError, MissingExtra: as `load_voice`.
    """
    return load_voice(model, **keywords).speak(text)


def listen(
    source: AudioSource, /, *, model: str | None = None, language: str | None = None, device: Device | None = None
) -> Transcript:
    """What is said in a recording, by a Whisper checkpoint.

    Args:
        source: a path, encoded bytes, or a pair of an array (samples,) or (samples, channels) and its rate.
        model: a folder or a Hub repository; None takes the setting, which is `openai/whisper-base.en`.
        language: code of the language that is spoken, such as `en`; None takes what the model hears.

    Raises:
        AudioError: the recording cannot be used.
        ModelNotFound, ModelError: there is no such model, or it does not write down speech.
        MissingExtra: packages that it needs are not installed.
    """
    given = {"model": model, "language": language, "device": device}
    return next(hear(config.resolve(ListenSettings, "listen", given), [source]))


def hear(settings: ListenSettings, sources: Sequence[AudioSource]) -> Iterator[Transcript]:
    """What is said in recordings. They are looked at before a model is loaded."""
    for source in sources:
        probe_audio(source)
    listener = speech.load_listener(settings)
    return (listener.listen(source) for source in sources)


def save_speech(spoken: Speech, path: str | PathLike[str], /, *, captions: bool = False) -> None:
    """Write speech as .wav, .flac or .ogg, whole or not at all; with `captions` also as WebVTT beside it.

    Raises:
        UsageError: another ending.
        MissingExtra: .flac and .ogg need `seesay[sound]`.
        ResourceError: the file cannot be written.
    """
    speech.save(spoken, Path(path), captions=captions)


def say(settings: SpeakSettings, text: str) -> Speech:
    """Speak a text into a file, on the loudspeaker, or both. The text is looked at before a voice is loaded."""
    cleaned = clean_text(text, SPEECH_CHARACTERS, where="text")
    return speaker(settings)(cleaned)


def speaker(settings: SpeakSettings) -> Callable[[str], Speech]:
    """What speaks a text into the file, on the loudspeaker, or both. Both are looked at here and the voice is loaded, before
    there is a text.

    Raises:
        UsageError, MissingExtra: a file of that ending cannot be written.
        ResourceError: nothing here plays sound.
        UsageError, ModelError, AudioError: as `load_voice`.
    """
    play = speech.player() if settings.play else None
    if settings.output:
        speech.encoder(settings.output)
    voice = Voice(speech.load(settings))

    def speak_it(text: str) -> Speech:
        spoken = voice.speak(text)
        if settings.output:
            save_speech(spoken, settings.output, captions=settings.captions)
        if play:
            play(spoken)
        return spoken

    return speak_it


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
        yield Example((images[index % len(images)],), _question(questions[index % len(questions)]), id=str(index))


def _choices(choices: Sequence[str]) -> list[str]:
    cleaned = [clean_text(choice, QUESTION_CHARACTERS, where="choices") for choice in choices]
    if len(set(cleaned)) < 2 or len(set(cleaned)) < len(cleaned):
        raise UsageError(f"{', '.join(cleaned)}: at least two different choices are needed", where="choices")
    return cleaned


def _clean(example: Example) -> Example:
    if not example.question:  # describe it
        return example
    question = _question(example.question, example.origin)
    return example if question == example.question else replace(example, question=question)


def _question(text: str, where: str = "") -> str:
    return clean_text(text, QUESTION_CHARACTERS, where=where or "question")
