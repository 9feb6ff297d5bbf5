"""GIT: one decoder that reads a picture's patches as the beginning of a text, and writes on.

Wang et al., "GIT: A Generative Image-to-text Transformer for Vision and Language", TMLR 2022; network and processor are
those of transformers. Without a question it describes the picture; a question is the text to write on from, as the
checkpoints fine-tuned for answers expect (`microsoft/git-base-vqav2`, `-textvqa`). config.json does not say for which of
the two a checkpoint was tuned.

The prompt is `[CLS] question` and has no [SEP]: behind that token a text is over, and every answer would be empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ...errors import ModelError
from ...settings import Recipe
from ..attention import of_bert, register
from ..checkpoint import Checkpoint, Placement, import_torch, load_weights
from ..family import Scratch
from ..frames import middle
from ..generation import Generative
from ..picture_features import take_patches
from ..processors import read_config, read_processor
from ..prompts import Prompt, pad_left
from ..recall import Row
from ..wordpiece import build_vocabulary

if TYPE_CHECKING:
    import PIL.Image

SMALL = Scratch(
    summary="about 3.5 million parameters, pictures squeezed into 112 x 112 pixels, patches of 14",
    architecture={
        "hidden_size": 192,
        "num_attention_heads": 4,
        "intermediate_size": 768,
        "num_hidden_layers": 4,
        "vision_layers": 4,
        "image_size": 112,
        "patch_size": 14,
        "max_position_embeddings": 128,
        "initializer_range": 0.07,
    },
    recipe=Recipe(
        num_train_epochs=60.0,
        per_device_train_batch_size=16,
        learning_rate=5e-4,
        lr_scheduler_type="cosine",
        warmup_ratio=0.05,
        weight_decay=0.05,
        adam_beta2=0.98,
        augment="shift",
        eval_steps=200,
    ),
)


class Git(Generative):
    """A GIT, its processor and its tokenizer."""

    name: ClassVar[str] = "git"
    model_types: ClassVar[tuple[str, ...]] = ("git",)
    architectures: ClassVar[tuple[str, ...]] = ("GitForCausalLM",)
    captions: bool = True
    text_blocks: ClassVar[tuple[str, ...]] = ("git.encoder.",)
    vision_blocks: ClassVar[tuple[str, ...]] = ("git.image_encoder.vision_model.encoder.",)
    scratch: ClassVar[Mapping[str, Scratch]] = {"git-small": SMALL}

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        take_patches(self._tower)
        if self.placement.device == "cpu":
            _attend_quickly(self._network)

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

    @classmethod
    def create(
        cls, configuration: str, placement: Placement, vocabulary: Sequence[str], questions: Iterable[str], seed: int
    ) -> Self:
        torch = import_torch()
        from transformers import BertTokenizer, GitConfig, GitForCausalLM
        from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

        words = build_vocabulary([*questions, *vocabulary])
        size = cls.scratch[configuration].architecture
        same = {
            name: size[name]
            for name in ("hidden_size", "num_attention_heads", "intermediate_size", "initializer_range")
        }
        sight = {**same, "num_hidden_layers": size["vision_layers"]}
        config = GitConfig(
            vision_config={**sight, "image_size": size["image_size"], "patch_size": size["patch_size"]},
            **same,
            num_hidden_layers=size["num_hidden_layers"],
            max_position_embeddings=size["max_position_embeddings"],
            vocab_size=len(words),
            pad_token_id=words["[PAD]"],
            bos_token_id=words["[CLS]"],
            eos_token_id=words["[SEP]"],
            attn_implementation="eager",
        )
        torch.manual_seed(seed)
        network = GitForCausalLM(config)
        square = {"height": size["image_size"], "width": size["image_size"]}
        # Squeezed into the square, so that nothing of the picture is cut off.
        image_processor = CLIPImageProcessorPil(size=square, do_center_crop=False)
        tokenizer = BertTokenizer(vocab=words, model_max_length=size["max_position_embeddings"])
        checkpoint = Checkpoint(configuration, Path(), "", config.to_dict())
        model = cls(network.to(placement.device), image_processor, tokenizer, checkpoint, placement)
        model._teach()
        return model

    @property
    def _tower(self) -> Any:
        return self._network.git.image_encoder

    def _texts(self, questions: Sequence[str]) -> dict[str, Any]:
        start, room = self.tokenizer.cls_token_id, self._prompt_room
        rows = [[start, *self._encode(question)][:room] for question in questions]
        return pad_left(rows, self._padding)

    def _prompt(self, tensors: dict[str, Any], digests: Sequence[Row], beams: int = 1) -> Prompt:
        if not digests:
            return Prompt(self._network, tensors)
        patches = self._encoded(
            tensors["pixel_values"], digests, lambda pixels: self._tower(pixels).last_hidden_state
        )  # (B, N, D)
        return Prompt(self._network, {**tensors, "pixel_values": patches[:, None]})

    def _framed(self, image: PIL.Image.Image) -> PIL.Image.Image:
        return middle(image)


def _attend_quickly(network: Any) -> None:
    """Have the layers of both transformers compute attention as `attention.attend` does."""

    def forward(layer: Any, hidden_states: Any, attention_mask: Any = None, cache: Any = None, **_: Any) -> Any:
        return of_bert(layer, hidden_states, attention_mask, cache), None

    register(network.config.vision_config)
    for block in network.git.encoder.layer:
        layer = block.attention.self
        layer.forward = partial(forward, layer)
