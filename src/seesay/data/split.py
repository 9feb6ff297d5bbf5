"""Holding rows out without a leak: no picture, by content, and no spoken sentence ever stands in two splits."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

from ..errors import ImageError
from ..media import digest_image
from ..types import Conversation, Example, ImageSource, Recording

T = TypeVar("T")
Shown = TypeVar("Shown", Example, Conversation)


def by_picture(
    examples: Sequence[Shown], seed: int, *, validation: float = 0.0, test: float = 0.0
) -> dict[str, tuple[Shown, ...]]:
    """The rows of `train`, `validation` and `test`; about those shares (0 to 1) of the pictures are held out, and of a share
    at least one picture where one is left to train on.

    Each picture has a place from 0 to 1, sha256 of seed and content, and so the same one in every run and whatever other
    rows there are. Validation takes the lowest and test the highest places: neither share moves what the other takes.
    """
    return _drawn(examples, _identities(examples), seed, validation, test)


def by_sentence(
    rows: Sequence[Recording], seed: int, *, validation: float = 0.0, test: float = 0.0
) -> dict[str, tuple[Recording, ...]]:
    """The same for recordings, held out by what is said in them: no sentence, whoever says it, stands in two splits."""
    said = [" ".join(row.text.casefold().split()) for row in rows]
    return _drawn(rows, said, seed, validation, test)


def _drawn(
    rows: Sequence[T], identities: Sequence[str], seed: int, validation: float, test: float
) -> dict[str, tuple[T, ...]]:
    places = [_place(identity, seed) for identity in identities]
    low, high = int(validation * 2**64), 2**64 - int(test * 2**64)
    ranked = sorted(set(places))
    if validation and len(ranked) > 1:
        low = max(low, ranked[0] + 1)
    if test and len(ranked) > 1 + bool(validation):
        high = min(high, ranked[-1])
    splits: dict[str, list[T]] = {"train": [], "validation": [], "test": []}
    for row, place in zip(rows, places, strict=True):
        splits["validation" if place < low else "test" if place >= high else "train"].append(row)
    return {name: tuple(found) for name, found in splits.items()}


def _place(identity: str, seed: int) -> int:
    """From 0 to 2**64."""
    drawn = hashlib.sha256(f"{seed}:{identity}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(drawn[:8], "big")


def _identities(examples: Sequence[Example] | Sequence[Conversation]) -> list[str]:
    """What each row is drawn by: the digest of its picture. Rows of several pictures are drawn together with all that
    share one of them, by the smallest digest among them."""
    digests: dict[str, str] = {}
    pictures = [[_digest(source, digests) for source in row.images] or [_words(row)] for row in examples]
    smaller: dict[str, str] = {}

    def smallest(name: str) -> str:
        while (next_one := smaller.get(name, name)) != name:
            smaller[name] = smaller.get(next_one, next_one)
            name = smaller[name]
        return name

    for names in pictures:
        ends = {smallest(name) for name in names}
        smaller.update(dict.fromkeys(ends, min(ends)))
    return [smallest(names[0]) for names in pictures]


def _words(row: Example | Conversation) -> str:
    """What a row without a picture begins with."""
    said = next((one.text for one in row.messages if one.role == "user"), "") if isinstance(row, Conversation) else ""
    return " ".join(said.casefold().split())


def _digest(source: ImageSource, digests: dict[str, str]) -> str:
    """sha256 of a picture's bytes, or its name where it cannot be read (which the check reports)."""
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    name = str(source)
    if name not in digests:
        try:
            digests[name] = digest_image(source)
        except ImageError:
            digests[name] = name
    return digests[name]
