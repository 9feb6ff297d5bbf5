"""Chat, generate and what is there, as Ollama has them: https://docs.ollama.com/api."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from .base import Given, Taken


class OllamaOptions(BaseModel):
    """What decides how long an answer gets; the other options of Ollama are taken and change nothing."""

    model_config = ConfigDict(extra="allow", allow_inf_nan=False)

    num_predict: Annotated[int, Field(ge=-2, le=1_000_000)] | None = None
    stop: str | Annotated[list[str], Field(max_length=16)] | None = None


class OllamaRequest(Taken):
    model: str
    stream: bool = True
    options: OllamaOptions | None = None
    keep_alive: float | str | None = None
    format: Literal[""] | None = None
    think: Literal[False] | None = None
    logprobs: Literal[False] | None = None
    top_logprobs: Literal[0] | None = None


class OllamaMessage(Taken):
    role: Literal["system", "user", "assistant"]
    content: str | None = ""
    images: list[str] | None = None
    thinking: None = None
    tool_name: None = None
    tool_calls: Annotated[list[Any], Field(max_length=0)] | None = None


class OllamaChat(OllamaRequest):
    messages: Annotated[list[OllamaMessage], Field(max_length=500)]
    tools: Annotated[list[Any], Field(max_length=0)] | None = None


class OllamaGenerate(OllamaRequest):
    prompt: str = ""
    images: list[str] | None = None
    system: str | None = None
    suffix: Literal[""] | None = None
    raw: Literal[False] | None = None
    context: Annotated[list[int], Field(max_length=0)] | None = None
    template: Literal[""] | None = None


class OllamaShow(Taken):
    model: str
    name: str | None = None
    verbose: bool | None = None


class OllamaDetails(Given):
    parent_model: str = ""
    format: str = "seesay"
    family: str
    families: list[str]
    parameter_size: str = ""
    quantization_level: str


class OllamaModel(Given):
    name: str
    model: str
    modified_at: str
    size: int
    digest: str
    details: OllamaDetails


class OllamaTags(Given):
    models: list[OllamaModel]


class OllamaShown(Given):
    modified_at: str
    template: str = ""
    modelfile: str = ""
    parameters: str = ""
    license: str = ""
    details: OllamaDetails
    model_info: dict[str, Any]
    capabilities: list[str]


class OllamaVersion(Given):
    version: str
