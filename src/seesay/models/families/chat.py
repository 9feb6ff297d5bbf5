"""Models that chat about pictures: every image-text-to-text architecture of transformers that no other family opens.

Idefics2 and 3, SmolVLM, LLaVA, LLaVA-NeXT, LLaVA-OneVision, Qwen2-VL and its successors, Gemma 3, PaliGemma and some
eighty more. How they are asked is in `chat_asking`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ...errors import ModelError
from ...media import Scaling
from ...types import Conversation, Example
from ..adapter import BASE, Adapter, Base, save_network
from ..arithmetic import fast_float32
from ..chat_asking import Asking
from ..chat_lesson import ChatLessons
from ..checkpoint import Checkpoint, Placement, find, import_torch, load_weights
from ..family import IGNORED, Batch, Examined, reply_of
from ..generation import Generative
from ..picture_features import Seen, by_rows
from ..processors import read_config
from ..prompts import Prompt, pad_left
from ..recall import Row, Text, held, recollect, remember
from ..steps import forced

if TYPE_CHECKING:
    import torch

REMEMBERED = frozenset(
    "idefics2 idefics3 smolvlm llava llava_next llava_onevision qwen2_vl qwen2_5_vl qwen3_vl gemma3 paligemma".split()
)
"""Architectures of which is known, and tested, that what they saw and read can be kept for the next question."""
BOTH_WAYS = frozenset({"paligemma"})
"""Those whose whole prompt sees itself in both directions: what is read of a picture depends on the question behind it."""


class Chat(Generative):
    """A model that chats about pictures, its processor and its template."""

    name: ClassVar[str] = "chat"
    keeps_patches: ClassVar[bool] = False
    model_types: ClassVar[tuple[str, ...]] = ()
    converses: ClassVar[bool] = True
    reads: ClassVar[bool] = True
    adapts_quantized: ClassVar[bool] = True
    one_size: ClassVar[bool] = False
    sees_pixels: ClassVar[bool] = False
    captions: bool = True
    asking: Asking
    lessons: ChatLessons
    """What makes conversations ready to learn from."""

    @classmethod
    def adopts(cls, model_type: str) -> bool:
        return model_type in _networks()

    @classmethod
    def load(cls, checkpoint: Checkpoint, placement: Placement) -> Self:
        import_torch()
        import transformers

        architecture = _networks()[checkpoint.model_type]
        config = read_config(checkpoint, transformers.CONFIG_MAPPING[checkpoint.model_type], (architecture,))
        if config.is_encoder_decoder:
            raise ModelError("a model with an encoder for text, which does not chat", where=checkpoint.name)
        asking = Asking.of(checkpoint)
        base = Base.read(checkpoint)
        held = checkpoint
        if base is not None:
            held = find(base.model, base.revision)
            placement = replace(placement, quantize=placement.quantize or base.quantize, dtype=base.dtype)
        network = getattr(transformers, architecture)
        weights = load_weights(network, held, config, placement, attention=_attention(network, config, placement))
        model = cls(weights, asking.processor.image_processor, asking.processor.tokenizer, checkpoint, placement)
        model.asking, model.lessons = asking, _lessons(asking)
        if base is not None:
            model._adapter = Adapter.opened(weights, checkpoint.folder)
        return model

    @classmethod
    def lessons_of(cls, checkpoint: Checkpoint) -> ChatLessons:
        """What makes conversations ready for a checkpoint to learn from, without its weights."""
        return _lessons(Asking.of(checkpoint))

    @classmethod
    def fine_tune(cls, checkpoint: Checkpoint, placement: Placement, vocabulary: Sequence[str], seed: int) -> Self:
        base = Base.read(checkpoint)
        if base is not None:
            hint = f"train {base.model}, which they belong to"
            raise ModelError(
                "adapters over quantized weights are not trained further", where=checkpoint.name, hint=hint
            )
        model = super().fine_tune(checkpoint, placement, vocabulary, seed)
        model.lessons.require_true_prefixes()
        return model

    def adapt(self, *, lora: int, freeze_vision: bool, seed: int) -> None:
        if freeze_vision:
            from ..teaching import freeze

            freeze(self._tower)
        if lora:
            learned = [self._network.get_decoder(), *([] if freeze_vision else [self._tower])]
            blocks = [f"{name}." for name, part in self._network.named_modules() if any(part is one for one in learned)]
            self._adapter = Adapter(self._network, blocks, lora, seed, self.checkpoint.name)

    @property
    def placeholder(self) -> str:
        return self.asking.template.placeholder

    @property
    def engine(self) -> str:
        return f"{super().engine}, {self._network.config._attn_implementation} attention"

    @property
    def fits(self) -> Scaling | None:
        return None  # its processor is shown all of a picture, and may cut it into parts by its size

    def prepare(self, examples: Sequence[Example], *, normalize: Callable[[str], str] | None = None) -> Batch:
        asked = [self.asking.conversation(example) for example in examples]
        if normalize is None:
            return self.asking.batch(asked, self._room)
        return self.lessons.batch(
            [one.answered(reply_of(example, normalize)) for one, example in zip(asked, examples, strict=True)]
        )

    def prepare_lessons(self, conversations: Sequence[Conversation]) -> Batch:
        return self.lessons.batch(conversations)

    def examine(self, batch: Batch, *, answer: bool) -> Examined:
        found = super().examine(batch, answer=False)
        return replace(found, answers=self.predict(_asked(batch, self._padding), 1) if answer else [])

    def preview(self, example: Example, normalize: Callable[[str], str]) -> tuple[tuple[str, bool], ...]:
        return self.lessons.preview(self.asking.conversation(example).answered(reply_of(example, normalize)))

    def prepare_conversation(self, conversation: Conversation) -> Batch:
        return self.asking.batch([conversation], self._room)

    def reply_logits(self, batch: Batch, replies: Sequence[str]) -> torch.Tensor:
        return self._behind(batch, self._replies(replies, self._room))

    def written_logits(self, batch: Batch, written: Sequence[Sequence[int]]) -> torch.Tensor:
        """Likewise of tokens, as many in each row."""
        import torch

        return self._behind(batch, torch.tensor(written))

    def _behind(self, batch: Batch, ids: torch.Tensor) -> torch.Tensor:
        """(N, vocabulary) logits before each of the tokens (B, T), IGNORED behind the end of a row."""
        import torch

        # Prompts and replies as one text, nothing of which was read before.
        inputs, written = self._placed(batch), ids.clamp_min(0)[:, :-1]
        with self._alone, torch.inference_mode(), fast_float32():
            seen = self._looked(inputs, batch.digests) if "pixel_values" in inputs else None
            inputs.pop("pixel_values", None)
            # Tokens of a reply are text, behind what may see itself in both directions (PaliGemma counts that as a kind).
            kinds = torch.full_like(written, self.checkpoint.model_type in BOTH_WAYS)
            behind = {"input_ids": written, "attention_mask": torch.ones_like(written)}
            for name in [name for name, value in inputs.items() if value.shape == batch.tensors["input_ids"].shape]:
                inputs[name] = torch.cat([inputs[name], behind.get(name, kinds).to(inputs[name].dtype)], dim=1)
            logits = self._network(**_with(inputs, seen), use_cache=False, logits_to_keep=ids.shape[1]).logits
        found: torch.Tensor = logits[ids != IGNORED].float()
        return found

    def save(self, folder: Path) -> None:
        alone = self._adapter is not None and self.placement.quantize
        if self._adapter is not None and alone:
            self._adapter.save(folder)
            (Base.read(self.checkpoint) or Base.of(self.checkpoint, self.placement)).write(folder)
            (folder / "config.json").write_text(json.dumps(self.checkpoint.config, indent=1), encoding="utf-8")
        else:
            save_network(self._network, self._adapter, folder)
        # Processor, tokenizer and template as they came: written anew they would lose what only another version knows.
        for path in self.checkpoint.folder.iterdir():
            kept = path.suffix in (".json", ".jinja", ".txt", ".model") and not path.name.endswith(".index.json")
            if kept and path.name not in ("config.json", "manifest.json", BASE):
                shutil.copyfile(path, folder / path.name)

    def _teach(self) -> None:
        from ..teaching import Lesson

        def write(tensors: dict[str, Any], labels: torch.Tensor) -> torch.Tensor:
            learned = labels[:, 1:] != IGNORED
            # Of what a token is told by the one before it; the others are not compared with the whole vocabulary.
            telling = learned.any(0).nonzero()[:, 0]
            logits = self._network(**tensors, use_cache=False, logits_to_keep=telling).logits  # (B, K, vocabulary)
            told: torch.Tensor = logits[learned[:, telling]]
            return told

        self._lesson = Lesson(self._network, write)

    @property
    def _tower(self) -> Any:
        tower = self._network.get_encoder("image")
        if tower is self._network or tower is self._network.base_model:
            hint = "leave out --lora and --freeze-vision"
            raise ModelError("no part that looks at pictures is known in it", where=self.checkpoint.name, hint=hint)
        return tower

    def _texts(self, questions: Sequence[str]) -> dict[str, Any]:
        raise NotImplementedError("pictures and text are prepared together")

    def _prompt(self, tensors: dict[str, Any], digests: Sequence[Row], beams: int = 1) -> Prompt:
        from transformers import DynamicCache

        if not digests or self.checkpoint.model_type not in REMEMBERED:
            return Prompt(self._network, tensors)
        inputs = dict(tensors)
        seen = self._looked(inputs, digests) if "pixel_values" in inputs else None
        inputs.pop("pixel_values", None)
        if len(digests) > 1 or beams > 1 or self.checkpoint.model_type in BOTH_WAYS:
            return Prompt(self._network, _with(inputs, seen))
        image_token = self._network.config.image_token_id
        ids = inputs["input_ids"][0]
        text = Text(digests[0], ids.cpu().numpy(), None if seen is None else seen.flat(), image_token)
        # Views: attention puts longer tensors in their place and never writes into them.
        inputs["past_key_values"] = cache = DynamicCache(recollect(self.recall, text))
        if hasattr(self._network.base_model, "rope_deltas"):
            # Qwen's note of the last text's positions, which would be taken for this one's.
            self._network.base_model.rope_deltas = None
        places = ids == image_token
        read = int(places[: cache.get_seq_length()].sum())
        if seen is not None and read:
            seen = seen.behind(read) if read < int(places.sum()) else None

        def keep(written: Sequence[int]) -> None:
            layers = [(layer.keys, layer.values) for layer in cache.layers]
            tensors = [*(one for layer in layers for one in layer), *([] if text.seen is None else [text.seen])]
            remember(self.recall, text.longer(written, cache.get_seq_length()), layers, held(tensors))

        return Prompt(self._network, _with(inputs, seen), keep)

    def _looked(self, tensors: dict[str, Any], digests: Sequence[Row]) -> Seen:
        """What the eye made of the pictures of all rows, each row looked at once."""
        network = self._network.base_model
        read = {name: tensors[name] for name in signature(network.get_image_features).parameters if name in tensors}
        found = {row: self.recall.get(row) for row in digests if row}
        rows = dict(zip(digests, by_rows(read, [len(row) for row in digests]), strict=True))
        for row in found:
            if found[row] is None:
                found[row] = Seen.of(network.get_image_features(**rows[row], return_dict=True)).copied()
                self.recall.put(row, found[row], held(found[row].tensors))
        return Seen.together([found[row] for row in digests if row])

    def _reply_ids(self, answer: str) -> list[int]:
        return self._encode(self.asking.template.lead + answer)

    def _chances(self, prompt: Prompt, replies: torch.Tensor) -> torch.Tensor:
        # Positions and pictures are each architecture's own affair, and its `generate` knows them.
        return forced(prompt, replies, self.ends, self._padding)

    @property
    def ends(self) -> list[int]:
        return self.asking.ends(super().ends)

    @property
    def longest(self) -> int:
        return self.asking.longest


def _with(inputs: dict[str, Any], seen: Seen | None) -> dict[str, Any]:
    return inputs if seen is None else {**inputs, "mm_encoder_outputs": {"image": seen.output()}}


def _asked(batch: Batch, padding: int) -> Batch:
    """Of a batch with labels and one answer a row the prompts, as they are continued: padded on the left."""
    tensors = dict(batch.tensors)
    learned = tensors.pop("labels") != IGNORED
    starts = learned.long().argmax(1).tolist()
    shape = tensors["input_ids"].shape
    asked = pad_left([row[:start].tolist() for row, start in zip(tensors["input_ids"], starts, strict=True)], padding)
    for name, value in tensors.items():
        if name not in asked and value.shape == shape:
            asked[name] = pad_left([row[:start].tolist() for row, start in zip(value, starts, strict=True)], 0)[
                "input_ids"
            ]
    return Batch({**tensors, **asked}, batch.digests)


def _lessons(asking: Asking) -> ChatLessons:
    return ChatLessons(
        asking.processor,
        asking.template,
        one_turn=asking.one_turn,
        longest=asking.longest,
        end=int(asking.processor.tokenizer.eos_token_id),
        name=asking.name,
    )


def _networks() -> dict[str, str]:
    """The class of transformers for each `model_type` that writes about pictures and text."""
    import_torch()
    from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES

    return {kind: name for kind, name in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES.items() if isinstance(name, str)}


def _attention(network: Any, config: Any, placement: Placement) -> str:
    """The fastest implementation that is here, and that the language model in it knows as well (Gemma 2's limits of weights are
    in none but the plain one): FlashAttention-2 needs its package, an accelerator and 16 bits."""
    import transformers
    from transformers.utils import is_flash_attn_2_available

    reader = transformers.MODEL_MAPPING.get(type(config.get_text_config(decoder=True)), network)
    wanted = placement.device == "cuda" and placement.dtype in ("bfloat16", "float16")

    def known(kind: str) -> bool:
        return all(getattr(part, f"_supports_{kind}", False) for part in (network, reader))

    if wanted and known("flash_attn") and is_flash_attn_2_available():
        return "flash_attention_2"
    return "sdpa" if known("sdpa") else "eager"
