"""transformers' pipelines: those of v4 back, with their call shapes and results, for code that stopped working with v5, and
`image-text-to-text` as it is in v5.

    from seesay import pipeline

    oracle = pipeline("visual-question-answering", model="runs/vqa")
    oracle(image="photo.jpg", question="What is she wearing?", top_k=1)    # [{'score': 0.948, 'answer': 'hat'}]

    captioner = pipeline("image-to-text", model="Salesforce/blip-image-captioning-base")
    captioner("photo.jpg", max_new_tokens=20)                              # [{'generated_text': 'a woman in a hat'}]

    speaker = pipeline("text-to-speech", model="suno/bark-small")
    speaker("Hello [laughs]")                                              # {'audio': array, 'sampling_rate': 24000}

    talk = pipeline("image-text-to-text", model="HuggingFaceTB/SmolVLM-500M-Instruct")
    talk(text=messages, return_full_text=False)                            # [{'input_text': [...], 'generated_text': '...'}]

Shapes were read off transformers 4.57 (`VisualQuestionAnsweringPipeline`) and the code of `ImageToTextPipeline`; the
latter's deprecated `prompt` and its `generate_kwargs` are not here. `ImageTextToTextPipeline` was read off 5.23, and so was
text-to-speech. Things that differ on purpose: pictures go through seesay's guarded door (every mode converts, URLs are
refused), questions longer than ViLT or BLIP read are cut instead of failing inside the network, and no text of a message
becomes a special token.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack, cast, get_args, overload

from . import config
from .answering import conversation_from_transformers
from .api import Model, Voice, load, load_voice
from .errors import ModelError, UsageError
from .settings import CaptionSettings, ModelKeywords, VoiceKeywords
from .speech import CheckpointVoice
from .types import Answer, Conversation, Example, ImageSource

if TYPE_CHECKING:
    import numpy

AskTask = Literal["visual-question-answering", "vqa"]
CaptionTask = Literal["image-to-text"]
ChatTask = Literal["image-text-to-text"]
SpeakTask = Literal["text-to-speech", "text-to-audio"]
TASKS = (*get_args(AskTask), *get_args(CaptionTask), *get_args(ChatTask), *get_args(SpeakTask))
Messages = Sequence[Mapping[str, Any]]
SPEAKER_PARAMETERS = ("speaker_embeddings", "speaker_id", "history_prompt")
"""What transformers' networks call the speaker: SpeechT5, VITS, Bark."""


class ScoredAnswer(TypedDict):
    """One answer as the v4 pipeline gives it."""

    score: float
    answer: str


class Continued(TypedDict):
    """One answer as transformers' `image-text-to-text` gives it: messages where it was asked by messages."""

    input_text: Any
    generated_text: Any


class GeneratedText(TypedDict):
    """One caption as the v4 pipeline gives it."""

    generated_text: str


class AudioOutput(TypedDict):
    """Speech as transformers' pipeline gives it."""

    audio: numpy.ndarray[tuple[int], numpy.dtype[numpy.float32]]
    """(samples,), float32, mono, within -1 and 1."""
    sampling_rate: int


@overload
def pipeline(
    task: AskTask, model: str | Model, **keywords: Unpack[ModelKeywords]
) -> VisualQuestionAnsweringPipeline: ...
@overload
def pipeline(task: CaptionTask, model: str | Model, **keywords: Unpack[ModelKeywords]) -> ImageToTextPipeline: ...
@overload
def pipeline(task: ChatTask, model: str | Model, **keywords: Unpack[ModelKeywords]) -> ImageTextToTextPipeline: ...
@overload
def pipeline(
    task: SpeakTask, model: str | Voice | None = None, **keywords: Unpack[VoiceKeywords]
) -> TextToAudioPipeline: ...
def pipeline(task: str, model: Any = None, **keywords: Any) -> Any:
    """A callable with the inputs and outputs of transformers' pipeline of that name.

    Args:
        task: `visual-question-answering`, its short name `vqa`, `image-to-text`, `image-text-to-text`, `text-to-speech` or
            `text-to-audio`.
        model: folder, Hub name, or a model or voice that is loaded already; to speak, the default is the voice that comes
            with the package.
        keywords: as in `load` and, to speak, `load_voice`.

    Raises:
        UsageError: another task.
        ModelError: a classifier for `image-text-to-text`.
    """
    if task not in TASKS:
        raise UsageError(f"unknown task {task!r}", where="pipeline", hint=f"known: {', '.join(TASKS)}")
    if task in get_args(SpeakTask):
        return TextToAudioPipeline(model if isinstance(model, Voice) else load_voice(model, **keywords))
    if model is None:
        raise UsageError("no model named", where="pipeline", hint="give model=FOLDER or model=OWNER/NAME")
    loaded = model if isinstance(model, Model) else load(model, **keywords)
    if task == "image-text-to-text":
        return ImageTextToTextPipeline(loaded)
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


class ImageTextToTextPipeline:
    """Talks about pictures; see `__call__` for what it takes."""

    def __init__(self, model: Model) -> None:
        if model.vocabulary:
            name, hint = model.family.checkpoint.name, "ask it with the pipeline visual-question-answering"
            raise ModelError("this model chooses among answers and writes no text", where=name, hint=hint)
        self.model = model

    def __call__(
        self,
        images: Any = None,
        text: Any = None,
        *,
        return_full_text: bool = True,
        max_new_tokens: int | None = None,
        stop_sequence: str | Sequence[str] = (),
        generate_kwargs: Mapping[str, Any] | None = None,
    ) -> list[Continued] | list[list[Continued]]:
        """A list of one answer for a conversation or a text; a list of such lists for several conversations.

        Args:
            images: a picture or a list of them beside `text`; those of a conversation fill its empty places in order. A
                conversation, or a list of them, may also stand here alone.
            text: a conversation as transformers' or OpenAI's messages (pictures within), a list of them, or a plain text
                about `images`; a list of texts goes with a list of as many pictures.
            return_full_text: the answer behind what was asked (as a further message, for a conversation); else alone.
            max_new_tokens: where to stop; 256 as in transformers.
            stop_sequence: texts that end the answer.
            generate_kwargs: `max_new_tokens`, `stop_strings` and `max_time`; decoding is greedy.

        Raises:
            InputError, ImageError, TextError: as `Model.chat`.
            UsageError: a combination that cannot be meant.
        """
        limits = _limits(max_new_tokens, stop_sequence, generate_kwargs or {})
        if text is None:
            images, text = None, images
        if text is None:
            raise UsageError("neither text nor messages", where="pipeline")
        if isinstance(text, str):
            return [self._about(images, text, return_full_text, limits)]
        if isinstance(text[0], str):
            pairs = zip(_as_list(images), text, strict=True)
            return [self._about(image, one, return_full_text, limits) for image, one in pairs]
        if isinstance(text[0], Mapping):
            return [self._continued(text, images, return_full_text, limits)]
        if images is not None:
            raise UsageError("several conversations hold their own pictures", where="images")
        return [[self._continued(messages, None, return_full_text, limits)] for messages in text]

    def _about(self, images: Any, text: str, full: bool, limits: dict[str, Any]) -> Continued:
        placeholder = self.model.family.placeholder
        asked = text.replace(placeholder, "") if placeholder else text
        said = self.model.chat(Conversation().ask(asked.strip(), *_as_list(images)), **limits).text or ""
        return {"input_text": text, "generated_text": text + said if full else said}

    def _continued(self, messages: Messages, images: Any, full: bool, limits: dict[str, Any]) -> Continued:
        conversation = conversation_from_transformers(messages, _as_list(images))
        said = self.model.chat(conversation, **limits).text or ""
        answered = [*messages, {"role": "assistant", "content": said}]
        return {"input_text": messages, "generated_text": answered if full else said}


def _as_list(images: Any) -> list[Any]:
    return [] if images is None else list(images) if isinstance(images, (list, tuple)) else [images]


def _limits(tokens: int | None, stop: str | Sequence[str], more: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of `Model.chat` for those of a pipeline."""
    greedy = {"do_sample": False, "num_beams": 1}
    others = [
        key
        for key in more
        if key not in ("max_new_tokens", "stop_strings", "max_time") and more[key] != greedy.get(key)
    ]
    if others:
        hint = "max_new_tokens, stop_strings and max_time are; decoding is greedy"
        raise UsageError(f"{others[0]!r} is not supported", where="generate_kwargs", hint=hint)
    stops = more.get("stop_strings", stop)
    limits = {"max_new_tokens": tokens or more.get("max_new_tokens", 256), "deadline": more.get("max_time")}
    limits["stop"] = [stops] if isinstance(stops, str) else list(stops)
    return {key: value for key, value in limits.items() if value is not None}


class TextToAudioPipeline:
    """Speaks texts; see `__call__` for what it takes."""

    def __init__(self, voice: Voice) -> None:
        self.voice = voice
        self.sampling_rate = voice.sample_rate

    @overload
    def __call__(self, text_inputs: str, *, forward_params: Mapping[str, Any] | None = None) -> AudioOutput: ...
    @overload
    def __call__(
        self, text_inputs: list[str], *, forward_params: Mapping[str, Any] | None = None
    ) -> list[AudioOutput]: ...
    def __call__(
        self, text_inputs: str | list[str], *, forward_params: Mapping[str, Any] | None = None
    ) -> AudioOutput | list[AudioOutput]:
        """The sound of a text and its sampling rate; a list of them for a list of texts.

        Texts of any length are cut into sentences, whose sounds are brought to one loudness; transformers gives a single
        pass of the network, cut where its limit is.

        Args:
            text_inputs: a text, or a list of them.
            forward_params: who speaks, by the name that the network has for it: `speaker_embeddings` (SpeechT5),
                `speaker_id` (VITS) or `history_prompt` (Bark). It holds for this call and those after it.

        Raises:
            TextError, SpeechError: a text cannot be spoken.
            UsageError: another parameter, or no such speaker.
        """
        for name, value in (forward_params or {}).items():
            if name not in SPEAKER_PARAMETERS or not isinstance(self.voice.engine, CheckpointVoice):
                hint = f"known, for checkpoints: {', '.join(SPEAKER_PARAMETERS)}"
                raise UsageError(f"unknown parameter {name!r}", where="forward_params", hint=hint)
            self.voice.engine.use_speaker(value)
        if isinstance(text_inputs, list):
            return [self._said(text) for text in text_inputs]
        return self._said(text_inputs)

    def _said(self, text: str) -> AudioOutput:
        speech = self.voice.speak(text)
        return {"audio": speech.samples, "sampling_rate": speech.sample_rate}


def _generated(caption: Answer) -> list[GeneratedText]:
    return [{"generated_text": caption.text or ""}]


def _example(row: Mapping[str, Any]) -> Example:
    missing = [key for key in ("image", "question") if key not in row]
    if missing:
        here = ", ".join(map(str, row))
        raise UsageError(f"no {' and no '.join(missing)} in an input", where="pipeline", hint=f"keys here: {here}")
    return Example((row["image"],), row["question"])
