"""From documents to what should be written in them: every picture looked at once, however often it appears.

It asks `decide`, the reader and a model in that order, and writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

from ..errors import ImageError
from ..settings import AltSettings
from ..types import Answer, ImageSource, Note
from . import decide
from .documents import Opened
from .found import Change, Found, Mark, Suggestion, digest_of
from .look import Look, look
from .own_text import own_text
from .wording import tidy

Action: TypeAlias = Literal["write", "review", "keep", "skip", "fail"]
"""Write the suggestion; let a person look at it first; leave the text that is there; nothing can or need be written; the
picture cannot be used."""
Describe: TypeAlias = Callable[[Sequence[ImageSource]], Iterable[Answer]]
"""A model: one answer a picture, in order."""
See: TypeAlias = Callable[[ImageSource], Look]

UNREAD = frozenset("ar be bg el fa he hi ka ko mk mr ru sr ta te th uk ur vi yi".split())
"""Languages whose letters the reader does not know, or not all of them (docs/reading.md)."""
_KEPT = {
    "human": Note("a person's text", "kept_human"),
    "reviewed": Note("accepted by a person", "kept_reviewed"),
    "ours": Note("written by an earlier run", "kept_ours"),
    "empty": Note("empty, which counts as a person's decision", "kept_empty"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One picture of one document, and what should happen to its text."""

    document: str
    """The document as the user named it."""
    found: Found
    action: Action
    why: str
    suggestion: Suggestion | None = None
    sha256: str = ""
    """Of the picture's bytes, where it was opened."""

    @property
    def change(self) -> Change | None:
        """What is to be written now."""
        if self.action != "write" or self.suggestion is None:
            return None
        told = self.suggestion
        return Change(told.alt, Mark(told.by, digest_of(told.alt)), told.description)


def propose(
    documents: Sequence[Opened],
    describe: Describe,
    settings: AltSettings,
    progress: Callable[[int, int], None] | None = None,
    see: See = look,
) -> list[Finding]:
    """What should happen to every picture of the documents, in their order.

    Args:
        describe: asked once, with the pictures that need a description, each only once; not asked where none does.
        progress: told how many pictures are done, and of how many.
        see: looks at one picture; asked once for each.
    """
    run = _Run(settings, see)
    pairs = [(opened, found) for opened in documents for found in opened.document.found]
    findings: list[Finding] = []
    for done, (opened, found) in enumerate(pairs):
        findings.append(run.first(opened.name, found))
        if progress:
            progress(done + 1, len(pairs))
    answers = dict(zip(run.waiting, describe(list(run.waiting.values())), strict=True)) if run.waiting else {}
    return [run.second(finding, answers) for finding in findings]


class _Run:
    """What is remembered between the pictures of one run."""

    def __init__(self, settings: AltSettings, see: See) -> None:
        self.settings, self._see = settings, see
        self.waiting: dict[str, ImageSource] = {}
        self._looks: dict[str | bytes | int, Look | ImageError] = {}

    def first(self, document: str, found: Found) -> Finding:
        """All that can be said without a model. A finding to "review" without a suggestion waits for a description."""
        standing = found.standing
        asked = {
            "missing",
            *(["ours"] if self.settings.renew else []),
            *(["empty"] if self.settings.also_empty else []),
        }
        if standing not in asked:
            return Finding(document, found, "keep", _KEPT[standing])
        if found.locked:
            return Finding(document, found, "skip", found.locked)
        told = decide.without_looking(found, self.settings.limit)
        if told is not None:
            return self._decided(Finding(document, found, "review", ""), told)
        if found.picture is None:
            return Finding(document, found, "fail" if found.broken else "skip", found.problem)
        seen = self._look(found.picture)
        if isinstance(seen, ImageError):
            return Finding(document, found, "fail", seen.message)
        finding = Finding(document, found, "review", "", sha256=seen.sha256)
        told = self._own(found) or decide.after_looking(found, seen, self.settings.limit)
        if told is not None:
            return self._decided(finding, told)
        self.waiting.setdefault(seen.sha256, found.picture)
        return finding

    def second(self, finding: Finding, answers: Mapping[str, Answer]) -> Finding:
        """The finding with its description, where it waited for one."""
        if finding.action != "review" or finding.suggestion is not None:
            return finding
        found = finding.found
        seen = self._look(found.picture) if found.picture is not None else None
        assert isinstance(seen, Look)
        answer = answers[finding.sha256]
        if not answer.text:
            return replace(finding, action="skip", why=answer.reason or "the model said nothing")
        told = decide.described(found, seen, answer, self.settings.limit)
        if told.by == answer.provenance.model and told.score is None and self.settings.min_certainty > 0:
            told = _doubted(told, Note("the scores of this model do not say how often it is right", "unmeasured"))
        return self._decided(finding, told)

    def _own(self, found: Found) -> Suggestion | None:
        """What the file of a picture says of itself, where a document shows it."""
        if found.element == "file" or found.picture is None:
            described = found.context.caption if found.element == "file" else ""
            return decide.of_file(described, self.settings.limit, alt=False) if described else None
        data = found.picture if isinstance(found.picture, bytes) else _bytes(found.picture)
        alt, description = own_text(data)
        if alt:
            return decide.of_file(alt, self.settings.limit, alt=True)
        return decide.of_file(description, self.settings.limit, alt=False) if description else None

    def _look(self, source: ImageSource) -> Look | ImageError:
        key = source if isinstance(source, (str, bytes)) else id(source)
        if key not in self._looks:
            try:
                self._looks[key] = self._see(source)
            except ImageError as error:
                self._looks[key] = error
        return self._looks[key]

    def _decided(self, finding: Finding, told: Suggestion) -> Finding:
        """A suggestion weighed: to be written, or for a person to look at, and why."""
        found, settings = finding.found, self.settings
        if not told.alt and found.blank_is_decoration:
            return replace(finding, action="skip", why=f"decoration needs no text here: {told.reason}", suggestion=told)
        if found.alt is not None and tidy(found.alt, settings.limit) == told.alt:
            return replace(finding, action="keep", why="the text that is there is what would be suggested")
        if told.score is not None and told.score < settings.min_certainty:
            told = _doubted(
                told, Note("{certainty} ({score})", "unsure", certainty=told.certainty, score=f"{told.score:.2f}")
            )
        language = found.context.language.lower().partition("-")[0].partition("_")[0]
        if language not in ("", "en") and told.alt:
            if told.by == "reader" and told.role == "text":
                if language in UNREAD:
                    words = "the reader does not know all letters of {language!r}"
                    told = _doubted(told, Note(words, "letters_unknown", language=found.context.language))
            elif told.by not in ("author", "picture", "file name"):
                words = "written in English, and the document is in {language!r}"
                told = _doubted(told, Note(words, "other_language", language=found.context.language))
        if told.doubts:
            return replace(finding, action="review", why="; ".join(told.doubts), suggestion=told)
        return replace(finding, action="write", why=told.reason, suggestion=told)


def _doubted(told: Suggestion, doubt: Note) -> Suggestion:
    return replace(told, doubts=(*told.doubts, doubt))


def _bytes(source: ImageSource) -> bytes:
    """The bytes of a picture that has been opened before; empty for a data URL, which rarely carries texts."""
    if not isinstance(source, str) or source[:5].lower() == "data:":
        return b""
    try:
        return Path(source).read_bytes()
    except OSError:
        return b""


def changes_of(findings: Iterable[Finding]) -> Iterator[tuple[str, dict[str, Change]]]:
    """What is to be written in each document that changes, in order."""
    by_document: dict[str, dict[str, Change]] = {}
    for finding in findings:
        if finding.change is not None:
            by_document.setdefault(finding.document, {})[finding.found.key] = finding.change
    yield from by_document.items()
