"""What the encoder knows by itself: a thousand kinds of things, from photographs, which the decoder has never seen.

Where the two agree on a name, they are nearly always right (27 of 28 drawings of a style never seen); where the encoder is sure
of a name that is asked for, the answer is yes; where the decoder has no idea and the encoder is sure, its name is taken. On
drawings the encoder alone is mostly wrong, so it is never heard against a decoder that has an answer. It knows nothing of
networks.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy

from ...types import Candidate
from .tokenizer import ANSWER, ASK, CAPTION, PLURAL, Tokenizer
from .words import a

Array = numpy.ndarray[Any, Any]
AGREED = 0.95
"""The score of a name that both say."""
HEARD, LIKELY, SURE, VERY_SURE = 0.1, 0.4, 0.5, 0.8
"""Probabilities of the encoder from which on it counts beside the decoder, against one without an idea, alone, and for a
whole category."""
ALONE = 0.25
"""What the encoder's probability counts where the decoder says something else: little on drawings, much on photographs."""
SAY = 0.3
"""What the encoder's probabilities count against the decoder's where a caption names something, after fine-tuning: measured on
photographs (docs/log.md)."""
NO_IDEA = 0.2
"""Below this probability of its best answer the decoder has none."""
CLEAR_NO = -3.0
"""Log-odds of a yes below which the decoder surely does not see what is asked for."""
DOUBTFUL = 0.5
"""Below this score a caption is doubtful."""
SEEN_WELL = ("animal", "building", "food", "musical instrument", "vehicle")
"""Categories that ImageNet has many kinds of."""
PRESENCE = frozenset("is are there this it a any in the picture do does you see can show visible".split())
"""Words of a question whether something is there."""


class Expert:
    """The names, kinds and categories of the encoder's classes."""

    def __init__(self, path: Path, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self._names = numpy.array([tokenizer.ids[name] for name in sorted(tokenizer.names_set)], numpy.int64)
        self._kinds: dict[str, set[str]] = {}
        for row in json.loads(path.read_text(encoding="utf-8")):
            self._kinds.setdefault(row["name"], {row["name"]}).update(row["kinds"], {row["category"]} - {""})

    def heard(
        self, prompt: Sequence[int], given: tuple[Candidate, ...], probability: float, seen: Sequence[tuple[str, float]]
    ) -> tuple[Candidate, ...]:
        """The candidates after the encoder was heard.

        Args:
            prompt: ids of the question.
            given: the decoder's candidates, calibrated, best first.
            probability: the decoder's own for its best.
            seen: names and their probabilities, the likeliest first.
        """
        name, chance = seen[0]
        if self.tokenizer.tokens[prompt[0]] == CAPTION:
            doubtful = given[0].score < DOUBTFUL and chance >= SURE
            return _first(Candidate(a(name), chance), given) if doubtful else given
        asked = self._asked(prompt)
        if given[0].text in ("yes", "no") and len(asked) == 1:
            sure = self._sure(asked[0], seen)
            score = max(sure, given[0].score if given[0].text == "yes" else 0.0)
            return _first(Candidate("yes", min(score, AGREED)), given) if sure else given
        about_one_thing = not any(word in self.tokenizer.names_set for word in asked)
        if not about_one_thing or given[0].text not in self.tokenizer.names_set:
            return given
        if given[0].text in self._kinds.get(name, ()) and chance >= HEARD:
            given = _first(Candidate(given[0].text, max(AGREED, given[0].score)), given)
        elif probability < NO_IDEA and chance >= LIKELY:
            given = _first(Candidate(name, chance), given)
        return self._beside(given, seen)

    def name(self, log_probabilities: Array, hints: Array, chances: Array) -> Array:
        """What may come next in a caption, after the encoder was heard. How likely it is that a name comes next stays as the
        decoder has it, so that captions keep the manner that was learned; which name, both say.

        Args:
            log_probabilities: (B, vocabulary), the decoder's.
            hints, chances: (H,) ids of the encoder's likely names, and their probabilities.
        """
        decided = numpy.exp(log_probabilities)
        named = decided[:, self._names].sum(axis=1, keepdims=True)
        decided[:, self._names] *= 1 - SAY * chances.sum()
        decided[:, hints] += SAY * chances * named
        heard: Array = numpy.log(decided + 1e-30)
        return heard

    def _beside(self, given: tuple[Candidate, ...], seen: Sequence[tuple[str, float]]) -> tuple[Candidate, ...]:
        """With the encoder's own names among the alternatives, where they get what the best answer leaves."""
        best, *rest = given
        known = {one.text for one in given}
        added = [Candidate(name, chance * ALONE) for name, chance in seen if chance >= HEARD and name not in known]
        return _first(best, (best, *sorted([*rest, *added], key=lambda one: -one.score)))

    def sees(self, prompt: Sequence[int], hints: Array, chances: Array, log_odds: Array) -> Array:
        """In which pictures (B,) the one thing that is asked for is surely there; in none for any other question.

        Args:
            hints, chances: (B, H) ids of the encoder's likely names, and their probabilities.
            log_odds: (B,) the decoder's of a yes. Against a clear no the encoder must be very sure: of 112 drawings in which it
                found something all the same, less sure than that, one showed it (validation style, 113 names).
        """
        asked = self._asked(prompt)
        if len(asked) != 1:
            return numpy.zeros(len(hints), bool)
        kinds, least = self._kinds_of(asked[0])
        mass: Array = numpy.where(numpy.isin(hints, [self.tokenizer.ids[name] for name in kinds]), chances, 0.0).sum(1)
        return (mass >= VERY_SURE) | ((mass >= least) & (log_odds > CLEAR_NO))

    def _asked(self, prompt: Sequence[int]) -> list[str]:
        """What a question is about, beside the words of all questions for presence."""
        words = (self.tokenizer.tokens[index] for index in prompt)
        return [word for word in words if word not in PRESENCE and word not in (ASK, ANSWER, PLURAL)]

    def _sure(self, asked: str, seen: Sequence[tuple[str, float]]) -> float:
        """How likely the encoder finds what is asked for; 0 where it is not sure."""
        kinds, least = self._kinds_of(asked)
        mass = sum(chance for name, chance in seen if name in kinds)
        return mass if mass >= least else 0.0

    def _kinds_of(self, asked: str) -> tuple[set[str], float]:
        """The encoder's names that stand for what is asked for, and from which probability on it is sure of them."""
        singular = asked.removesuffix("s") if asked.removesuffix("s") in SEEN_WELL else asked
        names = {name for name, kinds in self._kinds.items() if singular in kinds}
        return names, VERY_SURE if singular in SEEN_WELL else SURE


def _first(best: Candidate, given: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    """`best` before the others, which get at most what it leaves, and never more than it has."""
    most = min(best.score, 1 - best.score)
    rest = (Candidate(one.text, min(one.score, most)) for one in given if one.text != best.text)
    return (best, *rest)
