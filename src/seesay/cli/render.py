"""Everything the command line prints. On a terminal with color and progress; elsewhere plain text that stays the same, or JSON.

Results go to standard output, everything else (progress, errors) to standard error. It computes nothing.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import PROBLEMS_LISTED, Problem, SeesayError
from ..settings import AltSettings, ChatSettings, FindSettings, SpeakSettings
from ..types import Answer, Preview, Reading, Speech, Transcript

if TYPE_CHECKING:
    from rich.console import Console

    from ..alttext.outcome import Outcome
    from ..alttext.propose import Finding
    from ..api import Measured
    from ..batch import Summary
    from ..data import CheckReport, ConversationReport, RecordingReport
    from ..evaluation import Report
    from ..evaluation.speech import SpeechReport
    from ..models import Explained, Known
    from ..models.export_cache import Entry
    from ..search import Findings, IndexReport
    from ..training import ChatRun, Progress, Run, SpeechRun

LINE_SECONDS = 10.0
"""Where there is no terminal, progress is told this often."""


def error(problem: SeesayError) -> None:
    """An error in one block on standard error."""
    print(f"seesay: {problem}", file=sys.stderr)


def answer(picture: str, question: str, given: Answer, *, alone: bool, as_json: bool) -> None:
    """One answer with its alternatives; `alone` leaves out which picture and question it belongs to."""
    if as_json:
        from ..answering.rows import answer_row

        _json(answer_row(picture, question, given))
        return
    if not alone:
        print(f"{picture}: {question}")
    margin = "" if alone else "  "
    if given.text is None:
        print(f"{margin}I cannot tell: {given.reason}")
    sure = f"  ({given.certainty})" if given.certainty and given.text is not None else ""
    shown = given.alternatives if given.text is not None or len(given.alternatives) > 1 else ()
    for index, candidate in enumerate(shown):
        text = candidate.text.replace("\n", f"\n{margin}       ")
        print(f"{margin}{candidate.score:.3f}  {text}{sure if index == 0 else ''}")
    sys.stdout.flush()


def note(text: str) -> None:
    """Something to know beside the answers, on standard error."""
    print(text, file=sys.stderr, flush=True)


def piece(text: str) -> None:
    """A part of an answer as it comes."""
    print(text, end="", flush=True)


def turn(question: str, pictures: Sequence[str], given: Answer, settings: ChatSettings, *, as_json: bool) -> None:
    """The end of a turn whose pieces were shown, or all of it as JSON."""
    if as_json:
        row: dict[str, Any] = {"question": question, "pictures": list(pictures), "answer": given.text}
        row |= {"score": given.score, "certainty": given.certainty, "reason": given.reason, "finish": given.finish}
        row["lines"] = [dataclasses.asdict(line) for line in given.lines]
        _json({**row, "provenance": dataclasses.asdict(given.provenance)})
        return
    print(f"I cannot tell: {given.reason}" if given.text is None else "", flush=True)
    match given.finish:
        case "length":
            note(f"(stopped after {settings.max_new_tokens:,} tokens; --max-new-tokens allows more)")
        case "deadline":
            note(f"(stopped after {settings.deadline:g} seconds; --deadline allows more)")


def caption(picture: str, given: Answer, *, alone: bool, as_json: bool) -> None:
    """One description; `alone` leaves out which picture it is of."""
    if as_json:
        from ..answering.rows import caption_row

        _json(caption_row(picture, given))
        return
    print(f"{'' if alone else picture + ': '}{given.text}{f'  ({given.certainty})' if given.certainty else ''}")
    sys.stdout.flush()


def reading(picture: str, given: Reading, *, alone: bool, as_json: bool) -> None:
    """The text in one picture, line by line; `alone` leaves out which picture it is."""
    if as_json:
        from ..answering.rows import reading_row

        _json(reading_row(picture, given))
        return
    if not alone:
        print(f"{picture}:")
    for line in given.lines:
        print(f"{'' if alone else '  '}{line.text}")
    sys.stdout.flush()


def alternative_texts(outcome: Outcome, settings: AltSettings, *, as_json: bool) -> None:
    """The diff, or one object a picture; then, on standard error, what waits for a person and how many there are of each."""
    if as_json:
        for row in outcome.rows():
            _json(row)
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


def serving(address: str, model: str, *, as_json: bool) -> None:
    """Where a server listens."""
    if as_json:
        _json({"address": address, "model": model})
    else:
        print(f"{model} at {address}  (Ctrl-C stops it)", flush=True)
    sys.stdout.flush()


def models(families: Sequence[Known], exports: Sequence[Entry], *, as_json: bool) -> None:
    """Families, then what is kept of exports."""
    if as_json:
        for family in families:
            _json(dataclasses.asdict(family))
        for export in exports:
            _json({"export": export.folder.name, "bytes": export.bytes, **export.manifest})
        return
    for family in families:
        types = ", ".join(family.model_types) or "all that transformers opens as image-text-to-text"
        print(f"{family.family}: {types}; engines: {', '.join(family.engines)}")
        for name in family.embedded:
            print(f"  {name}, which comes with the package")
        for name in family.from_scratch:
            print(f"  {name}, to be trained from random weights")
    print(f"exports kept: {len(exports)}, {sum(export.bytes for export in exports) / 1e6:,.0f} MB")
    for export in exports:
        kept = export.manifest
        state = kept.get("refusal") or f"{export.bytes / 1e6:,.0f} MB"
        print(f"  {kept['model']}: {kept['runtime']} {kept['numbers']}, {state}")


def explained(given: Explained, *, as_json: bool) -> None:
    """Which engine, why, and the others."""
    if as_json:
        _json(dataclasses.asdict(given))
        return
    print(f"{given.model} ({given.family}): {given.engine}, because {given.reason}")
    for option in given.options:
        measured = option.agreement
        off = (
            f"; logits off by {measured['root_mean_square_error']:.2g} of their spread, the same best answer to"
            f" {measured['same_best']:.0%} of the samples"
            if measured
            else ""
        )
        print(f"  {option.engine} {option.numbers}: {option.state}{off}")


def measured(rows: Sequence[Measured], *, as_json: bool) -> None:
    """What was measured of engines, as a short table."""
    if as_json:
        for row in rows:
            _json(dataclasses.asdict(row))
        return
    print(f"{'engine':<10}{'numbers':<10}{'start':>9}{'answer':>10}{'new picture':>13}{'memory':>10}")
    for row in rows:
        if row.error:
            print(f"{row.engine:<10}{row.numbers:<10} {row.error}")
            continue
        times = f"{row.start:>8.2f}s{row.answer * 1e3:>8.0f}ms{row.new_picture * 1e3:>11.0f}ms"
        print(f"{row.engine:<10}{row.numbers:<10}{times}{row.memory:>8.0f}MB")


def check_report(
    report: CheckReport | ConversationReport | RecordingReport, preview: list[Preview] | None, *, as_json: bool
) -> None:
    """What a data set holds, then its problems, then what a model would learn, where one was named; the JSON form has every
    problem."""
    if as_json:
        shown = [{"where": row.where, "tokens": [list(token) for token in row.tokens]} for row in preview or ()]
        _json(report.to_dict() | ({} if preview is None else {"preview": shown}))
        return
    from rich.table import Table
    from rich.text import Text

    console = _console()
    for title, header, rows in report.tables():
        table = Table(title=title, title_justify="left", box=None, pad_edge=False)
        for index, name in enumerate(header):
            table.add_column(name, justify="left" if index == 0 else "right")
        for row in rows:
            table.add_row(*(Text(str(cell)) for cell in row))
        console.print(table)
        console.print()
    for sentence in report.sentences():
        console.print(sentence, markup=False, highlight=False)
    if preview is not None:
        _preview(preview)


def _preview(rows: list[Preview]) -> None:
    """Tokens that are learned stand out by color on a terminal, in braces elsewhere."""
    from rich.text import Text

    console = _console()
    if not rows:
        console.print("\nthis model is a classifier: it learns a score for each answer, and no token")
        return
    sign = "in green" if console.is_terminal else "in braces"
    console.print(f"\nwhat the model reads and, {sign}, what it learns to write:")
    for row in rows:
        line = Text(f"{row.where}: ")
        for learned, group in groupby(row.tokens, key=lambda token: token[1]):
            words = " ".join(word for word, _ in group)
            braced = f"{{{words}}} " if learned else f"{words} "
            line.append(f"{words} " if console.is_terminal else braced, "bold green" if learned else "")
        line.rstrip()
        console.print(line, soft_wrap=True)


@contextmanager
def counting(what: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar with an estimate for work that is counted, on a terminal; silence elsewhere."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    with _progress_bar() as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


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
        _json(dataclasses.asdict(summary) | {"output": str(summary.output), "repeated": summary.repeated})
        return
    print(f"{summary.output}: {summary.rows:,} rows, {summary.written:,} of them new")
    if summary.torn:
        note(f"{summary.torn:,} bytes at its end were no whole row and were computed again")
    if summary.repeated:
        note(f"{summary.repeated:,} rows came twice (the same id or picture, and the same question) and stand once")
    if summary.failed:
        note(f'{summary.failed:,} rows failed and say why in "error", the first: {summary.error}')
        note("hint: repair the pictures and give the same command with --retry-failed")


@contextmanager
def training(*, as_json: bool) -> Iterator[Callable[[Progress], None]]:
    """Progress of a training run: a bar with loss and accuracy on a terminal, a line a measurement elsewhere."""
    if sys.stderr.isatty() and not as_json:
        with _progress_bar() as bar:
            task = bar.add_task("training", total=None)
            shown: dict[str, float] = {}

            def update(state: Progress) -> None:
                shown.update({name: value for name, value in state.values.items() if name in _SHOWN})
                text = "  ".join(f"{_SHOWN[name]} {value:.4f}" for name, value in shown.items())
                bar.update(task, completed=state.step, total=state.steps, description=text or "training")

            yield update
        return

    def line(state: Progress) -> None:
        values = {_SHOWN[name]: round(value, 5) for name, value in state.values.items() if name in _SHOWN}
        if values and as_json:
            print(json.dumps({"step": state.step, "steps": state.steps, **values}), file=sys.stderr, flush=True)
        elif values:
            text = "  ".join(f"{name} {value:.4f}" for name, value in values.items())
            left = time.strftime("%H:%M:%S", time.gmtime(state.seconds_left))
            print(f"step {state.step} of {state.steps}  {text}  {left} left", file=sys.stderr, flush=True)

    yield line


def run(finished: Run, *, as_json: bool) -> None:
    """Where a finished run is and how good it is."""
    if as_json:
        _json(
            {
                "folder": str(finished.folder),
                "model": str(finished.model),
                "steps": finished.steps,
                "best_step": finished.best_step,
                "seconds": finished.seconds,
                "published": finished.published,
                "validation": finished.report.to_dict(),
            }
        )
        return
    _headline(finished.report)
    print(f"model: {finished.model} (step {finished.best_step} of {finished.steps})")
    print(f"report: {finished.folder / 'report.html'}")
    if finished.published:
        print(f"published: {finished.published}")
    use = 'ask PICTURE "QUESTION"' if finished.report.task == "vqa" else "caption PICTURE"
    print(f"next: seesay {use} --model {finished.folder}")


def chat_run(finished: ChatRun, *, as_json: bool) -> None:
    """Where a finished model that chats is, and what it learned."""
    if as_json:
        said = [
            {"where": one.asked.origin, "question": one.asked.messages[-1].text, "reference": one.reference,
             "answer": one.answer}
            for one in finished.said
        ]  # fmt: skip
        row = {name: getattr(finished, name) for name in ("steps", "best_step", "seconds", "losses", "statements")}
        places = {"folder": str(finished.folder), "model": str(finished.model), "published": finished.published}
        _json({**places, **row, "loss": finished.loss, "said": said})
        return
    for sentence in finished.statements:
        print(sentence)
    first = finished.losses[0]
    print(f"validation loss {finished.loss:.4f} a token; {first[1]:.4f} after {first[0]:,} steps")
    print(f"model: {finished.model} (step {finished.best_step} of {finished.steps})")
    print(f"report: {finished.folder / 'report.html'}")
    if finished.published:
        print(f"published: {finished.published}")
    print(f"next: seesay chat PICTURE --model {finished.folder}")


def speech_run(finished: SpeechRun, *, as_json: bool) -> None:
    """Where a finished voice is and what it learned."""
    if as_json:
        row = dataclasses.asdict(finished) | {"folder": str(finished.folder), "model": str(finished.model)}
        _json({**row, "loss": finished.loss})
        return
    for sentence in finished.statements:
        print(sentence)
    first = finished.losses[0]
    print(f"validation loss {finished.loss:.4f}; {first[1]:.4f} after {first[0]:,} steps")
    print(f"model: {finished.model} (step {finished.best_step} of {finished.steps})")
    print(f"report: {finished.folder / 'report.html'}")
    if finished.published:
        print(f"published: {finished.published}")
    print(f'next: seesay speak "TEXT" --model {finished.folder} --output spoken.wav')


def speech_evaluation(report: SpeechReport, folder: Path | None, *, as_json: bool) -> None:
    """How near a voice comes to recordings."""
    if as_json:
        _json(report.to_dict())
        return
    for _, header, rows in report.tables():
        print(f"{report.rows:,} sentences, mean and 95 % interval")
        for row in rows:
            print(row[0])
            for name, cell in zip(header[1:], row[1:], strict=True):
                if cell:
                    print(f"  {name}: {cell}")
    for sentence in report.sentences():
        print(sentence)
    if folder is not None:
        print(f"report: {folder / 'report.html'}")


def evaluation(report: Report, folder: Path | None, *, as_json: bool) -> None:
    """A measurement: the figure with its interval, the baselines, then its tables."""
    if as_json:
        _json(report.to_dict())
        return
    _headline(report)
    from rich.table import Table
    from rich.text import Text

    console = _console()
    for title, header, rows in report.tables():
        table = Table(title=title, title_justify="left", box=None, pad_edge=False)
        for index, name in enumerate(header):
            table.add_column(name, justify="left" if index == 0 else "right")
        for row in rows:
            table.add_row(*(Text(str(cell)) for cell in row))
        console.print()
        console.print(table)
    if folder is not None:
        print(f"\nreport: {folder / 'report.html'}")


def speech(spoken: Speech, settings: SpeakSettings, *, as_json: bool) -> None:
    """Where speech went and how long it is; on standard error, what the voice could not say."""
    if spoken.omitted:
        shown = " ".join(spoken.omitted[:20]) + (" ..." if len(spoken.omitted) > 20 else "")
        print(f"seesay: left out, because the voice cannot say it: {shown}", file=sys.stderr)
    file = str(settings.output) if settings.output else None
    if as_json:
        row: dict[str, Any] = {"file": file, "seconds": round(spoken.seconds, 3), "sample_rate": spoken.sample_rate}
        row["sentences"] = [cue._asdict() for cue in spoken.cues]
        row["omitted"] = list(spoken.omitted)
        _json(row)
        return
    length = f"{spoken.seconds:.1f} seconds, {len(spoken.cues)} sentence{'s' if len(spoken.cues) != 1 else ''}"
    print(f"{file}: {length}" if file else length)


def transcript(recording: str, heard: Transcript, *, alone: bool, as_json: bool) -> None:
    """What is said in one recording; `alone` leaves out which recording it is."""
    if as_json:
        _json({"recording": recording, **dataclasses.asdict(heard)})
        return
    print(f"{'' if alone else recording + ': '}{heard.text}")
    sys.stdout.flush()


def heard(question: str) -> None:
    """On standard error, the question that was asked by voice."""
    print(f"seesay: heard: {question}", file=sys.stderr)


def index_report(report: IndexReport, *, as_json: bool) -> None:
    """What an index now holds and what was done for it; on standard error, what could not be used."""
    if as_json:
        _json(dataclasses.asdict(report))
        return
    _problems(report.problems)
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
    _problems(found.problems)
    if as_json:
        for hit in found.hits:
            _json(dataclasses.asdict(hit) | {"question": found.question})
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


def _problems(problems: Sequence[Problem]) -> None:
    for problem in problems[:PROBLEMS_LISTED]:
        print(f"seesay: {problem}", file=sys.stderr)
    if len(problems) > PROBLEMS_LISTED:
        print(f"seesay: ... and {len(problems) - PROBLEMS_LISTED:,} more", file=sys.stderr)


_SHOWN = {
    "loss": "loss",
    "eval_loss": "validation loss",
    "eval_vqa_accuracy": "validation accuracy",
    "eval_cider_d": "validation CIDEr-D",
}


def _headline(report: Report) -> None:
    for sentence in report.sentences():
        print(sentence)


def _json(value: dict[str, Any]) -> None:
    print(json.dumps(value, ensure_ascii=False), flush=True)


def _console() -> Console:
    """Standard output; wide where it is no terminal, so that lines are never cut or wrapped by a guessed width."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 200, highlight=False)


def _progress_bar() -> Any:
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
