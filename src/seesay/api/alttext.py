"""Alternative texts for the pictures in documents: what `seesay alt` does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from .. import answering, models
from ..settings import AltSettings
from ..types import Answer, Example, ImageSource
from .model import Model

if TYPE_CHECKING:
    from ..alttext.outcome import Outcome


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


def _described(settings: AltSettings, pictures: Sequence[ImageSource]) -> Iterable[Answer]:
    model = Model(models.load(settings))
    model.require_captions()
    return answering.answer(model.family, [Example((picture,)) for picture in pictures], batch_size=settings.batch_size)
