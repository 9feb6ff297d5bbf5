"""Answers, captions, texts, what is said and what was heard."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...settings import ChatSettings, SpeakSettings
from ...types import Answer, Reading, Speech, Transcript
from .plain import json_line, note

if TYPE_CHECKING:
    pass


def answer(picture: str, question: str, given: Answer, *, alone: bool, as_json: bool) -> None:
    """One answer with its alternatives; `alone` leaves out which picture and question it belongs to."""
    if as_json:
        from ...answering.rows import answer_row

        json_line(answer_row(picture, question, given))
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


def turn(question: str, pictures: Sequence[str], given: Answer, settings: ChatSettings, *, as_json: bool) -> None:
    """The end of a turn whose pieces were shown, or all of it as JSON."""
    if as_json:
        row: dict[str, Any] = {"question": question, "pictures": list(pictures), "answer": given.text}
        row |= {"score": given.score, "certainty": given.certainty, "reason": given.reason, "finish": given.finish}
        row["lines"] = [dataclasses.asdict(line) for line in given.lines]
        json_line({**row, "provenance": dataclasses.asdict(given.provenance)})
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
        from ...answering.rows import caption_row

        json_line(caption_row(picture, given))
        return
    print(f"{'' if alone else picture + ': '}{given.text}{f'  ({given.certainty})' if given.certainty else ''}")
    sys.stdout.flush()


def reading(picture: str, given: Reading, *, alone: bool, as_json: bool) -> None:
    """The text in one picture, line by line; `alone` leaves out which picture it is."""
    if as_json:
        from ...answering.rows import reading_row

        json_line(reading_row(picture, given))
        return
    if not alone:
        print(f"{picture}:")
    for line in given.lines:
        print(f"{'' if alone else '  '}{line.text}")
    sys.stdout.flush()


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
        json_line(row)
        return
    length = f"{spoken.seconds:.1f} seconds, {len(spoken.cues)} sentence{'s' if len(spoken.cues) != 1 else ''}"
    print(f"{file}: {length}" if file else length)


def transcript(recording: str, heard: Transcript, *, alone: bool, as_json: bool) -> None:
    """What is said in one recording; `alone` leaves out which recording it is."""
    if as_json:
        json_line({"recording": recording, **dataclasses.asdict(heard)})
        return
    print(f"{'' if alone else recording + ': '}{heard.text}")
    sys.stdout.flush()


def heard(question: str) -> None:
    """On standard error, the question that was asked by voice."""
    print(f"seesay: heard: {question}", file=sys.stderr)
