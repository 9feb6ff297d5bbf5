"""The words of a caption, as the COCO caption evaluation cuts them: Stanford's PTB tokenizer, lower case, without punctuation.

Chen et al., "Microsoft COCO Captions: Data Collection and Evaluation Server", 2015, and the published code
(github.com/salaniz/pycocoevalcap, ptbtokenizer.py, which runs Stanford CoreNLP 3.4.1 in Java). Oddities included, because
published figures include them: a parenthesis stays as the word "-lrb-", "?!" stays, "£" is "#".

Where this is not what the Java code does:

- Text is put into composed form (NFC) first, so that one Korean or French word is not two.
- Chinese characters and Japanese kana are words of their own. There a sentence is one word, and a caption is then all right or
  all wrong.
- Punctuation beyond ASCII ("。", "،", "¿") vanishes like ASCII's. There it stays.
- Emoji are words. There they vanish.
- Capitals have gone before words are found: "AT&T" and "at&t" are both "at&t", and "P" loses its period where it ends a caption.
- Addresses of the Web, HTML, smileys and abbreviations outside `ABBREVIATIONS` are not known.

It knows nothing about other languages' words: Thai and Lao, which write without spaces, stay in one piece.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

PUNCTUATION = frozenset("' '' ` `` \" . ? ! , : - -- ... ;".split())
"""Tokens that the COCO code takes away. It lists -LRB- and its like as well, but its tokens are in lower case, so they stay."""
ABBREVIATIONS = (
    "mr mrs ms dr prof rev gen col lt sgt capt maj adm cpl pvt gov sen rep pres jr sr st rd ave blvd mt ft sq bldg inc ltd co corp"
    " bros est vs etc dept jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thurs fri ph.d"
).split()
"""Words that keep their period."""
BRACKETS = {"(": "-lrb-", ")": "-rrb-", "[": "-lsb-", "]": "-rsb-", "{": "-lcb-", "}": "-rcb-"}
ASSIMILATED = {
    "cannot": "can not",
    "gimme": "gim me",
    "gonna": "gon na",
    "gotta": "got ta",
    "lemme": "lem me",
    "wanna": "wan na",
}
PLAIN = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "€": "$", "£": "#", "½": "1/2", "¼": "1/4", "¾": "3/4", "\ufe0f": ""}
)

LETTER = r"[^\s!-/:-@\[-`{-~]"
"""Anything that is neither space nor ASCII punctuation, so that vowel signs stay within their word."""
TOKEN = re.compile(
    rf"""
    -[lr][rsc]b-                                            # a bracket that was cut before
  | (?:\d+:)+\d+                                            # 10:30, also in 10:30am
  | (?:{"|".join(map(re.escape, ABBREVIATIONS))})\.(?!{LETTER})
  | no\.(?=\s*\d)                                           # no. 5
  | (?:[^\W\d_]\.){{2,}}(?!{LETTER})                        # u.s., p.m.
  | [^\W\d_]\.(?=\s+{LETTER})                               # an initial: j. smith
  | (?<!\S)[+-]?\.\d+                                      # .5
  | (?<!\S)[+-]\d+(?:[.,]\d+)*                              # -5
  | {LETTER}+(?:(?:[./&@_-]|(?<=\d),(?=\d)|(?<!\d)'(?!\d)){LETTER}+)*
  | '(?:(?:s|m|d|re|ve|ll|em)\b|n'|\d\ds?\b)                # 's cut before, 'em, rock 'n' roll, '90s
  | [@#][^\W\d_]\w*                                         # @user
  | [?!]{{2,}}
  | \S
    """,
    re.VERBOSE,
)
CLITIC = re.compile(r"(.*?)(n't|'(?:s|m|d|re|ve|ll))")
IDEOGRAPH = re.compile(
    "[\u3005-\u3007\u3041-\u3096\u309d-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
    "\U00020000-\U0003ffff]"
)
BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")


@lru_cache(maxsize=2**16)
def tokenize(caption: str) -> tuple[str, ...]:
    """The words of a caption in lower case, without punctuation; none where there is nothing else in it."""
    plain = unicodedata.normalize("NFC", caption).lower().translate(PLAIN)
    spaced = BEYOND_ASCII.sub(_apart, plain)
    words = [part for token in TOKEN.findall(spaced) for part in _parts(token)]
    return tuple(word for word in words if word not in PUNCTUATION)


def _apart(match: re.Match[str]) -> str:
    """A character beyond ASCII: marks vanish, symbols and ideographs stand alone, letters stay where they are."""
    character = match[0]
    kind = unicodedata.category(character)[0]
    if kind == "P":
        return " "
    return f" {character} " if kind == "S" or IDEOGRAPH.match(character) else character


def _parts(token: str) -> list[str]:
    """A token with what English writes together cut apart: don't is do n't."""
    if token in BRACKETS:
        return [BRACKETS[token]]
    if token in ASSIMILATED:
        return ASSIMILATED[token].split()
    clitic = CLITIC.fullmatch(token)
    if clitic is None or not clitic[1]:
        return [token]
    return [*_parts(clitic[1]), clitic[2]]


def ngrams(words: Sequence[str], longest: int) -> list[Counter[tuple[str, ...]]]:
    """How often each run of 1, 2, ... `longest` words stands in a caption: one counter per length."""
    return [
        Counter(tuple(words[start : start + length]) for start in range(len(words) - length + 1))
        for length in range(1, longest + 1)
    ]
