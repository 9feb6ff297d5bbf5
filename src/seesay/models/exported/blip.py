"""BLIP without torch. One that answers: `look` makes of a picture the keys and values that the question's encoder attends
to, `ask` of a question those that the decoder attends to, `write` writes. One that describes needs no `ask`.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy

from ...types import Example
from ..blip_tasks import DESCRIBES, refuse_the_other_task
from ..checkpoint import Checkpoint
from ..family import Batch
from ..runtime import Array, Runtime
from .base import Part
from .one_picture import OnePicture, decoder_part
from .writing import attend, heads_of, memory_names, read_on

if TYPE_CHECKING:
    import torch


class ExportedBlip(OnePicture):
    """A BLIP that describes or answers."""

    name: ClassVar[str] = "blip"
    model_types: ClassVar[tuple[str, ...]] = ("blip",)
    part_names: tuple[str, ...] = ("look", "ask", "write")

    def __init__(self, checkpoint: Checkpoint, folder: Any, runtime: Runtime, numbers: str, threads: int = 0) -> None:
        if checkpoint.architecture == DESCRIBES:
            self.part_names = ("look", "write")
        super().__init__(checkpoint, folder, runtime, numbers, threads)

    @classmethod
    def processors(cls, original: Any) -> tuple[Any, Any]:
        return original.image_processor, original.tokenizer

    @classmethod
    def start_of(cls, original: Any) -> int:
        return int(original.decoder_config.bos_token_id)

    @classmethod
    def parts(cls, original: Any) -> dict[str, Part]:
        import torch

        network, config = original.bare_network, original.decoder_config
        side = network.config.vision_config.image_size
        layers, heads = config.num_hidden_layers, config.num_attention_heads
        reader = network.text_decoder.bert.encoder if original.captions else network.text_encoder.encoder
        names = memory_names(len(reader.layer))
        free: dict[str, Mapping[int, str]] = {name: {0: "rows"} for name in ("pixel_values", *names)}
        look = Part(_look(network, reader), {"pixel_values": torch.zeros(1, 3, side, side)}, tuple(names), free)
        made = {"look": look}
        if not original.captions:
            size = torch.zeros(1, heads, 5, config.hidden_size // heads)
            inputs = {"input_ids": torch.ones(1, 3, dtype=torch.int64)} | dict.fromkeys(names, size)
            outputs = [f"new_{name}" for name in memory_names(layers)]
            axes: dict[str, Mapping[int, str]] = {name: {2: "seen"} for name in names}
            axes |= {"input_ids": {1: "tokens"}} | {name: {2: "tokens"} for name in outputs}
            made["ask"] = Part(_ask(network), inputs, tuple(outputs), axes)
        return {**made, "write": decoder_part(network, _decode(network), config, layers)}

    def _check(self, questions: Sequence[str]) -> None:
        refuse_the_other_task(questions, captions=self.captions, name=self.checkpoint.name)

    def _tokens(self, example: Example) -> list[int]:
        text = example.question.strip()
        if self.captions:
            return [self.facts["start"], *self.words.bare(text)][: self.facts["longest"] - self._room]
        return self.words.whole([text], self.facts["longest"])[0]

    def _begun(self, batch: Batch, row: int) -> list[int]:
        return super()._begun(batch, row) if self.captions else [self.facts["start"]]

    def _seen_by(self, batch: Batch, row: int) -> Hashable:
        # Its decoder attends to the question, which is another one in each row.
        return super()._seen_by(batch, row) if self.captions else row

    def _seen(self, batch: Batch, row: int) -> Mapping[str, Array]:
        looked = self._looked(batch, row)
        if self.captions:
            return looked
        asked = self._parts["ask"](input_ids=numpy.array([super()._begun(batch, row)], numpy.int64), **looked)
        return dict(zip(memory_names(self.facts["layers"]), asked, strict=True))


def _memory(states: torch.Tensor, layers: Any, heads: int) -> tuple[torch.Tensor, ...]:
    """What the cross-attention of each layer attends to in `states`."""
    seen = [layer.crossattention.self for layer in layers]
    return tuple(heads_of(part(states), heads) for one in seen for part in (one.key, one.value))


def _look(network: Any, reader: Any) -> torch.nn.Module:
    import torch

    class Look(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, pixel_values: torch.Tensor) -> tuple[torch.Tensor, ...]:
            patches = network.vision_model(pixel_values).last_hidden_state
            return _memory(patches, reader.layer, network.config.text_config.num_attention_heads)

    return Look().eval()


def _ask(network: Any) -> torch.nn.Module:
    import torch

    heads = network.config.text_config.num_attention_heads

    class Ask(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, input_ids: torch.Tensor, *kept: torch.Tensor) -> tuple[torch.Tensor, ...]:
            encoder = network.text_encoder
            states = encoder.embeddings(input_ids)
            for layer, seen in zip(encoder.encoder.layer, zip(kept[0::2], kept[1::2], strict=True), strict=True):
                attention = layer.attention.self
                own = heads_of(attention.key(states), heads), heads_of(attention.value(states), heads)
                states, _ = _through(layer, states, own, None, seen, heads)
            return _memory(states, network.text_decoder.bert.encoder.layer, heads)

    return Ask().eval()


def _through(
    layer: Any, states: torch.Tensor, own: Any, wall: torch.Tensor | None, seen: Any, heads: int
) -> tuple[torch.Tensor, Any]:
    """One layer: attention to the text's own keys and values, to what is seen, and the rest."""
    query = heads_of(layer.attention.self.query(states), heads)
    states = layer.attention.output(attend(query, [own], wall), states)
    query = heads_of(layer.crossattention.self.query(states), heads)
    states = layer.crossattention.output(attend(query, [seen], None), states)
    return layer.feed_forward_chunk(states), own


def _decode(network: Any) -> Any:
    heads = network.config.text_config.num_attention_heads

    def decode(
        input_ids: torch.Tensor,
        place: torch.Tensor,
        wall: torch.Tensor,
        told: torch.Tensor,
        memory: Sequence[Any],
        past: Sequence[Any],
    ) -> tuple[torch.Tensor, list[Any]]:
        decoder = network.text_decoder
        states = decoder.bert.embeddings(input_ids, position_ids=place[None])
        present = []
        for layer, seen, before in zip(decoder.bert.encoder.layer, memory, past, strict=True):
            text = read_on(layer.attention.self, states, before, heads)
            states, _ = _through(layer, states, text, wall, seen, heads)
            present.append(text)
        return decoder.cls(states[:, told]), present

    return decode
