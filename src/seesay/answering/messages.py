"""Conversations from and to the messages of others: OpenAI's (`image_url` with a data URL) and transformers' (`image`).

Each direction is a function of its own, because each has rules of its own: a message in OpenAI's form may come over a wire,
so a picture in it is a `data:` URL or refused; one in transformers' form comes from the caller's own code and is read in
`data.messages`. `check` holds what every conversation must be.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, get_args

from ..data.messages import read_messages, text_part
from ..errors import InputError, TextError
from ..media import ALLOWED_CONTROLS, clean_text, data_url, open_image
from ..types import Conversation, ImagePart, Message, Part, Role, TextPart

CONVERSATION_BYTES = 32_000
"""Of all words of a conversation together, in UTF-8."""


def check(conversation: Conversation) -> Conversation:
    """The conversation with its words in composed form (NFC), where a model can answer it.

    Raises:
        InputError: no turn, one without content, a system turn behind another, or a last turn that is not the user's.
        TextError: words with control characters, or more of them than the limit.
    """
    messages = conversation.messages
    if not messages or messages[-1].role != "user":
        last = f"the {messages[-1].role}'s" if messages else "missing"
        raise InputError(f"the last turn must be the user's, and is {last}", where="conversation")
    cleaned = tuple(_checked(message, turn) for turn, message in enumerate(messages, 1))
    size = sum(len(message.text.encode()) for message in cleaned)
    if size > CONVERSATION_BYTES:
        hint = "leave out earlier turns"
        raise TextError(f"{size:,} bytes of text; the limit is {CONVERSATION_BYTES:,}", where="conversation", hint=hint)
    return replace(conversation, messages=cleaned)


def conversation_from_openai(messages: Sequence[Mapping[str, Any]]) -> Conversation:
    """A conversation from messages as OpenAI's chat completions take them.

    `content` is a text, or parts `{"type": "text", "text": ...}` and `{"type": "image_url", "image_url": {"url": ...}}`. A
    picture must be a `data:` URL: addresses and paths are refused, because such messages may come from anybody.

    Raises:
        InputError: a message or a part that cannot be meant; the message says which.
    """

    def part(value: Mapping[str, Any], where: str) -> Part:
        if value.get("type") != "image_url":
            return text_part(value, where, "text and image_url")
        inside = value.get("image_url")
        url = inside.get("url") if isinstance(inside, Mapping) else inside
        if not isinstance(url, str) or url[:5].lower() != "data:":
            hint = "send the picture itself: data:image/png;base64,<base64 text>"
            raise InputError("a picture must be a data: URL; nothing is fetched or read", where=where, hint=hint)
        return ImagePart(url)

    return read_messages(messages, part)


def conversation_to_openai(conversation: Conversation) -> list[dict[str, Any]]:
    """Messages as OpenAI's chat completions take them, each picture within as a `data:` URL of the bytes it came as.

    Raises:
        ImageError: a picture cannot be read.
    """

    def part(value: Part) -> dict[str, Any]:
        if isinstance(value, TextPart):
            return {"type": "text", "text": value.text}
        return {"type": "image_url", "image_url": {"url": data_url(value.source)}}

    return [
        {"role": message.role, "content": message.text if not message.images else [part(one) for one in message.parts]}
        for message in conversation.messages
    ]


def conversation_to_transformers(conversation: Conversation) -> list[dict[str, Any]]:
    """Messages as transformers' `apply_chat_template` takes them, with pictures as opened PIL images under `image`."""

    def part(value: Part) -> dict[str, Any]:
        if isinstance(value, TextPart):
            return {"type": "text", "text": value.text}
        return {"type": "image", "image": open_image(value.source).pixels}

    return [
        {"role": message.role, "content": [part(one) for one in message.parts]} for message in conversation.messages
    ]


def _checked(message: Message, turn: int) -> Message:
    where = f"turn {turn} ({message.role})"
    if message.role not in get_args(Role):
        raise InputError(f"role {message.role!r}", where=f"turn {turn}", hint=f"roles: {', '.join(get_args(Role))}")
    if message.role == "system" and turn > 1:
        raise InputError("a system turn stands at the beginning", where=where)
    parts = tuple(
        TextPart(clean_text(_written(part.text, message.role), CONVERSATION_BYTES, where=where))
        if isinstance(part, TextPart)
        else part
        for part in message.parts
    )
    if not parts:
        raise InputError("a turn without words and pictures", where=where)
    return Message(message.role, parts)


def _written(text: str, role: Role) -> str:
    """What a model wrote without its control characters, so that they do not end the conversation."""
    if role != "assistant" or text.isprintable():
        return text
    return "".join(one for one in text if one in ALLOWED_CONTROLS or unicodedata.category(one) not in ("Cc", "Cs"))
