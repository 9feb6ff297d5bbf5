"""What can be said about a picture without a captioner: the caption that is written most often, and that of the training
picture that looks most alike.

A captioner that says nothing better has learned nothing about pictures. On small sets the second is hard to beat (Devlin et
al., "Exploring Nearest Neighbor Approaches for Image Captioning", 2015). Both are fitted on training rows and saved beside
the model, so that they are at hand wherever it is evaluated.
"""

from __future__ import annotations

import base64
import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ..errors import ModelError
from ..metrics.tokenize import tokenize
from ..types import Example
from .pictures import Looking

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

MOST_PICTURES = 8192
"""Training pictures among which the nearest is looked for. Their features are 10 MB, 14 MB in the file."""
STEPS = 255


@dataclass(frozen=True, slots=True)
class Baselines:
    """What `CaptionPrior` says about some pictures."""

    commonest: str
    """The most frequent training caption."""
    nearest: tuple[str, ...] | None
    """For each picture the first caption of the training picture nearest to it; None where the features that were saved are
    another encoder's."""
    training: tuple[str, ...]
    """All training captions, each once."""
    training_pictures: int
    looked_at: int
    """Training pictures among which the nearest was looked for."""
    known: int
    """How many of the pictures are training pictures, of those looked at."""


@dataclass(frozen=True, slots=True, eq=False)
class CaptionPrior:
    """Training captions, and training pictures as features."""

    file: ClassVar[str] = "captions.json"
    """Its name beside a model."""

    commonest: str
    captions: tuple[str, ...]
    """Each once, sorted."""
    pictures: Mapping[str, int]
    """By sha256: which of `captions` stands first with it. Of more than `MOST_PICTURES` those with the smallest sha256, which
    is as good as drawing them."""
    features: Array
    """(pictures, 1280) uint8, each row up to its own scale, which the cosine does not see."""
    training_pictures: int
    encoder: str
    """Whose features these are."""

    @classmethod
    def fit(
        cls, training: Mapping[str, Example], looking: Looking, tell: Callable[[int], None] | None = None
    ) -> CaptionPrior:
        """From training pictures by content, at least one; `tell` is called with how many more of them are looked at.

        Raises:
            ImageError: a picture cannot be used.
        """
        written = [caption for example in training.values() for caption in example.answers]
        captions = sorted(set(written))
        index = {caption: position for position, caption in enumerate(captions)}
        kept = sorted(training)[:MOST_PICTURES]
        features = looking({digest: training[digest].images[0] for digest in kept}, tell)
        return cls(
            commonest=_commonest(written),
            captions=tuple(captions),
            pictures={digest: index[training[digest].answers[0]] for digest in kept},
            features=_in_steps(features),
            training_pictures=len(training),
            encoder=looking.identity,
        )

    def answer(
        self, pictures: Mapping[str, Example], looking: Looking, tell: Callable[[int], None] | None = None
    ) -> Baselines:
        """Both captions for pictures by content, in their order."""
        nearest = None
        if looking.identity == self.encoder:
            features = looking({digest: example.images[0] for digest, example in pictures.items()}, tell)
            first = list(self.pictures.values())
            nearest = tuple(self.captions[first[row]] for row in _nearest(_in_steps(features), self.features))
        return Baselines(
            commonest=self.commonest,
            nearest=nearest,
            training=self.captions,
            training_pictures=self.training_pictures,
            looked_at=len(self.pictures),
            known=sum(digest in self.pictures for digest in pictures),
        )

    def to_json(self) -> str:
        """One JSON object that `from_json` reads; features as base64 of their bytes, row by row."""
        values = {
            "commonest": self.commonest,
            "captions": self.captions,
            "pictures": self.pictures,
            "training_pictures": self.training_pictures,
            "encoder": self.encoder,
            "features": base64.b64encode(self.features.tobytes()).decode("ascii"),
        }
        return json.dumps(values, ensure_ascii=False, indent=0)

    @classmethod
    def from_json(cls, text: str, where: str) -> CaptionPrior:
        """The prior that `to_json` wrote.

        Raises:
            ModelError: it is damaged; `where` names it.
        """
        import numpy

        try:
            values = json.loads(text)
            captions = tuple(str(caption) for caption in values["captions"])
            pictures = {str(digest): int(index) for digest, index in values["pictures"].items()}
            flat = numpy.frombuffer(base64.b64decode(values["features"], validate=True), numpy.uint8)
            features = flat.reshape(len(pictures), Looking.width)
            if not pictures or not all(0 <= index < len(captions) for index in pictures.values()):
                raise ValueError("a picture without its caption")
            return cls(
                str(values["commonest"]), captions, pictures, features, int(values["training_pictures"]),
                str(values["encoder"]),
            )  # fmt: skip
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
            hint = "delete it to measure without baselines, or give training rows with the data"
            raise ModelError("not the captions that training saves", where=where, hint=hint) from None


def _commonest(captions: Iterable[str]) -> str:
    """The caption that stands there most often, case and marks aside, as it is most often spelled.

    Where every caption is written once this alone would be the first of the alphabet, which is no baseline. So of several
    it is the most typical one: that with the greatest mean cosine, of counts of words, to all captions.
    """
    spelled: dict[tuple[str, ...], Counter[str]] = {}
    for caption in captions:
        spelled.setdefault(tokenize(caption), Counter())[caption] += 1
    most = max(spellings.total() for spellings in spelled.values())
    often = [words for words, spellings in spelled.items() if spellings.total() == most]
    if len(often) > 1:
        middle: defaultdict[str, float] = defaultdict(float)
        for words, spellings in spelled.items():
            for word, share in _unit(words).items():
                middle[word] += share * spellings.total()
        often.sort(key=lambda words: (-sum(share * middle[word] for word, share in _unit(words).items()), words))
    spellings = spelled[often[0]]
    return min(spellings, key=lambda caption: (-spellings[caption], caption))


def _unit(words: Sequence[str]) -> dict[str, float]:
    """Counts of words, scaled to length one."""
    counts = Counter(words)
    norm = math.hypot(*counts.values())
    return {word: count / norm for word, count in counts.items()}


def _in_steps(features: Array) -> Array:
    """Features of 0 and more as uint8, the largest of each row being 255."""
    import numpy

    largest = numpy.maximum(features.max(axis=1, keepdims=True), 1e-6)
    steps: Array = numpy.rint(features * (STEPS / largest)).astype(numpy.uint8)
    return steps


def _nearest(features: Array, known: Array) -> list[int]:
    """For each row of `features` (N, D) the row of `known` (M, D) with the greatest cosine; of equal ones the first."""
    import numpy

    def unit(rows: Array) -> Array:
        scaled = rows.astype(numpy.float32)
        norms: Array = numpy.linalg.norm(scaled, axis=1, keepdims=True)
        unit_rows: Array = scaled / numpy.maximum(norms, 1.0)
        return unit_rows

    table, found = unit(known), []
    for start in range(0, len(features), 256):
        found += (unit(features[start : start + 256]) @ table.T).argmax(axis=1).tolist()
    return found
