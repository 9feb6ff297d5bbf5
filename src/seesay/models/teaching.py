"""A network that writes, being taught: the loss of its replies. Imported inside functions only.

The loss is the cross-entropy of each token of a reply and of its end, given the picture, the prompt and the tokens before
it. Nothing else carries loss: no prompt, no picture, no padding. It is a mean over tokens, also over those of several
batches whose gradients make one step, so that accumulated batches equal the large one.

Knows no architecture; a family says by `write` what its decoder makes of a batch.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from PIL import Image
from torch import nn

from .family import IGNORED
from .feature_cache import Array, FeatureCache
from .picture_features import take_patches


class Lesson(nn.Module):
    """The network with its loss, as the Trainer takes it.

    Args:
        write: tensors of a batch and the tokens (B, T) of its replies -> logits (B, T, vocabulary) for each of them.
    """

    accepts_loss_kwargs = True

    def __init__(self, network: nn.Module, write: Callable[[dict[str, Any], torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.network = network
        self._write = write

    def train(self, mode: bool = True) -> Lesson:
        super().train(mode)
        for part in self.network.modules():
            # A frozen tower computes the same in training as ever, so that what it sees can be kept.
            if getattr(part, "is_frozen_tower", False):
                part.eval()
        return self

    def forward(
        self, labels: torch.Tensor, num_items_in_batch: torch.Tensor | int | None = None, **tensors: Any
    ) -> dict[str, torch.Tensor]:
        """Tensors of `Generative.prepare` -> the mean loss over the tokens that are learned.

        Args:
            labels: (B, T), IGNORED behind the end of each reply.
            num_items_in_batch: take the mean over this many tokens, those of all batches of the step.
        """
        learned = labels != IGNORED
        logits = self._write(tensors, labels.clamp_min(0))[learned].float()  # (tokens, vocabulary)
        loss = nn.functional.cross_entropy(logits, labels[learned], reduction="sum")
        return {"loss": loss / (learned.sum() if num_items_in_batch is None else num_items_in_batch)}


class FrozenTower:
    """A vision tower that learns nothing, and what it sees in each picture, kept on disk by the picture's content.

    Args:
        tower: looks at (B, 3, H, W); patches (B, N, D) are its `last_hidden_state`. It takes (B, 1, N, D) from here on too.
        image_processor: prepares a picture for it.
        family: opens the names of the files.

    Raises:
        ResourceError: they cannot be written.
    """

    def __init__(self, tower: Any, image_processor: Any, family: str) -> None:
        freeze(tower)
        take_patches(tower)
        self._tower = tower
        blank = image_processor(Image.new("RGB", (64, 64)), return_tensors="pt").pixel_values[0]
        self._shape = self._look(blank).shape  # (N, D)
        self._cache = FeatureCache(f"{family}-{identity(tower, image_processor)}", self._shape.numel())

    def patches(self, digests: Sequence[str], pictures: Mapping[str, Callable[[], torch.Tensor]]) -> torch.Tensor:
        """(B, 1, N, D) of the pictures of these digests; those that are not there are prepared and looked at."""

        def look(missing: list[str]) -> Array:
            # One by one: in a batch the last bits would depend on which other pictures were not there yet.
            rows: Array = torch.stack([self._look(pictures[digest]()).flatten() for digest in missing]).numpy()
            return rows

        return torch.from_numpy(self._cache.get(digests, look)).view(len(digests), 1, *self._shape)

    def _look(self, pixels: torch.Tensor) -> torch.Tensor:
        """(3, H, W) -> (N, D)"""
        device = self._tower.device
        with torch.inference_mode(), torch.autocast(device.type, enabled=False):
            seen: torch.Tensor = self._tower(pixels[None].to(device, self._tower.dtype)).last_hidden_state[0]
        return seen.float().cpu()


def freeze(tower: nn.Module) -> None:
    """Leave the weights of a vision tower as they are, in training too."""
    tower.requires_grad_(False)
    tower.is_frozen_tower = True  # type: ignore[assignment]
    tower.eval()


def identity(tower: nn.Module, image_processor: Any) -> str:
    """A name that changes with the weights of a tower and with how pictures are prepared for it."""
    digest = hashlib.sha256(json.dumps(image_processor.to_dict(), sort_keys=True, default=str).encode())
    for name, value in tower.state_dict().items():
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()[:32]
