"""Messages as chat libraries write them, read into a conversation: roles, and content that is text or a list of parts.

A message in transformers' form comes from the caller's own code or data, may name a file or hold a picture, and may leave
places for pictures that are given beside it. Forms that may come over a wire are read in `answering.messages`, by the same
functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias, cast, get_args

from ..errors import InputError
from ..types import Conversation, ImagePart, ImageSource, Message, Part, Role, TextPart

PICTURE_KEYS = ("image", "url", "path", "base64")
"""Where a part of transformers' messages may hold its picture."""
ReadPart: TypeAlias = Callable[[Mapping[str, Any], str], Part]
"""A part as it stands in a message, and where -> the part."""


def conversation_from_transformers(
    messages: Sequence[Mapping[str, Any]], images: Sequence[ImageSource] = ()
) -> Conversation:
    """A conversation from messages as transformers' `apply_chat_template` takes them.

    A part is `{"type": "text", "text": ...}` or `{"type": "image"}` with the picture under `image`, `url`, `path` or
    `base64`; without one it is a place for the next of `images`. Web addresses are refused by the media door.

    Raises:
        InputError: a message that cannot be meant, or pictures and places that do not go up; it says in which turn.
    """
    left = list(images)
    places: list[str] = []

    def part(value: Mapping[str, Any], where: str) -> Part:
        if value.get("type") == "image_url":
            inside = value.get("image_url")
            value = {"type": "image", "url": inside.get("url") if isinstance(inside, Mapping) else inside}
        if value.get("type") != "image":
            return text_part(value, where, "text and image")
        key = next((key for key in PICTURE_KEYS if value.get(key) is not None), None)
        if key is not None:
            source = value[key]
            return ImagePart(f"data:image/unknown;base64,{source}" if key == "base64" else source)
        places.append(where)
        if not left:
            given = f"{len(images)} picture{'' if len(images) == 1 else 's'}"
            raise InputError(f"a place for a picture, and {given} given", where=where, hint="give as many as places")
        return ImagePart(left.pop(0))

    conversation = read_messages(messages, part)
    if left:
        hint = f"places are in {', '.join(places)}" if places else 'a place is a part {"type": "image"}'
        raise InputError(f"{len(images)} pictures given for {len(places)} places", where="images", hint=hint)
    return conversation


def read_messages(messages: Sequence[Mapping[str, Any]], part: ReadPart) -> Conversation:
    """The conversation in objects with `role` and `content`, which is text or a list of parts.

    Raises:
        InputError: a message that cannot be meant; it says which.
    """
    if isinstance(messages, (str, bytes, Mapping)) or not isinstance(messages, Sequence):
        raise InputError(f"messages are a list, not a {type(messages).__name__}", where="messages")
    return Conversation(tuple(_message(row, part, f"messages[{index}]") for index, row in enumerate(messages)))


def _message(row: Any, part: ReadPart, where: str) -> Message:
    if not isinstance(row, Mapping):
        raise InputError(f"a message is an object with role and content, not a {type(row).__name__}", where=where)
    role = row.get("role")
    if role not in get_args(Role):
        raise InputError(f"role {role!r}", where=where, hint=f"roles: {', '.join(get_args(Role))}")
    return Message(cast("Role", role), tuple(_parts(row.get("content"), part, where)))


def _parts(content: Any, part: ReadPart, where: str) -> Iterator[Part]:
    if isinstance(content, str):
        yield TextPart(content)
        return
    if not isinstance(content, (list, tuple)):
        raise InputError(f"content is text or a list of parts, not a {type(content).__name__}", where=where)
    for index, value in enumerate(content):
        if not isinstance(value, Mapping):
            raise InputError("a part is an object with a type", where=f"{where}.content[{index}]")
        yield part(value, f"{where}.content[{index}]")


def text_part(value: Mapping[str, Any], where: str, known: str) -> TextPart:
    """A part of words.

    Args:
        known: the types of parts that there may be, for the message.

    Raises:
        InputError: it is of another type, or holds no text.
    """
    if value.get("type") != "text":
        raise InputError(f"a part of type {value.get('type')!r}", where=where, hint=f"types known: {known}")
    if not isinstance(value.get("text"), str):
        raise InputError("a part of type 'text' without a text", where=where)
    return TextPart(value["text"])
