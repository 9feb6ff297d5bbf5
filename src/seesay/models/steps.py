"""What happens between two tokens of a generation: a reader hears of the token, or the next one is decided for the model.

Both go through the hooks of transformers' `generate`, which alone knows how each architecture counts positions, masks and
pictures. Knows nothing about text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from .prompts import Prompt


class Listener:
    """Hears of every token of one reply as it is chosen, and may end it."""

    def __init__(self, on: Callable[[int, float], bool]) -> None:
        self._on = on
        self._scores: Any = None
        self._done = False

    def scores(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Called before a token is chosen, with (1, vocabulary)."""
        self._scores = scores
        return scores

    def token(self, input_ids: torch.Tensor, scores: Any, **more: Any) -> torch.Tensor:
        """Called when it is chosen, with all tokens (1, T); whether that was the last one."""
        import torch

        # On an accelerator one more step may be under way when the end is known.
        if not self._done:
            token = int(input_ids[0, -1])
            self._done = not self._on(token, float(self._scores.float().log_softmax(-1)[0, token]))
        return torch.full((1,), self._done, device=input_ids.device, dtype=torch.bool)


def forced(prompt: Prompt, replies: torch.Tensor, ends: Sequence[int], padding: int) -> torch.Tensor:
    """(B, T): log-probabilities of the tokens of `replies` (B, T), taken one by one as if the decoder had chosen them.

    As many steps as the longest reply has tokens, where one forward pass would do; but positions, masks and pictures are
    the architecture's own affair, and `generate` settles them for each.
    """
    import torch
    from transformers import GenerationConfig, LogitsProcessorList

    chances: list[torch.Tensor] = []

    def force(input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        # On an accelerator one more step may be under way when the end is known.
        token = replies[:, min(len(chances), replies.shape[1] - 1), None]
        chances.append(scores.float().log_softmax(-1).gather(1, token)[:, 0])
        return torch.full_like(scores, -torch.inf).scatter_(1, token, 0.0)

    options = GenerationConfig(
        max_new_tokens=replies.shape[1], do_sample=False, eos_token_id=list(ends), pad_token_id=padding
    )
    prompt.decoder.generate(**prompt.inputs, generation_config=options, logits_processor=LogitsProcessorList([force]))
    return torch.stack(chances[: replies.shape[1]], dim=1)
