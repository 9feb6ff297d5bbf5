"""Where a sentence ends: text into pieces that are short enough for a voice. Knows nothing about voices but their limit.

Nothing is ever lost: the pieces hold every character of the text but white space, in order (a property test holds it).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

ABBREVIATIONS = frozenset(
    "approx capt cf co col corp dept dr e.g ed eds est etc fig figs gen gov hon i.e inc jr lt ltd mr mrs ms mt no nos p "
    "pp prof rep rev sen sgt sr st vol vs jan feb mar apr jun jul aug sep sept oct nov dec".split()
)
"""What stands before a full stop that ends no sentence, in lower case and without the last stop."""

_CLOSERS = "\"'”’»)\\]』」）】"
# A western mark ends a sentence where white space follows; a wide one ends it wherever it stands.
_END = re.compile(rf"[.!?…]+[{_CLOSERS}]*\s+|[。！？｡]+[{_CLOSERS}]*\s*")
_CLAUSE = re.compile(r"[,;:—–](?=\s)|[、，；：]")
_LAST_WORD = re.compile(r"[^\s(\[\"“‘']+$")


@dataclass(frozen=True, slots=True)
class Piece:
    """Text to be said in one breath. `final` where a sentence ends with it."""

    text: str
    final: bool


def split(text: str, limit: int) -> Iterator[Piece]:
    """Sentences of `text`, those over `limit` characters cut further: after a comma, else at a space, else anywhere."""
    for paragraph in _paragraphs(text):
        for sentence in _sentences(paragraph):
            pieces = list(_pieces(sentence, limit))
            for index, piece in enumerate(pieces):
                yield Piece(piece, final=index + 1 == len(pieces))


def _paragraphs(text: str) -> Iterator[str]:
    """Lines, with white space made single. A line that goes on in lower case was only wrapped."""
    paragraph = ""
    for line in (" ".join(line.split()) for line in text.splitlines()):
        if paragraph and line[:1].islower():
            paragraph = f"{paragraph} {line}"
            continue
        if paragraph:
            yield paragraph
        paragraph = line
    if paragraph:
        yield paragraph


def _sentences(paragraph: str) -> Iterator[str]:
    start = 0
    for end in _END.finditer(paragraph):
        if _ends(paragraph[start : end.start()], end.group().strip(), paragraph[end.end() :]):
            yield paragraph[start : end.end()].strip()
            start = end.end()
    if start < len(paragraph):
        yield paragraph[start:]


def _ends(before: str, mark: str, after: str) -> bool:
    """Whether `mark` ends a sentence: not after "Dr", "e.g", an initial or the number of a list, nor before lower case."""
    if after[:1].islower():
        return False
    if mark != ".":
        return True
    found = _LAST_WORD.search(before)
    word = found.group() if found else ""
    initial = len(word) == 1 and word.isupper() and word != "I"
    numbered = word.isdigit() and word == before.strip()
    return not (initial or numbered or word.lower() in ABBREVIATIONS)


def _pieces(sentence: str, limit: int) -> Iterator[str]:
    while len(sentence) > limit:
        cut = _cut(sentence, limit)
        yield sentence[:cut].rstrip()
        sentence = sentence[cut:].lstrip()
    if sentence:
        yield sentence


def _cut(sentence: str, limit: int) -> int:
    """How many characters of a sentence that is too long to take now, at most `limit`."""
    clauses = [match.end() for match in _CLAUSE.finditer(sentence, 0, limit + 1) if match.end() <= limit]
    # A comma near the beginning would leave a breath of two words.
    if clauses and clauses[-1] > limit // 3:
        return clauses[-1]
    space = sentence.rfind(" ", 1, limit + 1)
    if space > 0:
        return space
    cut = limit
    while cut > 1 and unicodedata.combining(sentence[cut]):
        cut -= 1
    return cut if cut > 1 else limit
