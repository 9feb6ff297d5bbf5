"""BLIP-2 and InstructBLIP: some dozen queries ask a picture's patches, and a large language model reads what they found.

Li, Li, Savarese and Hoi, "BLIP-2: Bootstrapping Language-Image Pre-training with Frozen Image Encoders and Large Language
Models", ICML 2023, with its prompt for questions, `Question: {} Answer:`. Dai et al., "InstructBLIP: Towards
General-purpose Vision-Language Models with Instruction Tuning", NeurIPS 2023, where the queries read the instruction too;
it takes the plain question, and for captions the instruction of its paper (appendix). Networks and processors are those of
transformers; the language model is OPT or Vicuna (decoders) or Flan-T5 (encoder and decoder).

Image tokens, one a query, stand before the text, and a user cannot type one: `<image>` stays seven characters.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

from ...errors import ModelError
from ..checkpoint import Checkpoint, Placement, load_weights
from ..generation import Generative
from ..processors import read_config, read_processor
from ..prompts import Prompt, pad_left
from ..recall import Row

READER = "qformer_tokenizer"
"""The folder of the tokenizer that InstructBLIP's queries read with."""


class Blip2(Generative):
    """A BLIP-2, its processor and its tokenizer."""

    name: ClassVar[str] = "blip2"
    model_types: ClassVar[tuple[str, ...]] = ("blip-2",)
    architectures: ClassVar[tuple[str, ...]] = ("Blip2ForConditionalGeneration",)
    captions: bool = True
    reads: ClassVar[bool] = True
    before: ClassVar[str] = "Question: "
    behind: ClassVar[str] = " Answer:"
    describe: ClassVar[str] = ""
    """The prompt for a caption."""
    text_blocks: ClassVar[tuple[str, ...]] = (
        *("language_model.model.", "language_model.encoder.", "language_model.decoder."),
        *("qformer.encoder.", "language_projection"),
    )
    vision_blocks: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def load(cls, checkpoint: Checkpoint, placement: Placement) -> Self:
        from transformers import Blip2Config, Blip2ForConditionalGeneration

        return cls._open(checkpoint, placement, Blip2Config, Blip2ForConditionalGeneration)

    @classmethod
    def _open(cls, checkpoint: Checkpoint, placement: Placement, config_class: Any, network: Any) -> Self:
        # The tokenizer's class depends on the language model, and is found by the checkpoint's tokenizer_config.json.
        from transformers import AutoTokenizer
        from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

        config = read_config(checkpoint, config_class, cls.architectures)
        if config.image_token_index is None:
            hint = "this revision is older than image tokens; take the newest one of the repository"
            raise ModelError("config.json names no image_token_index", where=checkpoint.name, hint=hint)
        image_processor = read_processor(BlipImageProcessorPil, checkpoint)
        tokenizer = read_processor(AutoTokenizer, checkpoint, trust_remote_code=False)
        weights = load_weights(network, checkpoint, config, placement)
        return cls(weights, image_processor, tokenizer, checkpoint, placement)

    def _teach(self) -> None:
        super()._teach()
        from ..teaching import freeze

        # As published: what is learned is between what looks and what writes.
        freeze(self._tower)
        self._network.language_model.requires_grad_(False)

    @property
    def _tower(self) -> Any:
        return self._network.vision_model

    @property
    def _decoder(self) -> Any:
        return self._network.language_model

    def _texts(self, questions: Sequence[str]) -> dict[str, Any]:
        config = self._network.config
        pictures = [config.image_token_index] * config.num_query_tokens
        rows = [pictures + self._cut(self._instruction(question), len(pictures)) for question in questions]
        if config.use_decoder_only_language_model:
            return pad_left(rows, self._padding)
        # An encoder that counts distances between tokens: padded at the right, behind all of them.
        padded = pad_left([row[::-1] for row in rows], self._padding)
        return {name: value.flip(1) for name, value in padded.items()}

    def _prompt(self, tensors: dict[str, Any], digests: Sequence[Row], beams: int = 1) -> Prompt:
        ids, mask = tensors["input_ids"], tensors["attention_mask"]
        found = self._queries(tensors, digests)  # (B, queries, D)
        embeddings = self._network.get_input_embeddings()(ids)
        places = (ids == self._network.config.image_token_index)[..., None]
        embeddings = embeddings.masked_scatter(places, found.to(embeddings.dtype))
        inputs = {"inputs_embeds": embeddings, "attention_mask": mask}
        if self._network.config.use_decoder_only_language_model:
            inputs["input_ids"] = ids
        return Prompt(self._decoder, inputs)

    def _queries(self, tensors: dict[str, Any], digests: Sequence[Row]) -> Any:
        """(B, queries, D): what the queries found in the pictures."""
        return self._encoded(
            tensors["pixel_values"],
            digests,
            lambda pixels: self._network.get_image_features(pixels, return_dict=True).pooler_output,
        )

    def _instruction(self, question: str) -> str:
        return f"{self.before}{question}{self.behind}" if question else self.describe

    def _cut(self, text: str, pictures: int) -> list[int]:
        """Tokens with the language model's own first and last ones; too long a question loses its end, not the prompt's."""
        ids: list[int] = self.tokenizer(text, split_special_tokens=True).input_ids
        kept = self._prompt_room - pictures
        last = len(self.tokenizer(self.behind).input_ids)
        return ids if len(ids) <= kept else [*ids[: kept - last], *ids[len(ids) - last :]]

    def _reply_ids(self, answer: str) -> list[int]:
        # As it stands behind another word: most tokenizers make the space before a word part of it.
        return self._encode(f"a {answer}")[len(self._encode("a")) :] if answer else []


class InstructBlip(Blip2):
    """An InstructBLIP, its processor and its two tokenizers."""

    name: ClassVar[str] = "instructblip"
    model_types: ClassVar[tuple[str, ...]] = ("instructblip",)
    architectures: ClassVar[tuple[str, ...]] = ("InstructBlipForConditionalGeneration",)
    before: ClassVar[str] = ""
    behind: ClassVar[str] = ""
    describe: ClassVar[str] = "A short image description:"
    reader: Any

    @classmethod
    def load(cls, checkpoint: Checkpoint, placement: Placement) -> Self:
        from transformers import BertTokenizer, InstructBlipConfig, InstructBlipForConditionalGeneration

        reader = read_processor(BertTokenizer, checkpoint, READER)
        model = cls._open(checkpoint, placement, InstructBlipConfig, InstructBlipForConditionalGeneration)
        model.reader = reader
        return model

    def save(self, folder: Path) -> None:
        super().save(folder)
        self.reader.save_pretrained(folder / READER)

    def _texts(self, questions: Sequence[str]) -> dict[str, Any]:
        read = self.reader(
            [self._instruction(question) for question in questions],
            padding=True,
            truncation=True,
            max_length=self._network.config.qformer_config.max_position_embeddings,
            split_special_tokens=True,
            return_tensors="pt",
        )
        asked = {f"qformer_{name}": read[name] for name in ("input_ids", "attention_mask")}
        return super()._texts(questions) | asked

    def _queries(self, tensors: dict[str, Any], digests: Sequence[Row]) -> Any:
        # They read the question too, so that nothing is the same for another one.
        asked = {name: tensors[f"qformer_{name}"] for name in ("input_ids", "attention_mask")}
        return self._network.get_image_features(
            tensors["pixel_values"],
            qformer_input_ids=asked["input_ids"],
            qformer_attention_mask=asked["attention_mask"],
            return_dict=True,
        ).pooler_output
