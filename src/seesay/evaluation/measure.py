"""From answers to figures: accuracy with intervals, per type of question and answer, beside the baselines.

It computes and words the figures; `report` draws them. It knows nothing about models: answers come in, whoever gave them.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

from ..metrics import Interval, interval, score, soft_scores
from ..types import Answer, Example
from .baselines import Prior

Variant = Literal["official", "always-normalize"]
Table = tuple[str, list[str], list[list[str]]]
TYPES_SHOWN = 30
WORST_SHOWN = 24


@dataclass(frozen=True, slots=True)
class Row:
    """One group of questions: the model's accuracy and that of both baselines, where there are any."""

    name: str
    accuracy: Interval
    majority: Interval | None
    question_only: Interval | None


@dataclass(frozen=True, slots=True)
class Mistake:
    """A wrong answer, for the report."""

    example: Example
    answer: Answer
    expected: tuple[str, ...]
    score: float


@dataclass(frozen=True, slots=True)
class VqaReport:
    """Everything measured about answers. Accuracies are 0 to 1; intervals are 95 % bootstrap intervals over pictures."""

    task: ClassVar[Literal["vqa"]] = "vqa"

    accuracy: Interval
    majority: Interval | None
    question_only: Interval | None
    above_question_only: Interval | None
    """Model minus question-only, row by row: what looking at the picture brings."""
    coverage: float | None
    """The best accuracy that the model's vocabulary allows on these rows."""
    vocabulary_size: int
    """How many answers the model can give; 0 where it writes them freely."""
    question_types: tuple[Row, ...]
    answer_types: tuple[Row, ...]
    mistakes: tuple[Mistake, ...]
    variant: Variant
    annotators: tuple[int, int]
    """Fewest and most annotators of a row."""
    model: str
    revision: str
    seconds_per_answer: float
    """Median."""

    def headline(self) -> tuple[str, Interval]:
        """What the model is measured by."""
        return "VQA accuracy", self.accuracy

    def compared(self) -> list[tuple[str, str]]:
        """The headline in words, then what it is to be compared with."""
        figures = {
            "VQA accuracy": self.accuracy,
            "by the question alone": self.question_only,
            "majority answer": self.majority,
        }
        return [(name, percent(value)) for name, value in figures.items() if value is not None]

    def sentences(self) -> list[str]:
        """The headline in words."""
        accuracy = self.accuracy
        said = [
            f"accuracy {percent(accuracy)} on {accuracy.count:,} questions about {accuracy.clusters:,} pictures"
            f" ({self.variant} VQA accuracy, 95 % interval)"
        ]
        if self.question_only and self.majority:
            said.append(
                f"by the question alone {percent(self.question_only)}, majority answer {percent(self.majority)}"
            )
        else:
            said.append("no baselines: there are no training rows here, and the model brought no prior.json")
        if self.above_question_only:
            gain = self.above_question_only
            said.append(
                f"looking at the picture brings {gain.mean * 100:+.1f} points"
                f" ({gain.low * 100:+.1f} to {gain.high * 100:+.1f})"
            )
        if self.coverage is not None:
            said.append(f"the vocabulary allows at most {self.coverage * 100:.1f} %")
        if self.annotators[0] < 10:
            few, many = self.annotators
            people = f"{few} to {many} annotators" if few != many else f"{few} annotator{'s' if few > 1 else ''}"
            said.append(
                f"rows have {people}: with n < 10, min(3, n - 1) matches"
                " among the others count in full, and a lone answer counts in full"
            )
        return said

    def tables(self) -> list[Table]:
        """The groups as tables of text: title, header, rows."""
        header = ["", "questions", "accuracy", "95 % interval", "question only", "majority"]
        return [
            (title, header, [_cells(row) for row in rows])
            for title, rows in (("by question type", self.question_types), ("by answer type", self.answer_types))
        ]

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON values; mistakes without their pictures' bytes."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "mistakes"}
        plain = {name: _plain(value) for name, value in values.items()}
        return {"task": self.task} | plain | {"mistakes": [_mistake(mistake) for mistake in self.mistakes]}


def measure(
    examples: Sequence[Example],
    answers: Sequence[Answer],
    *,
    prior: Prior | None,
    normalize: Callable[[str], str],
    vocabulary: Sequence[str] = (),
    variant: Variant = "official",
) -> VqaReport:
    """Score `answers` to `examples` (same order).

    Args:
        prior: the baselines, fitted on training rows; None where there are none.
        vocabulary: what a classifier can answer, for its ceiling; empty for generative models.

    Raises:
        ValueError: no examples.
    """
    clusters = ["".join(answer.provenance.inputs) for answer in answers]

    def scored(predictions: Sequence[str]) -> list[float]:
        pairs = zip(examples, predictions, strict=True)
        return [score(example, text, normalize=normalize, variant=variant) for example, text in pairs]

    values = scored([answer.text or "" for answer in answers])
    only = scored([prior.answer(example.question) for example in examples]) if prior else None
    majority = scored([prior.majority] * len(examples)) if prior else None

    def rows(names: Sequence[str]) -> tuple[Row, ...]:
        return tuple(_rows(names, clusters, values, majority, only))

    counts = [len(example.answers) for example in examples if not example.weights] or [10]
    return VqaReport(
        accuracy=interval(values, clusters),
        majority=interval(majority, clusters) if majority else None,
        question_only=interval(only, clusters) if only else None,
        above_question_only=interval([a - b for a, b in zip(values, only, strict=True)], clusters) if only else None,
        coverage=_coverage(examples, vocabulary, normalize) if vocabulary else None,
        vocabulary_size=len(vocabulary),
        question_types=rows(_question_types(examples)),
        answer_types=rows([_answer_type(example, normalize) for example in examples]),
        mistakes=_worst(examples, answers, values, normalize),
        variant=variant,
        annotators=(min(counts), max(counts)),
        model=answers[0].provenance.model,
        revision=answers[0].provenance.revision,
        seconds_per_answer=statistics.median(answer.provenance.seconds for answer in answers),
    )


def _rows(
    names: Sequence[str],
    clusters: Sequence[str],
    values: Sequence[float],
    majority: Sequence[float] | None,
    only: Sequence[float] | None,
) -> Iterator[Row]:
    """One row a name, the most frequent first."""
    for name, _ in Counter(names).most_common():
        chosen = [index for index, other in enumerate(names) if other == name]

        def of(scores: Sequence[float] | None, chosen: Sequence[int] = chosen) -> Interval | None:
            if scores is None:
                return None
            return interval([scores[index] for index in chosen], [clusters[index] for index in chosen])

        accuracy = of(values)
        assert accuracy is not None
        yield Row(name, accuracy, of(majority), of(only))


def _question_types(examples: Sequence[Example]) -> list[str]:
    """As the data set says, else the first two words; rare ones become one group."""
    names = [example.question_type or " ".join(example.question.lower().split()[:2]) for example in examples]
    kept = {name for name, count in Counter(names).most_common(TYPES_SHOWN) if count >= len(names) / 100}
    return [name if name in kept else "(other)" for name in names]


def _answer_type(example: Example, normalize: Callable[[str], str]) -> str:
    if example.answer_type:
        return example.answer_type
    scores = soft_scores(example.answers, example.weights, normalize=normalize)
    commonest = max(scores, key=lambda answer: scores[answer])
    return "yes/no" if commonest in ("yes", "no") else "number" if commonest.isdecimal() else "other"


def _coverage(examples: Sequence[Example], vocabulary: Sequence[str], normalize: Callable[[str], str]) -> float:
    known = set(vocabulary)
    best = [
        max((value for answer, value in _targets(example, normalize) if answer in known), default=0.0)
        for example in examples
    ]
    return sum(best) / len(best)


def _targets(example: Example, normalize: Callable[[str], str]) -> Iterator[tuple[str, float]]:
    yield from soft_scores(example.answers, example.weights, normalize=normalize).items()


def _worst(
    examples: Sequence[Example], answers: Sequence[Answer], values: Sequence[float], normalize: Callable[[str], str]
) -> tuple[Mistake, ...]:
    """The surest wrong answers, one a picture."""
    wrong = [index for index, value in enumerate(values) if value == 0]
    wrong.sort(key=lambda index: -answers[index].score)
    shown: dict[str, Mistake] = {}
    for index in wrong:
        example, answer = examples[index], answers[index]
        expected = sorted(_targets(example, normalize), key=lambda pair: -pair[1])
        mistake = Mistake(example, answer, tuple(text for text, _ in expected[:3]), values[index])
        shown.setdefault("".join(answer.provenance.inputs), mistake)
        if len(shown) == WORST_SHOWN:
            break
    return tuple(shown.values())


def percent(value: Interval) -> str:
    """An accuracy and its interval, as `63.4 % (61.2 to 65.5)`."""
    return f"{value.mean * 100:.1f} % ({value.low * 100:.1f} to {value.high * 100:.1f})"


def _cells(row: Row) -> list[str]:
    def figure(value: Interval | None) -> str:
        return f"{value.mean * 100:.1f}" if value else "-"

    span = f"{row.accuracy.low * 100:.1f} to {row.accuracy.high * 100:.1f}"
    counts = f"{row.accuracy.count:,}"
    return [row.name, counts, figure(row.accuracy), span, figure(row.question_only), figure(row.majority)]


def _plain(value: Any) -> Any:
    if isinstance(value, (Interval, Row)):
        return asdict(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _mistake(mistake: Mistake) -> dict[str, Any]:
    example, answer = mistake.example, mistake.answer
    return {
        "id": example.id,
        "question": example.question,
        "expected": list(mistake.expected),
        "answer": answer.text,
        "score": answer.score,
        "pictures": list(answer.provenance.inputs),
    }
