"""One job from its input to its finished output: what is there is skipped, the rest computed and written row by row.

What computes is given as a function (`pipeline` on this machine, or a cluster). It knows nothing about models.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from ..errors import Interrupted, UsageError
from . import parquet
from .journal import Journal
from .pipeline import Done
from .rows import Job
from .source import Group, count_rows, grouped, items

Produce: TypeAlias = Callable[[Iterator[Group], Collection[bytes], int], Generator[Done, None, None]]
"""The rows of groups; those whose keys are in the collection need not be computed. The number is about how many are left."""
BESIDE = ".job.json"
"""Behind the name of the output: what its rows are rows of; also the lock."""
ROWS = ".rows.jsonl"
"""Behind the name of a Parquet file: where its rows are until it is written."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a batch did."""

    output: Path
    asked: int
    """Rows that the input asks for."""
    written: int
    """Rows that this run added."""
    rows: int
    """Rows that the output has now."""
    failed: int
    """How many of them have an error."""
    error: str
    """The first of these errors; empty where there is none."""
    torn: int
    """Bytes at the end of the output that were no whole row, cut off at the start."""
    seconds: float

    @property
    def repeated(self) -> int:
        """Rows of the input whose key came before: the same id, or the same picture under another name, with the same
        question. They stand once."""
        return max(0, self.asked - self.rows)


def run(
    job: Job,
    source: str,
    questions: Sequence[str],
    output: Path | None,
    produce: Produce,
    *,
    size: int,
    retry_failed: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Summary:
    """Do the job; the same call goes on where one was stopped.

    Args:
        questions: asked about every picture that brings none of its own.
        output: a file in .jsonl or .parquet.
        size: questions in a group; see `source.Group`.
        retry_failed: compute rows again that failed before.
        progress: told how many rows of about how many are done.

    Raises:
        UsageError: no such input, nothing is asked, or an output of another kind.
        RunError: the output holds rows of another job, or another process is writing it.
        ResourceError: the disk is full; the output is whole.
        Interrupted: stopped by the user; the output is whole.
    """
    started = time.monotonic()
    target = _checked(output)
    stream = items(source, questions, asks=job.verb == "ask")
    total = count_rows(source, len(questions) if job.verb == "ask" else 1)
    table = target.suffix == ".parquet"
    path = target.with_name(target.name + ROWS) if table else target
    asked = written = 0
    with Journal(path, job, beside=_beside(target)) as journal:
        if retry_failed:
            journal.drop_failed()
        if table and target.exists():
            for key, error in parquet.keys(target):
                if not (error and retry_failed):
                    journal.note_elsewhere(key, error)
        left = max(0, total - len(journal.keys))
        try:
            with interruptible():
                with closing(produce(grouped(stream, size), journal.keys, left)) as parts:
                    for done in parts:
                        asked += len(done.rows) + done.there
                        written += journal.append(done.rows)
                        if progress is not None:
                            progress(asked, max(total, asked))
                if table:
                    parquet.write(target, job.verb, journal.lines(), drop_failed=retry_failed)
                    journal.remove()
        except KeyboardInterrupt:
            kept = f"{len(journal.keys):,} rows are in {path}"
            raise Interrupted(f"stopped; {kept}", hint="the same command goes on") from None
        return Summary(
            target,
            asked,
            written,
            len(journal.keys),
            journal.failed,
            journal.error,
            journal.torn,
            time.monotonic() - started,
        )


def _checked(output: Path | None) -> Path:
    if output is None:
        raise UsageError("no output named", where="--output", hint="-o rows.jsonl, or -o rows.parquet")
    if output.suffix not in (".jsonl", ".parquet"):
        raise UsageError(f"{output.name!r} is neither .jsonl nor .parquet", where="--output")
    if output.is_dir():
        raise UsageError("a folder is in the way", where=str(output), hint="choose another --output")
    if output.exists() and output.stat().st_size and not _beside(output).exists():
        hint = f"choose another --output; one that is has {_beside(output).name} beside it"
        raise UsageError("this file is there and is not the output of a batch", where=str(output), hint=hint)
    if output.suffix == ".parquet":
        parquet.require()
    return output


def _beside(target: Path) -> Path:
    return target.with_name(target.name + BESIDE)


@contextmanager
def interruptible() -> Iterator[None]:
    """Inside, SIGTERM stops as Ctrl-C does; where it is the main thread that is inside."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
