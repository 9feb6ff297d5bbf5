"""Work over many pictures: batches, indexes and what is found in them, alternative texts."""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ...settings import AltSettings, FindSettings
from .plain import LINE_SECONDS, counting, error, json_line, note, problems

if TYPE_CHECKING:
    from ...alttext.outcome import Outcome
    from ...alttext.propose import Finding
    from ...batch import Summary
    from ...search import Findings, IndexReport


def alternative_texts(outcome: Outcome, settings: AltSettings, *, as_json: bool) -> None:
    """The diff, or one object a picture; then, on standard error, what waits for a person and how many there are of each."""
    if as_json:
        for row in outcome.rows():
            json_line(row)
    else:
        print(outcome.diff, end="", flush=True)
        for finding in outcome.findings:
            if finding.action in ("review", "fail"):
                note(_finding(finding))
    for problem in outcome.problems:
        error(problem)
    counts = outcome.counts
    done = "written" if outcome.written else "to write (--write does it)"
    words = {"write": done, "review": "to review", "keep": "kept", "skip": "left out", "fail": "cannot be used"}
    told = [f"{counts[action]:,} {text}" for action, text in words.items() if counts[action]]
    note(f"{len(outcome.findings):,} pictures: {', '.join(told) or 'nothing to do'}")
    if settings.review is not None:
        note(f"review page: {settings.review}")
    elif counts["review"] and not as_json:
        note("--review review.html makes a page on which to decide about those to review")


def _finding(finding: Finding) -> str:
    """One picture in two lines: what is suggested, and why somebody must look at it."""
    found, told = finding.found, finding.suggestion
    place = ":".join(filter(None, (finding.document, found.entry, str(found.line or ""))))
    if told is None:
        return f"{place}: {found.src}: {finding.why}"
    return f"{place}: {found.src}: review {json.dumps(told.alt, ensure_ascii=False)}\n    {finding.why}"


@contextmanager
def batch_progress() -> Iterator[Callable[[int, int], None]]:
    """Progress of a batch: a bar with an estimate on a terminal, a line every ten seconds elsewhere."""
    if sys.stderr.isatty():
        with counting("rows") as update:
            yield update
        return
    started = last = time.monotonic()
    first: int | None = None

    def line(done: int, total: int) -> None:
        nonlocal first, last
        first = done if first is None else first
        now = time.monotonic()
        if now - last >= LINE_SECONDS and done > first:
            last = now
            left = time.strftime("%H:%M:%S", time.gmtime((now - started) / (done - first) * (total - done)))
            print(f"{done:,} of {total:,} rows  {left} left", file=sys.stderr, flush=True)

    yield line


def batch(summary: Summary, *, as_json: bool) -> None:
    """What a batch did, and what failed in it."""
    if as_json:
        json_line(dataclasses.asdict(summary) | {"output": str(summary.output), "repeated": summary.repeated})
        return
    print(f"{summary.output}: {summary.rows:,} rows, {summary.written:,} of them new")
    if summary.torn:
        note(f"{summary.torn:,} bytes at its end were no whole row and were computed again")
    if summary.repeated:
        note(f"{summary.repeated:,} rows came twice (the same id or picture, and the same question) and stand once")
    if summary.failed:
        note(f'{summary.failed:,} rows failed and say why in "error", the first: {summary.error}')
        note("hint: repair the pictures and give the same command with --retry-failed")


def index_report(report: IndexReport, *, as_json: bool) -> None:
    """What an index now holds and what was done for it; on standard error, what could not be used."""
    if as_json:
        json_line(dataclasses.asdict(report))
        return
    problems(report.problems)
    done = ", ".join(
        f"{count:,} {what}"
        for count, what in (
            (report.encoded, "new"),
            (report.moved, "under another name"),
            (report.changed, "changed"),
            (report.dropped, "gone"),
            (len(report.problems), "not usable"),
        )
        if count
    )
    print(f"{report.path}: {report.pictures:,} pictures of {report.files:,} files ({done or 'nothing new'})")


def findings(found: Findings, settings: FindSettings, *, as_json: bool) -> None:
    """The pictures that were found, best first, and among how many; on standard error, what could not be opened."""
    problems(found.problems)
    if as_json:
        for hit in found.hits:
            json_line(dataclasses.asdict(hit) | {"question": found.question})
        return
    for hit in found.hits:
        copies = f"  (also {', '.join(hit.copies)})" if hit.copies else ""
        print(f"{hit.score:.3f}  {hit.path}{copies}")
    asked = "" if found.asked == found.pictures else f", asked about {found.asked:,}"
    note(f"{found.question} {len(found.hits):,} of {found.pictures:,} pictures{asked}, {found.seconds:.1f} s")
    if not found.hits and settings.precision is not None:
        note(f"none is sure enough for a precision of {settings.precision:g}; a lower --precision gives more")
    for place in (settings.output, settings.link, settings.copy):
        if place is not None:
            note(f"written: {place}")
