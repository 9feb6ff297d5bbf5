"""The door for text: what a question may hold before any model sees it. Knows nothing about tokens."""

from __future__ import annotations

import unicodedata

from ..errors import TextError

ALLOWED_CONTROLS = "\n\t"


def clean_text(text: str, limit: int, *, where: str = "") -> str:
    """`text` in Unicode's composed form (NFC), without space at the ends.

    Args:
        limit: the most characters it may have.
        where: what to call it in a message.

    Raises:
        TextError: it is empty, too long, or holds control characters or half of a surrogate pair.
    """
    composed = unicodedata.normalize("NFC", text).strip()
    if not composed:
        raise TextError("the text is empty", where=where)
    if len(composed) > limit:
        raise TextError(f"{len(composed):,} characters are more than the limit of {limit:,}", where=where)
    if composed.isprintable():
        return composed
    for position, character in enumerate(composed):
        if unicodedata.category(character) in ("Cc", "Cs") and character not in ALLOWED_CONTROLS:
            kind = "half a surrogate pair" if unicodedata.category(character) == "Cs" else "a control character"
            message = f"{kind} (U+{ord(character):04X}) at character {position + 1}"
            raise TextError(message, where=where, hint="remove it; it cannot be read or spoken")
    return composed
