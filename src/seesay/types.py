"""The values that travel through seesay. Frozen, comparable, and free of any model.

| value        | made by                        | read by                                                       |
|--------------|--------------------------------|---------------------------------------------------------------|
| `ImageSource`| the caller                     | `media.open_image`, and nobody else                           |
| `Picture`    | `media.open_image`             | whoever needs pixels; a source again, for who opens ahead     |
| `AudioSource`| the caller                     | `media.open_audio`, and nobody else                           |
| `Example`    | `data` formats, `api`          | `Family.prepare`: the same way for answering and for training |
| `Recording`  | `data` recordings              | training and measuring voices                                 |
| `Message`    | the caller, `data.messages`    | `Conversation`                                                |
| `Conversation`| the caller, `data` conversations| `Family.prepare_conversation`, `Family.prepare_lessons`     |
| `Candidate`  | `Family.predict`               | `answering`                                                   |
| `Answer`     | `answering`                    | the caller, `evaluation`, `cli.render`                        |
| `Evidence`   | `answering.evidence`           | the caller, who may draw it                                   |
| `Provenance` | `answering`                    | whoever must know where an answer came from                   |
| `Preview`    | `api.preview`                  | `cli.render`                                                  |
| `Utterance`  | `speech.stream`                | whoever plays or sends speech while it is made                |
| `Speech`     | `speech.speak`                 | the caller, `speech.save`, `speech.player`, `cli.render`      |
| `Transcript` | `speech.listen`                | the caller, `cli.ask`, `cli.render`                           |
| `Note`       | whoever has a reason to tell   | people; programs, by its code                                 |
| `Hit`        | `search`                       | the caller, `cli.render`, the contact sheet                   |
| `Line`       | `reading`                      | whoever has a `Reading`                                       |
| `Reading`    | `reading`                      | the caller, `cli.render`                                      |

This module imports nothing of ours.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, Union

if TYPE_CHECKING:
    import numpy
    import PIL.Image


class Note(str):
    """Words for people, in English, with a code by which programs tell what they say, and may say it in another language.

    >>> note = Note("the word {word!r} is not known", "unknown_word", word="zib")
    >>> note, note.code, note.values
    ("the word 'zib' is not known", 'unknown_word', {'word': 'zib'})
    """

    code: str
    """Empty for words that no program needs to tell apart."""
    values: dict[str, str]
    """What was filled in."""

    def __new__(cls, words: str = "", code: str = "", **values: str) -> Note:
        made = super().__new__(cls, words.format(**values) if values else words)
        made.code, made.values = code, values
        return made

    @classmethod
    def of(cls, words: str) -> Note:
        """Words as a note; of plain ones without a code."""
        return words if isinstance(words, Note) else cls(words)


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture that passed the door."""

    pixels: PIL.Image.Image
    """Mode RGB, upright, first frame, no metadata; nobody else holds it."""
    sha256: str
    """In hexadecimal: of the encoded bytes; of size and `pixels` where the picture came decoded."""
    name: str
    """What to call it in a message: the path as given, "data URL", "image of 1,234 bytes", "array (64, 64, 3)"."""


ImageSource: TypeAlias = Union[str, "PathLike[str]", bytes, "PIL.Image.Image", "numpy.ndarray[Any, Any]", Picture]
"""A picture as callers have it: a path, a `data:` URL, encoded bytes, a PIL image or an array (H, W), (H, W, 3 or 4); or one
that was opened before."""

AudioSource: TypeAlias = Union[str, "PathLike[str]", bytes, "tuple[numpy.ndarray[Any, Any], int]"]
"""A recording as callers have it: a path, encoded bytes, or an array (samples,) or (samples, channels) with its rate."""


@dataclass(frozen=True, slots=True)
class Example:
    """Pictures, what is asked about them, and what people answered.

    VQA and captioning are one type: an empty `question` means "describe it". In captioning `answers` are the captions.

    `answers` holds one entry per annotator, as given, so the same text may stand there several times. Where `weights`
    is not empty it has one weight (0 to 1) per answer, each answer then stands once, and the weights *are* the soft
    target: this is how `Graphcore/vqa` and VQA v2 training files come.
    """

    images: tuple[ImageSource, ...]
    question: str = ""
    answers: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()
    id: str = ""
    question_type: str = ""
    answer_type: str = ""
    origin: str = ""
    """Where the row stands, as `file:line`, for messages."""


Role: TypeAlias = Literal["system", "user", "assistant"]
Finish: TypeAlias = Literal["stop", "length", "deadline"]
"""Why an answer ends: it was complete, the tokens allowed were used up, or the time was."""


@dataclass(frozen=True, slots=True)
class TextPart:
    """Words in a message."""

    text: str


@dataclass(frozen=True, slots=True)
class ImagePart:
    """A picture in a message, standing where it stands among the words."""

    source: ImageSource


Part: TypeAlias = TextPart | ImagePart


@dataclass(frozen=True, slots=True)
class Message:
    """What one side says in one turn: words and pictures, in their order."""

    role: Role
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """The words alone, the parts of them in lines."""
        return "\n".join(part.text for part in self.parts if isinstance(part, TextPart))

    @property
    def images(self) -> tuple[ImageSource, ...]:
        """The pictures alone, in order."""
        return tuple(part.source for part in self.parts if isinstance(part, ImagePart))


@dataclass(frozen=True, slots=True)
class Conversation:
    """Messages in their order. It never changes; `ask` and `answered` give a longer one.

    conversation = Conversation().ask("What differs?", "one.jpg", "two.jpg")
    """

    messages: tuple[Message, ...] = ()
    id: str = field(default="", compare=False)
    origin: str = field(default="", compare=False)
    """Where the row stands that it was read from, as `file:line`, for messages."""

    @property
    def images(self) -> tuple[ImageSource, ...]:
        """All pictures, in order."""
        return tuple(source for message in self.messages for source in message.images)

    def ask(self, text: str, *images: ImageSource) -> Conversation:
        """With one more turn of the user: pictures first, then the words."""
        return self._with("user", (*map(ImagePart, images), TextPart(text)))

    def answered(self, text: str) -> Conversation:
        """With the model's answer."""
        return self._with("assistant", (TextPart(text),))

    def _with(self, role: Role, parts: tuple[Part, ...]) -> Conversation:
        return replace(self, messages=(*self.messages, Message(role, parts)))


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording and what is said in it: one row of what a voice learns from or is measured on."""

    audio: AudioSource
    text: str
    speaker: str = ""
    """Who speaks, as the data names them; empty where it does not say."""
    id: str = ""
    origin: str = ""
    """Where the row stands, as `file:line`, for messages."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One possible answer and its score.

    What a score means is the family's to say: for a classifier trained on soft targets it is a sigmoid per answer
    (0 to 1), and the scores of several answers do not sum to one.
    """

    text: str
    score: float


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where an answer came from, so that it can be had again."""

    model: str
    """The name or folder the model was loaded by."""
    revision: str
    """The Hub's commit, or the digest of a seesay run's manifest; empty where neither is known."""
    family: str
    engine: str
    """What computed it, such as `torch 2.13.0`."""
    device: str
    dtype: str
    inputs: tuple[str, ...]
    """sha256 of each picture, of its bytes as they came in (of its pixels where it came decoded)."""
    seconds: float
    """Wall time of the batch this answer was computed in, divided by the number of answers in it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model says about one example.

    `alternatives` are the best answers, best first; the first of them is the answer itself, also where it was withheld.
    """

    text: str | None
    """The answer; None where none is given, and `reason` says why: the picture does not show it, or it would too often be
    wrong."""
    score: float
    """Of the best answer, 0 to 1. Of a calibrated model it is the share of such answers that are right."""
    alternatives: tuple[Candidate, ...]
    provenance: Provenance
    id: str = ""
    reason: str = ""
    """A `Note`."""
    certainty: str = ""
    """How sure a calibrated model is, in words; empty where scores are not calibrated."""
    lines: tuple[Line, ...] = ()
    """Of an answer that was read in the picture: the lines it cites."""
    finish: Finish = "stop"
    """Why it ends where it ends; only of answers that were streamed or given in a conversation can it be another."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Which parts of a picture an answer hangs on, and how far that can be trusted.

    `drops` (rows, columns) is for each part of the picture how much of the answer's score is lost where it is hidden.
    """

    answer: str
    score: float
    drops: numpy.ndarray[tuple[int, int], numpy.dtype[numpy.float64]]
    deletion: float
    """Mean share of the score that is left while parts are hidden, the weightiest first; low where `drops` is right."""
    insertion: float
    """Mean share of the score that is reached while parts are shown, the weightiest first; high where `drops` is right."""
    chance: float
    """What deletion gives in a random order: the evidence says something where `deletion` is well below."""

    @property
    def trusted(self) -> bool:
        """Whether hiding these parts hurts the answer clearly more than hiding any."""
        return self.deletion < 0.8 * self.chance


class Preview(NamedTuple):
    """A training row as a model's tokens."""

    where: str
    """Where the row stands, as `file:line`."""
    tokens: tuple[tuple[str, bool], ...]
    """Each with whether it is learned: it carries loss, the others are only read."""


class Cue(NamedTuple):
    """A sentence, or a part of a long one, and when it is heard, in seconds from the beginning."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True, eq=False)
class Utterance:
    """One sentence spoken. `samples` are float32, mono, (samples,), within -1 and 1, and hold the pause after it."""

    cue: Cue
    samples: numpy.ndarray[tuple[int], numpy.dtype[numpy.float32]]
    sample_rate: int


@dataclass(frozen=True, slots=True, eq=False)
class Speech:
    """A text spoken. `samples` are float32, mono, (samples,), within -1 and 1; `sample_rate` is a second's worth."""

    samples: numpy.ndarray[tuple[int], numpy.dtype[numpy.float32]]
    sample_rate: int
    cues: tuple[Cue, ...]
    omitted: tuple[str, ...] = ()
    """Characters of the text that the voice could not say, each once."""

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.samples) / self.sample_rate


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was heard in a recording."""

    text: str
    """Empty where nothing was said."""
    language: str
    """ISO 639-1 code, as asked for or as heard; empty where the model knows one language only."""
    seconds: float
    """How long the recording is."""
    sha256: str
    """Of the recording, of its bytes as they came in."""
    model: str
    """The name or folder of what heard it."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text in a picture."""

    text: str
    confidence: float
    """The mean of what the reader gives each character: 0 to 1."""
    box: tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]
    """Corners as (x, y) in pixels of the upright picture, x to the right and y down, clockwise from where the text begins:
    top left, top right, bottom right, bottom left of the *text*. Upside down text has its first corner at the bottom right."""
    where: str
    """The ninth of the picture that the middle of the box lies in: `top left`, `top`, `top right`, `left`, `centre`,
    `right`, `bottom left`, `bottom` or `bottom right`."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The text in one picture."""

    lines: tuple[Line, ...]
    """In the order in which people read; empty where there is no text."""
    sha256: str
    """Of the picture, of its bytes as they came in (of its pixels where it came decoded)."""
    engine: str
    """What read it, such as `rapidocr 3.10.0, onnxruntime 1.31.1`."""

    @property
    def text(self) -> str:
        """The lines, a newline between them; empty where there is no text."""
        return "\n".join(line.text for line in self.lines)


@dataclass(frozen=True, slots=True)
class Hit:
    """A picture that was found."""

    path: str
    """A file that holds it."""
    score: float
    """How likely the answer about it is yes, 0 to 1. Where the model's answers to such questions were measured, it takes into
    account how rare a yes is among the pictures asked about."""
    sha256: str
    copies: tuple[str, ...] = ()
    """Other files that hold the same picture."""
    caption: str = ""
    """What the picture shows, where a description was asked for."""
