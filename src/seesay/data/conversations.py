"""Conversations about pictures: found by the fields of their rows, read by split, before any picture is opened.

    found = load_conversations(DataSettings(data="llava_instruct.json", images=Path("coco/train2017")))
    found.splits["train"][0]          # Conversation(messages=(Message("user", ...), Message("assistant", ...)), origin=...)

A way of writing them down is a file in `formats/` with a subclass of `ConversationFormat`; all of them come as JSON Lines, a
JSON array, Parquet or a set of `datasets`. Pictures and the places for them are counted here. What is inside the pictures
is for `check_conversations`. It imports no torch.
"""

from __future__ import annotations

import hashlib
import re
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from ..errors import DataError, InputError, Problem, UsageError
from ..registry import discover
from ..settings import DataSettings
from ..types import Conversation, ImagePart, ImageSource, Message, Part, TextPart
from .dataset import arrange, picture_identity
from .format import SPLIT_NAMES, Source, read_json
from .messages import conversation_from_transformers
from .rows import LABEL_CHARACTERS, BadRow, Pictures, clean, shown

PLACE = "<image>"
"""What stands for a picture in words."""
WORDS_CHARACTERS = 32_000
"""Most characters of what is said in one turn."""
LINE_BYTES = 100_000_000
"""A row may hold its pictures."""
PICTURE_FIELDS = ("images", "image")
ADDRESS = re.compile(r"(?!data:)\w[\w+.-]*://", re.IGNORECASE)
ONCE = "docs/data.md shows how conversations are written down"


@dataclass(frozen=True, slots=True)
class ConversationSet:
    """Conversations by split. Splits are called train, validation and test, or as the source calls them."""

    name: str
    format: str
    splits: Mapping[str, tuple[Conversation, ...]]
    problems: tuple[Problem, ...]
    """Rows that could not be read, in their order."""
    fingerprint: str
    """sha256 over every row's words and every picture's name and size."""


class ConversationFormat(ABC):
    """A way that conversations are written down."""

    name: ClassVar[str]
    summary: ClassVar[str]
    """One line for people: how to recognise it."""
    field: ClassVar[str]
    """The field of a row that holds its turns."""

    @abstractmethod
    def fits(self, turn: Any) -> bool:
        """Whether this is how the first of a row's turns looks."""

    @abstractmethod
    def messages(self, row: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The turns of a row as transformers has them: `role`, and `content` that is text or parts.

        Raises:
            BadRow: a turn that cannot be meant.
        """

    def recognises(self, source: Source) -> bool:
        """Whether the first row that can be read is of this format."""
        first = next((row for _, _, row in _rows(source, self.field) if not isinstance(row, Problem)), None)
        turns = first.get(self.field) if first else None
        return isinstance(turns, list) and bool(turns) and self.fits(turns[0])

    def read(self, source: Source) -> Iterator[tuple[str, Conversation | Problem]]:
        """Each row with its split: a conversation, or the problem that keeps it from being one.

        Raises:
            DataError: the source as a whole cannot be read.
        """
        pictures = Pictures(source.folders)
        for split, where, row in _rows(source, self.field):
            yield split, row if isinstance(row, Problem) else self._conversation(row, where, pictures)

    def _conversation(self, row: Mapping[str, Any], where: str, pictures: Pictures) -> Conversation | Problem:
        try:
            turns = row.get(self.field)
            if not isinstance(turns, list) or not turns:
                fields = ", ".join(shown(str(name))[1:-1] for name in list(row)[:12])
                raise BadRow(f"no turns in {self.field!r}", f"fields here: {fields or 'none'}")
            found = conversation_from_transformers(*_placed(self.messages(row), _given(row)))
            checked = tuple(_checked(found.messages, pictures))
            label = "" if row.get("id") is None else str(row["id"]).strip()
            return Conversation(
                checked, id=clean(label, LABEL_CHARACTERS, "the field 'id'") if label else "", origin=where
            )
        except BadRow as bad:
            return Problem(where, bad.message, bad.hint)
        except InputError as error:
            return Problem(where, f"{error.where}: {error.message}" if error.where else error.message, error.hint)


def holds_conversations(settings: DataSettings) -> bool:
    """Whether this data is of conversations.

    Raises:
        DataError, ResourceError: a data set of the Hub cannot be had.
    """
    try:
        return any(form.recognises(Source(settings.data, settings.images)) for form in _formats())
    except OSError:
        return False  # what cannot be looked into is told where it is read


def load_conversations(settings: DataSettings, *, training: bool = False) -> ConversationSet:
    """Read the conversations that `settings` name; splits are held out and chosen as `load` does, by picture.

    Args:
        training: the rows are trained on.

    Raises:
        DataError: nothing there, no format recognises it, or it cannot be read.
        UsageError: no data, no such split or folder of pictures.
        MissingExtra: the format needs a package that is not installed.
    """
    if not settings.data:
        raise UsageError("no data set named", hint="give --data FILE, FOLDER or hf:OWNER/NAME")
    if settings.images is not None and not settings.images.is_dir():
        raise UsageError(f"no such folder: {settings.images}", where="--images", hint="name the folder of the pictures")
    source = Source(settings.data, settings.images)
    rows: defaultdict[str, list[Conversation]] = defaultdict(list)
    problems: list[Problem] = []
    try:
        form = next((form for form in _formats() if form.recognises(source)), None)
        if form is None:
            known = "; ".join(f"{form.name} ({form.summary})" for form in _formats())
            found = "no conversations" if source.path.exists() else "no such file or folder"
            raise DataError(found, where=source.text, hint=f"known: {known}")
        for split, row in form.read(source):
            if isinstance(row, Problem):
                problems.append(row)
            else:
                rows[split].append(row)
    except OSError as error:
        where = Path(error.filename or source.text).name
        hint = "check that it is there, and its permissions"
        raise DataError(f"cannot be read: {error.strerror or error}", where=where, hint=hint) from None
    splits = arrange({name: tuple(found) for name, found in rows.items()}, settings, training=training)
    return ConversationSet(settings.data, form.name, splits, tuple(problems), _fingerprint(splits))


def _formats() -> list[ConversationFormat]:
    return [form() for form in discover("seesay.data.formats", ConversationFormat).values()]


def _rows(source: Source, field: str) -> Iterator[tuple[str, str, dict[str, Any] | Problem]]:
    """Split, place and content of each row, whatever kind of file holds it; none where no kind is known."""
    from .formats import hub, jsonl, parquet

    if hub.HubDatasets().recognises(source):
        for name, table in hub.open_splits(source).items():
            if field in table.features:
                split = SPLIT_NAMES.get(name.lower(), name)
                yield from ((split, where, row) for where, row in hub.stored_rows(table, name))
        return
    hint = f'a line is one object: {{"{field}": [...], "image": ...}}'
    for split, file in source.files("*.jsonl"):
        if file.suffix.lower() == ".jsonl" and file.is_file():
            rows = jsonl.read_rows(file, file.name, limit=LINE_BYTES, hint=hint)
            yield from ((split, where, row) for where, row in rows)
    for split, file in source.files("*.json"):
        if file.suffix.lower() == ".json" and file.is_file() and _holds(file, field):
            yield from ((split, where, row) for where, row in _array(file))
    for split, file in parquet.parquet_files(source) or source.files("*.parquet"):
        if file.suffix.lower() == ".parquet" and file.is_file():
            yield from ((split, where, row) for where, row in parquet.read_rows(file, file.name))


def _holds(file: Path, field: str) -> bool:
    """Whether it looks like an array of rows that have this field; a gigabyte is not read to find out."""
    found = Source(str(file))
    head = found.head().removeprefix(b"\xef\xbb\xbf").lstrip()
    key = f'"{field}"'.encode()
    return head[:1] == b"[" and (key in head or key in found.tail())


def _array(file: Path) -> Iterator[tuple[str, dict[str, Any] | Problem]]:
    for number, row in enumerate(read_json(file), start=1):
        where = f"{file.name}:entry {number}"
        found = f"holds {type(row).__name__}, not an object"
        yield where, row if isinstance(row, dict) else Problem(where, found, ONCE)


def _given(row: Mapping[str, Any]) -> list[Any]:
    """The pictures that a row names beside its turns."""
    value: Any = next((row[name] for name in PICTURE_FIELDS if row.get(name) not in (None, "", [])), [])
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _placed(messages: list[dict[str, Any]], given: list[Any]) -> tuple[list[dict[str, Any]], list[Any]]:
    """Messages with a part for every `<image>` in their words, and the pictures for these parts in their order. Without any
    place for them pictures stand before the first words of the user, as TRL has it.

    Raises:
        BadRow: there are more or fewer pictures than places.
    """
    placed = [{**message, "content": _parts(message.get("content"))} for message in messages]
    parts = [part for message in placed if isinstance(message["content"], list) for part in message["content"]]
    pictures = [part for part in parts if isinstance(part, Mapping) and part.get("type") in ("image", "image_url")]
    open_places = [part for part in pictures if not _named(part)]
    if given and not pictures:
        first = next((message for message in placed if message.get("role") == "user"), None)
        if first is not None and isinstance(first["content"], list):
            first["content"] = [*({"type": "image"} for _ in given), *first["content"]]
            return placed, given
    if len(open_places) != len(given):
        named = f"{len(open_places)} place{'' if len(open_places) == 1 else 's'} for pictures in the turns"
        message = f"{named}, and {len(given)} picture{'' if len(given) == 1 else 's'} in the row"
        hint = f"each {PLACE}, or part without a picture of its own, takes the next entry of 'image' or 'images'"
        raise BadRow(message, hint)
    return placed, given


def _named(part: Mapping[str, Any]) -> bool:
    return any(part.get(key) is not None for key in ("image", "url", "path", "base64", "image_url"))


def _parts(content: Any) -> Any:
    """Words with their `<image>` places as parts; parts as they are, without the empty fields that Arrow puts in."""
    if isinstance(content, str):
        pieces = content.split(PLACE)
        if len(pieces) > 1:
            # Line breaks beside a place are how LLaVA parts it from the words; templates have their own.
            pieces = [piece.strip("\n") for piece in pieces]
        texts = [[{"type": "text", "text": piece}] if piece.strip() or len(pieces) == 1 else [] for piece in pieces]
        return [part for index, text in enumerate(texts) for part in ([{"type": "image"}] if index else []) + text]
    if isinstance(content, (list, tuple)):
        return [
            {key: value for key, value in part.items() if value is not None} if isinstance(part, Mapping) else part
            for part in content
        ]
    return content


def _checked(messages: Sequence[Message], pictures: Pictures) -> Iterator[Message]:
    """The turns, in an order that can be learned from, each with clean words and its pictures found.

    Raises:
        BadRow: the order is wrong, a turn is empty, or a picture cannot be found.
    """
    before = ""
    for turn, message in enumerate(messages, start=1):
        where, role = f"turn {turn} ({message.role})", message.role
        if role == "system" and turn > 1:
            raise BadRow(f"{where}: a system turn stands at the beginning", "move it there, or take it out")
        if role != "system" and role == before:
            raise BadRow(f"{where} follows another of the {role}'s", "join them into one turn")
        if role == "assistant" and before not in ("user",):
            raise BadRow(f"{where}: nothing was asked before it", "a conversation begins with the user's turn")
        before = role
        yield Message(role, tuple(_found(message, where, pictures)))
    if before != "assistant":
        raise BadRow(f"it ends with a turn of the {before}'s", "what is learned is the assistant's; take the turn out")


def _found(message: Message, where: str, pictures: Pictures) -> Iterator[Part]:
    if message.role != "user" and message.images:
        raise BadRow(f"{where}: a picture in it", "pictures stand in the user's turns")
    if not message.images and not message.text.strip():
        raise BadRow(f"{where} is empty", "write what is said there, or take the row out")
    last = len(message.parts) - 1
    for index, part in enumerate(message.parts):
        if isinstance(part, ImagePart):
            yield ImagePart(_picture(part.source, where, pictures))
        elif part.text.strip():
            text = clean(part.text, WORDS_CHARACTERS, where)
            # `clean` cuts space off both ends; between words and a picture it means something.
            before = part.text[: len(part.text) - len(part.text.lstrip())] if index else ""
            behind = part.text[len(part.text.rstrip()) :] if index < last else ""
            yield TextPart(f"{before}{text}{behind}")


def _picture(source: Any, where: str, pictures: Pictures) -> ImageSource:
    if isinstance(source, Mapping):
        source = source.get("bytes") or source.get("path")
    if isinstance(source, bytes):
        return source
    if not isinstance(source, str) or not source:
        raise BadRow(f"{where}: {shown(source)} is not the path of a picture", "name a file in the data's folder")
    if source[:5].lower() == "data:":
        return source
    if ADDRESS.match(source):
        raise BadRow(f"{where}: {shown(source)} is an address; nothing is fetched", "download it, and name the file")
    return pictures.find(source)


def _fingerprint(splits: Mapping[str, tuple[Conversation, ...]]) -> str:
    identity = partial(picture_identity, sizes={})
    digest = hashlib.sha256()
    for name, rows in splits.items():
        digest.update(name.encode())
        for row in rows:
            pictures = [identity(_unnamed(source)) for source in row.images]
            said = [(one.role, [type(part).__name__ for part in one.parts], one.text) for one in row.messages]
            digest.update(repr((pictures, said, row.id)).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _unnamed(source: ImageSource) -> ImageSource:
    """A `data:` URL as bytes: its end is no name of a file."""
    return source.encode() if isinstance(source, str) and source[:5].lower() == "data:" else source
