"""Reading conversations as training would: every picture opened once, turns, pictures and words counted, every problem kept
with its remedy. How long a conversation is for a model is told by the caller (`tokens`); no model is loaded here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median_low
from typing import Any

from ..errors import Problem
from ..metrics.tokenize import tokenize
from ..types import Conversation, ImageSource
from .checked import Checked, Table
from .conversations import ConversationSet
from .opened import OpenedPicture, Pictures, broken, content, open_pictures, shared

Spread = tuple[int, int, int]
"""Least, median and most."""
PLACES_NAMED = 3


@dataclass(frozen=True, slots=True)
class ConversationSplit:
    """What the conversations of one split are like."""

    name: str
    conversations: int
    pictures: int
    """Distinct ones, by content."""
    without_picture: int
    turns: Spread
    """Of the assistant, in a conversation."""
    pictures_shown: Spread
    """In a conversation."""
    words_asked: Spread
    """In a turn of the user."""
    words_answered: Spread
    """In a turn of the assistant."""


@dataclass(frozen=True, slots=True)
class ConversationReport(Checked):
    """Everything found in a set of conversations."""

    name: str
    format: str
    splits: tuple[ConversationSplit, ...]
    problems: tuple[Problem, ...]
    sizes: Mapping[int, tuple[int, int]]
    """Width and height of each picture that opened, by `id` of its source."""

    def size(self, source: ImageSource) -> tuple[int, int]:
        """Width and height of a picture of these conversations."""
        return self.sizes[id(source)]

    def tables(self) -> list[Table]:
        """The report as tables of text: title, header, rows."""
        header = ["split", "conversations", "pictures", "without one", "answers", "pictures shown", "words asked",
                  "words answered"]  # fmt: skip
        return [(f"{self.name} ({self.format})", header, [_cells(split) for split in self.splits])]

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON values, every problem included."""
        return {
            "name": self.name,
            "format": self.format,
            "splits": [asdict(split) for split in self.splits],
            "problems": [asdict(problem) for problem in self.problems],
        }


def check_conversations(
    found: ConversationSet, *, training: bool = False, progress: Callable[[int, int], None] | None = None
) -> ConversationReport:
    """Open every picture, count everything, and collect all problems.

    Args:
        training: the rows are to be trained on, so that rows to train on and to validate with must be there.
        progress: told how many distinct pictures of how many are open.
    """
    opened = open_pictures(found.splits, progress)
    names = dict.fromkeys(("train", "validation", "test", *found.splits))
    return ConversationReport(
        name=found.name,
        format=found.format,
        splits=tuple(_split(name, found.splits[name], opened) for name in names if name in found.splits),
        problems=(*found.problems, *broken(found.splits, opened), *_whole_set(found, opened, training=training)),
        sizes={key: picture.size for key, picture in opened.items() if isinstance(picture, OpenedPicture)},
    )


def too_long(rows: Sequence[Conversation], read: Callable[[Conversation], str]) -> tuple[Problem, ...]:
    """A problem for each conversation that a model cannot read whole.

    Args:
        read: why it cannot, in words; empty where it can.
    """
    hint = "leave out its last turns or some of its pictures, or take the row out"
    return tuple(Problem(row.origin, why, hint) for row in rows if (why := read(row)))


def _split(name: str, rows: Sequence[Conversation], opened: Pictures) -> ConversationSplit:
    said = [message for row in rows for message in row.messages]
    words = {
        role: [len(tokenize(message.text)) for message in said if message.role == role]
        for role in ("user", "assistant")
    }
    return ConversationSplit(
        name=name,
        conversations=len(rows),
        pictures=len({content(source, opened) for row in rows for source in row.images}),
        without_picture=sum(not row.images for row in rows),
        turns=_spread([sum(message.role == "assistant" for message in row.messages) for row in rows]),
        pictures_shown=_spread([len(row.images) for row in rows]),
        words_asked=_spread(words["user"]),
        words_answered=_spread(words["assistant"]),
    )


def _whole_set(found: ConversationSet, opened: Pictures, *, training: bool) -> Iterator[Problem]:
    """What is wrong with the rows taken together."""
    if not any(found.splits.values()):
        yield Problem(found.name, "no rows that can be used", "see the formats in docs/data.md")
    elif training:
        for name in ("train", "validation"):
            if not found.splits.get(name):
                hint = "give more conversations, or raise --validation-fraction, which holds some of the pictures out"
                yield Problem(found.name, f"no {name} rows", hint)
    several = shared(found.splits, opened)
    if several:
        (_, one), (_, other), *_ = several[0]
        message = (
            f"{len(several):,} pictures stand in more than one split, such as {other}, which shows what {one} shows"
        )
        hint = "figures on them tell what was memorised; keep each picture in one split"
        yield Problem(found.name, message, hint, fatal=False)
    for name, rows in found.splits.items():
        seen: dict[object, str] = {}
        again = []
        for row in rows:
            key = (tuple(content(source, opened) for source in row.images), *((m.role, m.text) for m in row.messages))
            if key in seen:
                again.append(f"{row.origin} is {seen[key]}")
            else:
                seen[key] = row.origin
        if again:
            message = f"{len(again):,} conversations of {name} stand there twice: {', '.join(again[:PLACES_NAMED])}"
            message += " ..." if len(again) > PLACES_NAMED else ""
            yield Problem(found.name, message, "take them out, unless they are to count twice", fatal=False)


def _spread(values: Sequence[int]) -> Spread:
    return (min(values), median_low(values), max(values)) if values else (0, 0, 0)


def _cells(split: ConversationSplit) -> list[str]:
    spreads = (split.turns, split.pictures_shown, split.words_asked, split.words_answered)
    counts = (split.conversations, split.pictures, split.without_picture)
    return [split.name, *(f"{count:,}" for count in counts), *(" / ".join(f"{n:,}" for n in one) for one in spreads)]
