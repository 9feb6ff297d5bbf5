"""Chat models whose networks run without torch: `look` makes of each tile of a picture what stands for it in the text, `write`
reads and writes text. Pictures and words are made ready by the checkpoint's own processor, which is transformers'.

What was seen and what was read are kept as under torch (`recall`): the next question about the same pictures costs its words.
Rows are computed one by one, without any padding. A prompt is read in pieces, so that it takes little memory and can be
left off in the middle.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy
import PIL.Image

from ...errors import ModelError
from ...media import Scaling, digest_image
from ...types import Candidate, Conversation, Example
from ..adapter import Base
from ..chat_asking import Asking
from ..checkpoint import Checkpoint, import_torch
from ..family import Batch
from ..memory import Memory
from ..recall import Layers, Row, recollect, remember
from ..recall import Text as Passage
from ..runtime import Array
from .base import Part
from .chat_networks import EYES, decoder_part, eye_part, reader, why_no_decoder, width_of
from .writing import CONTROLS, Text, Writing, log_softmax, memory_names, past_names

BLANK = PIL.Image.new("RGB", (1, 1))
PIECE = 512
"""Tokens of a prompt that are read at one time."""
PREPARED = 2**28
"""Bytes of prepared pictures that are kept."""


class _Stopped(Exception):
    """The reader of an answer wants no more of it."""


class ExportedChat(Writing):
    """A model that chats about pictures."""

    name: ClassVar[str] = "chat"
    model_types: ClassVar[tuple[str, ...]] = ()
    converses: ClassVar[bool] = True
    reads: ClassVar[bool] = True
    sees_pixels: ClassVar[bool] = False
    samples: ClassVar[tuple[int, int]] = (8, 1)
    part_names: tuple[str, ...] = ("look", "write")
    _going: Callable[[], bool]
    """Whether the reader still wants an answer."""

    @classmethod
    def refused(cls, checkpoint: Checkpoint) -> str:
        config: Mapping[str, Any] = checkpoint.config
        if checkpoint.model_type not in EYES:
            return f"no export is known of the architecture {checkpoint.model_type} ({', '.join(EYES)} have one)"
        if config.get("quantization_config") or Base.read(checkpoint) is not None:
            return "its weights are quantized, which no export is made of"
        return EYES[checkpoint.model_type][1](config) or why_no_decoder(config.get("text_config", {}))

    @classmethod
    def parts(cls, original: Any) -> dict[str, Part]:
        network = original.bare_network
        side = int(original.prepare([Example((numpy.asarray(BLANK),))]).tensors["pixel_values"].shape[-1])
        return {"look": eye_part(network, side), "write": decoder_part(network)}

    @classmethod
    def processors(cls, original: Any) -> tuple[Any, Any]:
        return original.image_processor, original.tokenizer

    @classmethod
    def keep_preparing(cls, original: Any, folder: Path) -> None:
        """Nothing: the checkpoint has it."""

    @classmethod
    def facts_of(cls, original: Any) -> dict[str, Any]:
        network = original.bare_network
        text = reader(network)
        return {
            "captions": original.captions,
            "answers": original.answers,
            "layers": text.config.num_hidden_layers,
            "heads": text.config.num_key_value_heads,
            "width": width_of(text.config),
            "size": text.config.hidden_size,
            "longest": original.longest,
            "ends": original.ends,
            "image": network.config.image_token_id,
            "frequencies": text.rotary_emb.inv_freq.tolist(),
            "strength": float(text.rotary_emb.attention_scaling),
        }

    def lost(self, original: Any, batch: Batch, replies: Sequence[str], given: Sequence[str]) -> float:
        """By how much a token that the export wrote is at most less likely to the original than the likeliest there."""
        logits: Array = original.reply_logits(batch, given).numpy()
        chances = numpy.exp(log_softmax(logits))
        ids = [*self._spelled(given[0]), self.facts["ends"][0]][: len(chances)]
        return float((chances.max(-1) - chances[numpy.arange(len(ids)), ids]).max())

    @property
    def placeholder(self) -> str:
        return self.asking.template.placeholder

    @property
    def fits(self) -> Scaling | None:
        return None  # as its original

    def prepare(self, examples: Sequence[Example], *, normalize: Callable[[str], str] | None = None) -> Batch:
        if normalize is not None:
            raise self._never_trained()
        return self._together([self.asking.conversation(example) for example in examples])

    def prepare_conversation(self, conversation: Conversation) -> Batch:
        return self._together([conversation])

    def predict(self, batch: Batch, top_k: int) -> list[tuple[Candidate, ...]]:
        with self._alone:
            return super().predict(batch, top_k)

    def score(self, batch: Batch, answers: Sequence[str]) -> list[float]:
        with self._alone:
            return super().score(batch, answers)

    def choose(self, batch: Batch, choices: Sequence[str]) -> list[tuple[Candidate, ...]]:
        with self._alone:
            return super().choose(batch, choices)

    def write(self, batch: Batch, max_new_tokens: int, hear: Callable[[str], bool]) -> tuple[Candidate, bool]:
        while not self._alone.acquire(timeout=0.05):
            if not hear(""):
                return Candidate("", 0.0), False
        try:
            self._going = lambda: hear("")
            return super().write(batch, max_new_tokens, hear)
        except _Stopped:
            return Candidate("", 0.0), False
        finally:
            self._going = _always
            self._alone.release()

    def count_tokens(self, text: str) -> int:
        return len(self.asking.processor.tokenizer(text, add_special_tokens=False)["input_ids"])

    def _open_preparing(self, folder: Path) -> None:
        import_torch()
        self.asking = Asking.of(self.checkpoint)
        self.images = Once(self.asking.processor.image_processor)
        self.asking.processor.image_processor = self.images
        self._alone, self._preparing, self._going = threading.Lock(), threading.Lock(), _always

    def _together(self, conversations: Sequence[Conversation]) -> Batch:
        """Rows one by one: none is padded."""
        with self._preparing:
            rows = [self._prepared_row(one) for one in conversations]
        pixels = [row.tensors.get("pixel_values") for row in rows]
        tensors = {
            "input_ids": [row.tensors["input_ids"][0].tolist() for row in rows],
            # (tiles, 3, side, side) of each row
            "pixel_values": [None if one is None else one.flatten(0, -4).float().numpy() for one in pixels],
        }
        return Batch(tensors, tuple(row.digests[0] for row in rows))

    def _prepared_row(self, conversation: Conversation) -> Batch:
        row = tuple(digest_image(source) for source in conversation.images)
        known = self.images.turn_to(row)
        return self.asking.batch([conversation], self._room, (lambda _: BLANK) if known else None)

    def _taken(self, batch: Batch, row: int) -> int:
        return len(batch.tensors["input_ids"][row])

    def _spelled(self, reply: str) -> list[int]:
        words = self.asking.template.lead + reply
        ids: list[int] = self.asking.processor.tokenizer(
            words, add_special_tokens=False, split_special_tokens=True
        ).input_ids
        return ids

    def _text(self, ids: Sequence[int]) -> str:
        return CONTROLS.sub("", self.asking.processor.tokenizer.decode(ids, skip_special_tokens=True))

    def _begun(self, batch: Batch, row: int) -> list[int]:
        """The last token of the prompt; the others are read as what was seen."""
        ids: list[int] = batch.tensors["input_ids"][row][-1:]
        return ids

    def _seen(self, batch: Batch, row: int) -> Mapping[str, Array]:
        """Keys and values of the prompt without its last token."""
        ids = numpy.array(batch.tensors["input_ids"][row], numpy.int64)
        features = self._features(batch, row)
        image = self.facts["image"]
        if int((ids == image).sum()) != len(features):
            what = f"{len(features)} vectors for {int((ids == image).sum())} places"
            raise ModelError(f"its eye and its processor do not go together: {what}", where=self.checkpoint.name)
        passage = Passage(batch.digests[row], ids, features, image)
        layers: Layers = [(self._empty, self._empty)] * self.facts["layers"]
        if found := recollect(self.recall, passage):
            layers = [(numpy.ascontiguousarray(keys), numpy.ascontiguousarray(values)) for keys, values in found]
        read = layers[0][0].shape[2]
        places = numpy.where(ids == image, numpy.cumsum(ids == image) - 1, -1)
        for start in range(read, len(ids) - 1, PIECE):
            if not self._going():
                raise _Stopped
            end = min(start + PIECE, len(ids) - 1)
            _, new = self._run(_memory(layers), ids[start:end], places[start:end], features, numpy.array([0]))
            layers = _joined(layers, new)
        if read < len(ids) - 1:
            self._remember(passage.longer((), len(ids) - 1), layers)
        return _memory(layers)

    def _features(self, batch: Batch, row: int) -> Array:
        """(I, D): what the eye makes of the pictures of a row; kept."""
        digests = batch.digests[row]
        kept: Array | None = (
            self.recall.get(digests) if digests else numpy.zeros((0, self.facts["size"]), numpy.float32)
        )
        if kept is None:
            looked = []
            for tile in batch.tensors["pixel_values"][row]:
                if not self._going():
                    raise _Stopped
                looked.append(self._parts["look"](pixel_values=tile[None])[0][0])
            kept = numpy.concatenate(looked)
            self.recall.put(digests, kept, kept.nbytes)
        return kept

    def _keep(self, batch: Batch, row: int, seen: Mapping[str, Array], text: Text, written: Sequence[int]) -> None:
        ids = numpy.array(batch.tensors["input_ids"][row], numpy.int64)
        read = list(seen.values()), list(text.past.values())
        layers = _joined(list(zip(read[0][0::2], read[0][1::2], strict=True)), read[1])
        passage = Passage(batch.digests[row], ids, self._features(batch, row), self.facts["image"])
        self._remember(passage.longer(written, layers[0][0].shape[2]), layers)

    def _read(self, seen: Mapping[str, Array], tokens: Sequence[int], before: Text | None = None) -> Text:
        names = past_names(self.facts["layers"])
        past = dict.fromkeys(names, self._empty) if before is None else before.past
        ids = numpy.array(tokens, numpy.int64)
        logits, new = self._run(
            {**seen, **past}, ids, numpy.full_like(ids, -1), numpy.zeros((0, 0)), numpy.arange(len(ids))
        )
        return Text(dict(zip(names, new, strict=True)), logits)

    def _run(
        self, kept: Mapping[str, Array], ids: Array, places: Array, features: Array, heard: Array
    ) -> tuple[Array, list[Array]]:
        """Logits (heard, vocabulary), and keys and values of what was written, of tokens (T,) behind what is `kept`."""
        names = past_names(self.facts["layers"])
        past = {name: kept.get(name, self._empty) for name in names}
        start = kept[memory_names(1)[0]].shape[2] + past[names[0]].shape[2]
        angles = numpy.arange(start, start + len(ids), dtype=numpy.float32)[:, None] * self._frequencies
        strength = numpy.float32(self.facts["strength"])
        logits, *new = self._parts["write"](
            **{**kept, **past}, input_ids=ids[None], places=places[None], heard=heard,
            features=features if len(features) else numpy.zeros((1, self.facts["size"]), numpy.float32),
            cosine=numpy.cos(angles) * strength, sine=numpy.sin(angles) * strength,
        )  # fmt: skip
        return logits[0], new

    def _remember(self, passage: Passage, layers: Layers) -> None:
        arrays = [*(one for pair in layers for one in pair), passage.seen]
        remember(self.recall, passage, layers, sum(one.nbytes for one in arrays if one is not None))

    @cached_property
    def _frequencies(self) -> Array:
        """(width,): how fast each pair of numbers turns, the halves beside each other."""
        return numpy.tile(numpy.array(self.facts["frequencies"], numpy.float32), 2)

    @cached_property
    def _empty(self) -> Array:
        return numpy.zeros((1, self.facts["heads"], 0, self.facts["width"]), numpy.float32)


class Once:
    """An image processor that keeps what it made of the pictures of a row, by their digests."""

    def __init__(self, processor: Any) -> None:
        self._processor, self._memory, self._row = processor, Memory(PREPARED), Row()

    def turn_to(self, row: Row) -> bool:
        """The row whose pictures come next, and whether they are known: then they need not be opened."""
        self._row = row
        return self._memory.get(row) is not None

    def forget(self) -> None:
        """Keep nothing of what was prepared."""
        self._memory = Memory(PREPARED)

    def __call__(self, images: Any, **given: Any) -> Any:
        from transformers import BatchFeature

        found = self._memory.get(self._row)
        if found is None:
            found = dict(self._processor(images, **given))
            size = sum(getattr(value, "nbytes", 0) for value in found.values())
            self._memory.put(self._row, found, size)
        return BatchFeature(dict(found))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._processor, name)


def _memory(layers: Layers) -> dict[str, Array]:
    return dict(zip(memory_names(len(layers)), (one for pair in layers for one in pair), strict=True))


def _joined(layers: Layers, new: Sequence[Array]) -> Layers:
    """Keys and values with those of the tokens behind them."""
    behind = zip(new[0::2], new[1::2], strict=True)
    return [
        (numpy.concatenate([keys, more], axis=2), numpy.concatenate([values, other], axis=2))
        for (keys, values), (more, other) in zip(layers, behind, strict=True)
    ]


def _always() -> bool:
    return True
