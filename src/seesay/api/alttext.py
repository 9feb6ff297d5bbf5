"""Alternative texts for the pictures in documents: what `seesay alt` does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from .. import answering, models
from ..errors import InputError, SeesayError
from ..settings import AltSettings
from ..types import Answer, Example, ImageSource, Note
from .model import Model

if TYPE_CHECKING:
    from ..alttext.documents import Opened
    from ..alttext.look import Look
    from ..alttext.outcome import Outcome

UNPACKED_BYTES = 200_000_000
"""Most that a book may hold which somebody sent."""


def alt(
    settings: AltSettings, paths: Sequence[str] = (), progress: Callable[[int, int], None] | None = None
) -> Outcome:
    """Suggest alternative texts for the pictures in `paths`, or take those of `settings.apply`; write them where
    `settings.write` says so, and a page to review them where `settings.review` does.

    The model is loaded only where a picture needs a description. What cannot be read is told in the outcome.

    Args:
        paths: pages, Markdown files, books, pictures; or folders of the first three. With `settings.apply` they may be left
            out, and otherwise choose among the documents that were decided about.
        progress: told how many pictures are done, and of how many.

    Raises:
        UsageError: nothing was named.
        InputError: the file of decisions cannot be used.
        ModelError, ModelNotFound: the model cannot describe pictures.
        ResourceError: the review page cannot be written.
    """
    from ..alttext import decisions, documents, outcome, propose

    if settings.apply is not None:
        taken = decisions.read_decisions(settings.apply)
        names = list(paths) or list(dict.fromkeys(decision.document for decision in taken))
        opened, problems = documents.open_documents(names, settings.root) if names else ([], [])
        findings = decisions.decided(opened, taken)
        wanted = decisions.changes(findings, taken)
    else:
        opened, problems = documents.open_documents(paths, settings.root)
        findings = propose.propose(opened, lambda pictures: _described(settings, pictures), settings, progress)
        wanted = dict(propose.changes_of(findings))
    planned, unplanned = outcome.plan(opened, wanted)
    written, unwritten = outcome.write(planned) if settings.write else ([], [])
    diff = "".join(one.diff for one in planned)
    made = outcome.Outcome(tuple(findings), (*problems, *unplanned, *unwritten), diff, tuple(written))
    if settings.review is not None:
        from ..alttext.review import write_page

        write_page(made, settings)
    return made


def suggest_alt(
    settings: AltSettings,
    files: Mapping[str, bytes],
    describe: Callable[[Sequence[ImageSource]], Iterable[Answer]],
    see: Callable[[ImageSource], Look],
    most: int,
) -> Outcome:
    """Suggest texts for the pictures in files that somebody sent together, by their relative paths. The disk is neither read
    nor written.

    Args:
        describe: a model: one answer a picture, in order.
        see: looks at one picture.
        most: pictures that are looked at.

    Raises:
        InputError: no kind of document is among the files, or more pictures lack a text than are looked at.
        Whatever `describe` and `see` raise.
    """
    from ..alttext import propose
    from ..alttext.outcome import Outcome

    opened, problems = _handed(files)
    lacking = sum(one.standing == "missing" for document in opened for one in document.document.found)
    if lacking > most:
        found = f"{lacking:,} pictures lack a text; the limit is {most:,} at a time"
        raise InputError(
            Note(found, "too_many_lacking"), hint="send fewer documents, or use the command line: seesay alt"
        )
    findings = propose.propose(opened, describe, settings, see=see)
    return Outcome(tuple(findings), tuple(problems), "")


def decide_alt(files: Mapping[str, bytes], decisions: bytes) -> tuple[Outcome, dict[str, bytes]]:
    """What becomes of a person's decisions about files that were sent together, and the new content of those that change.

    Args:
        decisions: as a review page saves them.

    Raises:
        InputError, TextError: the decisions cannot be used; no kind of document is among the files.
    """
    from ..alttext import decisions as reviewed
    from ..alttext import outcome

    taken = reviewed.decisions_in(decisions, "decisions")
    opened, problems = _handed(files)
    findings = reviewed.decided(opened, taken)
    planned, unplanned = outcome.plan(opened, reviewed.changes(findings, taken))
    made = {path.as_posix(): data for one in planned for path, data in one.files.items()}
    diff = "".join(one.diff for one in planned)
    return outcome.Outcome(tuple(findings), (*problems, *unplanned), diff), made


def _handed(files: Mapping[str, bytes]) -> tuple[list[Opened], list[SeesayError]]:
    from ..alttext import documents

    opened, problems = documents.open_handed(files, UNPACKED_BYTES)
    if not opened and not problems:
        known = ", ".join(ending for kind in documents.kinds().values() for ending in kind.endings)
        raise InputError(Note("there is no kind of document among these files", "no_document"), hint=f"known: {known}")
    return opened, problems


def _described(settings: AltSettings, pictures: Sequence[ImageSource]) -> Iterable[Answer]:
    model = Model(models.load(settings))
    model.require_captions()
    return answering.answer(model.family, [Example((picture,)) for picture in pictures], batch_size=settings.batch_size)
