"""Ask one question of all pictures of an index, and give those whose answer is yes.

Every picture given was judged by the model: the shortlist only says which are asked about where there are too many. Scores
are probabilities where the family was measured for it (`rarity`). It opens no picture but for a family that keeps nothing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import ImageError, Problem
from ..models import Batch, Family
from ..settings import FindSettings
from ..types import Example, Hit
from . import rarity
from .question import question_of
from .shortlist import shortlist
from .store import Store

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

YES, NO = "yes", "no"
MORE_LIKELY_THAN_NOT = 0.5


@dataclass(frozen=True, slots=True)
class Findings:
    """The pictures that were found, and among what."""

    question: str
    """As it was asked of each picture."""
    hits: tuple[Hit, ...]
    """Best first."""
    pictures: int
    """Pictures in the index."""
    asked: int
    """Those the model was asked about."""
    threshold: float
    """The score from which on a picture was taken."""
    calibrated: bool
    """Whether scores say how often such pictures are right."""
    problems: tuple[Problem, ...] = ()
    """Pictures that had to be opened and could not."""
    seconds: float = 0.0


@dataclass
class Judge:
    """Asks one question, and keeps what was answered."""

    store: Store
    family: Family
    question: str
    batch_size: int
    tell: Callable[[int], None]
    odds: dict[int, float] = field(default_factory=dict)
    """By picture the log-odds of a yes."""
    problems: list[Problem] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.kept = self.store.about.get("encoding") == self.family.encoding != ""

    def ask(self, pictures: Sequence[int]) -> Array:
        """The log-odds of a yes of each; where a picture cannot be opened, as low as can be."""
        import numpy

        found = []
        for start in range(0, len(pictures), self.batch_size):
            group = pictures[start : start + self.batch_size]
            if self.kept:
                batch = self.family.prepare_encoded(self.store.encoded(group), [self.question] * len(group))
                answered = dict(zip(group, self._odds(batch), strict=True))
            else:
                answered = self._from_files(group)
            self.odds |= answered
            found += [answered.get(picture, -numpy.inf) for picture in group]
            self.tell(len(self.odds) + len(self.problems))
        odds: Array = numpy.array(found)
        lowest = odds[numpy.isfinite(odds)].min(initial=0.0)
        known: Array = numpy.maximum(odds, lowest)
        return known

    def _from_files(self, pictures: Sequence[int]) -> dict[int, float]:
        answered = {}
        for picture, paths in self.store.paths_of(pictures).items():
            try:
                batch = self.family.prepare([Example((paths[0],), self.question)])
            except ImageError as error:
                self.problems.append(Problem(paths[0], error.message, error.hint))
                continue
            answered[picture] = self._odds(batch)[0]
        return answered

    def _odds(self, batch: Batch) -> list[float]:
        return self.family.log_odds(batch, YES, NO)


def find(store: Store, family: Family, text: str, settings: FindSettings, tell: Callable[[int, int], None]) -> Findings:
    """The pictures of an index for which the answer to a question is yes.

    Args:
        text: a question whose answer is yes or no, or a word or phrase for what is looked for.
        tell: called with (pictures asked about, pictures that will be).

    Raises:
        TextError: the model does not understand the question.
        ModelError: a precision is wanted that the model's answers were not measured to keep.
    """
    started = time.perf_counter()
    question = question_of(text)
    pictures = store.pictures()
    most = min(settings.candidates or len(pictures), len(pictures))
    judge = Judge(store, family, question, settings.batch_size, lambda done: tell(done, most))
    demanded = None if settings.precision is None else family.demand(settings.precision)
    if most < len(pictures):
        vectors = store.vectors()
        shortlist(vectors, most, lambda rows: judge.ask([pictures[row] for row in rows.tolist()]))
    else:
        judge.ask(pictures)
    chances, calibrated = _chances(family, judge.odds, len(pictures))
    limit = MORE_LIKELY_THAN_NOT if demanded is None else rarity.threshold(chances, demanded)
    scored = [
        (picture, chance) for picture, chance in zip(judge.odds, chances.tolist(), strict=True) if chance >= limit
    ]
    # Among equal probabilities the answer decides, then the order in the index.
    best = sorted(scored, key=lambda one: (-one[1], -judge.odds[one[0]], one[0]))[: settings.limit or None]
    return Findings(
        question=question,
        hits=tuple(_hits(store, best)),
        pictures=len(pictures),
        asked=len(judge.odds),
        threshold=limit,
        calibrated=calibrated,
        problems=tuple(judge.problems),
        seconds=time.perf_counter() - started,
    )


def _chances(family: Family, odds: dict[int, float], pictures: int) -> tuple[Array, bool]:
    """How likely each answer is a yes, and whether that was measured."""
    import numpy

    ratios = family.likelihood_ratios(list(odds.values()))
    if ratios is None:
        return 1 / (1 + numpy.exp(-numpy.array(list(odds.values()), float))), False
    return rarity.probabilities(numpy.array(ratios, float), pictures), True


def _hits(store: Store, best: Sequence[tuple[int, float]]) -> list[Hit]:
    pictures = [picture for picture, _ in best]
    paths = store.paths_of(pictures)
    return [
        Hit(shown(paths[picture][0]), score, digest, tuple(map(shown, paths[picture][1:])))
        for (picture, score), digest in zip(best, store.digests(pictures), strict=True)
    ]


def shown(path: str) -> str:
    """A path as people would write it here: relative to the working folder where it lies below."""
    here = os.getcwd().rstrip(os.sep) + os.sep
    return path.removeprefix(here)
