"""Responses, as OpenAI has them: https://platform.openai.com/docs/api-reference/responses. Also what decisions share with them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from ..limits import MOST_NEW_TOKENS
from .base import Given, Taken


class InputText(Taken):
    type: Literal["input_text"]
    text: str


class InputImage(Taken):
    type: Literal["input_image"]
    image_url: str
    detail: Literal["low", "high", "auto", "original"] | None = None
    file_id: None = None


class OutputText(Taken):
    """What the model said in an earlier turn, as it was given."""

    type: Literal["output_text"]
    text: str
    annotations: Annotated[list[Any], Field(max_length=0)] | None = None
    logprobs: Annotated[list[Any], Field(max_length=0)] | None = None


class ResponseMessage(Taken):
    """A turn; of those that the server gave before also with their `id` and `status`."""

    type: Literal["message"] = "message"
    role: Literal["user", "assistant", "system", "developer"]
    content: str | list[Annotated[InputText | InputImage | OutputText, Field(discriminator="type")]]
    id: str | None = None
    status: Literal["in_progress", "completed", "incomplete"] | None = None
    phase: Literal["commentary", "final_answer"] | None = None


class TextFormat(Taken):
    type: Literal["text"] = "text"


class TextSettings(Taken):
    format: TextFormat | None = None


class ResponseStreamOptions(Taken):
    include_obfuscation: Literal[False] | None = None


class ResponseRequest(Taken):
    model: str
    input: str | Annotated[list[ResponseMessage], Field(min_length=1, max_length=500)]
    instructions: str | None = None
    max_output_tokens: Annotated[int, Field(ge=1, le=MOST_NEW_TOKENS)] | None = None
    stream: bool | None = None
    stream_options: ResponseStreamOptions | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    """Answers are the likeliest ones, whatever this is."""
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    top_logprobs: Literal[0] | None = None
    metadata: (
        Annotated[
            dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=512)]], Field(max_length=16)
        ]
        | None
    ) = None
    """Given back as it is."""
    text: TextSettings | None = None
    truncation: Literal["disabled"] | None = None
    tools: Annotated[list[Any], Field(max_length=0)] | None = None
    tool_choice: Literal["none", "auto"] | None = None
    parallel_tool_calls: bool | None = None
    include: Annotated[list[Any], Field(max_length=0)] | None = None
    store: Literal[False] | None = None
    """Nothing is kept, also where this is left out."""
    previous_response_id: None = None
    background: Literal[False] | None = None
    service_tier: Literal["auto", "default"] | None = None
    user: str | None = None
    safety_identifier: str | None = None


class GivenText(Given):
    type: Literal["output_text"] = "output_text"
    text: str
    annotations: list[Any] = Field(default_factory=list)
    logprobs: list[Any] = Field(default_factory=list)


class GivenMessage(Given):
    id: str
    type: Literal["message"] = "message"
    role: Literal["assistant"] = "assistant"
    status: Literal["in_progress", "completed", "incomplete"]
    content: list[GivenText]


class InputDetails(Given):
    cached_tokens: int = 0
    cache_write_tokens: int = 0


class OutputDetails(Given):
    reasoning_tokens: int = 0


class TokenUsage(Given):
    """Tokens of the words; pictures are not counted."""

    input_tokens: int
    input_tokens_details: InputDetails = InputDetails()
    output_tokens: int = 0
    output_tokens_details: OutputDetails = OutputDetails()
    total_tokens: int


class ResponseError(Given):
    code: Literal["server_error"] = "server_error"
    message: str


class Incomplete(Given):
    reason: Literal["max_output_tokens"] = "max_output_tokens"


class ResponseReply(Given):
    id: str
    object: Literal["response"] = "response"
    created_at: int
    status: Literal["in_progress", "completed", "incomplete", "failed"]
    error: ResponseError | None = None
    incomplete_details: Incomplete | None = None
    model: str
    output: list[GivenMessage] = Field(default_factory=list)
    usage: TokenUsage | None = None
    instructions: str | None
    max_output_tokens: int | None
    metadata: dict[str, str]
    background: Literal[False] = False
    parallel_tool_calls: Literal[False] = False
    previous_response_id: None = None
    store: Literal[False] = False
    temperature: float | None
    text: TextSettings = TextSettings(format=TextFormat())
    tool_choice: Literal["none"] = "none"
    tools: list[Any] = Field(default_factory=list)
    top_p: float | None
    truncation: Literal["disabled"] = "disabled"
    seesay: dict[str, Any] | None = None
    """Beside OpenAI's fields, once it is complete: score, certainty, reason, alternatives, lines and provenance."""
