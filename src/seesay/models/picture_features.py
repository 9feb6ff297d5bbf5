"""What an eye made of the pictures of a batch, taken apart by rows and put together again.

In transformers `get_image_features` gives one tensor (pictures or their parts, tokens, D) or a list of (tokens, D), one a
picture, and for some models the same again for inner layers (`deepstack_features`). `generate` takes them in place of
pixels, as `mm_encoder_outputs`. Knows no architecture.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """The features of the pictures of one row, or of several."""

    pooled: tuple[torch.Tensor, ...]
    """(tokens, D) each: one a picture, or one a part of a picture."""
    listed: bool
    """Whether the network takes them as a list, and not as one tensor."""
    inner: tuple[tuple[torch.Tensor, ...], ...]
    """The same for each inner layer that is looked at."""

    @classmethod
    def of(cls, output: Any) -> Seen:
        """What `get_image_features` returned."""
        inner = getattr(output, "deepstack_features", None) or ()
        pooled = output.pooler_output
        return cls(tuple(pooled), isinstance(pooled, (list, tuple)), tuple(tuple(layer) for layer in inner))

    @classmethod
    def together(cls, rows: Sequence[Seen]) -> Seen:
        pooled = tuple(one for row in rows for one in row.pooled)
        inner = tuple(
            tuple(one for layer in layers for one in layer) for layers in zip(*(r.inner for r in rows), strict=True)
        )
        return cls(pooled, rows[0].listed, inner)

    @property
    def tensors(self) -> list[torch.Tensor]:
        return [*self.pooled, *(one for layer in self.inner for one in layer)]

    def copied(self) -> Seen:
        """In memory of its own: what belongs to one row may be a view of what was made for a batch."""
        inner = tuple(tuple(one.clone() for one in layer) for layer in self.inner)
        return Seen(tuple(one.clone() for one in self.pooled), self.listed, inner)

    def flat(self) -> torch.Tensor:
        """(I, D): what stands in the places of the image tokens, one after another."""
        return _flat(self.pooled)

    def behind(self, count: int) -> Seen:
        """Without the first `count` image tokens."""
        return Seen((self.flat()[count:],), self.listed, tuple((_flat(layer)[count:],) for layer in self.inner))

    def output(self) -> Any:
        """As `mm_encoder_outputs` of `generate` takes it, which may change it."""
        import torch
        from transformers.models.qwen3_vl.modeling_qwen3_vl import BaseModelOutputWithDeepstackFeatures

        pooled = list(self.pooled) if self.listed else torch.stack(self.pooled)
        inner = [list(layer) for layer in self.inner] or None
        return BaseModelOutputWithDeepstackFeatures(pooler_output=pooled, deepstack_features=inner)


def by_rows(tensors: dict[str, torch.Tensor], pictures: Sequence[int]) -> list[dict[str, torch.Tensor]]:
    """What the eye reads for each row of a batch.

    Args:
        tensors: of all rows: with one entry a row, one a picture, or one a patch, where `image_grid_thw` counts them.
        pictures: how many there are in each row.
    """
    patches = tensors["image_grid_thw"].prod(-1).tolist() if "image_grid_thw" in tensors else []
    ends = list(accumulate(pictures, initial=0))
    rows: list[dict[str, torch.Tensor]] = [{} for _ in pictures]
    for name, tensor in tensors.items():
        if len(tensor) == len(pictures):
            bounds = list(range(len(pictures) + 1))
        elif len(tensor) == ends[-1]:
            bounds = ends
        else:
            steps = list(accumulate(patches, initial=0))
            bounds = [steps[end] for end in ends]
        for row, (start, end) in zip(rows, pairwise(bounds), strict=True):
            row[name] = tensor[start:end]
    return rows


def take_patches(tower: Any) -> None:
    """Let a vision tower take (B, 1, N, D), what it saw before, in the place of pictures (B, 3, H, W), and give it back."""
    from transformers.modeling_outputs import BaseModelOutputWithPooling

    if getattr(tower, "takes_patches", False):
        return
    look = tower.forward

    def forward(pixel_values: torch.Tensor, *args: Any, **given: Any) -> Any:
        if pixel_values.shape[1] != 1:
            return look(pixel_values, *args, **given)
        dtype = next(tower.parameters()).dtype
        return BaseModelOutputWithPooling(last_hidden_state=pixel_values[:, 0].to(dtype))

    tower.forward = forward
    tower.takes_patches = True


def _flat(parts: Iterable[torch.Tensor]) -> torch.Tensor:
    import torch

    return torch.cat([part.reshape(-1, part.shape[-1]) for part in parts])
