"""GIT: one decoder that reads a picture's patches as the beginning of a text, and writes on.

Wang et al., "GIT: A Generative Image-to-text Transformer for Vision and Language", TMLR 2022; network and processor are
those of transformers. Without a question it describes the picture; a question is the text to write on from, as the
checkpoints fine-tuned for answers expect (`microsoft/git-base-vqav2`, `-textvqa`). config.json does not say for which of
the two a checkpoint was tuned.

The prompt is `[CLS] question` and has no [SEP]: behind that token a text is over, and every answer would be empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ...errors import ModelError
from ..checkpoint import Checkpoint, Placement, load_weights
from ..generation import Generative, Prompt, pad_left, read_config, read_processor
from ..recall import Row

if TYPE_CHECKING:
    import PIL.Image

WIDEST = 8
"""Longer side by shorter one, beyond which only the middle is scaled: the processor keeps no more than a square of it."""


class Git(Generative):
    """A GIT, its processor and its tokenizer."""

    name: ClassVar[str] = "git"
    model_types: ClassVar[tuple[str, ...]] = ("git",)
    architectures: ClassVar[tuple[str, ...]] = ("GitForCausalLM",)
    captions: bool = True

    @classmethod
    def load(cls, checkpoint: Checkpoint, placement: Placement) -> Self:
        from transformers import BertTokenizer, GitConfig, GitForCausalLM
        from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

        config = read_config(checkpoint, GitConfig, cls.architectures)
        if config.num_image_with_embedding:
            hint = "take one for pictures, such as microsoft/git-base-coco"
            raise ModelError("this GIT describes videos, not pictures", where=checkpoint.name, hint=hint)
        image_processor = read_processor(CLIPImageProcessorPil, checkpoint)
        tokenizer = read_processor(BertTokenizer, checkpoint)
        network = load_weights(GitForCausalLM, checkpoint, config, placement, attention="eager")
        return cls(network, image_processor, tokenizer, checkpoint, placement)

    def _texts(self, questions: Sequence[str]) -> dict[str, Any]:
        longest = self._longest - self._room
        rows = [[self.tokenizer.cls_token_id, *self._encode(question)][:longest] for question in questions]
        return pad_left(rows, self._padding)

    def _prompt(self, tensors: dict[str, Any], digests: Sequence[Row], beams: int = 1) -> Prompt:
        return Prompt(self._network, tensors)

    def _framed(self, image: PIL.Image.Image) -> PIL.Image.Image:
        width, height = image.size
        limit = WIDEST * min(width, height)
        if max(width, height) <= limit:
            return image
        left, top = max(0, (width - limit) // 2), max(0, (height - limit) // 2)
        return image.crop((left, top, left + min(width, limit), top + min(height, limit)))
