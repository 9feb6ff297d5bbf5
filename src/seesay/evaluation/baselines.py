"""What can be answered without looking: the majority answer, and the answer that the question alone suggests.

A score means little beside which these are not printed: on easy-VQA the questions alone give 67 %. The prior is fitted on
training rows and saved with the model, so that it is at hand wherever the model is evaluated.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from ..metrics import soft_scores
from ..types import Example

SEEN_OFTEN = 2
"""A question beginning must have been seen this often to be trusted; whole questions count from the first time."""


@dataclass(frozen=True, slots=True)
class Prior:
    """Answers by question beginnings. `answers` maps a beginning (words joined by spaces) to its most frequent training
    answer; the empty beginning holds the majority answer. A beginning that says what its own beginning says is left out."""

    file: ClassVar[str] = "prior.json"
    """Its name beside a model."""

    answers: dict[str, str]

    @classmethod
    def fit(cls, examples: Iterable[Example], normalize: Callable[[str], str]) -> Prior:
        """Count every training answer, by its soft score, for every beginning of its question."""
        counts: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
        seen: Counter[str] = Counter()
        whole: set[str] = set()
        for example in examples:
            scores = soft_scores(example.answers, example.weights, normalize=normalize)
            beginnings = _beginnings(example.question)
            whole.add(beginnings[0])
            for beginning in beginnings:
                seen[beginning] += 1
                for answer, value in scores.items():
                    counts[beginning][answer] += value
        kept = {key: _best(counts[key]) for key in counts if seen[key] >= SEEN_OFTEN or key in whole or not key}
        return cls({key: answer for key, answer in kept.items() if not key or answer != _look_up(kept, key)})

    @property
    def majority(self) -> str:
        """The most frequent training answer."""
        return self.answers.get("", "")

    def answer(self, question: str) -> str:
        """The most frequent training answer among the questions that share the longest beginning with this one."""
        return next(self.answers[beginning] for beginning in _beginnings(question) if beginning in self.answers)

    def to_json(self) -> str:
        """One JSON object, sorted, that `from_json` reads."""
        return json.dumps(dict(sorted(self.answers.items())), ensure_ascii=False, indent=0)

    @classmethod
    def from_json(cls, text: str) -> Prior:
        """The prior that `to_json` wrote."""
        return cls({str(key): str(value) for key, value in json.loads(text).items()})


def _beginnings(question: str) -> list[str]:
    """The question in lower-case words without its marks, then each shorter beginning, down to the empty one."""
    words = [word.strip("?.,!;:") for word in question.lower().split()]
    return [" ".join(words[:length]) for length in range(len(words), -1, -1)]


def _look_up(answers: dict[str, str], key: str) -> str:
    """What `key` would be answered by its own shorter beginnings."""
    return next(answers[shorter] for shorter in _beginnings(key)[1:] if shorter in answers)


def _best(counts: Mapping[str, float]) -> str:
    return min(counts, key=lambda answer: (-counts[answer], answer), default="")
