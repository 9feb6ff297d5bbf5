"""Conversations made ready to learn from: one sequence of tokens each, in which the assistant's turns are learned and everything
else is only read.

An answer is learned with the marker that ends it, because that is what ends it when the model writes. Where a template
writes none, the tokenizer's own end is learned in the place of what follows the answer; the text itself stays as it is.

Answers are found in the rendered text (`chat_template`), and then among the tokens: behind the last picture tokens are those of
the words alone, counted from the end; what stands before it is prepared again without what follows. Every count is compared
with the tokens themselves. It knows no architecture, and needs no weights.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..media import digest_image, open_image
from ..types import Conversation
from .chat_processor import processed
from .chat_template import ChatTemplate, Said
from .family import IGNORED, Batch
from .memory import Memory

if TYPE_CHECKING:
    import torch

PROBE = Conversation().ask("a").answered("b").ask("c").answered("d")
Span = tuple[int, int, bool]
"""The first token of an answer, the one behind its last, and whether the last is the end of it."""


class ChatLessons:
    """What makes conversations into batches with labels.

    Args:
        one_turn: the model has no template for conversations: it learns the answer to a question about its pictures, which its
            processor takes beside the question as `suffix`.
        longest: tokens that the model reads.
        end: the token that ends an answer where the template writes none.
    """

    def __init__(
        self, processor: Any, template: ChatTemplate, *, one_turn: bool, longest: int, end: int, name: str
    ) -> None:
        self._processor, self._template, self._tokenizer = processor, template, processor.tokenizer
        self._one_turn, self._longest, self._end, self._name = one_turn, longest, end, name
        self._memory = Memory()
        self._growth: dict[tuple[int, int], int] = {}

    def require_true_prefixes(self) -> None:
        """
        Raises:
            ModelError: the template writes a turn otherwise once others follow, or otherwise than its prompt.
        """
        if not self._one_turn:
            self._template.lesson(PROBE)

    def batch(self, conversations: Sequence[Conversation]) -> Batch:
        """Tensors padded on the right, and `labels` (B, T) beside `input_ids` (B, T): the token that is to be written there, -100
        where none is learned.

        Raises:
            InputError: a conversation is too long, or cannot be shown to this model.
            ImageError: a picture cannot be used.
        """
        rows = [[(digest_image(source), source) for source in one.images] for one in conversations]
        # Pictures that come twice in a batch are opened once.
        unique = {digest: source for row in rows for digest, source in row}
        opened = {digest: open_image(source).pixels for digest, source in unique.items()}
        pictures = [[opened[digest] for digest, _ in row] for row in rows]
        digests = tuple(tuple(digest for digest, _ in row) for row in rows)
        if self._one_turn:
            asked = [self._question(one) for one in conversations]
            tensors = self._processed([text for text, _ in asked], pictures, suffix=[reply for _, reply in asked])
            self._require_room(conversations, tensors)
            return Batch(tensors, digests)
        lessons = [self._template.lesson(one) for one in conversations]
        tensors = self._processed([text for text, _ in lessons], pictures)
        tensors.pop("labels", None)
        self._require_room(conversations, tensors)
        labels = tensors["input_ids"].new_full(tensors["input_ids"].shape, IGNORED)
        for index, (text, answers) in enumerate(lessons):
            ids = tensors["input_ids"][index, : int(tensors["attention_mask"][index].sum())]
            # The next epoch asks for them again, and some take the processor to find.
            spans = partial(self._spans, text, answers, ids.tolist(), pictures[index], conversations[index].origin)
            find = partial(self._labels, ids, spans)
            labels[index, : len(ids)] = self._memory.made((text, digests[index]), find)
        return Batch({**tensors, "labels": labels}, digests)

    def preview(self, conversation: Conversation) -> tuple[tuple[str, bool], ...]:
        """The tokens of a conversation, each with whether it is learned. Pictures are not opened: each is the one token that
        the template writes for it."""
        import torch

        if self._one_turn:
            question, reply = self._question(conversation)
            read, learned = self._ids(question), [*self._ids(reply), self._tokenizer.eos_token_id]
            ids, labels = read + learned, [IGNORED] * len(read) + learned
        else:
            text, answers = self._template.lesson(conversation)
            ids = self._ids(text)
            spans = [self._counted(text, one, ids, conversation.origin) for one in answers]
            labels = self._labels(torch.tensor(ids), lambda: spans).tolist()
        shown = [token if label == IGNORED else label for token, label in zip(ids, labels, strict=True)]
        learned_here = [label != IGNORED for label in labels]
        return tuple(zip(self._tokenizer.convert_ids_to_tokens(shown), learned_here, strict=True))

    def length(self, conversation: Conversation, sizes: Sequence[tuple[int, int]]) -> int:
        """How many tokens it is, with pictures of these widths and heights; at most so many where there are several of them,
        which some processors then make smaller."""
        text = self._question(conversation)[0] if self._one_turn else self._template.lesson(conversation)[0]
        reply = len(self._ids(conversation.messages[-1].text)) if self._one_turn else 0
        return len(self._ids(text)) + reply + sum(map(self._tokens_of, sizes))

    def too_long(self, conversation: Conversation, sizes: Sequence[tuple[int, int]]) -> str:
        """Why the model cannot read all of it, or empty."""
        try:
            if self.length(conversation, sizes) > self._longest:
                self.batch([conversation])
        except InputError as error:
            return error.message
        return ""

    def _processed(
        self, texts: Sequence[str], pictures: Sequence[Sequence[Any]], **more: Any
    ) -> dict[str, torch.Tensor]:
        return processed(self._processor, texts, pictures, side="right", **more)

    def _question(self, conversation: Conversation) -> tuple[str, str]:
        """The rendered question and the answer of a conversation of just these."""
        roles = [message.role for message in conversation.messages]
        if roles != ["user", "assistant"]:
            hint = "leave the other turns out, or take a model with a chat template"
            raise InputError("this model learns one question and its answer", where=conversation.origin, hint=hint)
        asked = Conversation(conversation.messages[:1])
        return self._template.prompt(asked), self._template.escape(conversation.messages[1].text)

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer(text, add_special_tokens=False).input_ids
        return ids

    def _spans(
        self, text: str, answers: Sequence[Said], ids: list[int], pictures: Sequence[Any], where: str
    ) -> list[Span]:
        """Where the answers of a text are among its tokens `ids`."""
        places = [found.end() for found in re.finditer(re.escape(self._template.placeholder), text)]
        last = places[-1] if places else 0
        behind = [self._counted(text[last:], _moved(one, last), ids, where) for one in answers if one.start >= last]
        before = [one for one in answers if one.start < last]
        if not before:
            return behind
        cut = text[: before[-1].stop]
        shown = pictures[: sum(place <= len(cut) for place in places)]
        beginning = self._processed([cut], [shown])["input_ids"][0].tolist()
        if ids[: len(beginning)] != beginning:
            raise self._unclear(where)
        return [*self._spans(cut, before, beginning, shown, where), *behind]

    def _counted(self, tail: str, answer: Said, ids: list[int], where: str) -> Span:
        """Where an answer of `tail` is among `ids`, which end as the tokens of `tail` do."""
        whole = self._ids(tail)
        first, stop = (self._ids(tail[:end]) for end in (answer.start, answer.stop))
        if whole[: len(first)] != first or whole[: len(stop)] != stop:
            raise self._unclear(where)
        missing = len(ids) - len(whole)
        start = missing + len(first)
        if start < 0 or ids[start:] != whole[len(first) :]:
            raise self._unclear(where)
        return start, missing + len(stop), answer.ended

    def _labels(self, ids: torch.Tensor, spans: Callable[[], Sequence[Span]]) -> torch.Tensor:
        """(T,): the tokens of the answers; their ends too, also those that are not in the text."""
        labels = ids.new_full(ids.shape, IGNORED)
        for start, stop, ended in spans():
            labels[start:stop] = ids[start:stop]
            if not ended:
                labels[stop] = self._end
        return labels

    def _require_room(self, conversations: Sequence[Conversation], tensors: dict[str, Any]) -> None:
        for one, length in zip(conversations, tensors["attention_mask"].sum(1).tolist(), strict=True):
            if length > self._longest:
                message = f"{length:,} tokens; {self._name} reads {self._longest:,}"
                raise InputError(message, where=one.origin, hint="leave out its last turns or some of its pictures")

    def _tokens_of(self, size: tuple[int, int]) -> int:
        """Tokens that a picture of this width and height takes, but for the one that the template writes."""
        if size not in self._growth:
            from PIL import Image

            text = self._template.prompt(Conversation().ask("a", b""))
            made = self._processed([text], [[Image.new("RGB", size)]])
            self._growth[size] = made["input_ids"].shape[1] - len(self._ids(text))
        return self._growth[size]

    def _unclear(self, where: str) -> InputError:
        hint = "an answer must not begin or end within a token; take the row out"
        return InputError("where its answers begin cannot be told by this model's tokens", where=where, hint=hint)


def _moved(answer: Said, by: int) -> Said:
    return Said(answer.start - by, answer.stop - by, answer.ended)
