"""`seesay chat [PICTURES...]`: a conversation about pictures on the terminal, or line by line from standard input.

A turn that fails or is stopped leaves no trace: neither its question nor what was written of its answer is kept, and the
pictures shown with it wait for the next question.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from ... import api
from ...errors import SeesayError, TextError, UsageError
from ...media import probe_image
from ...settings import ChatSettings, SpeakSettings
from ...types import Answer, Conversation
from .. import render
from ..options import json_option, settings_options, settle

HELP = """\
/image PATH     show another picture; the next question is about it too
/save FILE      write the conversation as JSON (OpenAI's messages, pictures within)
/speak          speak the last answer on this machine's loudspeaker
/help           this list
/quit           end; so does Ctrl-D. Ctrl-C stops an answer and keeps the conversation."""


@click.command(short_help="Talk about pictures.")
@click.argument("pictures", nargs=-1, metavar="[PICTURE]...")
@json_option
@settings_options(ChatSettings)
def command(pictures: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Talk about pictures: ask, and ask on. On a terminal /help lists what else can be typed.

    A model tuned on conversations remembers all turns and pictures; seesay-mini, and others that answer single questions,
    take each question by itself, about the latest picture. Questions may also come from standard input, one a line.

    \b
        seesay chat photo.jpg
        seesay chat one.jpg two.jpg --model HuggingFaceTB/SmolVLM-500M-Instruct
        seesay chat photo.jpg --json < questions.txt
    """
    settings = settle(ChatSettings, "chat", given)
    if settings.speak:
        api.speaker(SpeakSettings(play=True))
    session = _Session(api.open_chat(settings, pictures), settings, pictures, as_json=as_json)
    if sys.stdin.isatty():
        _on_a_terminal(session)
        return
    failed = 0
    for number, line in enumerate(sys.stdin.buffer, 1):
        try:
            if not session.hear(_decoded(line, number)):
                break
        except SeesayError as error:
            render.error(error)
            failed = error.exit_code
    sys.exit(failed)


def _on_a_terminal(session: _Session) -> None:
    with suppress(ImportError):  # editing and recalling lines, where Python was built with it
        import readline  # noqa: F401
    session.greet()
    prompt = "> " if sys.stdout.isatty() and not session.as_json else ""
    while True:
        try:
            if not session.hear(input(prompt)):
                return
        except SeesayError as error:
            render.error(error)
        except EOFError:
            render.note("")
            return
        except KeyboardInterrupt:
            render.note("\n(stopped; nothing of this turn is kept. /quit or Ctrl-D ends the conversation)")


def _decoded(line: bytes, number: int) -> str:
    try:
        return line.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"not UTF-8 at byte {error.start + 1:,}"
        raise TextError(message, where=f"standard input, line {number}") from None


class _Session:
    """The conversation so far, and the pictures that wait for the next question."""

    def __init__(self, model: api.Model, settings: ChatSettings, pictures: tuple[str, ...], *, as_json: bool) -> None:
        self.model, self.settings, self.as_json = model, settings, as_json
        self.conversation = Conversation()
        self.waiting = list(pictures)
        self.last = ""

    def greet(self) -> None:
        family = self.model.family
        where = f"{family.engine}, {family.placement.device}, {family.placement.numbers}"
        shown = ", ".join(self.waiting) or "no picture yet; /image PATH shows one"
        render.note(f"{family.checkpoint.name} ({where})\n{shown}. /help lists what can be typed.")

    def hear(self, line: str) -> bool:
        """One line: a question or a command. False where it ends the conversation."""
        line = line.strip()
        word, _, rest = line.partition(" ")
        match word:
            case "":
                pass
            case "/quit":
                return False
            case "/help":
                render.note(HELP)
            case "/image":
                self._show(rest.strip())
            case "/save":
                self._save(rest.strip())
            case "/speak":
                self._speak()
            case _ if word.startswith("/") and "/" not in word[1:]:
                raise UsageError(f"unknown command {word!r}", hint="/help lists them")
            case _:
                self._ask(line)
        return True

    def _ask(self, question: str) -> None:
        asked = self.conversation.ask(question, *self.waiting)
        tokens, seconds = self.settings.max_new_tokens, self.settings.deadline
        with self.model.stream(asked, max_new_tokens=tokens, deadline=seconds) as pieces:
            for piece in pieces:
                if not self.as_json:
                    render.piece(piece)
            answer = pieces.answer()
        render.turn(question, self.waiting, answer, self.settings, as_json=self.as_json)
        self._keep(asked, answer)

    def _keep(self, asked: Conversation, answer: Answer) -> None:
        said = answer.text if answer.text is not None else f"I cannot tell: {answer.reason}"
        if not said:
            return  # an empty answer is nothing to go on from
        self.conversation, self.waiting, self.last = asked.answered(said), [], said
        if self.settings.speak:
            self._speak()

    def _show(self, path: str) -> None:
        if not path:
            raise UsageError("no picture named", hint="/image PATH")
        probe_image(path)
        self.waiting.append(path)
        render.note(f"{path}: shown with the next question")

    def _save(self, path: str) -> None:
        if not path:
            raise UsageError("no file named", hint="/save conversation.json")
        api.save_conversation(self.conversation, Path(path).expanduser())
        turns = len(self.conversation.messages) // 2
        render.note(f"{path}: {turns} question{'s' if turns != 1 else ''} and answers")

    def _speak(self) -> None:
        if not self.last:
            raise UsageError("nothing to speak yet", hint="ask something first")
        api.speaker(SpeakSettings(play=True))(self.last)
