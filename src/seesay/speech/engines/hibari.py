"""The voice that comes with seesay: hibari's "heart", American English, distilled from Kokoro-82M; ONNX on the processor.

hibari silently drops what it does not know, cuts words after 24 letters and fails on numbers over 36 digits, so everything
goes through `spell` first: what is said is what was written. It knows nothing about texts longer than a sentence.
Its other voices are downloaded when first used, so they are not offered here.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING, Any

from ..engine import Engine

if TYPE_CHECKING:
    import numpy

LONGEST_WORD = 24
LONGEST_NUMBER = 15
"""Digits of the largest number read as one; longer ones are read digit by digit, as people read them."""

_SYMBOLS = "#%&+<=>@^~¢§©°±¶¼½¾×÷→"
_CURRENCIES = {"$": "dollars", "€": "euros", "£": "pounds", "¥": "yen", "₹": "rupees", "₩": "won"}
_LETTERS = "ªµº" + "".join(chr(code) for code in range(0xC0, 0x100) if chr(code) not in "ÈËÐÙÛÝ×÷")
_INSTEAD = {
    **{"−": "-", "⁄": "/", "Ð": "D", "Đ": "D", "đ": "d", "Ł": "L", "ł": "l", "ı": "i", "Œ": "Oe", "œ": "oe", "ħ": "h"},
    # hibari takes a raised digit for a digit and then fails.
    **{"¹": "1", "²": " squared ", "³": " cubed "},
    # These it drops beside other marks.
    **{"<": " less than ", ">": " greater than ", "~": " about ", "@": " at "},
    **{"。": ". ", "｡": ". ", "！": "! ", "？": "? ", "、": ", ", "，": ", ", "；": "; ", "：": ": "},
}
_SAID_LATE = re.compile(r"(\d+(?:[.,]\d+)*)\s?([$€£¥₹₩])(?!\s?\d)")
_SIGN_ALONE = re.compile(r"[$€£¥₹₩](?!\s?\d)")
_AND_A_FRACTION = re.compile(r"(?<=\d)\s?(?=[¼½¾])")
_NUMBER = re.compile(r"(?<![\d.])\d[\d,]*")
_LONG_WORD = re.compile(rf"(?:[^\W\d]|['’]){{{LONGEST_WORD}}}(?=[^\W\d])")


class Hibari(Engine):
    """hibari with the voice in its wheel."""

    name = "hibari"
    sample_rate = 24_000
    # Spoken out, 250 digits are some 1,800 phonemes: still one pass of the network without a fault.
    max_characters = 250

    def can_say(self, character: str) -> bool:
        spelled = _character(character)
        return any(part.isalnum() or part in _SYMBOLS or part in _CURRENCIES for part in spelled)

    def synthesize(self, sentence: str) -> numpy.ndarray[tuple[int], numpy.dtype[numpy.float32]]:
        # The seed decides the breath in the voice: with one of its own every call would differ.
        samples: numpy.ndarray[tuple[int], numpy.dtype[numpy.float32]] = _network()(
            spell(sentence), speed=self.speed, seed=0
        )
        return samples


@cache
def _network() -> Any:
    import hibari

    return hibari.Hibari(voice="heart")


def spell(sentence: str) -> str:
    """The sentence in characters that hibari reads in full, with numbers and words no longer than it can take."""
    known = "".join(_character(character) or " " for character in sentence)
    # hibari takes [word](/phonemes/) for a pronunciation; a text from outside must not decide what is heard.
    known = known.replace("](", "] (")
    known = _AND_A_FRACTION.sub(" and ", known)
    known = _SAID_LATE.sub(r"\2\1", known)
    known = _SIGN_ALONE.sub(lambda sign: f" {_CURRENCIES[sign.group()]} ", known)
    known = _NUMBER.sub(_digits, known)
    return _LONG_WORD.sub(r"\g<0> ", known)


def _digits(number: re.Match[str]) -> str:
    digits = number.group().replace(",", "")
    return number.group() if len(digits) <= LONGEST_NUMBER else " ".join(digits)


@cache
def _character(character: str) -> str:
    """What hibari reads for this character, which may be several, or nothing."""
    if character in _INSTEAD:
        return _INSTEAD[character]
    if _reads(character):
        return character
    if unicodedata.category(character) == "Nd":
        return str(unicodedata.decimal(character))
    parts = [part for part in unicodedata.normalize("NFKD", character) if not unicodedata.combining(part)]
    plain = "".join(_INSTEAD.get(part, part) for part in parts)
    return plain if all(map(_reads, plain)) else ""


def _reads(character: str) -> bool:
    if character.isascii():
        return character.isprintable()
    return character in _LETTERS or character in _SYMBOLS or character in _CURRENCIES or character in "–—…‘’“”«»"
