"""BLIP: a picture's patches, looked at by a text decoder that describes them, or by a question whose answer it writes.

Li, Li, Xiong and Hoi, "BLIP: Bootstrapping Language-Image Pre-training for Unified Vision-Language Understanding and
Generation", ICML 2022; network and processor are those of transformers. Two heads have one `model_type`, so the
architecture in config.json decides: `BlipForConditionalGeneration` describes, and takes a text as the beginning of its
description; `BlipForQuestionAnswering` answers. transformers builds either from the weights of the other, silently.

In transformers the decoder looks at the padding of shorter questions too (`generate` hands it no mask of them, and its
cross-attention drops the one it is given), so that an answer depends on the other questions of its batch. Here the encoders
are called one by one, and the mask is put back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

from ..blip_tasks import ANSWERS, DESCRIBES, refuse_the_other_task
from ..checkpoint import Checkpoint, Placement, load_weights
from ..generation import Generative
from ..processors import read_config, read_processor
from ..prompts import Prompt, pad_left
from ..recall import Row


class Blip(Generative):
    """A BLIP that describes or answers, its processor and its tokenizer."""

    name: ClassVar[str] = "blip"
    model_types: ClassVar[tuple[str, ...]] = ("blip",)
    architectures: ClassVar[tuple[str, ...]] = (DESCRIBES, ANSWERS)
    text_blocks: ClassVar[tuple[str, ...]] = ("text_decoder.bert.encoder.", "text_encoder.encoder.")
    vision_blocks: ClassVar[tuple[str, ...]] = ("vision_model.encoder.",)

    @classmethod
    def load(cls, checkpoint: Checkpoint, placement: Placement) -> Self:
        import transformers
        from transformers import BertTokenizer, BlipConfig
        from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

        config = read_config(checkpoint, BlipConfig, cls.architectures)
        image_processor = read_processor(BlipImageProcessorPil, checkpoint)
        tokenizer = read_processor(BertTokenizer, checkpoint)
        network = getattr(transformers, checkpoint.architecture)
        weights = load_weights(network, checkpoint, config, placement, attention="eager")
        model = cls(weights, image_processor, tokenizer, checkpoint, placement)
        model.captions = checkpoint.architecture == DESCRIBES
        model.answers = not model.captions
        _put_masks_back(model._decoder)
        return model

    @property
    def _tower(self) -> Any:
        return self._network.vision_model

    @property
    def _decoder(self) -> Any:
        return self._network.text_decoder

    @property
    def ends(self) -> list[int]:
        return [self._decoder.config.sep_token_id]  # `eos_token_id` of these checkpoints means nothing

    def _texts(self, questions: Sequence[str]) -> dict[str, Any]:
        refuse_the_other_task(questions, captions=self.captions, name=self.checkpoint.name)
        if self.captions:
            start, room = self._decoder.config.bos_token_id, self._prompt_room
            return pad_left([[start, *self._encode(text)][:room] for text in questions], self._padding)
        # Read by an encoder, so padded at the right.
        text = self.tokenizer(
            list(questions),
            padding=True,
            truncation=True,
            max_length=self.longest,
            split_special_tokens=True,
            return_token_type_ids=False,
            return_tensors="pt",
        )
        return dict(text)

    def _prompt(self, tensors: dict[str, Any], digests: Sequence[Row], beams: int = 1) -> Prompt:
        import torch

        patches = self._encoded(
            tensors["pixel_values"], digests, lambda pixels: self._network.vision_model(pixels).last_hidden_state
        )  # (B, N, D)
        ids, mask = tensors["input_ids"], tensors["attention_mask"]
        all_patches = mask.new_ones(patches.shape[:2])
        if self.captions:
            seen = {"encoder_hidden_states": patches, "encoder_attention_mask": all_patches}
            return Prompt(self._decoder, {"input_ids": ids, "attention_mask": mask, **seen})
        question = self._network.text_encoder(
            input_ids=ids, attention_mask=mask, encoder_hidden_states=patches, encoder_attention_mask=all_patches
        ).last_hidden_state  # (B, T, D)
        start = torch.full_like(ids[:, :1], self._decoder.config.bos_token_id)
        seen = {"encoder_hidden_states": question, "encoder_attention_mask": mask}
        return Prompt(self._decoder, {"input_ids": start, "attention_mask": torch.ones_like(start), **seen})


def _put_masks_back(decoder: Any) -> None:
    """Let cross-attention use the mask it is called with. Up to 5.23 transformers passes it as the mask of the decoder's
    own tokens, which cross-attention then replaces by one that never arrives."""

    def as_its_own(module: Any, args: tuple[Any, ...], given: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return args, {
            **given,
            "encoder_attention_mask": given.get("encoder_attention_mask", given.get("attention_mask")),
        }

    for layer in decoder.bert.encoder.layer:
        layer.crossattention.self.register_forward_pre_hook(as_its_own, with_kwargs=True)
