"""One row of the output: its key, its columns and its line of JSON. A function of what was asked and answered alone, so that
two runs write the same bytes.

It knows no model and no file.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

from ..types import Answer, Line, Reading
from .source import Asked, Item

Verb = Literal["ask", "caption", "read"]
DIGITS = 6
"""Decimals of scores and confidences."""
KEY_BYTES = 16


class Row(NamedTuple):
    """A row that is ready to be written."""

    key: bytes
    """KEY_BYTES that stand for the row."""
    line: bytes
    """JSON in UTF-8 with its newline."""
    error: str
    """What is wrong with it, or empty."""


@dataclass(frozen=True)
class Job:
    """What is done with every picture. `facts` is everything that decides what a row says: the settings, and the model with
    its revision; two jobs with equal facts write equal rows."""

    verb: Verb
    facts: Mapping[str, Any]

    @cached_property
    def identity(self) -> str:
        text = json.dumps([self.verb, dict(sorted(self.facts.items()))], ensure_ascii=True)
        return hashlib.blake2b(text.encode(), digest_size=KEY_BYTES).hexdigest()

    def key(self, item: Item, asked: Asked, sha256: str) -> bytes:
        """Of the row about one question: by the caller's id, else by the picture's content, else, where that cannot be had,
        by its name."""
        named = ["id", asked.id] if asked.id else ["sha256", sha256] if sha256 else ["name", item.name]
        text = json.dumps([*named, asked.question, self.identity], ensure_ascii=True)
        return hashlib.blake2b(text.encode(), digest_size=KEY_BYTES).digest()

    def row(self, item: Item, asked: Asked, sha256: str, given: Answer | Reading | str) -> Row:
        """The row of an answer or a reading, or of the text that says why there is none."""
        key = self.key(item, asked, sha256)
        row: dict[str, Any] = {"key": key.hex(), "id": asked.id, "picture": item.name}
        if self.verb == "ask":
            row["question"] = asked.question
        row |= self._found(None if isinstance(given, str) else given)
        row["error"] = given if isinstance(given, str) else None
        row["sha256"] = sha256 or None
        row |= self._origin(None if isinstance(given, str) else given)
        line = json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        return Row(key, line, given if isinstance(given, str) else "")

    def _found(self, given: Answer | Reading | None) -> dict[str, Any]:
        if self.verb == "read":
            reading = given if isinstance(given, Reading) else None
            return {"text": reading.text if reading else None, "lines": _lines(reading.lines if reading else ())}
        answer = given if isinstance(given, Answer) else None
        text, score = (answer.text, round(answer.score, DIGITS)) if answer else (None, None)
        shown = {"score": score, "certainty": answer.certainty if answer else ""}
        if self.verb == "caption":
            return {"caption": text, **shown}
        others = answer.alternatives if answer else ()
        return {
            "answer": text,
            **shown,
            "reason": answer.reason if answer else "",
            "alternatives": [{"answer": other.text, "score": round(other.score, DIGITS)} for other in others],
            "lines": _lines(answer.lines if answer else ()),
        }

    def _origin(self, given: Answer | Reading | None) -> dict[str, Any]:
        origin = {"model": self.facts["model"], "revision": self.facts["revision"]}
        if isinstance(given, Answer):
            made = given.provenance
            if made.model != origin["model"]:  # the reader answered, and not the model
                origin = {"model": made.model, "revision": made.revision}
            return {**origin, "family": made.family, "engine": made.engine, "dtype": made.dtype}
        if isinstance(given, Reading):
            return {**origin, "family": "reader", "engine": given.engine, "dtype": "float32"}
        return {**origin, "family": None, "engine": None, "dtype": None}


def _lines(lines: tuple[Line, ...]) -> list[dict[str, Any]]:
    """Lines with the corners of their boxes to a tenth of a pixel."""
    return [
        dataclasses.asdict(line)
        | {
            "confidence": round(line.confidence, DIGITS),
            "box": [[round(x, 1), round(y, 1)] for x, y in line.box],
        }
        for line in lines
    ]
