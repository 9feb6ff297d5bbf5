"""Text in the characters that a voice has: numbers as words, accents taken off where the alphabet lacks them.

Many voices read letter by letter and know neither digits nor signs; what they lack they drop in silence, or they fail.
English numbers, dates, units and prices are spelled by the rules of the embedded voice (hibari); those of other languages
by `num2words` where it is installed. What is left over is told by `Engine.can_say` and so by `Speech.omitted`.

It knows nothing about sound.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache

from .engines.hibari import LONGEST_NUMBER, spell

_CURRENCIES = {"$": ("dollar", "cent"), "€": ("euro", "cent"), "£": ("pound", "penny")}
_PLURALS = {"penny": "pence", "yen": "yen", "won": "won"}
_SIGNS = {
    **{"%": "percent", "&": "and", "+": "plus", "=": "equals", "@": "at", "°": "degrees", "<": "less than"},
    **{">": "greater than", "~": "about", "×": "times", "÷": "divided by", "±": "plus or minus", "§": "section"},
    **{"©": "copyright", "¶": "paragraph", "#": "number", "^": "caret", "→": "to", "¢": "cents"},
    **{"$": "dollars", "€": "euros", "£": "pounds", "¥": "yen", "₹": "rupees", "₩": "won"},
    **{"¼": "one quarter", "½": "one half", "¾": "three quarters"},
}
_NUMBER = r"\d+(?:,\d{3})*(?:\.\d+)?"
_MONEY = re.compile(rf"([$€£])\s?({_NUMBER})")
_ORDINAL = re.compile(r"\b(\d{1,15})(?:st|nd|rd|th)\b")
_DECADE = re.compile(r"\b(1[1-9]|20)(\d0)s\b")
_YEAR = re.compile(r"(?<![\d.,$€£-])(1[1-9]\d\d|20\d\d)(?![\d%°]|[.,]\d)")
_PLAIN = re.compile(rf"(?<![\w])-(?={_NUMBER})|{_NUMBER}|\d+")
_OTHER_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_SPACES = re.compile(r"\s+")
_BEFORE_MARK = re.compile(r" +([,.;:!?])")

_INSTEAD = {
    **{
        "ß": "ss",
        "Æ": "AE",
        "æ": "ae",
        "Œ": "OE",
        "œ": "oe",
        "Ø": "O",
        "ø": "o",
        "Đ": "D",
        "đ": "d",
        "Ð": "D",
        "ð": "d",
    },
    **{"Þ": "Th", "þ": "th", "Ł": "L", "ł": "l", "ı": "i", "ħ": "h", "’": "'", "‘": "'", "“": '"', "”": '"', "„": '"'},
    **{"–": "-", "—": "-", "−": "-", "…": "...", "«": '"', "»": '"', "ţ": "ț", "ț": "ţ", "ş": "ș", "ș": "ş"},
}
POINT_LANGUAGES = frozenset({"he", "ja", "ko", "th", "te", "kn"})
"""Languages that write 1,250.5; the others that are spelled here write 1.250,5."""
LANGUAGES = {
    **{
        "amh": "am",
        "ara": "ar",
        "azj": "az",
        "azb": "az",
        "ben": "bn",
        "cat": "ca",
        "ces": "cs",
        "cym": "cy",
    },
    **{
        "dan": "da",
        "deu": "de",
        "eng": "en",
        "epo": "eo",
        "fas": "fa",
        "fin": "fi",
        "fra": "fr",
        "heb": "he",
        "hun": "hu",
    },
    **{
        "ind": "id",
        "isl": "is",
        "ita": "it",
        "jpn": "ja",
        "kan": "kn",
        "kaz": "kz",
        "kor": "ko",
        "lav": "lv",
        "lit": "lt",
    },
    **{
        "nld": "nl",
        "nob": "no",
        "nor": "no",
        "pol": "pl",
        "por": "pt",
        "ron": "ro",
        "rus": "ru",
        "slk": "sk",
        "slv": "sl",
    },
    **{
        "spa": "es",
        "srp": "sr",
        "swe": "sv",
        "tel": "te",
        "tgk": "tg",
        "tha": "th",
        "tur": "tr",
        "ukr": "uk",
        "vie": "vi",
    },
}
"""ISO 639-3, as MMS names its languages, to the code of num2words."""


class Speller:
    """How a text is written for one voice.

    Args:
        language: code as in ISO 639-1 or 639-3 (`en`, `nld`); empty where it is not known, and digits then stay digits.
        has: whether the voice's alphabet has this character.
        keep: characters that are no letters and mean something to the voice.
    """

    def __init__(self, language: str, has: Callable[[str], bool], *, keep: str = "") -> None:
        code = language.partition("-")[0].lower()
        self.language = LANGUAGES.get(code, code)
        self._has = has
        self._kept = re.compile(f"([{re.escape(keep)}])") if keep else None
        self._character = cache(self._find_character)
        self.can_say = cache(self._can_say)

    def spell(self, text: str) -> str:
        """`text` in characters of the voice alone, with single spaces; empty where nothing is left."""
        if self._kept and self._kept.search(text):
            parts = [part if self._kept.fullmatch(part) else self.spell(part) for part in self._kept.split(text)]
            return " ".join(filter(None, parts))
        if self.language == "en":
            text = english(text)
        else:
            text = _OTHER_NUMBER.sub(lambda found: f" {self._number(found.group())} ", _plain_digits(text))
        known = "".join(map(self._character, text))
        return _BEFORE_MARK.sub(r"\1", _SPACES.sub(" ", known)).strip()

    def _can_say(self, character: str) -> bool:
        return any(part.isalnum() for part in self.spell(character))

    def _find_character(self, character: str) -> str:
        """What stands for this character: itself, its other case, letters without accents, a space for a mark."""
        for same in (character, character.lower(), character.upper()):
            # One letter alone: ß in capitals is two.
            if len(same) == 1 and self._has(same):
                return same
        if character.isspace():
            return " "
        instead = _INSTEAD.get(character)
        parts = instead or [
            part for part in unicodedata.normalize("NFKD", character) if not unicodedata.combining(part)
        ]
        if instead is None and list(parts) == [character]:
            return "" if character in "'’" or unicodedata.category(character)[0] not in "PS" else " "
        # A part is at most once more taken apart: Ǽ is Æ with an accent, which is AE.
        return "".join(self._character(part) for part in parts if part != character and _INSTEAD.get(part) != character)

    def _number(self, text: str) -> str:
        """A number in words of the language, or as it stands."""
        thousands, point = (",", ".") if self.language in POINT_LANGUAGES else (".", ",")
        whole, _, fraction = text.replace(thousands, "").partition(point)
        words = _num2words(self.language)
        if words is None:
            return text
        if len(whole) > LONGEST_NUMBER or (whole.startswith("0") and len(whole) > 1) or len(fraction) > LONGEST_NUMBER:
            return " ".join(words(digit) for digit in whole + fraction.replace(point, ""))
        return words(f"{whole}.{fraction}" if fraction.isdigit() else whole)


def english(text: str) -> str:
    """An English text without digits: numbers, prices, dates, times, units and common abbreviations as words."""
    from hibari.g2p import numbers
    from hibari.g2p.normalize import normalize

    text = normalize(spell(text))
    text = _MONEY.sub(lambda found: _money(found[1], found[2]), text)
    text = _ORDINAL.sub(lambda found: numbers.ordinal(int(found[1])), text)
    text = _DECADE.sub(lambda found: _decade(numbers.year(int(found[1] + found[2]))), text)
    text = _YEAR.sub(lambda found: numbers.year(int(found[1])), text)
    text = _PLAIN.sub(lambda found: f" {_words(found.group())} ", text)
    return "".join(f" {_SIGNS[character]} " if character in _SIGNS else character for character in text)


def _words(number: str) -> str:
    """`1,250.5` or the `-` before a number in English words."""
    from hibari.g2p import numbers

    if number == "-":
        return "minus"
    whole, _, fraction = number.replace(",", "").partition(".")
    if len(whole) > LONGEST_NUMBER or (whole.startswith("0") and len(whole) > 1):
        return " ".join([*(numbers.ONES[int(digit)] for digit in whole), *(["point"] if fraction else ())]) + "".join(
            f" {numbers.ONES[int(digit)]}" for digit in fraction
        )
    said: str = numbers.cardinal(int(whole))
    return said + (" point " + " ".join(numbers.ONES[int(digit)] for digit in fraction) if fraction else "")


def _money(sign: str, amount: str) -> str:
    large, small = _CURRENCIES[sign]
    whole, _, fraction = amount.partition(".")
    if fraction and len(fraction) != 2:
        return f"{_words(amount)} {large}s"
    parts = []
    if whole.strip("0,") or not fraction.strip("0"):
        parts.append(f"{_words(whole)} {large if whole == '1' else large + 's'}")
    if fraction.strip("0"):
        parts.append(f"{_words(str(int(fraction)))} {small if fraction == '01' else _PLURALS.get(small, small + 's')}")
    return " and ".join(parts)


def _decade(year: str) -> str:
    return f"{year[:-1]}ies" if year.endswith("y") else f"{year}s"


def _plain_digits(text: str) -> str:
    return "".join(
        str(unicodedata.decimal(character)) if unicodedata.category(character) == "Nd" else character
        for character in text
    )


@cache
def _num2words(language: str) -> Callable[[str], str] | None:
    """What writes a number in that language; None where nothing here can."""
    try:
        import num2words
    except ImportError:
        return None
    if language not in num2words.CONVERTER_CLASSES:
        return None

    def words(number: str) -> str:
        try:
            return str(num2words.num2words(number, lang=language))
        # Its languages differ in what they can: some have no fractions or no millions.
        except (NotImplementedError, OverflowError, ArithmeticError, LookupError, TypeError, ValueError):
            return number

    return words
