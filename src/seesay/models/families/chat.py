"""Models that chat about pictures: every image-text-to-text architecture of transformers that no other family opens.

Idefics2 and 3, SmolVLM, LLaVA, LLaVA-NeXT, LLaVA-OneVision, Qwen2-VL and its successors, Gemma 3, PaliGemma and some
eighty more, through their own processors and chat templates. A question alone is asked with the prompt for short answers of Liu et
al., "Improved Baselines with Visual Instruction Tuning" (LLaVA-1.5), CVPR 2024, a description with the prompt for captions
there (table 2 of its appendix). PaliGemma has no template; it gets the prompts it was tuned on (Beyer et al., "PaliGemma: A
versatile 3B VLM for transfer", 2024): all pictures of the conversation, and the last question.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ...errors import InputError, ModelError
from ...media import digest_image, open_image
from ...types import Conversation, Example, ImagePart, Message, TextPart
from ..chat_processor import read_chat_processor
from ..chat_template import ChatTemplate
from ..checkpoint import Checkpoint, Placement, import_torch, load_weights
from ..family import Batch
from ..generation import Generative, Prompt, read_config
from ..picture_features import Seen, by_rows
from ..recall import Row, Text, held, recollect, remember
from ..steps import forced

if TYPE_CHECKING:
    import torch

UNBOUNDED = 2**20
"""Tokens that a model reads whose configuration states no limit."""
REMEMBERED = frozenset(
    "idefics2 idefics3 smolvlm llava llava_next llava_onevision qwen2_vl qwen2_5_vl qwen3_vl gemma3 paligemma".split()
)
"""Architectures of which is known, and tested, that what they saw and read can be kept for the next question."""
BOTH_WAYS = frozenset({"paligemma"})
"""Those whose whole prompt sees itself in both directions: what is read of a picture depends on the question behind it."""
PALIGEMMA = (
    "{%- for message in messages -%}{%- for part in message.content -%}{%- if part.type == 'image' -%}<image>{%- endif -%}"
    "{%- endfor -%}{%- endfor -%}{%- set last = messages[-1].content | selectattr('type', 'equalto', 'text') | list -%}"
    "{%- set text = (last | map(attribute='text') | join(' ')) -%}"
    "{%- if text.split(' ')[0] not in ('answer', 'caption', 'cap', 'describe', 'detect', 'ocr', 'segment') -%}"
    "answer en {% endif -%}{{ text }}"
)


@dataclass(frozen=True, slots=True)
class Style:
    """How a model is asked one thing about one picture."""

    ask: str = "{}\nAnswer the question using a single word or phrase."
    describe: str = "Provide a one-sentence caption for the provided image."
    template: str = ""
    """In place of a chat template, where a checkpoint has none."""


STYLES = {"paligemma": Style("{}", "caption en", PALIGEMMA)}


class Chat(Generative):
    """A model that chats about pictures, its processor and its template."""

    name: ClassVar[str] = "chat"
    model_types: ClassVar[tuple[str, ...]] = ()
    converses: ClassVar[bool] = True
    reads: ClassVar[bool] = True
    captions: bool = True
    processor: Any
    template: ChatTemplate
    style: Style

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
        style = STYLES.get(checkpoint.model_type, Style())
        processor = read_chat_processor(checkpoint)
        template = _template(checkpoint, processor, style)
        network = getattr(transformers, architecture)
        weights = load_weights(network, checkpoint, config, placement, attention=_attention(network, placement))
        model = cls(weights, processor.image_processor, processor.tokenizer, checkpoint, placement)
        model.processor, model.template, model.style = processor, template, style
        return model

    @classmethod
    def fine_tune(cls, checkpoint: Checkpoint, placement: Placement, vocabulary: Sequence[str], seed: int) -> Self:
        raise _untrained(checkpoint)

    @property
    def engine(self) -> str:
        return f"{super().engine}, {self._network.config._attn_implementation} attention"

    def prepare(self, examples: Sequence[Example], *, normalize: Callable[[str], str] | None = None) -> Batch:
        if normalize is not None:
            raise _untrained(self.checkpoint)
        return self._together([self._conversation(example) for example in examples])

    def prepare_conversation(self, conversation: Conversation) -> Batch:
        return self._together([conversation])

    def save(self, folder: Path) -> None:
        self._network.save_pretrained(folder)
        # Processor, tokenizer and template as they came: written anew they would lose what only another version knows.
        for path in self.checkpoint.folder.iterdir():
            kept = path.suffix in (".json", ".jinja", ".txt", ".model") and not path.name.endswith(".index.json")
            if kept and path.name not in ("config.json", "manifest.json"):
                shutil.copyfile(path, folder / path.name)

    def _together(self, conversations: Sequence[Conversation]) -> Batch:
        """A batch of conversations, padded on the left."""
        import torch

        texts = [self.template.prompt(conversation) for conversation in conversations]
        rows = [[(digest_image(source), source) for source in conversation.images] for conversation in conversations]
        # Pictures that come twice in a batch are opened once.
        unique = {digest: source for row in rows for digest, source in row}
        opened = {digest: open_image(source).pixels for digest, source in unique.items()}
        start = self.tokenizer.bos_token
        # A template that writes the first token itself, as the processor's own apply_chat_template has it.
        without = {"add_special_tokens": False} if start and texts[0].startswith(start) else {}
        try:
            made = self.processor(
                text=texts,
                images=[[opened[digest] for digest, _ in row] for row in rows] if unique else None,
                # Tokens as lists: PaliGemma's processor looks at them in a way that warns of tensors.
                text_kwargs={"padding": True, "padding_side": "left", **without},
                images_kwargs={"return_tensors": "pt"},
            )
        except (ValueError, TypeError, IndexError) as error:
            raise InputError(f"the processor of this model: {error}", where=self.checkpoint.name) from None
        tensors = {name: torch.as_tensor(value) for name, value in made.items() if name != "labels"}
        self._require_room(tensors["attention_mask"])
        return Batch(tensors, tuple(tuple(digest for digest, _ in row) for row in rows))

    def _conversation(self, example: Example) -> Conversation:
        if not example.images:
            raise InputError("a question without a picture", where=example.origin)
        words = self.style.ask.format(example.question.strip()) if example.question.strip() else self.style.describe
        return Conversation((Message("user", (*map(ImagePart, example.images), TextPart(words))),))

    def _require_room(self, mask: torch.Tensor) -> None:
        longest = int(mask.sum(1).max())
        if longest + self._room > self._longest:
            message = f"{longest:,} tokens; this model reads {self._longest:,}, {self._room:,} of them for its answer"
            raise InputError(message, where=self.checkpoint.name, hint="leave out earlier turns or pictures")

    @property
    def _tower(self) -> Any:
        raise _untrained(self.checkpoint)

    def _texts(self, questions: Sequence[str]) -> dict[str, Any]:
        raise NotImplementedError("pictures and text are prepared together")

    def _prompt(self, tensors: dict[str, Any], digests: Sequence[Row], beams: int = 1) -> Prompt:
        if not digests or self.checkpoint.model_type not in REMEMBERED:
            return Prompt(self._network, tensors)
        inputs = dict(tensors)
        seen = self._looked(inputs, digests) if "pixel_values" in inputs else None
        inputs.pop("pixel_values", None)
        if len(digests) > 1 or beams > 1 or self.checkpoint.model_type in BOTH_WAYS:
            return Prompt(self._network, _with(inputs, seen))
        image_token = self._network.config.image_token_id
        ids = inputs["input_ids"][0]
        text = Text(digests[0], ids.cpu(), None if seen is None else seen.flat(), image_token)
        inputs["past_key_values"] = cache = recollect(self.recall, text)
        if hasattr(self._network.base_model, "rope_deltas"):
            # Qwen's note of the last text's positions, which would be taken for this one's.
            self._network.base_model.rope_deltas = None
        places = ids == image_token
        read = int(places[: cache.get_seq_length()].sum())
        if seen is not None and read:
            seen = seen.behind(read) if read < int(places.sum()) else None
        return Prompt(self._network, _with(inputs, seen), lambda written: remember(self.recall, text, written, cache))

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
        return self._encode(self.template.lead + answer)

    def _chances(self, prompt: Prompt, replies: torch.Tensor) -> torch.Tensor:
        # Positions and pictures are each architecture's own affair, and its `generate` knows them.
        return forced(prompt, replies, self._ends, self._padding)

    @property
    def _ends(self) -> list[int]:
        ends = super()._ends
        closing = self.tokenizer.convert_tokens_to_ids(self.template.closing) if self.template.closing else None
        return ends if closing is None or closing in ends else [*ends, closing]

    @property
    def _longest(self) -> int:
        text = self._network.config.get_text_config(decoder=True)
        return int(getattr(text, "max_position_embeddings", None) or UNBOUNDED)


def _with(inputs: dict[str, Any], seen: Seen | None) -> dict[str, Any]:
    return inputs if seen is None else {**inputs, "mm_encoder_outputs": {"image": seen.output()}}


def _untrained(checkpoint: Checkpoint) -> ModelError:
    hint = "seesay-mini, ViLT, GIT, BLIP and BLIP-2 can be trained"
    return ModelError("training models that chat is not supported yet", where=checkpoint.name, hint=hint)


def _networks() -> dict[str, str]:
    """The class of transformers for each `model_type` that writes about pictures and text."""
    import_torch()
    from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES

    return {kind: name for kind, name in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES.items() if isinstance(name, str)}


def _attention(network: Any, placement: Placement) -> str:
    """The fastest implementation that is here: FlashAttention-2 needs its package, an accelerator and 16 bits."""
    from transformers.utils import is_flash_attn_2_available

    wanted = placement.device == "cuda" and placement.dtype in ("bfloat16", "float16")
    if wanted and getattr(network, "_supports_flash_attn", False) and is_flash_attn_2_available():
        return "flash_attention_2"
    return "sdpa" if getattr(network, "_supports_sdpa", False) else "eager"


def _template(checkpoint: Checkpoint, processor: Any, style: Style) -> ChatTemplate:
    """The processor's own template, or the tokenizer's, or the family's.

    Raises:
        ModelError: there is none, or the processor names no token for a picture.
    """
    found = getattr(processor, "chat_template", None) or processor.tokenizer.chat_template
    text = found.get("default") if isinstance(found, dict) else found
    if not text and not style.template:
        hint = "take a checkpoint tuned on conversations; its repository has a chat_template.jinja"
        raise ModelError("no chat template in this checkpoint", where=checkpoint.name, hint=hint)
    tokens = {
        name: value for name, value in vars(processor).items() if name.endswith("_token") and isinstance(value, str)
    }
    if "image_token" not in tokens:
        raise ModelError("its processor names no token for a picture", where=checkpoint.name)
    return ChatTemplate(
        text or style.template, processor.tokenizer, tokens["image_token"], tokens.values(), checkpoint.name
    )
