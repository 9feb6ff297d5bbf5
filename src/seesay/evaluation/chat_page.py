"""How a model that chats learned, as one page: the loss over the steps, and what it says to validation conversations beside what
stands there. One HTML file that needs nothing else. It knows nothing of networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from ..types import Conversation
from .curves import loss_page
from .page import thumbnail

PICTURES_SHOWN = 3
LONGEST = 600
"""Characters of a text that a card shows."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the model says where a validation conversation ends, and what stands there."""

    asked: Conversation
    """Up to the question."""
    reference: str
    answer: str


def chat_training_page(
    history: Sequence[Mapping[str, Any]],
    said: Sequence[Said],
    statements: Sequence[str],
    settings_text: str,
    best: int,
    folder: Path,
) -> None:
    """Write loss.png and report.html into the folder of a run.

    Args:
        history: the Trainer's log: dicts with `step` and what was measured then.
        best: the step whose checkpoint is the model.
    """
    shown = []
    if said:
        explained = (
            "The first validation conversations, continued where their last answer stands; greedily, and cut off at"
        )
        shown.append(
            f'<h2>What it says</h2><p class="soft">{explained} the tokens that the settings allow.</p>'
            f'<ul class="cards">{"".join(map(_card, said))}</ul>'
        )
    measured = "loss a token of the assistant's turns in the validation conversations"
    loss_page(history, "loss a token", measured, statements, shown, settings_text, best, folder)


def _card(one: Said) -> str:
    question = one.asked.messages[-1].text
    shown = "".join(thumbnail(source, _short(question)) for source in one.asked.images[:PICTURES_SHOWN])
    earlier = sum(message.role == "assistant" for message in one.asked.messages)
    before = f'<p class="label">earlier answers: {earlier}</p>' if earlier else ""
    return (
        f'<li>{shown}<div>{before}<p class="label">asked</p><p dir="auto">{escape(_short(question))}</p>'
        f'<p class="label">the model</p><p class="said" dir="auto">{escape(_short(one.answer)) or "<em>nothing</em>"}</p>'
        f'<p class="label">the conversation</p><p dir="auto">{escape(_short(one.reference))}</p></div></li>'
    )


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
