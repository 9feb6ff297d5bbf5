"""What is asked of each picture where a word or a phrase was given: "dog" is "is there a dog?". It knows no model."""

from __future__ import annotations

from ..models.mini.words import PLURAL_ALREADY, a

DETERMINERS = frozenset(
    "a an the some any my your his her its our their this that these those no one two three".split()
)
ASKING = frozenset(
    """is are was were am do does did can could has have had will would shall should may might must isn't aren't doesn't don't
    what where who whom whose which why how when""".split()
)
"""How a question begins that lacks its question mark."""


def question_of(text: str) -> str:
    """The question that `text` is, or stands for.

    >>> question_of("red car")
    'is there a red car?'
    """
    text = text.strip()
    words = text.lower().split()
    if not words or text.endswith("?") or words[0] in ASKING:
        return text
    if _is_plural(words[-1]):
        return f"are there {text}?"
    return f"is there {text if words[0] in DETERMINERS else a(text)}?"


def _is_plural(word: str) -> bool:
    return (
        word in PLURAL_ALREADY
        or word == "people"
        or (word.endswith("s") and not word.endswith(("ss", "us", "is", "as")))
    )
