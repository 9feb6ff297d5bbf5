"""Questions whose answers are given: OpenAI's /v1/decisions and System One as `transformers serve` and Ollama speak it.

A classifier says how likely each answer is by its head, and refuses where it never gives one of them; a model that writes by
the likelihood of each. Models that converse are shown the answers with their descriptions; the others only the question, which
is best put as one ("Is there a dog?").
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter

from .. import api
from ..errors import ModelError, UsageError
from .call import Call, Queued, StrictRoute, data_url
from .schemas.decisions import (
    ChoiceAnswer,
    ChoiceProbability,
    ChoiceQuestion,
    Content,
    DecisionReply,
    DecisionRequest,
    InputPart,
    LevelProbability,
    LevelsQuestion,
    NoulQuestion,
    OptionsQuestion,
    PredicateAnswer,
    PredicateQuestion,
    RefusalAnswer,
    ScoreAnswer,
    ScoreQuestion,
    SystemOneReply,
    SystemOneRequest,
    SystemOneUsage,
)
from .schemas.responses import InputImage, InputText, TokenUsage

router = APIRouter(prefix="/v1", route_class=StrictRoute)
YES_NO = ("yes", "no")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question, the answers allowed, and what is said of each."""

    text: str
    options: tuple[str, ...]
    descriptions: tuple[str, ...]
    where: str


@router.post("/decisions", summary="Predicates, choices and scores about pictures", tags=["openai"])
async def decide(call: Queued, body: DecisionRequest) -> DecisionReply:
    call.service.require(body.model)
    urls: list[str] = []
    messages = [body.input] if isinstance(body.input, str) else [message.content for message in body.input]
    context = "\n".join(filter(None, (_words(content, urls) for content in messages)))
    asked = [_openai_question(question, place, urls) for place, question in enumerate(body.questions)]
    chances = await _chances(call, [data_url(url, "image_url") for url in urls], context, asked)
    answers = [
        _openai_answer(question, given) if given else RefusalAnswer(name=question.name)
        for question, given in zip(body.questions, chances, strict=True)
    ]
    tokens = call.service.tokens(context) + sum(call.service.tokens(one.text) for one in asked)
    return DecisionReply(
        model=call.service.name, answers=answers, usage=TokenUsage(input_tokens=tokens, total_tokens=tokens)
    )


@router.post("/systemone", summary="System One: choice, score and noul questions about pictures", tags=["transformers"])
async def system_one(call: Queued, body: SystemOneRequest) -> SystemOneReply:
    call.service.require(body.model)
    names = sorted(body.assets, key=len, reverse=True)
    marks = re.compile("|".join(map(re.escape, names))) if names else None
    context = _plain(body.state, marks)
    asked = [_system_one_question(name, question, marks) for name, question in body.questions.items()]
    pictures = [f"data:image/unknown;base64,{asset.data_base64}" for asset in body.assets.values()]
    chances = await _chances(call, pictures, context, asked)
    answers = {}
    for (name, question), one, given in zip(body.questions.items(), asked, chances, strict=True):
        answers[name] = _system_one_answer(question, given or _uncertain(call, one))
    tokens = call.service.tokens(context) + sum(call.service.tokens(one.text) for one in asked)
    return SystemOneReply(model=body.model, answers=answers, usage=SystemOneUsage(input_tokens=tokens))


async def _chances(
    call: Call, pictures: Sequence[str], context: str, asked: Sequence[_Asked]
) -> list[tuple[float, ...] | None]:
    questions = [(_question(call, context, one), one.options) for one in asked]
    # Answers are given, so nothing is read: the model sees all of it.
    async with call.service.opened(pictures, fits=call.service.model.family.fits) as opened:
        return await call.service.decide(call.ticket, opened, questions)


def _question(call: Call, context: str, asked: _Asked) -> str:
    lines = [context, asked.text]
    if call.service.model.family.converses:
        described = zip(asked.options, asked.descriptions, strict=True)
        lines += [f"{option}: {description}" for option, description in described if description]
        lines.append(f"Answer with one of: {', '.join(asked.options)}.")
    return api.clean_question("\n".join(filter(None, lines)), asked.where)


def _openai_question(
    question: PredicateQuestion | ChoiceQuestion | ScoreQuestion, place: int, urls: list[str]
) -> _Asked:
    where = f"questions[{place}]"
    options: tuple[str, ...]
    descriptions: tuple[str, ...]
    match question:
        case PredicateQuestion():
            options, descriptions = YES_NO, ("", "")
        case ChoiceQuestion():
            options = tuple(_word(option.value) for option in question.choices)
            descriptions = tuple(option.description or "" for option in question.choices)
        case ScoreQuestion():
            options = tuple(level.label for level in question.levels)
            descriptions = tuple(level.description or "" for level in question.levels)
    return _Asked(_words(question.instructions, urls), _distinct(options, where), descriptions, where)


def _system_one_question(
    name: str, question: NoulQuestion | OptionsQuestion | LevelsQuestion, marks: re.Pattern[str] | None
) -> _Asked:
    where = f"questions.{name}"
    options: tuple[str, ...]
    descriptions: tuple[str, ...]
    match question:
        case NoulQuestion():
            criteria = question.criteria or {}
            options, descriptions = YES_NO, tuple(_plain(criteria.get(key), marks) for key in ("true", "false"))
        case OptionsQuestion():
            options = tuple(question.criteria)
            descriptions = tuple(_plain(value, marks) for value in question.criteria.values())
        case LevelsQuestion():
            options = tuple(_plain(level, marks) for level in question.criteria)
            descriptions = ("",) * len(options)
    return _Asked(_plain(question.instructions, marks), _distinct(options, where), descriptions, where)


def _openai_answer(
    question: PredicateQuestion | ChoiceQuestion | ScoreQuestion, chances: tuple[float, ...]
) -> PredicateAnswer | ChoiceAnswer | ScoreAnswer:
    match question:
        case PredicateQuestion():
            return PredicateAnswer(name=question.name, probability=chances[0])
        case ChoiceQuestion():
            pairs = [
                ChoiceProbability(value=option.value, probability=chance)
                for option, chance in zip(question.choices, chances, strict=True)
            ]
            best = max(pairs, key=lambda pair: pair.probability)
            return ChoiceAnswer(
                name=question.name, choice=best.value, confidence=_confidence(chances), probabilities=pairs
            )
        case ScoreQuestion():
            levels = [
                LevelProbability(value=value, label=level.label, probability=chance)
                for value, (level, chance) in enumerate(zip(question.levels, chances, strict=True))
            ]
            mean, sure = _score(chances)
            return ScoreAnswer(name=question.name, score=mean, confidence=sure, probabilities=levels)


def _system_one_answer(
    question: NoulQuestion | OptionsQuestion | LevelsQuestion, chances: tuple[float, ...]
) -> dict[str, Any]:
    match question:
        case NoulQuestion():
            return {"type": "noul", "noul": chances[0]}
        case OptionsQuestion():
            shares = dict(zip(question.criteria, chances, strict=True))
            best = max(shares, key=lambda option: shares[option])
            return {"type": "choice", "choice": best, "confidence": _confidence(chances), "probabilities": shares}
        case LevelsQuestion():
            mean, sure = _score(chances)
            legend = {str(value): level for value, level in enumerate(question.criteria)}
            shares = {str(value): chance for value, chance in enumerate(chances)}
            return {"type": "score", "score": mean, "legend": legend, "confidence": sure, "probabilities": shares}


def _uncertain(call: Call, asked: _Asked) -> tuple[float, ...]:
    """All answers equally likely, where the picture does not show it; System One has no other way to say so.

    Raises:
        ModelError: the model never gives one of them.
    """
    vocabulary = call.service.model.vocabulary
    never = [option for option in asked.options if vocabulary and option not in vocabulary]
    if never:
        raise ModelError(f"this model never answers {never[0]!r}", where=asked.where)
    return (1 / len(asked.options),) * len(asked.options)


def _confidence(chances: Sequence[float]) -> float:
    """How far the best of N answers is above 1/N, as a share of how far it could be (as transformers has it)."""
    even = 1 / len(chances)
    return 1.0 if len(chances) == 1 else max(0.0, (max(chances) - even) / (1 - even))


def _score(chances: Sequence[float]) -> tuple[float, float]:
    """The mean level, and how near the levels lie to the likeliest, 0 being as far as evenly spread (as transformers has it)."""
    count, best = len(chances), max(range(len(chances)), key=lambda level: chances[level])
    mean = sum(level * chance for level, chance in enumerate(chances))
    distance = sum(chance * abs(level - best) for level, chance in enumerate(chances))
    even = sum(abs(level - (count - 1) / 2) for level in range(count)) / count
    return mean, 1.0 if count == 1 else max(0.0, 1 - distance / even)


def _words(content: str | Sequence[InputPart], urls: list[str]) -> str:
    """The words of a content; its pictures are added to `urls`."""
    if isinstance(content, str):
        return content
    words = []
    for part in content:
        if isinstance(part, InputImage):
            urls.append(part.image_url)
        else:
            words.append(part.text if isinstance(part, InputText) else json.dumps(part.data, ensure_ascii=False))
    return "\n".join(words)


def _plain(content: Content | None, marks: re.Pattern[str] | None) -> str:
    """A content as words, without the marks of pictures; empty where there were only marks."""
    if isinstance(content, str):
        return (marks.sub("", content) if marks else content).strip()
    kept = _without(content, marks)
    return json.dumps(kept, ensure_ascii=False) if kept else ""


def _without(value: Any, marks: re.Pattern[str] | None) -> Any:
    if isinstance(value, str):
        return (marks.sub("", value) if marks else value).strip()
    if isinstance(value, list):
        return [kept for kept in (_without(one, marks) for one in value) if kept not in ("", [], {}, None)]
    if isinstance(value, dict):
        pairs = {key: _without(one, marks) for key, one in value.items()}
        return {key: kept for key, kept in pairs.items() if kept not in ("", [], {}, None)}
    return value


def _word(value: str | bool) -> str:
    return value if isinstance(value, str) else YES_NO[0 if value else 1]


def _distinct(options: tuple[str, ...], where: str) -> tuple[str, ...]:
    cleaned = tuple(api.clean_question(option, where) for option in options)
    if len(set(cleaned)) < len(cleaned):
        twice = next(option for option in cleaned if cleaned.count(option) > 1)
        raise UsageError(f"the answer {twice!r} stands there twice (true is 'yes', false 'no')", where=where)
    return cleaned
