"""What a decoder continues, and what it says of given replies: the tensors that families which write share.

Knows nothing of families, processors or searches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .family import IGNORED

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a decoder continues: the arguments of its forward pass. All rows (B, ...) stand in the order of the batch.

    `inputs` hold `input_ids` (B, P) and `attention_mask` (B, P), padded on the left; `inputs_embeds` (B, P, D) stand in
    their place where pictures do. An encoder-decoder has the mask of its encoder's input there, and no `input_ids`.
    """

    decoder: Any
    inputs: dict[str, Any]
    keep: Callable[[Sequence[int]], None] = lambda written: None
    """Told of the tokens that were written behind the only row, once they are."""


def pad_left(rows: Sequence[Sequence[int]], padding: int) -> dict[str, Any]:
    """`input_ids` and `attention_mask` (B, P) of rows of unequal length, which all end at the right."""
    import torch

    longest = max(map(len, rows))
    ids = [[padding] * (longest - len(row)) + list(row) for row in rows]
    mask = [[0] * (longest - len(row)) + [1] * len(row) for row in rows]
    return {"input_ids": torch.tensor(ids), "attention_mask": torch.tensor(mask)}


def logits_of(prompt: Prompt, replies: torch.Tensor) -> torch.Tensor:
    """(B, T, vocabulary): what the decoder says for each token of `replies` (B, T), given those before it."""
    import torch

    # Nothing is kept for a next token, and what stands before the replies is not compared with the whole vocabulary.
    inputs, decoder, written = {**prompt.inputs, "use_cache": False}, prompt.decoder, replies[:, :-1]
    if decoder.config.is_encoder_decoder:
        start = written.new_full((len(written), 1), decoder.generation_config.decoder_start_token_id)
        return decoder(**inputs, decoder_input_ids=torch.cat([start, written], dim=1)).logits  # type: ignore[no-any-return]
    if "inputs_embeds" in inputs:
        del inputs["input_ids"]
        embeddings = decoder.get_input_embeddings()(written).to(inputs["inputs_embeds"].dtype)
        inputs["inputs_embeds"] = torch.cat([inputs["inputs_embeds"], embeddings], dim=1)
    else:
        inputs["input_ids"] = torch.cat([inputs["input_ids"], written], dim=1)
    mask = torch.cat([inputs["attention_mask"], torch.ones_like(written)], dim=1)
    positions = (mask.cumsum(1) - 1).masked_fill(mask == 0, 0)
    inputs |= {"attention_mask": mask, "position_ids": positions, "logits_to_keep": replies.shape[1]}
    logits: torch.Tensor = decoder(**inputs).logits
    return logits


def likelihoods(chances: torch.Tensor, replies: torch.Tensor) -> torch.Tensor:
    """(B,): exp of the mean log-probability (B, T) over the tokens of each reply (B, T)."""
    real = replies != IGNORED
    return ((chances * real).sum(1) / real.sum(1)).exp()
