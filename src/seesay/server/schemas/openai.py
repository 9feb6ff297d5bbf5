"""Chat completions, models and sound, as OpenAI has them: https://platform.openai.com/docs/api-reference/chat."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from ..limits import MOST_NEW_TOKENS
from .base import Given, Taken


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


class SpeechRequest(Taken):
    model: str
    input: str
    voice: str
    response_format: Literal["mp3", "opus", "aac", "flac", "wav", "pcm"] = "mp3"
    speed: Annotated[float, Field(ge=0.5, le=2)] = 1.0
    stream_format: Literal["audio"] = "audio"


class TranscriptUsage(Given):
    type: Literal["duration"] = "duration"
    seconds: float


class Transcription(Given):
    text: str
    usage: TranscriptUsage


class VerboseTranscription(Transcription):
    duration: float
    language: str
    task: Literal["transcribe"] = "transcribe"
