"""The decisions that a person took on a review page, read from the file that the page saved and turned into changes.

A decision stands only where the text in the document is still the one the person saw; nobody's later work is overwritten.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

from ..errors import InputError, TextError
from ..media import clean_text, image_name
from ..types import Note
from .documents import Opened
from .found import Change, Found, Mark, Suggestion, digest_of
from .propose import Finding

FORMAT = "seesay alt decisions 1"
FILE_BYTES = 20_000_000
TEXT_CHARACTERS = 2_000
Choice = Literal["accept", "change", "decorative", "leave"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided about one picture."""

    document: str
    key: str
    was: str | None
    """The text that was there when it was decided."""
    choice: Choice
    alt: str
    by: str
    long: str = ""

    @property
    def change(self) -> Change:
        """What is to be written. An accepted suggestion keeps its mark; what a person wrote has none."""
        if self.choice == "accept":
            return Change(self.alt, Mark(self.by, digest_of(self.alt), reviewed=True), self.long)
        return Change(
            "" if self.choice == "decorative" else self.alt, None, self.long if self.choice == "change" else ""
        )


def read_decisions(file: Path) -> list[Decision]:
    """The decisions in a file.

    Raises:
        InputError: no such file, or not one that a review page saved.
        TextError: a text in it cannot be used.
    """
    where = image_name(file)
    try:
        if file.stat().st_size > FILE_BYTES:
            raise InputError(f"more than {FILE_BYTES:,} bytes", where=where)
        data = file.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", where=where) from None
    return decisions_in(data, where)


def decisions_in(data: bytes, where: str) -> list[Decision]:
    """The decisions in what a review page saved. Raises as `read_decisions`."""
    try:
        value = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise InputError("not JSON", where=where, hint="save it with the button on the review page") from None
    rows = value.get("decisions") if isinstance(value, dict) and value.get("format") == FORMAT else None
    if not isinstance(rows, list):
        raise InputError(
            f"not decisions of the form {FORMAT!r}", where=where, hint="save it with the button on the review page"
        )
    return [_decision(row, f"{where}: decision {number}") for number, row in enumerate(rows, start=1)]


def decided(documents: Sequence[Opened], decisions: Sequence[Decision]) -> list[Finding]:
    """What becomes of each decision: to be written, or why not. Decisions on documents that were not opened are left out."""
    names = {Path(opened.name).resolve(): opened for opened in documents}
    findings = []
    for decision in decisions:
        opened = names.get(Path(decision.document).resolve())
        if opened is not None and decision.choice != "leave":
            findings.append(_finding(opened, decision))
    return findings


def changes(findings: Sequence[Finding], decisions: Sequence[Decision]) -> dict[str, dict[str, Change]]:
    """The changes of those decisions that stand, by document and key."""
    by_key = {(Path(decision.document).resolve(), decision.key): decision for decision in decisions}
    made: dict[str, dict[str, Change]] = {}
    for finding in findings:
        if finding.action == "write":
            decision = by_key[Path(finding.document).resolve(), finding.found.key]
            made.setdefault(finding.document, {})[finding.found.key] = decision.change
    return made


def _finding(opened: Opened, decision: Decision) -> Finding:
    found = next((one for one in opened.document.found if one.key == decision.key), None)
    if found is None:
        gone = Found(decision.key, 0, "", decision.key.split("|")[-2] if "|" in decision.key else "", None)
        return Finding(opened.name, gone, "fail", "this picture is no longer in the document")
    told = Suggestion(decision.change.alt, "informative", Note("decided on the review page", "decided"), by=decision.by)
    if (found.alt or None) == (decision.change.alt or None) and found.standing in ("human", "reviewed", "empty"):
        return Finding(opened.name, found, "keep", "it is so already", told)
    if found.alt != decision.was:
        return Finding(opened.name, found, "keep", "its text was changed after the review page was made", told)
    if found.standing in ("human", "reviewed"):
        return Finding(opened.name, found, "keep", "a person's text", told)
    if found.locked:
        return Finding(opened.name, found, "skip", found.locked, told)
    if found.blank_is_decoration and not told.alt:
        return Finding(opened.name, found, "skip", "decoration needs no text here", told)
    return Finding(opened.name, found, "write", "decided on the review page", told)


def _decision(row: Any, where: str) -> Decision:
    if not isinstance(row, dict):
        raise InputError("not an object", where=where)
    texts = {name: row.get(name, "") for name in ("document", "key", "decision", "alt", "by", "long")}
    wrong = next((name for name, value in texts.items() if not isinstance(value, str)), None)
    was = row.get("was")
    if wrong or not (was is None or isinstance(was, str)) or not texts["document"] or not texts["key"]:
        raise InputError(f"its field {wrong or 'document, key or was'!r} is missing or no text", where=where)
    if texts["decision"] not in get_args(Choice):
        raise InputError(f"{texts['decision']!r} is not one of {', '.join(get_args(Choice))}", where=where)
    alt = _clean(texts["alt"], f"{where}: alt")
    if texts["decision"] == "change" and not alt:
        raise TextError("the text is empty", where=where, hint="decoration is the decision 'decorative'")
    choice = cast("Choice", texts["decision"])
    long = _clean(texts["long"], f"{where}: long", 100_000)
    return Decision(texts["document"], texts["key"], was, choice, alt, texts["by"][:200], long)


def _clean(text: str, where: str, limit: int = TEXT_CHARACTERS) -> str:
    return " ".join(clean_text(text, limit, where=where).split()) if text.strip() else ""
