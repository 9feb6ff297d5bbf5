"""Word error rate: how many words must be put in, taken out or replaced to make a reference of a caption.

Computed by jiwer (github.com/jitsi/jiwer) over the words of `tokenize`, against the reference where the rate is lowest. It is a
measure of speech recognition and knows only one right wording: a caption that says the same in other words scores badly.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ..errors import MissingExtra
from .caption import CaptionMetric, CaptionScores, Words

if TYPE_CHECKING:
    import jiwer

EXTRA = "seesay[models]"


class WordErrorRate(CaptionMetric):
    """Errors per word of the reference: 0 where they are equal, without an upper bound, since a caption may be of any length.

    Against a reference without words it is the number of words of the caption. `corpus` is all errors per all words of the
    references chosen; `counts` has them apart.
    """

    name = "wer"
    greater_is_better = False
    bounds = (0.0, float("inf"))

    def score_words(self, candidates: Sequence[Words], references: Sequence[Sequence[Words]]) -> CaptionScores:
        if find_spec("jiwer") is None:
            raise MissingExtra("the word error rate", EXTRA)
        closest = [_closest(words, known) for words, known in zip(candidates, references, strict=True)]
        counts = {
            "insertions": sum(one.insertions for one in closest),
            "deletions": sum(one.deletions for one in closest),
            "substitutions": sum(one.substitutions for one in closest),
            "reference words": sum(map(_words, closest)),
        }
        rows = tuple((float(one.insertions + one.deletions + one.substitutions), float(_words(one))) for one in closest)
        total = [sum(column) for column in zip(*rows, strict=True)]
        return CaptionScores(self.of_sums(total), tuple(float(one.wer) for one in closest), counts, rows)

    def of_sums(self, sums: Sequence[float]) -> float:
        errors, words = sums
        return errors / max(1.0, words)


def _words(account: jiwer.WordOutput) -> int:
    """Of the reference."""
    words: int = account.hits + account.deletions + account.substitutions
    return words


def _closest(words: Words, references: Sequence[Words]) -> jiwer.WordOutput:
    """jiwer's account of the reference with the lowest rate.

    Of several it is the one with the most words, then with the fewest insertions: the order of references says nothing.
    """
    import jiwer

    accounts = [jiwer.process_words(" ".join(reference), " ".join(words)) for reference in references]
    return min(accounts, key=lambda one: (one.wer, -_words(one), one.insertions))
