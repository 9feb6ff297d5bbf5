"""Making answers comparable before they are counted, learned or scored.

`english` follows the rules of the official VQA evaluation (github.com/GT-Vision-Lab/VQA, vqaEval.py): punctuation, case,
number words, articles, contractions, oddities included, because published figures include them: "none" is 0, "ten" is 10,
"eleven" stays, one missing apostrophe is put back and another is taken away. `unicode` knows no language: composed form,
case folded, punctuation and symbols away. `none` only strips.

It knows nothing about what is right: two answers are equal or they are not.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

NUMBERS = {
    word: str(number) for number, word in enumerate("zero one two three four five six seven eight nine ten".split())
}
NUMBERS["none"] = "0"
ARTICLES = frozenset({"a", "an", "the"})
PUNCTUATION = ';/[]"{}()=+\\_-><@`,?!'
COMMA_IN_NUMBER = re.compile(r"\d,\d")
PERIOD_NOT_BEFORE_DIGIT = re.compile(r"\.(?!\d)")
PERIODS_REMOVED = 32
"""The reference passes a flag where `re.sub` takes a count, so it removes this many periods and leaves the others."""

CONTRACTIONS = dict(
    pair.split(":")
    for pair in """
    aint:ain't arent:aren't cant:can't couldve:could've couldnt:couldn't couldn'tve:couldn't've
    couldnt've:couldn't've didnt:didn't doesnt:doesn't dont:don't hadnt:hadn't hadnt've:hadn't've hadn'tve:hadn't've
    hasnt:hasn't havent:haven't hed:he'd hed've:he'd've he'dve:he'd've hes:he's howd:how'd howll:how'll hows:how's
    Id've:I'd've I'dve:I'd've Im:I'm Ive:I've isnt:isn't itd:it'd itd've:it'd've it'dve:it'd've itll:it'll
    let's:let's maam:ma'am mightnt:mightn't mightnt've:mightn't've mightn'tve:mightn't've mightve:might've
    mustnt:mustn't mustve:must've neednt:needn't notve:not've oclock:o'clock oughtnt:oughtn't ow's'at:'ow's'at
    'ows'at:'ow's'at 'ow'sat:'ow's'at shant:shan't shed've:she'd've she'dve:she'd've she's:she's shouldve:should've
    shouldnt:shouldn't shouldnt've:shouldn't've shouldn'tve:shouldn't've somebody'd:somebodyd
    somebodyd've:somebody'd've somebody'dve:somebody'd've somebodyll:somebody'll somebodys:somebody's
    someoned:someone'd someoned've:someone'd've someone'dve:someone'd've someonell:someone'll someones:someone's
    somethingd:something'd somethingd've:something'd've something'dve:something'd've somethingll:something'll
    thats:that's thered:there'd thered've:there'd've there'dve:there'd've therere:there're theres:there's
    theyd:they'd theyd've:they'd've they'dve:they'd've theyll:they'll theyre:they're theyve:they've twas:'twas
    wasnt:wasn't wed've:we'd've we'dve:we'd've weve:we've werent:weren't whatll:what'll whatre:what're whats:what's
    whatve:what've whens:when's whered:where'd wheres:where's whereve:where've whod:who'd whod've:who'd've
    who'dve:who'd've wholl:who'll whos:who's whove:who've whyll:why'll whyre:why're whys:why's wont:won't
    wouldve:would've wouldnt:wouldn't wouldnt've:wouldn't've wouldn'tve:wouldn't've yall:y'all yall'll:y'all'll
    y'allll:y'all'll yall'd've:y'all'd've y'alld've:y'all'd've y'all'dve:y'all'd've youd:you'd youd've:you'd've
    you'dve:you'd've youll:you'll youre:you're youve:you've
    """.split()
)


def normalizer(name: str) -> Callable[[str], str]:
    """The normalizer of that name (`settings.Normalizer`); it remembers what it has seen, since answers repeat."""
    return _NORMALIZERS[name]


@lru_cache(maxsize=2**16)
def english(answer: str) -> str:
    """An answer by the rules of the official VQA evaluation."""
    words = [NUMBERS.get(word, word) for word in _strip_punctuation(one_line(answer)).lower().split()]
    return " ".join(CONTRACTIONS.get(word, word) for word in words if word not in ARTICLES)


@lru_cache(maxsize=2**16)
def unicode(answer: str) -> str:
    """An answer in any language: NFKC, case folded, without punctuation and symbols, single spaces."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", answer).casefold())
    kept = ("".join(" " if unicodedata.category(letter)[0] in "PSZC" else letter for letter in folded)).split()
    return " ".join(kept)


def one_line(answer: str) -> str:
    """An answer without line breaks, tabs and space at its ends: all that the official evaluation does where every
    annotator agrees to the letter."""
    return answer.replace("\n", " ").replace("\t", " ").strip()


def _strip_punctuation(answer: str) -> str:
    # A mark beside a space, or any mark where a comma groups digits, vanishes; a mark inside a word becomes a space.
    grouped = COMMA_IN_NUMBER.search(answer) is not None
    stripped = answer
    for mark in PUNCTUATION:
        beside_space = f"{mark} " in answer or f" {mark}" in answer
        stripped = stripped.replace(mark, "" if beside_space or grouped else " ")
    return PERIOD_NOT_BEFORE_DIGIT.sub("", stripped, count=PERIODS_REMOVED)


_NORMALIZERS: dict[str, Callable[[str], str]] = {"english": english, "unicode": unicode, "none": str.strip}
