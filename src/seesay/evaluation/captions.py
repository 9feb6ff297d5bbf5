"""From generated captions to figures: every caption metric with its interval, how varied they are, beside the baselines.

It computes and words the figures; `caption_page` draws them. It knows nothing about models: captions come in, whoever wrote
them, and must have been generated freely. A caption that is predicted word by word behind the words that people wrote
(teacher forcing) says little about the one that a user gets.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

from ..errors import MissingExtra
from ..metrics import (
    CaptionMetric,
    CaptionScores,
    Diversity,
    Interval,
    caption_metrics,
    corpus_interval,
    diversity,
    interval,
)
from ..types import Answer, Example
from .caption_baselines import Baselines
from .measure import Table

HEADLINE = "cider-d"
"""The metric whose differences are tested and by which captions are the best and the worst."""
SYSTEMS = {"model": "model", "nearest": "nearest training picture", "commonest": "most frequent caption"}
Writer = Literal["model", "people", "nearest", "commonest"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric of all captions together, with intervals over pictures; baselines are None where there are none."""

    name: str
    greater_is_better: bool
    bounds: tuple[float, float]
    model: Interval
    nearest: Interval | None
    commonest: Interval | None
    counts: Mapping[str, int]
    """What the metric counted over the model's captions."""


@dataclass(frozen=True, slots=True)
class Variety:
    """How varied the captions of one writer are, one per picture."""

    words: Interval
    """Per caption."""
    in_training: Interval | None
    """Share of captions that stand, word for word, among the training captions; None where those are not known."""
    unique: float
    vocabulary: int
    distinct_1: float
    distinct_2: float


@dataclass(frozen=True, slots=True)
class Described:
    """One picture, what the model and the nearest training picture say about it, and how good the model's caption is."""

    example: Example
    """Its answers are the references."""
    answer: Answer
    nearest: str | None
    scores: Mapping[str, float]
    """Of the model's caption alone, by metric."""

    @property
    def caption(self) -> str:
        """What the model wrote; empty where it withheld its caption."""
        return self.answer.text or ""

    @property
    def score(self) -> float:
        """CIDEr-D among the pictures measured."""
        return self.scores[HEADLINE]


@dataclass(frozen=True, slots=True)
class CaptionReport:
    """Everything measured. Intervals are 95 % bootstrap intervals over pictures."""

    task: ClassVar[Literal["caption"]] = "caption"

    figures: Mapping[str, Figure]
    """By name; every metric that `metrics.caption_metrics` finds, but for those in `left_out`."""
    left_out: Mapping[str, str]
    """Metrics whose package is not installed, and what to do."""
    above_nearest: Interval | None
    """CIDEr-D, model minus caption of the nearest training picture, picture by picture."""
    above_commonest: Interval | None
    variety: Mapping[Writer, Variety]
    pictures: tuple[Described, ...]
    out_of: int
    """Pictures there are; fewer were measured where a limit was set."""
    seed: int
    """Which drew those measured."""
    baselines: Baselines | None
    model: str
    revision: str
    seconds_per_caption: float
    """Median."""

    @property
    def best_first(self) -> list[Described]:
        """The pictures by CIDEr-D."""
        return sorted(self.pictures, key=lambda one: -one.score)

    def headline(self) -> tuple[str, Interval]:
        """What the model is measured by."""
        return "CIDEr-D", self.figures[HEADLINE].model

    def compared(self) -> list[tuple[str, str]]:
        """The headline in words, then what it is to be compared with."""
        figure = self.figures[HEADLINE]
        values = {
            "CIDEr-D": figure.model,
            "CIDEr-D of the caption of the nearest training picture": figure.nearest,
            "CIDEr-D of the most frequent training caption": figure.commonest,
        }
        others = [(name, in_words(other.model)) for name, other in self.figures.items() if name != HEADLINE]
        return [*((name, in_words(value)) for name, value in values.items() if value is not None), *others]

    def sentences(self) -> list[str]:
        """The headline in words."""
        few, many = min(map(_references, self.pictures)), max(map(_references, self.pictures))
        each = f"{few} to {many} references" if few != many else f"{few} reference{'s' if few > 1 else ''}"
        count = len(self.pictures)
        said = [
            f"CIDEr-D {in_words(self.figures[HEADLINE].model)} on {count:,} picture{'s' if count > 1 else ''} with"
            f" {each} each (captions as generated, 95 % interval)",
            *self._about_baselines(),
        ]
        if self.out_of > count:
            said.append(f"{count:,} of {self.out_of:,} pictures, drawn by the seed {self.seed}")
        silent = sum(not one.caption for one in self.pictures)
        if silent:
            are = "captions are" if silent > 1 else "of the captions is"
            said.append(f"{silent:,} {are} empty and scored as badly as can be")
        if count == 1:
            said.append("CIDEr-D of one picture alone is 0, whatever its caption: it weighs words by how rare they are")
        said += [f"{name} was left out: {what}" for name, what in self.left_out.items()]
        return said

    def _about_baselines(self) -> list[str]:
        figure, baselines = self.figures[HEADLINE], self.baselines
        if baselines is None or figure.commonest is None or self.above_commonest is None:
            return ["no baselines: there are no training rows here, and the model brought no captions.json"]
        said = []
        if figure.nearest is not None and self.above_nearest is not None:
            among = f"{baselines.looked_at:,}"
            if baselines.looked_at < baselines.training_pictures:
                among += f" of {baselines.training_pictures:,}"
            said.append(
                f"the caption of the nearest of {among} training pictures {in_words(figure.nearest)}:"
                f" the model brings {_difference(self.above_nearest)}"
            )
        else:
            said.append("no nearest training picture: its features were saved by another version of seesay")
        said.append(
            f"the most frequent training caption {in_words(figure.commonest)}:"
            f" the model brings {_difference(self.above_commonest)}"
        )
        if baselines.known:
            said.append(
                f"{baselines.known:,} of these pictures stand in training as well: there, figures tell what was memorized"
            )
        return said

    def tables(self) -> list[Table]:
        """Metrics and variety as tables of text: title, header, rows."""
        systems = [name for name in SYSTEMS if any(getattr(figure, name) for figure in self.figures.values())]
        rows = [
            [_label(figure), *(_cell(getattr(figure, system)) for system in systems)]
            for figure in self.figures.values()
        ]
        tables = [
            (
                "captions held against references, 95 % intervals",
                ["metric", *(SYSTEMS[system] for system in systems)],
                rows,
            )
        ]
        columns = [_variety_cells(one) for one in self.variety.values()]
        names = ["measure", *("people" if name == "people" else SYSTEMS[name] for name in self.variety)]
        named = [[name, *cells] for name, *cells in zip(VARIETY, *columns, strict=True)]
        return [*tables, ("how varied captions are, one per picture", names, named)]

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON values, every caption included; pictures by their sha256."""
        baselines = self.baselines
        return {
            "task": self.task,
            "model": self.model,
            "revision": self.revision,
            "pictures": len(self.pictures),
            "out_of": self.out_of,
            "seed": self.seed,
            "seconds_per_caption": self.seconds_per_caption,
            "figures": {name: asdict(figure) | {"bounds": _finite(figure)} for name, figure in self.figures.items()},
            "left_out": dict(self.left_out),
            "above_nearest": asdict(self.above_nearest) if self.above_nearest else None,
            "above_commonest": asdict(self.above_commonest) if self.above_commonest else None,
            "variety": {name: asdict(one) for name, one in self.variety.items()},
            "baselines": {
                "commonest": baselines.commonest,
                "training_pictures": baselines.training_pictures,
                "looked_at": baselines.looked_at,
                "known": baselines.known,
            }
            if baselines
            else None,
            "captions": [_plain(one) for one in self.pictures],
        }


def measure_captions(
    examples: Sequence[Example],
    answers: Sequence[Answer],
    *,
    baselines: Baselines | None,
    out_of: int = 0,
    seed: int = 0,
) -> CaptionReport:
    """Score the captions `answers` of the pictures `examples` (same order), one each.

    Args:
        examples: pictures, each with all its references.
        baselines: what stands beside it; None where there are no training captions.
        out_of: how many pictures there are, where these were drawn by `seed`.

    Raises:
        ValueError: no pictures, or one without references.
    """
    references = [example.answers for example in examples]
    said: dict[str, list[str]] = {"model": [answer.text or "" for answer in answers]}
    if baselines and baselines.nearest is not None:
        said["nearest"] = list(baselines.nearest)
    if baselines:
        said["commonest"] = [baselines.commonest] * len(examples)
    figures: dict[str, Figure] = {}
    left_out: dict[str, str] = {}
    scores: dict[str, dict[str, CaptionScores]] = {}
    for name, kind in caption_metrics().items():
        metric = kind()
        try:
            scores[name] = {system: metric.score(captions, references) for system, captions in said.items()}
        except MissingExtra as error:
            left_out[name] = error.hint
            continue
        figures[name] = _figure(metric, scores[name])
    headline = scores[HEADLINE]
    return CaptionReport(
        figures=figures,
        left_out=left_out,
        above_nearest=_above(headline, "nearest"),
        above_commonest=_above(headline, "commonest"),
        variety=_varieties(said, references, baselines),
        pictures=tuple(
            Described(
                example,
                answer,
                said["nearest"][index] if "nearest" in said else None,
                {name: scores[name]["model"].captions[index] for name in figures},
            )
            for index, (example, answer) in enumerate(zip(examples, answers, strict=True))
        ),
        out_of=out_of or len(examples),
        seed=seed,
        baselines=baselines,
        model=answers[0].provenance.model,
        revision=answers[0].provenance.revision,
        seconds_per_caption=statistics.median(answer.provenance.seconds for answer in answers),
    )


def _figure(metric: CaptionMetric, scores: Mapping[str, CaptionScores]) -> Figure:
    of = {system: corpus_interval(metric, found) for system, found in scores.items()}
    return Figure(
        name=metric.name,
        greater_is_better=metric.greater_is_better,
        bounds=metric.bounds,
        model=of["model"],
        nearest=of.get("nearest"),
        commonest=of.get("commonest"),
        counts=scores["model"].counts,
    )


def _above(scores: Mapping[str, CaptionScores], baseline: str) -> Interval | None:
    """Model minus baseline, picture by picture: what both find hard does not widen the interval."""
    if baseline not in scores:
        return None
    pairs = zip(scores["model"].captions, scores[baseline].captions, strict=True)
    differences = [ours - theirs for ours, theirs in pairs]
    return interval(differences, range(len(differences)))


def _varieties(
    said: Mapping[str, Sequence[str]], references: Sequence[Sequence[str]], baselines: Baselines | None
) -> dict[Writer, Variety]:
    """Of the model, of people (the first reference of each picture) and of the nearest training picture."""
    writers: dict[Writer, Sequence[str]] = {"model": said["model"], "people": [known[0] for known in references]}
    if "nearest" in said:
        writers["nearest"] = said["nearest"]
    training = baselines.training if baselines else ()
    return {name: _variety(diversity(captions, training), bool(training)) for name, captions in writers.items()}


def _variety(found: Diversity, training: bool) -> Variety:
    pictures = range(len(found.length.captions))
    return Variety(
        words=interval(found.length.captions, pictures),
        in_training=interval(found.in_training.captions, pictures) if training else None,
        unique=found.unique,
        vocabulary=found.vocabulary,
        distinct_1=found.distinct_1,
        distinct_2=found.distinct_2,
    )


VARIETY = (
    "words per caption",
    "distinct captions",
    "vocabulary, words",
    "distinct words per word",
    "distinct pairs per word",
    "standing in training captions",
)


def _variety_cells(one: Variety) -> list[str]:
    """In the order of VARIETY."""
    return [
        f"{one.words.mean:.1f} ({one.words.low:.1f} to {one.words.high:.1f})",
        f"{one.unique * 100:.1f} %",
        f"{one.vocabulary:,}",
        f"{one.distinct_1:.3f}",
        f"{one.distinct_2:.3f}",
        f"{one.in_training.mean * 100:.1f} %" if one.in_training else "-",
    ]


def in_words(value: Interval) -> str:
    """A figure and its interval, as `0.634 (0.612 to 0.655)`."""
    return f"{value.mean:.3f} ({value.low:.3f} to {value.high:.3f})"


def _difference(value: Interval) -> str:
    return f"{value.mean:+.3f} ({value.low:+.3f} to {value.high:+.3f})"


def _label(figure: Figure) -> str:
    return figure.name if figure.greater_is_better else f"{figure.name} (lower is better)"


def _cell(value: Interval | None) -> str:
    return in_words(value) if value else "-"


def _references(one: Described) -> int:
    return len(one.example.answers)


def _finite(figure: Figure) -> list[float | None]:
    """JSON knows no infinity."""
    return [bound if bound != float("inf") else None for bound in figure.bounds]


def _plain(one: Described) -> dict[str, Any]:
    return {
        "id": one.example.id,
        "picture": one.answer.provenance.inputs[0],
        "caption": one.answer.text,
        "score": one.answer.score,
        "references": list(one.example.answers),
        "nearest": one.nearest,
        "scores": dict(one.scores),
    }
