"""What goes over the wire: the bodies that routes take and what they give. The only module that uses pydantic."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from .limits import DECISIONS, MOST_NEW_TOKENS, QUESTIONS


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
    finds: int | None
    """How many pictures the index has; null where there is none."""
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
    reason_code: str
    """What the reason says, for programs; empty where there is none."""
    reason_values: dict[str, str]
    """What it says it of, such as the word that is not known."""
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


# OpenAI's decisions: questions whose answers are given, about texts and pictures


class InputText(Taken):
    type: Literal["input_text"]
    text: str


class InputImage(Taken):
    type: Literal["input_image"]
    image_url: str
    detail: Literal["low", "high", "auto", "original"] | None = None


class InputJson(Taken):
    type: Literal["input_json"]
    data: dict[str, Any] | list[dict[str, Any]]


InputPart = Annotated[InputText | InputImage | InputJson, Field(discriminator="type")]


class InputMessage(Taken):
    type: Literal["message"] = "message"
    role: Literal["user", "developer", "system"]
    content: str | list[InputPart]


class PredicateQuestion(Taken):
    type: Literal["predicate"]
    instructions: str | list[InputPart]
    name: str | None = None


class ChoiceOption(Taken):
    value: str | bool
    description: str | None = None


class ChoiceQuestion(Taken):
    type: Literal["choice"]
    instructions: str | list[InputPart]
    choices: Annotated[list[ChoiceOption], Field(min_length=2, max_length=255)]
    name: str | None = None


class ScoreLevel(Taken):
    label: str
    description: str | None = None


class ScoreQuestion(Taken):
    type: Literal["score"]
    instructions: str | list[InputPart]
    levels: Annotated[list[ScoreLevel], Field(min_length=2, max_length=255)]
    name: str | None = None


DecisionQuestion = Annotated[PredicateQuestion | ChoiceQuestion | ScoreQuestion, Field(discriminator="type")]


class DecisionRequest(Taken):
    model: str
    input: str | Annotated[list[InputMessage], Field(min_length=1, max_length=100)]
    questions: Annotated[list[DecisionQuestion], Field(min_length=1, max_length=DECISIONS)]
    safety_identifier: str | None = None


class PredicateAnswer(Given):
    type: Literal["predicate"] = "predicate"
    name: str | None
    probability: float


class ChoiceProbability(Given):
    value: str | bool
    probability: float


class ChoiceAnswer(Given):
    type: Literal["choice"] = "choice"
    name: str | None
    choice: str | bool
    confidence: float
    """0 where all choices are equally likely, 1 where one is certain."""
    probabilities: list[ChoiceProbability]


class LevelProbability(Given):
    value: int
    label: str
    probability: float


class ScoreAnswer(Given):
    type: Literal["score"] = "score"
    name: str | None
    score: float
    """The mean level, counted from 0."""
    confidence: float
    probabilities: list[LevelProbability]


class RefusalAnswer(Given):
    type: Literal["refusal"] = "refusal"
    name: str | None


class InputDetails(Given):
    cached_tokens: int = 0
    cache_write_tokens: int = 0


class OutputDetails(Given):
    reasoning_tokens: int = 0


class DecisionUsage(Given):
    input_tokens: int
    input_tokens_details: InputDetails = InputDetails()
    output_tokens: int = 0
    output_tokens_details: OutputDetails = OutputDetails()
    total_tokens: int


class DecisionReply(Given):
    model: str
    answers: list[PredicateAnswer | ChoiceAnswer | ScoreAnswer | RefusalAnswer]
    usage: DecisionUsage


# System One, as `transformers serve` and Ollama speak it

Content = str | dict[str, Any] | list[Any]


class NoulQuestion(Taken):
    type: Literal["noul"]
    instructions: Content | None = None
    criteria: dict[Literal["true", "false"], Content | None] | None = None


class OptionsQuestion(Taken):
    type: Literal["choice"]
    instructions: Content | None = None
    criteria: Annotated[dict[str, Content | None], Field(min_length=1, max_length=255)]


class LevelsQuestion(Taken):
    type: Literal["score"]
    instructions: Content | None = None
    criteria: Annotated[list[Content], Field(min_length=1, max_length=255)]


class Asset(Taken):
    type: Literal["image"]
    format: str | None = None
    data_base64: str


class SystemOneRequest(Taken):
    model: str
    state: Content
    questions: Annotated[
        dict[str, Annotated[NoulQuestion | OptionsQuestion | LevelsQuestion, Field(discriminator="type")]],
        Field(min_length=1, max_length=QUESTIONS),
    ]
    assets: Annotated[dict[Annotated[str, Field(min_length=1)], Asset], Field(max_length=4)] = {}
    keep_alive: float | str | None = None
    """Ollama's clients send it; the model stays in any case."""


class SystemOneUsage(Given):
    input_tokens: int
    output_tokens: int = 0


class SystemOneReply(Given):
    model: str
    answers: dict[str, dict[str, Any]]
    usage: SystemOneUsage


# Ollama: https://docs.ollama.com/api


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
