"""What a run found and would write, and the writing itself: every new content is made and checked before the first file changes."""

from __future__ import annotations

import dataclasses
import difflib
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import InputError, ResourceError, SeesayError
from ..files import write_whole
from .documents import Opened
from .found import Change
from .propose import Finding


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the pictures of some documents."""

    findings: tuple[Finding, ...]
    """One a picture, in the order of the documents."""
    problems: tuple[SeesayError, ...]
    """Documents that could not be read or changed; the others were."""
    diff: str
    """What changes, as a unified diff of text; of a book its chapters, of a picture its metadata."""
    written: tuple[str, ...] = ()
    """Documents that were changed; empty in a dry run."""

    @property
    def failed(self) -> bool:
        """Whether a document or a picture could not be used."""
        return bool(self.problems) or any(finding.action == "fail" for finding in self.findings)

    @property
    def counts(self) -> Counter[str]:
        """How many pictures there are of each action."""
        return Counter(finding.action for finding in self.findings)

    def rows(self) -> list[dict[str, Any]]:
        """One object a picture, for JSON."""
        return [_row(finding, finding.document in self.written) for finding in self.findings]


@dataclass(frozen=True, slots=True)
class Planned:
    """A document that changes."""

    name: str
    old: bytes
    files: dict[Path, bytes]
    diff: str


def plan(
    documents: Sequence[Opened], changes: Mapping[str, Mapping[str, Change]]
) -> tuple[list[Planned], list[SeesayError]]:
    """The new content of every document that changes, and what keeps others from it. `changes` are by document and key."""
    planned: list[Planned] = []
    problems: list[SeesayError] = []
    for opened in documents:
        wanted = changes.get(opened.name)
        if wanted:
            try:
                files = opened.document.written(wanted)
                planned.append(Planned(opened.name, opened.data, files, _diff(opened, files[Path(opened.name)])))
            except SeesayError as error:
                problems.append(error)
    return planned, problems


def write(planned: Sequence[Planned]) -> tuple[list[str], list[SeesayError]]:
    """Write what was planned; each file whole or not at all. Gives the documents written and what went wrong."""
    written: list[str] = []
    problems: list[SeesayError] = []
    for one in planned:
        try:
            if Path(one.name).read_bytes() != one.old:
                raise InputError(
                    "was changed while its pictures were looked at; left as it is", where=one.name, hint="run again"
                )
            for path, data in one.files.items():
                _write(path, data)
            written.append(one.name)
        except SeesayError as error:
            problems.append(error)
        except OSError as error:
            problems.append(ResourceError(f"cannot be read again: {error.strerror or error}", where=one.name))
    return written, problems


def _write(path: Path, data: bytes) -> None:
    # Behind a link lies the file that is meant.
    file = path.resolve()
    if file.exists() and not os.access(file, os.W_OK):
        raise ResourceError("no permission to write it", where=str(path), hint="change its permissions")
    write_whole(file, data)


def _diff(opened: Opened, new: bytes) -> str:
    """A unified diff that `patch` takes; lines keep their endings."""
    pieces: list[str] = []
    for before, after in zip(opened.document.views(opened.data), opened.document.views(new), strict=True):
        old, made = (_lines(view.text) for view in (before, after))
        for line in difflib.unified_diff(old, made, f"a/{before.name}", f"b/{after.name}"):
            pieces.append(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
    return "".join(pieces)


def _lines(text: str) -> list[str]:
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + lines[-1:] * bool(lines[-1])


def _row(finding: Finding, written: bool) -> dict[str, Any]:
    found, told = finding.found, finding.suggestion
    row: dict[str, Any] = {
        "document": finding.document,
        "entry": found.entry or None,
        "line": found.line or None,
        "element": found.element,
        "picture": found.src,
        "sha256": finding.sha256 or None,
        "now": found.alt,
        "standing": found.standing,
        "action": finding.action,
        "why": finding.why,
        "written": written and finding.action == "write",
        "alt": None,
    }
    if told is not None:
        row |= {"alt": told.alt, "role": told.role, "reason": told.reason, "by": told.by, "score": told.score}
        row |= {"certainty": told.certainty or None, "doubts": list(told.doubts), "others": list(told.others)}
        row |= {"long_description_needed": told.needs_long, "long": told.long or None}
    row["language"] = found.context.language or None
    row["context"] = {
        "heading": found.context.heading,
        "before": found.context.before,
        "after": found.context.after,
        "caption": found.context.caption,
        "link": dataclasses.asdict(found.context.link) if found.context.link else None,
    }
    return row
