"""Answers as rows of JSON: one shape for the command line's `--json`, batches and the server. It computes nothing."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ..types import Answer, Note, Reading


def answer_row(picture: str, question: str, given: Answer) -> dict[str, Any]:
    """An answer with its alternatives and where it came from; `answer` is None where none is given, and `reason` says why."""
    row: dict[str, Any] = {"picture": picture, "question": question, "answer": given.text, "score": given.score}
    row["certainty"], row["reason"] = given.certainty, str(given.reason)
    row |= note_fields(given.reason, "reason")
    row["alternatives"] = [{"answer": other.text, "score": other.score} for other in given.alternatives]
    row["lines"] = [asdict(line) for line in given.lines]
    return row | {"provenance": asdict(given.provenance)}


def note_fields(note: str, name: str) -> dict[str, Any]:
    """What programs need of a note beside its words: `NAME_code`, and `NAME_values` that were filled in."""
    told = Note.of(note)
    return {f"{name}_code": told.code, f"{name}_values": told.values}


def caption_row(picture: str, given: Answer) -> dict[str, Any]:
    """A description."""
    row = {"picture": picture, "caption": given.text, "score": given.score, "certainty": given.certainty}
    return row | {"provenance": asdict(given.provenance)}


def reading_row(picture: str, given: Reading) -> dict[str, Any]:
    """The text in a picture, whole and line by line."""
    return {"picture": picture, "text": given.text, **asdict(given)}
