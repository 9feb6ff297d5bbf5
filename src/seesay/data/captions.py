"""What the captions of a split are like: how many a picture has, how long they are, how often the same is said, and which of
their words training rows never say. Words are those that the caption metrics count (`metrics.tokenize`).

It opens no picture and knows nothing about questions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from statistics import median_low

from ..metrics.tokenize import tokenize
from ..types import Example

FREQUENT = 20
"""How many of the most frequent captions are kept."""
LONGEST = 5
"""How many of the longest captions are kept."""


@dataclass(frozen=True, slots=True)
class CaptionReport:
    """The captions of one split. Triples are least, median and most."""

    rows: int
    captions: int
    per_picture: tuple[int, int, int]
    words: tuple[int, int, int]
    """In a caption."""
    vocabulary: frozenset[str]
    """The distinct words."""
    repeated: float
    """Share of the captions whose words another caption of the split has as well, in the same order."""
    known: float | None
    """Share of the words, each time one is said, that training captions say too; None where there are none."""
    frequent: tuple[tuple[str, int], ...]
    """Captions that are there several times, the most frequent first, and how often."""
    longest: tuple[tuple[str, int, str], ...]
    """The longest captions, their words, and where they stand."""
    wordless: tuple[str, ...]
    """Where captions stand that have no word at all."""


def describe(
    rows: Sequence[Example], contents: Callable[[Example], str], spoken: AbstractSet[str] | None
) -> CaptionReport | None:
    """Count the captions of the rows that ask nothing; None where there is no such row.

    Args:
        contents: what tells whether two rows show the same picture.
        spoken: the words of the training captions.
    """
    described = [row for row in rows if not row.question]
    if not described:
        return None
    said = [(caption, tokenize(caption), row.origin) for row in described for caption in row.answers]
    times = Counter(words for _, words, _ in said)
    first = {words: caption for caption, words, _ in reversed(said)}
    pictures: Counter[str] = Counter()
    for row in described:
        pictures[contents(row)] += len(row.answers)
    words = Counter(word for _, caption, _ in said for word in caption)
    total = words.total()
    longest = sorted(said, key=lambda entry: -len(entry[1]))[:LONGEST]
    return CaptionReport(
        rows=len(described),
        captions=len(said),
        per_picture=_spread(list(pictures.values())),
        words=_spread([len(caption) for _, caption, _ in said]),
        vocabulary=frozenset(words),
        repeated=sum(count for count in times.values() if count > 1) / max(len(said), 1),
        known=sum(words[word] for word in words if word in spoken) / total if spoken and total else None,
        frequent=tuple((first[caption], count) for caption, count in times.most_common(FREQUENT) if count > 1),
        longest=tuple((caption, len(words), origin) for caption, words, origin in longest),
        wordless=tuple(origin for _, words, origin in said if not words),
    )


def _spread(values: Sequence[int]) -> tuple[int, int, int]:
    return (min(values), median_low(values), max(values)) if values else (0, 0, 0)
