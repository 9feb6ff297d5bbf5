"""How an alternative text is worded: no "image of", no longer than the limit, no file names; and which texts say the same.

English rules; texts in other languages pass through them unchanged but for length. Knows nothing about pictures.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

_ANNOUNCED = re.compile(
    r"^(?:(?:this|here|there) is |this shows )?(?:an? |the )?(?:[\w-]+ )?"
    r"(?:image|picture|photo|photograph|graphic|snapshot|pic)s? (?:of|showing|depicting|that shows|which shows) ",
    re.IGNORECASE,
)
"""Screen readers say "image" by themselves (W3C, images tutorial, tips and tricks)."""
_DANGLING = frozenset(
    "a an the and or of in on at to with by for from as is are behind near over under between".split()
)
_MEANINGLESS = frozenset(
    "img image images imgs picture pictures pic pics photo photos dsc dscn dscf pict file scan screenshot untitled unnamed"
    " thumb thumbnail small medium large full big mini orig original copy final new old temp tmp test fig figure default"
    " content asset assets upload uploads download media hero banner cover header footer background bg icon icons ico btn"
    " button logo stock left right top bottom center main index page".split()
)
"""Words in file names that say nothing about what is shown."""
_FILLING = frozenset("icon icons ico stock btn img image pic thumb thumbnail small large".split())
"""Those of them that are left out where others say something."""


def tidy(text: str, limit: int) -> str:
    """`text` on one line, without an announcement, starting with a capital letter, at most `limit` characters.

    A longer text ends at a word, with an ellipsis that counts.
    """
    plain = " ".join(_printable(unicodedata.normalize("NFC", text)).split())
    plain = _ANNOUNCED.sub("", plain)
    plain = plain[:1].upper() + plain[1:]
    return plain if len(plain) <= limit else _cut(plain, limit)


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


def _cut(text: str, limit: int) -> str:
    head = text[: limit - 1]
    if text[limit - 1 : limit].strip() and " " in head:
        head = head.rpartition(" ")[0]
    kept = head.split(" ")
    while len(kept) > 1 and kept[-1].lower().strip(",;:") in _DANGLING:
        kept.pop()
    return " ".join(kept).rstrip(" ,;:.-") + "…"


def words_of(text: str) -> list[str]:
    """The words of a text in lower case, without punctuation."""
    return re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text).casefold())


def says(nearby: str, text: str) -> bool:
    """Whether the words of `text` all stand in `nearby`, in the same order and together."""
    inner, outer = words_of(text), words_of(nearby)
    return bool(inner) and any(outer[at : at + len(inner)] == inner for at in range(len(outer) - len(inner) + 1))


def covers(nearby: str, text: str) -> bool:
    """Whether every word of `text` that carries meaning stands somewhere in `nearby`."""
    inner = set(words_of(text)) - _DANGLING
    return bool(inner) and inner <= set(words_of(nearby))


def name_in_words(address: str) -> str:
    """What the file name of an address says, as words; empty where it says nothing (`IMG_1234.jpg`).

    >>> name_in_words("img/red-squirrel_2.jpg")
    'Red squirrel'
    """
    if address[:5].lower() == "data:":
        return ""
    try:
        path = urlsplit(address).path
    except ValueError:
        return ""
    stem = PurePosixPath(unquote(path)).stem
    stem = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", stem)
    words = re.findall(r"[^\W\d_]+", stem)
    # Hashes and serial numbers have letters too: words without a vowel or single letters are none.
    told = [word for word in words if len(word) > 2 and (re.search("[aeiouy]", word.lower()) or not word.isascii())]
    if not any(word.casefold() not in _MEANINGLESS for word in told) or len("".join(told)) < 0.5 * len(stem):
        return ""
    told = [word for word in told if word.casefold() not in _FILLING]
    spelled = " ".join(told).lower() if not " ".join(told).isupper() or len(told) > 1 else told[0]
    return spelled[:1].upper() + spelled[1:]


def name_words(address: str) -> set[str]:
    """All words of a file name in lower case, those without meaning of their own (`logo`, `icon`) too."""
    if address[:5].lower() == "data:":
        return set()
    try:
        stem = PurePosixPath(unquote(urlsplit(address).path)).stem
    except ValueError:
        return set()
    return {word.casefold() for word in re.findall(r"[^\W\d_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", stem))}
