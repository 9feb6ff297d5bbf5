"""Pictures encoded once and found by questions: what `seesay index` and `seesay find` do."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self, Unpack

from .. import config, models
from ..errors import ModelError, ModelNotFound, UsageError
from ..files import write_whole
from ..search import Findings, IndexReport, Store, refresh
from ..search import find as search
from ..search.gather import check_empty, gather
from ..settings import FindSettings, IndexSettings, ModelKeywords, ModelSettings
from ..types import Example, Hit
from .model import clean_question

Tell = Callable[[int, int], None]
CAPTIONED_AT_ONCE = 16


def _silent(done: int, total: int) -> None:
    """Progress that nobody watches."""


class Index:
    """An index of pictures, open to be asked; its model is loaded once.

    with seesay.Index("photos.seesay") as index:
        for hit in index.find("is there a dog?").hits:
            print(hit.path, hit.score)

    Args:
        model: the model that answers; the default is the one that made the index. Another one opens every picture again.
        keywords: `revision`, `device`, `dtype`, as in `ModelSettings`.

    Raises:
        InputError: there is no such index.
        ModelError: the model that made it is not here, or has other weights now.
    """

    def __init__(self, path: str | os.PathLike[str], /, model: str = "", **keywords: Unpack[ModelKeywords]) -> None:
        self._open(Path(path), config.resolve(FindSettings, "find", {"model": model or None, **keywords}))

    @classmethod
    def _of(cls, path: Path, settings: ModelSettings) -> Self:
        opened = cls.__new__(cls)
        opened._open(path, settings)
        return opened

    @classmethod
    def asked_by(cls, path: Path, family: models.Family) -> Self:
        """An index that is asked by a model which is loaded already. The file is opened for the calling thread.

        Raises:
            InputError: there is no such index.
        """
        opened = cls.__new__(cls)
        opened.path, opened._family, opened._store = path, family, Store(path)
        return opened

    @staticmethod
    def family_of(path: Path, settings: ModelSettings) -> models.Family:
        """The model of an index, loaded: the one that made it, where the settings name none.

        Raises the errors of `Index`.
        """
        with closing(Store(path)) as store:
            return _family(store, settings)

    def _open(self, path: Path, settings: ModelSettings) -> None:
        self.path = path
        self._family = self.family_of(path, settings)
        self._store = Store(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        """How many pictures of different content there are."""
        return len(self._store)

    def close(self) -> None:
        """Close the file; nothing can be asked after it."""
        self._store.close()

    def find(
        self,
        question: str,
        *,
        precision: float | None = None,
        candidates: int | None = None,
        limit: int | None = None,
        captions: bool = False,
        progress: Tell = _silent,
    ) -> Findings:
        """The pictures for which the answer to a question is yes, best first.

        Args:
            question: a question whose answer is yes or no, or a word or phrase for what is looked for.
            precision: give so many that at least this share (0 to 1) is right; None gives those that are more likely right.
            candidates: ask about this many at most, where there are more; 0 asks about all.
            limit: give this many at most; 0 gives all.
            captions: describe those that are found, where the model can.

        Raises:
            TextError: the question cannot be used, or the model does not understand it.
            ModelError: a precision is wanted, and answers of the model were not measured.
            UsageError: a value out of range.
        """
        given = {"precision": precision, "candidates": candidates, "limit": limit}
        return self._find(question, config.resolve(FindSettings, "find", given), captions, progress)

    def _find(self, question: str, settings: FindSettings, captions: bool, progress: Tell) -> Findings:
        found = search(self._store, self._family, clean_question(question), settings, progress)
        return replace(found, hits=tuple(self._described(found.hits))) if captions else found

    def _described(self, hits: Sequence[Hit]) -> list[Hit]:
        """With what each picture shows, from what was kept of it where the family keeps anything."""
        family = self._family
        if not family.captions:
            return list(hits)
        described: list[Hit] = []
        for start in range(0, len(hits), CAPTIONED_AT_ONCE):
            group = hits[start : start + CAPTIONED_AT_ONCE]
            if self._store.about["encoding"] == family.encoding:
                pictures = [self._store.picture_of(hit.sha256) for hit in group]
                kept = self._store.encoded([picture for picture in pictures if picture is not None])
                batch = family.prepare_encoded(kept, [""] * len(group))
            else:
                batch = family.prepare([Example((hit.path,)) for hit in group])
            captions = family.predict(batch, 1)
            described += [replace(hit, caption=said[0].text) for hit, said in zip(group, captions, strict=True)]
        return described


def index(
    *sources: str | os.PathLike[str],
    output: str | os.PathLike[str] = "photos.seesay",
    model: str = "seesay-mini",
    progress: Tell = _silent,
    **keywords: Unpack[ModelKeywords],
) -> IndexReport:
    """Make an index of pictures, or bring one up to date: what it knows is not opened again.

    Args:
        sources: folders, manifests (.txt, .jsonl, .csv) and pictures; none stands for all that were given before.
        output: the index.
        model: what encodes the pictures; `seesay-mini`, a BLIP, a GIT.
        progress: called with (files looked at, files in all).

    Raises:
        InputError, DataError: a source that is not there or cannot be read. Pictures that cannot be used are no error:
            `IndexReport.problems` names them.
        ModelError: nothing of a picture can be kept for this model.
        RunError: the index was made by another model.
        ResourceError: the disk is full, or another process is writing to it.
    """
    given = {"output": os.fspath(output), "model": model, **keywords}
    return make_index(config.resolve(IndexSettings, "index", given), [Path(source) for source in sources], progress)


def make_index(settings: IndexSettings, sources: Sequence[Path], progress: Tell = _silent) -> IndexReport:
    """As `index`, by settings."""
    for source in sources:
        if not source.exists():
            raise UsageError("no such file or folder", where=str(source))
    if not sources and not settings.output.is_file():
        raise UsageError("nothing to index", hint="seesay index FOLDER -o photos.seesay")
    family = _that_encodes(settings)
    with closing(Store(settings.output, create=True)) as store:
        named = list(sources) or [Path(source) for source in store.sources]
        return refresh(store, family, named, settings.batch_size, progress)


def find(
    question: str,
    index: str | os.PathLike[str] = "photos.seesay",
    *,
    precision: float | None = None,
    limit: int | None = None,
    captions: bool = False,
) -> Findings:
    """The pictures of an index for which the answer to a question is yes, best first. For several questions open an `Index`.

    Arguments and errors are those of `Index` and `Index.find`.
    """
    with Index(index) as opened:
        return opened.find(question, precision=precision, limit=limit, captions=captions)


def find_by(settings: FindSettings, question: str, path: Path, progress: Tell = _silent) -> Findings:
    """As `find`, by settings: what was found is also written where they say."""
    for folder in (settings.link, settings.copy):
        if folder is not None:
            check_empty(folder)
    with Index._of(path, settings) as opened:
        found = opened._find(question, settings, settings.output is not None, progress)
    if settings.output is not None:
        write_whole(settings.output, contact_sheet(found, path))
    for folder in (settings.link, settings.copy):
        if folder is not None:
            gather(found.hits, folder, copy=folder is settings.copy)
    return found


def contact_sheet(found: Findings, path: Path) -> str:
    """What was found as one HTML page that needs nothing else."""
    from ..evaluation.page import page
    from ..search.sheet import sections

    return page(found.question, sections(found, path.name))


def _that_encodes(settings: ModelSettings) -> models.Family:
    """The model, by an engine that keeps something of a picture: exports keep nothing, and `auto` may have taken one."""
    family = models.load(settings)
    if settings.engine == "auto" and not family.encoding and not family.needs_torch:
        return models.load(replace(settings, engine="torch"))
    return family


def _family(store: Store, settings: ModelSettings) -> models.Family:
    """The model that answers."""
    about = store.about
    if settings.model:
        return models.load(settings)
    if not about:
        raise ModelError(
            "nothing was indexed yet", where=str(store.path), hint="seesay index FOLDER -o " + str(store.path)
        )
    try:
        # Of a Hub repository the commit that was indexed with.
        revision = settings.revision or about["revision"]
        family = _that_encodes(replace(settings, model=about["model"], revision=revision))
    except ModelNotFound as error:
        hint = "--model names it where it lies now"
        raise ModelNotFound(
            f"made by {about['model']!r}, which is not here: {error.message}", where=str(store.path), hint=hint
        ) from None
    if family.encoding != about["encoding"]:
        hint = f"index again: seesay index -o NEW.seesay; or --model {about['model']} opens every picture"
        raise ModelError(f"made by other weights of {about['model']!r}", where=str(store.path), hint=hint)
    return family
