"""What goes over the wire: the bodies that routes take and what they give. The only module that uses pydantic."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from .limits import MOST_NEW_TOKENS


class Taken(BaseModel):
    """A body, or a part of one, that clients send; a field that is not known is refused, so that none is ignored in silence."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Given(BaseModel):
    """What is sent back."""


class Problem(Given):
    message: str
    type: str
    param: str | None = None
    code: str | None = None


class Refusal(Given):
    error: Problem


class About(Given):
    """What is loaded, and the limits."""

    version: str
    model: str
    describes: bool
    converses: bool
    """Whether earlier turns are remembered."""
    calibrated: bool
    """Whether scores say how often such answers are right."""
    voice: str | None
    listens: str | None
    """The Whisper that writes recordings down."""
    needs_key: bool
    pictures: int
    """Most pictures of a request."""
    bytes: int
    """Most bytes of a request."""


class Provenance(Given):
    model: str
    revision: str
    family: str
    engine: str
    device: str
    dtype: str
    inputs: list[str]
    seconds: float


class Alternative(Given):
    answer: str
    score: float


class Line(Given):
    text: str
    confidence: float
    box: list[tuple[float, float]]
    where: str


class AnswerRow(Given):
    picture: str
    question: str
    answer: str | None
    score: float
    certainty: str
    reason: str
    alternatives: list[Alternative]
    lines: list[Line]
    provenance: Provenance


class Answers(Given):
    answers: list[AnswerRow]


class CaptionRow(Given):
    picture: str
    caption: str | None
    score: float
    certainty: str
    provenance: Provenance


class Captions(Given):
    captions: list[CaptionRow]


class ReadingRow(Given):
    picture: str
    text: str
    lines: list[Line]
    sha256: str
    engine: str


class Readings(Given):
    readings: list[ReadingRow]


class CueRow(Given):
    text: str
    start: float
    end: float


class Spoken(Given):
    audio: str
    """A WAV file as a data: URL."""
    sample_rate: int
    seconds: float
    cues: list[CueRow]
    omitted: list[str]
    """Characters that the voice cannot say."""


class EvidenceRow(Given):
    image: str
    """A PNG as a data: URL."""
    question: str
    answer: str
    score: float
    trusted: bool
    """Whether the colored parts matter more than others do."""
    deletion: float
    insertion: float
    chance: float


# OpenAI: https://platform.openai.com/docs/api-reference/chat


class TextPart(Taken):
    type: Literal["text"]
    text: str


class ImageUrl(Taken):
    url: str
    detail: Literal["auto", "low", "high"] = "auto"


class ImagePart(Taken):
    type: Literal["image_url"]
    image_url: ImageUrl


class ChatMessage(Taken):
    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[Annotated[TextPart | ImagePart, Field(discriminator="type")]]
    name: str | None = None
    refusal: None = None


class StreamOptions(Taken):
    include_usage: bool = False


class ResponseFormat(Taken):
    type: Literal["text"]


class ChatRequest(Taken):
    model: str
    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=500)]
    stream: bool = False
    stream_options: StreamOptions | None = None
    max_tokens: Annotated[int, Field(ge=1, le=MOST_NEW_TOKENS)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1, le=MOST_NEW_TOKENS)] | None = None
    stop: str | Annotated[list[str], Field(max_length=4)] | None = None
    n: Literal[1] | None = None
    logprobs: Literal[False] | None = None
    response_format: ResponseFormat | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    """Answers are the likeliest ones, whatever this is."""
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    frequency_penalty: Literal[0] | None = None
    presence_penalty: Literal[0] | None = None
    seed: int | None = None
    user: str | None = None
    store: Literal[False] | None = None


class Usage(Given):
    prompt_tokens: int
    """Of the words; pictures are not counted."""
    completion_tokens: int
    total_tokens: int


class ReplyMessage(Given):
    role: Literal["assistant"] = "assistant"
    content: str | None
    refusal: None = None


class Choice(Given):
    index: int = 0
    message: ReplyMessage
    logprobs: None = None
    finish_reason: Literal["stop", "length"]


class Completion(Given):
    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: Usage
    seesay: dict[str, Any]
    """Beside OpenAI's fields: score, certainty, reason, alternatives, lines and provenance."""


class ModelCard(Given):
    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str


class ModelList(Given):
    object: Literal["list"] = "list"
    data: list[ModelCard]
