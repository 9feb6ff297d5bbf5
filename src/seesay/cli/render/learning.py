"""Data sets, trainings and evaluations."""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from ...types import Preview
from .plain import json_line, progress_bar, terminal

if TYPE_CHECKING:
    from ...data import CheckReport, ConversationReport, RecordingReport
    from ...evaluation import Report
    from ...evaluation.speech import SpeechReport
    from ...training import ChatRun, Progress, Run, SpeechRun


def check_report(
    report: CheckReport | ConversationReport | RecordingReport, preview: list[Preview] | None, *, as_json: bool
) -> None:
    """What a data set holds, then its problems, then what a model would learn, where one was named; the JSON form has every
    problem."""
    if as_json:
        shown = [{"where": row.where, "tokens": [list(token) for token in row.tokens]} for row in preview or ()]
        json_line(report.to_dict() | ({} if preview is None else {"preview": shown}))
        return
    from rich.table import Table
    from rich.text import Text

    console = terminal()
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

    console = terminal()
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
def training(*, as_json: bool) -> Iterator[Callable[[Progress], None]]:
    """Progress of a training run: a bar with loss and accuracy on a terminal, a line a measurement elsewhere."""
    if sys.stderr.isatty() and not as_json:
        with progress_bar() as bar:
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
        json_line(
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
    _places(finished)
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
        json_line({**places, **row, "loss": finished.loss, "said": said})
        return
    _judged_by_loss(finished, f"{finished.loss:.4f} a token")
    print(f"next: seesay chat PICTURE --model {finished.folder}")


def speech_run(finished: SpeechRun, *, as_json: bool) -> None:
    """Where a finished voice is and what it learned."""
    if as_json:
        row = dataclasses.asdict(finished) | {"folder": str(finished.folder), "model": str(finished.model)}
        json_line({**row, "loss": finished.loss})
        return
    _judged_by_loss(finished, f"{finished.loss:.4f}")
    print(f'next: seesay speak "TEXT" --model {finished.folder} --output spoken.wav')


def _judged_by_loss(finished: ChatRun | SpeechRun, loss: str) -> None:
    """What a run says that has no metric, and where it lies."""
    for sentence in finished.statements:
        print(sentence)
    first = finished.losses[0]
    print(f"validation loss {loss}; {first[1]:.4f} after {first[0]:,} steps")
    _places(finished)


def _places(finished: Run | ChatRun | SpeechRun) -> None:
    print(f"model: {finished.model} (step {finished.best_step} of {finished.steps})")
    print(f"report: {finished.folder / 'report.html'}")
    if finished.published:
        print(f"published: {finished.published}")


def speech_evaluation(report: SpeechReport, folder: Path | None, *, as_json: bool) -> None:
    """How near a voice comes to recordings."""
    if as_json:
        json_line(report.to_dict())
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
        json_line(report.to_dict())
        return
    _headline(report)
    from rich.table import Table
    from rich.text import Text

    console = terminal()
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


_SHOWN = {
    "loss": "loss",
    "eval_loss": "validation loss",
    "eval_vqa_accuracy": "validation accuracy",
    "eval_cider_d": "validation CIDEr-D",
}


def _headline(report: Report) -> None:
    for sentence in report.sentences():
        print(sentence)
