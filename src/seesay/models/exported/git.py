"""GIT without torch: `look` makes of a picture the keys and values that its text attends to, `write` reads and writes text.

In GIT patches stand before the text and never attend to it, so that what the layers make of them is the same for every text:
it is computed once for a picture, and the text decoder sees it as a memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from ...types import Example
from ..frames import middle
from .base import Part
from .one_picture import OnePicture, decoder_part
from .writing import attend, heads_of, memory_names, read_on

if TYPE_CHECKING:
    import PIL.Image
    import torch


class ExportedGit(OnePicture):
    """A GIT."""

    name: ClassVar[str] = "git"
    model_types: ClassVar[tuple[str, ...]] = ("git",)
    part_names: tuple[str, ...] = ("look", "write")

    @classmethod
    def processors(cls, original: Any) -> tuple[Any, Any]:
        return original.image_processor, original.tokenizer

    @classmethod
    def start_of(cls, original: Any) -> int:
        return int(original.tokenizer.cls_token_id)

    @classmethod
    def parts(cls, original: Any) -> dict[str, Part]:
        import torch

        network, config = original.bare_network, original.decoder_config
        side = config.vision_config.image_size
        names = memory_names(config.num_hidden_layers)
        free: dict[str, Mapping[int, str]] = {name: {0: "rows"} for name in ("pixel_values", *names)}
        look = Part(_look(network), {"pixel_values": torch.zeros(1, 3, side, side)}, tuple(names), free)
        return {"look": look, "write": decoder_part(network, _decode(network), config, config.num_hidden_layers)}

    def _tokens(self, example: Example) -> list[int]:
        room = self.facts["longest"] - self._room
        return [self.facts["start"], *self.words.bare(example.question.strip())][:room]

    def _framed(self, image: PIL.Image.Image) -> PIL.Image.Image:
        return middle(image)


def _look(network: Any) -> torch.nn.Module:
    """Pixels (B, 3, H, W) to the keys and values (B, heads, N, d) of every layer."""
    import torch

    heads = network.config.num_attention_heads

    class Look(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, pixel_values: torch.Tensor) -> tuple[torch.Tensor, ...]:
            patches = network.git.image_encoder.vision_model(pixel_values).last_hidden_state
            states = network.git.visual_projection(patches)
            made: list[torch.Tensor] = []
            for number, layer in enumerate(network.git.encoder.layer):
                attention = layer.attention.self
                key, value = heads_of(attention.key(states), heads), heads_of(attention.value(states), heads)
                made += [key, value]
                if number + 1 < len(network.git.encoder.layer):
                    heard = attend(heads_of(attention.query(states), heads), [(key, value)], None)
                    states = layer.feed_forward_chunk(layer.attention.output(heard, states))
            return tuple(made)

    return Look().eval()


def _decode(network: Any) -> Any:
    heads = network.config.num_attention_heads

    def decode(
        input_ids: torch.Tensor,
        place: torch.Tensor,
        wall: torch.Tensor,
        told: torch.Tensor,
        memory: Sequence[Any],
        past: Sequence[Any],
    ) -> tuple[torch.Tensor, list[Any]]:
        states = network.git.embeddings(input_ids, position_ids=place[None])
        present = []
        for layer, seen, before in zip(network.git.encoder.layer, memory, past, strict=True):
            attention = layer.attention.self
            text = read_on(attention, states, before, heads)
            heard = attend(heads_of(attention.query(states), heads), [seen, text], wall)
            states = layer.feed_forward_chunk(layer.attention.output(heard, states))
            present.append(text)
        return network.output(states[:, told]), present

    return decode
