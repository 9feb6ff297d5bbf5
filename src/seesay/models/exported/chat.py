"""Chat models whose networks run without torch: `look` makes of a picture, or of a tile of one, what stands for it in the text,
`write` reads and writes text. How an architecture looks is in `eyes`. Pictures and words are made ready by the checkpoint's own
processor, which is transformers'.

What was seen and what was read are kept as under torch (`recall`): the next question about the same pictures costs its words.
Rows are computed one by one, without any padding. A prompt is read in pieces, so that it takes little memory and can be
left off in the middle.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
from .chat_decoder import decoder_facts, decoder_part, why_no_decoder
from .eye import Eye, Made, all_eyes
from .writing import CONTROLS, Text, Writing, log_softmax, memory_names, past_names

BLANK = PIL.Image.new("RGB", (1, 1))
PIECE = 512
"""Tokens of a prompt that are read at one time, where those that see one another are not more."""
SHIFT, SINCE = "shift", "since_last"
"""By how much what is written stands further on than it is long (a picture's tokens may stand in rows and columns), and the first
place that the last token of the prompt sees in a window."""
PREPARED = 2**28
"""Bytes of prepared pictures that are kept."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the language model reads at one time."""

    ids: Array
    """(T,)"""
    positions: Array
    """(axes, T): where they stand."""
    reach: Array
    """(T,): the last place that each sees."""
    since: Array
    """(T,): the first that each sees in layers with a window."""
    places: Array
    """(T,): which of the vectors that were seen stands there; -1 where none."""

    def part(self, start: int, end: int) -> Tokens:
        piece = slice(start, end)
        return Tokens(
            self.ids[piece], self.positions[:, piece], self.reach[piece], self.since[piece], self.places[piece]
        )


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
        eye = all_eyes().get(checkpoint.model_type)
        if eye is None:
            known = ", ".join(sorted(all_eyes()))
            return f"no export is known of the architecture {checkpoint.model_type} ({known} have one)"
        if config.get("quantization_config") or Base.read(checkpoint) is not None:
            return "its weights are quantized, which no export is made of"
        return eye.why_not(config) or why_no_decoder(config.get("text_config") or config)

    @classmethod
    def parts(cls, original: Any) -> dict[str, Part]:
        network, eye = original.bare_network, all_eyes()[original.checkpoint.model_type]
        made = original.prepare([Example((numpy.asarray(BLANK),))]).tensors
        return {"look": eye.part(network, made), "write": decoder_part(network, eye.deep(network))}

    @classmethod
    def processors(cls, original: Any) -> tuple[Any, Any]:
        return original.image_processor, original.tokenizer

    @classmethod
    def keep_preparing(cls, original: Any, folder: Path) -> None:
        """Nothing: the checkpoint has it."""

    @classmethod
    def facts_of(cls, original: Any) -> dict[str, Any]:
        network, eye = original.bare_network, all_eyes()[original.checkpoint.model_type]
        facts = decoder_facts(network)
        return {
            **facts,
            "size": facts["size"] * (1 + eye.deep(network)),
            "captions": original.captions,
            "answers": original.answers,
            "longest": original.longest,
            "ends": original.ends,
            "image": network.config.image_token_id,
            "eye": eye.facts_of(network),
        }

    def lost(self, original: Any, batch: Batch, mine: Batch, replies: Sequence[str], given: Sequence[str]) -> float:
        """By how much a token that the export writes is at most less likely to the original than the likeliest there. Of the
        tokens themselves: what they say can be spelled in other ways, and a model may have several ends."""
        ids, _, ended = self._greedy(mine, 0, self._room, lambda _: True)
        ends: list[int] = self.facts["ends"]
        chances = numpy.exp(log_softmax(original.written_logits(batch, [[*ids, ends[0]] if ended else ids]).numpy()))
        of_each = [*chances[numpy.arange(len(ids)), ids], *([chances[-1, ends].max()] if ended else [])]
        return float((chances.max(-1) - of_each).max())

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
        self.eye: Eye = all_eyes()[self.checkpoint.model_type](self.facts["eye"])
        self._alone, self._preparing, self._going = threading.Lock(), threading.Lock(), _always

    def _together(self, conversations: Sequence[Conversation]) -> Batch:
        """Rows one by one: none is padded."""
        with self._preparing:
            rows = [self._prepared_row(one) for one in conversations]
        tensors = {
            "input_ids": [row.tensors["input_ids"][0].tolist() for row in rows],
            "made": [_made(row) for row in rows],
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
        """Keys and values of the prompt without its last token, and by how much what follows stands further on."""
        ids, image = numpy.array(batch.tensors["input_ids"][row], numpy.int64), self.facts["image"]
        features = self._features(batch, row)
        if int((ids == image).sum()) != len(features):
            what = f"{len(features)} vectors for {int((ids == image).sum())} places"
            raise ModelError(f"its eye and its processor do not go together: {what}", where=self.checkpoint.name)
        passage, last = Passage(batch.digests[row], ids, features, image), len(ids) - 1
        prompt = Tokens(
            ids, self.eye.positions(ids, image, batch.tensors["made"][row]), self.eye.reach(ids, image),
            self.eye.since(ids, self.facts["window"]), numpy.where(ids == image, numpy.cumsum(ids == image) - 1, -1),
        )  # fmt: skip
        layers: Layers = [(self._empty, self._empty)] * self.facts["layers"]
        if not self.eye.both_ways and (found := recollect(self.recall, passage)):
            layers = [(numpy.ascontiguousarray(keys), numpy.ascontiguousarray(values)) for keys, values in found]
        start = known = layers[0][0].shape[2]
        while start < last:
            if not self._going():
                raise _Stopped
            end = min(start + PIECE, last)
            end = max(end, int(prompt.reach[start:end].max()) + 1)
            _, new = self._run(_memory(layers), prompt.part(start, end), features, numpy.array([0]))
            layers, start = _joined(layers, new), end
        if start > last:  # those before the last token see it, so that it was read with them
            layers = [(keys[:, :, :last], values[:, :, :last]) for keys, values in layers]
        if known < last and not self.eye.both_ways:
            self._remember(passage.longer((), last), layers)
        shift, since = prompt.positions[0, -1] - last, prompt.since[-1]
        return {**_memory(layers), SHIFT: numpy.array(shift), SINCE: numpy.array(since)}

    def _features(self, batch: Batch, row: int) -> Array:
        """(I, D): what the eye makes of the pictures of a row; kept."""
        digests = batch.digests[row]
        kept: Array | None = (
            self.recall.get(digests) if digests else numpy.zeros((0, self.facts["size"]), numpy.float32)
        )
        if kept is None:
            looked, made = list[Array](), batch.tensors["made"][row]
            for glimpse in self.eye.glimpses(made):
                if not self._going():
                    raise _Stopped
                looked.append(self._parts["look"](**glimpse)[0])
            kept = self.eye.placed(looked, made)
            self.recall.put(digests, kept, kept.nbytes)
        return kept

    def _keep(self, batch: Batch, row: int, seen: Mapping[str, Array], text: Text, written: Sequence[int]) -> None:
        if self.eye.both_ways:
            return
        ids = numpy.array(batch.tensors["input_ids"][row], numpy.int64)
        read = [seen[name] for name in memory_names(self.facts["layers"])], list(text.past.values())
        layers = _joined(list(zip(read[0][0::2], read[0][1::2], strict=True)), read[1])
        passage = Passage(batch.digests[row], ids, self._features(batch, row), self.facts["image"])
        self._remember(passage.longer(written, layers[0][0].shape[2]), layers)

    def _read(self, seen: Mapping[str, Array], tokens: Sequence[int], before: Text | None = None) -> Text:
        names = past_names(self.facts["layers"])
        past = dict.fromkeys(names, self._empty) if before is None else before.past
        ids = numpy.array(tokens, numpy.int64)
        prompt = seen[memory_names(1)[0]].shape[2]
        places = prompt + past[names[0]].shape[2] + numpy.arange(len(ids))
        since = numpy.where(places == prompt, seen[SINCE], places - self.facts["window"] + 1)
        written = Tokens(ids, (places + seen[SHIFT])[None], places, since, numpy.full_like(ids, -1))
        nothing = numpy.zeros((0, self.facts["size"]), numpy.float32)
        logits, new = self._run({**seen, **past}, written, nothing, numpy.arange(len(ids)))
        return Text(dict(zip(names, new, strict=True)), logits)

    def _run(
        self, kept: Mapping[str, Array], tokens: Tokens, features: Array, heard: Array
    ) -> tuple[Array, list[Array]]:
        """Logits (heard, vocabulary), and keys and values of what was written, of tokens behind what is `kept`; `features` (I, D)
        is what was seen."""
        names = past_names(self.facts["layers"])
        past = {name: kept.get(name, self._empty) for name in names}
        positions = numpy.broadcast_to(tokens.positions, (3, len(tokens.ids)))
        angles = [
            positions[axes].T.astype(numpy.float32) * numpy.tile(speeds, 2) for speeds, axes, _ in self._rotations
        ]
        strengths = numpy.array([strength for *_, strength in self._rotations], numpy.float32)[:, None, None]
        ids, places = numpy.where(tokens.places < 0, tokens.ids, 0), tokens.places
        logits, *new = self._parts["write"](
            **{**kept, **past}, input_ids=ids[None], places=places[None], reach=tokens.reach, since=tokens.since, heard=heard,
            features=features if len(features) else numpy.zeros((1, self.facts["size"]), numpy.float32),
            cosine=numpy.cos(angles) * strengths, sine=numpy.sin(angles) * strengths,
        )  # fmt: skip
        return logits[0], new

    def _remember(self, passage: Passage, layers: Layers) -> None:
        arrays = [*(one for pair in layers for one in pair), passage.seen]
        remember(self.recall, passage, layers, sum(one.nbytes for one in arrays if one is not None))

    @cached_property
    def _rotations(self) -> list[tuple[Array, list[int], float]]:
        """Of each kind of layer how fast each pair of numbers turns; of each number which axis of a position turns it; and the
        strength."""
        return [
            (numpy.array(one["frequencies"], numpy.float32), one["axes"] * 2, one["strength"])
            for one in self.facts["rotations"]
        ]

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


def _made(row: Batch) -> Made:
    """What its processor made of the pictures of a row."""
    texts = row.tensors["input_ids"].shape
    found = {name: value for name, value in row.tensors.items() if value.shape != texts}
    return {name: (value.float() if value.is_floating_point() else value).numpy() for name, value in found.items()}


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
