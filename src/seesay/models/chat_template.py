"""A conversation as the text that a model was tuned on: rendered by its chat template, with the words of people made harmless.

Whatever somebody writes stays words: a special token spelled out in a message (`<image>`, `<|im_end|>`) gets a space behind
its first character, so that no tokenizer takes it for the token. Processors count and replace such tokens in the finished
text, where nobody can tell any more who wrote them; so it must be done before.

What a model is to learn of a text are the answers in it: each begins where the prompt for it ends, which is found by rendering
the turns before it. That works only where a template never changes what it wrote when turns follow, so this is looked at.

Knows nothing about pixels, and not how a processor makes tokens of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from ..errors import InputError, ModelError
from ..types import Conversation, ImagePart, Message, Part, TextPart

PROBE = "seesay"


@dataclass(frozen=True, slots=True)
class Said:
    """Where an answer stands in a rendered text, in characters."""

    start: int
    """The end of its prompt."""
    stop: int
    """Behind the marker that ends it, else behind its last word."""
    ended: bool
    """Whether the template writes such a marker."""


class ChatTemplate:
    """The template of one checkpoint and the tokens that only the template may write."""

    def __init__(self, template: str, tokenizer: Any, placeholder: str, more: Iterable[str], name: str) -> None:
        """
        Args:
            template: Jinja, as in chat_template.jinja.
            placeholder: what the template writes where a picture stands, once a picture.
            more: further texts that a processor gives a meaning to.
            name: of the checkpoint, for messages.
        """
        self.template, self.placeholder, self.name = template, placeholder, name
        self._tokenizer = tokenizer
        self._reserved = _any_of(_control_tokens(tokenizer, template) | {placeholder, *more})
        self.lead, self.closing = self._around_an_answer()

    lead: str
    """White space that stands between the prompt and an answer: in some templates an answer begins with a space."""
    closing: str
    """The special token that ends an answer, such as `<end_of_utterance>`; empty where the template writes none."""

    def prompt(self, conversation: Conversation) -> str:
        """The text that the model continues with its answer.

        Raises:
            InputError: the template refuses the order of turns, or would not show the model every picture; the message
                says in which turn.
        """
        text = self._render(conversation.messages, answer=True)
        if text.count(self.placeholder) != len(conversation.images):
            self._say_which_turn(conversation, text.count(self.placeholder))
        return text

    def lesson(self, conversation: Conversation) -> tuple[str, tuple[Said, ...]]:
        """The text of a whole conversation, and its answers. Where the template writes no marker behind the last answer, the
        tokenizer's own stands there.

        Raises:
            InputError: as `prompt`.
            ModelError: the template writes a turn otherwise once others follow, or otherwise than its prompt.
        """
        messages = conversation.messages
        text = self._render(messages, answer=False)
        if text.count(self.placeholder) != len(conversation.images):
            self._say_which_turn(conversation, text.count(self.placeholder))
        answers = []
        for turn in (turn for turn, message in enumerate(messages) if message.role == "assistant"):
            prompt, until = self._render(messages[:turn], answer=True), self._render(messages[: turn + 1], answer=False)
            if not (text.startswith(until) and until.startswith(prompt)):
                hint = "a model learns what it is asked with: take a checkpoint whose template renders turns one by one"
                what = "is not written as its prompt" if text.startswith(until) else "is written otherwise later on"
                message = f"its chat template cannot be learned from: turn {turn + 1} {what}"
                raise ModelError(message, where=self.name, hint=hint)
            written = until[len(prompt) :]
            before, marker, _ = written.rpartition(self.closing) if self.closing else ("", "", "")
            stop = len(before) + len(marker) if marker else len(written.rstrip())
            answers.append(Said(len(prompt), len(prompt) + stop, bool(marker)))
        if answers and not answers[-1].ended:
            last, end = answers[-1], str(self._tokenizer.eos_token)
            text = text[: last.stop] + end
            answers[-1] = Said(last.start, len(text), ended=True)
        return text, tuple(answers)

    def escape(self, text: str) -> str:
        """`text` without special tokens spelled out."""
        while self._reserved.search(text):
            text = self._reserved.sub(lambda found: f"{found[0][0]} {found[0][1:]}", text)
        return text

    def _render(self, messages: Iterable[Message], *, answer: bool) -> str:
        from jinja2.exceptions import TemplateError

        rows = [{"role": message.role, "content": self._content(message.parts)} for message in messages]
        try:
            text: str = self._tokenizer.apply_chat_template(
                rows, chat_template=self.template, tokenize=False, add_generation_prompt=answer
            )
        except (TemplateError, TypeError, ValueError, KeyError, IndexError) as error:
            hint = "most models want turns of user and assistant in alternation, a system turn only at the beginning"
            message = f"this model's chat template refuses it: {error}"
            # What a template says itself is meant for whoever asks; a library's text is not, and is kept as the cause.
            cause = None if type(error) is TemplateError else error
            raise InputError(message, where="conversation", hint=hint) from cause
        return text

    def _content(self, parts: Iterable[Part]) -> list[dict[str, str]]:
        content: list[dict[str, str]] = []
        for is_picture, group in groupby(parts, key=lambda part: isinstance(part, ImagePart)):
            if is_picture:
                content += [{"type": "image"} for _ in group]
            else:
                # Parts that touch are one text: a token could be spelled across two of them.
                joined = "\n".join(part.text for part in group if isinstance(part, TextPart))
                content.append({"type": "text", "text": self.escape(joined)})
        return content

    def _say_which_turn(self, conversation: Conversation, found: int) -> None:
        """Raise an error that names the first turn whose pictures the template does not show."""
        hint = "show pictures in the user's turns; some models take one picture a conversation"
        for turn in range(1, len(conversation.messages) + 1):
            said = conversation.messages[:turn]
            given = sum(len(message.images) for message in said)
            try:
                shown = self._render(said, answer=False).count(self.placeholder)
            except InputError:
                continue  # a template may refuse to end here
            if shown != given:
                message = f"turn {turn} ({said[-1].role}): {given} pictures up to here, {shown} of them in the prompt"
                raise InputError(message, where="conversation", hint=hint)
        message = f"{len(conversation.images)} pictures in the conversation, {found} of them in the prompt"
        raise InputError(message, where="conversation", hint=hint)

    def _around_an_answer(self) -> tuple[str, str]:
        """What the template writes before and behind an answer, from a conversation of one question."""
        asked = Conversation().ask("a")
        try:
            prompt = self._render(asked.messages, answer=True)
            whole = self._render(asked.answered(PROBE).messages, answer=False)
        except InputError:  # a template that insists on a picture, which it never looks at
            asked = Conversation().ask("a", b"")
            try:
                prompt = self._render(asked.messages, answer=True)
                whole = self._render(asked.answered(PROBE).messages, answer=False)
            except InputError:
                return "", ""
        before, found, behind = whole.rpartition(PROBE)
        if not found:
            return "", ""
        lead = before[len(prompt) :] if before.startswith(prompt) else ""
        closing = next(
            (token for token in self._tokenizer.all_special_tokens if token and behind.lstrip().startswith(token)), ""
        )
        return "" if lead.strip() else lead, closing


def _control_tokens(tokenizer: Any, template: str) -> set[str]:
    """The texts that a tokenizer takes for something else than words: special tokens, and those the template writes."""
    added = tokenizer.added_tokens_decoder.values()
    names = {token.content for token in added if token.special or token.content in template}
    return names | set(tokenizer.all_special_tokens)


def _any_of(tokens: set[str]) -> re.Pattern[str]:
    # White space is a token of its own in some vocabularies, and harmless.
    longest_first = sorted((token for token in tokens if len(token.strip()) > 1), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)) or "(?!)")
