"""Replies written token by token: the likeliest, told of as it grows; those of a search; or one that is decided for the model.

All go through transformers' `generate`, which alone knows how each architecture counts positions, masks and pictures. Knows
nothing about text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .family import IGNORED

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


def greedy(prompt: Prompt, on: Callable[[int, float], bool], most: int, ends: Sequence[int], padding: int) -> None:
    """Write the likeliest reply, of `most` tokens at most. `on` is told each token with its log-probability, and may end it."""
    from transformers import GenerationConfig, LogitsProcessorList, StoppingCriteriaList

    listener = Listener(on)
    options = GenerationConfig(max_new_tokens=most, do_sample=False, eos_token_id=list(ends), pad_token_id=padding)
    prompt.decoder.generate(
        **prompt.inputs,
        generation_config=options,
        logits_processor=LogitsProcessorList([listener.scores]),
        stopping_criteria=StoppingCriteriaList([listener.token]),
    )


def searched(
    prompt: Prompt, beams: int, most: int, ends: Sequence[int], padding: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """(B * beams, T) tokens of the replies that a beam search finds, IGNORED behind their ends, and their log-probabilities."""
    import torch
    from transformers import GenerationConfig

    options = GenerationConfig(
        max_new_tokens=most, num_beams=beams, num_return_sequences=beams, do_sample=False, eos_token_id=list(ends),
        pad_token_id=padding, return_dict_in_generate=True, output_logits=True,
    )  # fmt: skip
    found = prompt.decoder.generate(**prompt.inputs, generation_config=options)
    # An encoder-decoder's text begins with one token of its own.
    taken = prompt.inputs["input_ids"].shape[1] if "input_ids" in prompt.inputs else 1
    ids = found.sequences[:, taken:]
    prompt.keep(ids[0].tolist() if "input_ids" in prompt.inputs else [])
    # There are more steps than tokens where a search went on for another row or another beam.
    chances = prompt.decoder.compute_transition_scores(
        found.sequences, [step.float() for step in found.logits], found.get("beam_indices"), normalize_logits=True
    )
    after_end = torch.isin(ids, torch.tensor(list(ends), device=ids.device)).cumsum(1).roll(1, 1)
    after_end[:, 0] = 0
    return ids.masked_fill(after_end > 0, IGNORED), chances


def forget_habits(decoder: Any, end: int | None) -> None:
    """Leave of a checkpoint's generation_config.json only which tokens begin and end a text, `end` where it names none. It may
    also ask for sampling, penalties or beams, and scores would then be those of something else than the model."""
    from transformers import GenerationConfig

    old = decoder.generation_config
    decoder.generation_config = GenerationConfig(
        eos_token_id=end if old.eos_token_id is None else old.eos_token_id,
        decoder_start_token_id=old.decoder_start_token_id,
    )


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
