"""What everything printed shares: errors, notes, JSON lines, the console and its progress bars.

Knows nothing of what is printed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ...errors import PROBLEMS_LISTED, Problem, SeesayError

if TYPE_CHECKING:
    from rich.console import Console


LINE_SECONDS = 10.0
"""Where there is no terminal, progress is told this often."""


def error(problem: SeesayError) -> None:
    """An error in one block on standard error."""
    print(f"seesay: {problem}", file=sys.stderr)


def note(text: str) -> None:
    """Something to know beside the answers, on standard error."""
    print(text, file=sys.stderr, flush=True)


def piece(text: str) -> None:
    """A part of an answer as it comes."""
    print(text, end="", flush=True)


def serving(address: str, model: str, *, as_json: bool) -> None:
    """Where a server listens."""
    if as_json:
        json_line({"address": address, "model": model})
    else:
        print(f"{model} at {address}  (Ctrl-C stops it)", flush=True)
    sys.stdout.flush()


@contextmanager
def counting(what: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar with an estimate for work that is counted, on a terminal; silence elsewhere."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    with progress_bar() as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def problems(found: Sequence[Problem]) -> None:
    """The first of many, and how many there are."""
    for problem in found[:PROBLEMS_LISTED]:
        print(f"seesay: {problem}", file=sys.stderr)
    if len(found) > PROBLEMS_LISTED:
        print(f"seesay: ... and {len(found) - PROBLEMS_LISTED:,} more", file=sys.stderr)


def json_line(value: dict[str, Any]) -> None:
    print(json.dumps(value, ensure_ascii=False), flush=True)


def terminal() -> Console:
    """Standard output; wide where it is no terminal, so that lines are never cut or wrapped by a guessed width."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 200, highlight=False)


def progress_bar() -> Any:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
