"""Questions whose answers are given: OpenAI's decisions, and System One as `transformers serve` and Ollama speak it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from ..limits import DECISIONS, QUESTIONS
from .base import Given, Taken
from .responses import InputImage, InputText, TokenUsage


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


class DecisionReply(Given):
    model: str
    answers: list[PredicateAnswer | ChoiceAnswer | ScoreAnswer | RefusalAnswer]
    usage: TokenUsage


# System One

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
    assets: dict[Annotated[str, Field(min_length=1)], Asset] = Field(default_factory=dict, max_length=4)
    keep_alive: float | str | None = None
    """Ollama's clients send it; the model stays in any case."""


class SystemOneUsage(Given):
    input_tokens: int
    output_tokens: int = 0


class SystemOneReply(Given):
    model: str
    answers: dict[str, dict[str, Any]]
    usage: SystemOneUsage
