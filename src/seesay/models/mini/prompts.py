"""Questions as the ids that the decoder of `seesay-mini` continues, and with their replies as the rows that it learns from. Knows
nothing of pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ...types import Example
from ..family import IGNORED, reply_of
from .tokenizer import ANSWER, ASK, CAPTION, END, PAD, Tokenizer

if TYPE_CHECKING:
    import torch

DESCRIBE = ("describe", "caption")
"""A question that begins so asks for a caption."""


def is_caption(question: str) -> bool:
    """Whether a picture is to be described."""
    return not question.strip() or question.lower().startswith(DESCRIBE)


class Prompts:
    """What stands before an answer.

    Args:
        longest: tokens that the model reads at most.
        learns: words that it does not know are spelled; else a question with one of them is not understood.
    """

    def __init__(self, tokenizer: Tokenizer, longest: int, *, learns: bool) -> None:
        self.tokenizer, self.longest, self.learns = tokenizer, longest, learns

    def __call__(self, questions: Sequence[str]) -> list[list[int]]:
        """Ids of each question, each question read once; none of one that is not understood."""
        known = {question: self._prompt(question) for question in set(questions)}
        return [known[question] for question in questions]

    def _prompt(self, question: str) -> list[int]:
        if not is_caption(question) and not self.learns and self.tokenizer.unknown_words(question):
            return []
        return self._asked(question)

    def _asked(self, question: str) -> list[int]:
        ids = self.tokenizer.ids
        if is_caption(question):
            return [ids[CAPTION]]
        return [ids[ASK], *self.tokenizer.encode_question(question)[: self.longest // 2], ids[ANSWER]]

    def lesson(self, example: Example, normalize: Callable[[str], str]) -> tuple[list[int], list[int]]:
        """The prompt and the reply of a training row, without its end, no longer than the model reads."""
        prompt = self._asked(example.question)
        return prompt, self.tokenizer.encode(reply_of(example, normalize))[: self.longest - 1 - len(prompt)]

    def lessons(self, texts: Sequence[tuple[list[int], list[int]]]) -> dict[str, torch.Tensor]:
        """`ids` and `labels` (B, T): what is read, and what is to be written behind it, where it is learned."""
        import torch

        end, pad = self.tokenizer.ids[END], self.tokenizer.ids[PAD]
        longest = max(len(prompt) + len(reply) for prompt, reply in texts)
        ids = torch.full((len(texts), longest), pad)
        labels = torch.full((len(texts), longest), IGNORED)
        for row, (prompt, reply) in enumerate(texts):
            stop = len(prompt) + len(reply)
            ids[row, :stop] = torch.tensor([*prompt, *reply])
            labels[row, len(prompt) - 1 : stop] = torch.tensor([*reply, end])
        return {"ids": ids, "labels": labels}
