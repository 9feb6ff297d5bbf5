"""ViLT: patches and words in one transformer, answering as a classifier over a fixed vocabulary.

Kim, Son and Kim, "ViLT: Vision-and-Language Transformer Without Convolution or Region Supervision", ICML 2021; network
and processor are those of transformers. One picture a question. Scores are sigmoids, one per answer, and do not sum to
one: the head is trained on soft targets, several answers can be right.

The loss is binary cross-entropy times the number of answers (the mean over answers, undone), as in the reference code:
about 2,169 at the start for 3,129 answers, 9 for 13. Learning rates and gradient clipping depend on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ...errors import InputError, ModelError
from ...media import Scaling, digest_image, open_image
from ...settings import Recipe
from ...types import Candidate, Example, ImageSource
from ..adapter import Adapter, save_network
from ..arithmetic import fast_float32
from ..attention import of_bert
from ..checkpoint import Checkpoint, Placement, import_torch, load_weights
from ..family import Batch, Examined, Family, Scratch
from ..frames import pad_pictures, widened
from ..memory import Memory
from ..pixels import fits_of
from ..wordpiece import build_vocabulary

if TYPE_CHECKING:
    import numpy
    import torch
    from transformers import ViltConfig, ViltForQuestionAnswering, ViltProcessor

    Pixels = numpy.ndarray[Any, numpy.dtype[numpy.float32]]

ANSWER_HEAD = "ViltForQuestionAnswering"
LAST_LAYER = "classifier.3."
BLOCKS = ("vilt.encoder.",)


class Vilt(Family):
    """A ViLT with an answer head, its processor and its vocabulary."""

    name: ClassVar[str] = "vilt"
    model_types: ClassVar[tuple[str, ...]] = ("vilt",)
    scratch: ClassVar[Mapping[str, Scratch]] = {
        "vilt-small": Scratch(
            summary="0.9 million parameters, pictures scaled to 64 pixels, patches of 8",
            architecture={
                "hidden_size": 128,
                "num_hidden_layers": 4,
                "num_attention_heads": 4,
                "intermediate_size": 512,
                "image_size": 64,
                "patch_size": 8,
                "initializer_range": 0.088,
            },
            recipe=Recipe(
                num_train_epochs=6.4,
                per_device_train_batch_size=32,
                learning_rate=5e-4,
                # Questions for a color's presence are understood late and at a high rate, which a cosine has left by then.
                lr_scheduler_type="warmup_stable_decay",
                warmup_ratio=0.02,
                weight_decay=0.01,
                # At 0.999 the steep first steps on yes/no questions keep later ones small for thousands of steps.
                adam_beta2=0.95,
                augment="shift",
                open_questions_first=0.12,
                eval_steps=2000,
            ),
        )
    }

    def __init__(
        self, network: ViltForQuestionAnswering, processor: ViltProcessor, checkpoint: Checkpoint, placement: Placement
    ) -> None:
        _keep_patch_order(network)
        if placement.device == "cpu":
            _attend_quickly(network)
        self._network = network
        self.processor = processor
        self.checkpoint = checkpoint
        self.placement = placement
        self.vocabulary = tuple(network.config.id2label[index] for index in range(network.config.num_labels))
        self._ids = {answer: index for index, answer in enumerate(self.vocabulary)}
        self._memory = Memory()
        self._fits = fits_of(processor.image_processor)
        self._adapter: Adapter | None = None

    @classmethod
    def load(cls, checkpoint: Checkpoint, placement: Placement) -> Self:
        if checkpoint.architecture != ANSWER_HEAD:
            found = checkpoint.architecture or "no architecture named"
            hint = "fine-tune it first: seesay train vqa --model " + checkpoint.name
            raise ModelError(f"this ViLT has no head for answers ({found})", where=checkpoint.name, hint=hint)
        return cls._open(checkpoint, placement, _config(checkpoint), fresh=())

    @classmethod
    def fine_tune(cls, checkpoint: Checkpoint, placement: Placement, vocabulary: Sequence[str], seed: int) -> Self:
        torch = import_torch()
        old = tuple(_config(checkpoint).id2label.values()) if checkpoint.architecture == ANSWER_HEAD else ()
        fresh = () if old == tuple(vocabulary) else (LAST_LAYER,) if old else ("classifier.",)
        torch.manual_seed(seed)
        model = cls._open(checkpoint, placement, _config(checkpoint, vocabulary), fresh=fresh)
        if fresh == (LAST_LAYER,) and len(old) == len(vocabulary):
            # As many answers, but others: the old rows would fit by shape and mean something else.
            model._network.classifier[3].reset_parameters()
        return model

    @classmethod
    def create(
        cls, configuration: str, placement: Placement, vocabulary: Sequence[str], questions: Iterable[str], seed: int
    ) -> Self:
        torch = import_torch()
        from transformers import BertTokenizer, ViltForQuestionAnswering, ViltProcessor
        from transformers.models.vilt.image_processing_pil_vilt import ViltImageProcessorPil

        words = build_vocabulary(questions)
        config = _scratch_config(cls.scratch[configuration], vocabulary, words)
        torch.manual_seed(seed)
        network = ViltForQuestionAnswering(config)
        _set_sine_cosine_positions(network)
        processor = ViltProcessor(
            ViltImageProcessorPil(size={"shortest_edge": config.image_size}, size_divisor=config.patch_size),
            BertTokenizer(vocab=words, model_max_length=config.max_position_embeddings),
        )
        checkpoint = Checkpoint(configuration, Path(), "", config.to_dict())
        return cls(network.to(placement.device), processor, checkpoint, placement)

    @property
    def engine(self) -> str:
        import torch

        return f"torch {torch.__version__}"

    @property
    def network(self) -> torch.nn.Module:
        network: torch.nn.Module = self._network
        return network

    @property
    def fits(self) -> Scaling | None:
        return self._fits

    def prepare(self, examples: Sequence[Example], *, normalize: Callable[[str], str] | None = None) -> Batch:
        import torch

        sources = [_only_picture(example) for example in examples]
        digests = [digest_image(source) for source in sources]
        pixels, mask = pad_pictures(
            [self._pixels(source, digest) for source, digest in zip(sources, digests, strict=True)]
        )
        # (B, T): text padded to the longest question of this batch; longer than the model reads is cut at the end.
        # A "[SEP]" that a user typed stays five characters and never becomes the token.
        text = self.processor.tokenizer(
            [example.question for example in examples],
            padding=True,
            truncation=True,
            max_length=self._network.config.max_position_embeddings,
            split_special_tokens=True,
            return_tensors="pt",
        )
        tensors = {**text, "pixel_values": torch.from_numpy(pixels), "pixel_mask": torch.from_numpy(mask)}
        if normalize is not None:
            tensors["labels"] = self._targets(examples, normalize)
        return Batch(tensors, tuple((digest,) for digest in digests))

    def predict(self, batch: Batch, top_k: int) -> list[tuple[Candidate, ...]]:
        return self._rank(self.logits(batch), top_k)

    def score(self, batch: Batch, answers: Sequence[str]) -> list[float]:
        scores = self.logits(batch).float().sigmoid()
        return [float(row[self._ids[answer]]) for row, answer in zip(scores, answers, strict=True)]

    def score_each(self, batch: Batch, answers: Sequence[str]) -> list[tuple[float, ...]]:
        # The head gives the scores of all answers at once.
        ids = [self._ids[answer] for answer in answers]
        return [tuple(row) for row in self.logits(batch).float().sigmoid()[:, ids].tolist()]

    def logits(self, batch: Batch) -> torch.Tensor:
        """(B, answers) of a prepared batch."""
        import torch

        self._network.eval()
        dtype = self._network.dtype
        inputs = {
            key: value.to(self.placement.device, dtype if value.is_floating_point() else None)
            for key, value in batch.tensors.items()
        }
        # In a padded batch ViLT draws which padding to keep; a fixed draw keeps answers equal from call to call, and the
        # caller's random state as it was.
        with torch.inference_mode(), fast_float32(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            logits: torch.Tensor = self._network(**inputs).logits
        return logits

    def examine(self, batch: Batch, *, answer: bool) -> Examined:
        import torch

        self._network.eval()
        inputs = {key: value.to(self.placement.device) for key, value in batch.tensors.items()}
        with torch.inference_mode():
            outputs = self._network(**inputs)
        return Examined(float(outputs.loss), len(batch.digests), self._rank(outputs.logits, 1) if answer else [])

    def adapt(self, *, lora: int, freeze_vision: bool, seed: int) -> None:
        if freeze_vision:
            hint = "pictures and words go through one network in it; --lora leaves the weights as they are"
            raise ModelError("ViLT has no vision tower that could be frozen", where=self.checkpoint.name, hint=hint)
        if lora:
            # The head may be new, and random weights must be trained in full.
            self._adapter = Adapter(self._network, BLOCKS, lora, seed, self.checkpoint.name, trained=("classifier",))

    def _rank(self, logits: torch.Tensor, top_k: int) -> list[tuple[Candidate, ...]]:
        # (B, answers) -> sigmoid per answer -> the k best of each row
        scores, ids = logits.float().sigmoid().topk(min(top_k, len(self.vocabulary)))
        return [
            tuple(Candidate(self.vocabulary[index], score) for score, index in zip(row, indices, strict=True))
            for row, indices in zip(scores.tolist(), ids.tolist(), strict=True)
        ]

    def save(self, folder: Path) -> None:
        save_network(self._network, self._adapter, folder)
        self.processor.save_pretrained(folder)

    def restore(self, folder: Path) -> None:
        if self._adapter is None:
            super().restore(folder)
        else:
            self._adapter.restore(folder)

    @classmethod
    def _open(cls, checkpoint: Checkpoint, placement: Placement, config: ViltConfig, fresh: tuple[str, ...]) -> Self:
        from transformers import ViltForQuestionAnswering

        processor = _processor(checkpoint)
        network = load_weights(ViltForQuestionAnswering, checkpoint, config, placement, fresh=fresh, attention="eager")
        return cls(network, processor, checkpoint, placement)

    def _pixels(self, source: ImageSource, digest: str) -> Pixels:
        """(3, H, W), both sides multiples of the patch size; from memory where this picture came by before."""

        def prepare() -> Pixels:
            image_processor = self.processor.image_processor
            image = open_image(source, fits=self.fits).pixels
            image = widened(image, image_processor.size.shortest_edge, image_processor.size_divisor)
            pixels: Pixels = image_processor(image, return_tensors="np").pixel_values[0]
            return pixels

        return self._memory.made(digest, prepare)

    def _targets(self, examples: Sequence[Example], normalize: Callable[[str], str]) -> torch.Tensor:
        """(B, answers): for each answer of the vocabulary the VQA accuracy that giving it would score."""
        import torch

        from ...metrics.vqa import soft_scores

        targets = torch.zeros(len(examples), len(self.vocabulary))
        for row, example in enumerate(examples):
            for answer, score in soft_scores(example.answers, example.weights, normalize=normalize).items():
                if answer in self._ids:
                    targets[row, self._ids[answer]] = score
        return targets


def _config(checkpoint: Checkpoint, vocabulary: Sequence[str] | None = None) -> ViltConfig:
    import_torch()
    from transformers import ViltConfig

    settings = dict(checkpoint.config)
    if vocabulary is not None:
        settings |= _labels(vocabulary)
        settings.pop("num_labels", None)
    try:
        return ViltConfig.from_dict(settings)
    except (TypeError, ValueError) as error:
        raise ModelError(f"config.json cannot be used: {error}", where=checkpoint.name) from None


def _labels(vocabulary: Sequence[str]) -> dict[str, Any]:
    return {"id2label": dict(enumerate(vocabulary)), "label2id": {answer: i for i, answer in enumerate(vocabulary)}}


def _scratch_config(scratch: Scratch, vocabulary: Sequence[str], words: Mapping[str, int]) -> ViltConfig:
    from transformers import ViltConfig

    return ViltConfig(**scratch.architecture, **_labels(vocabulary), vocab_size=len(words), pad_token_id=words["[PAD]"])


def _processor(checkpoint: Checkpoint) -> ViltProcessor:
    import_torch()
    from transformers import BertTokenizer, ViltProcessor
    from transformers.models.vilt.image_processing_pil_vilt import ViltImageProcessorPil

    if not any((checkpoint.folder / name).is_file() for name in ("tokenizer.json", "vocab.txt")):
        # Without either, transformers would make a tokenizer that knows five tokens.
        raise ModelError("no usable processor: neither tokenizer.json nor vocab.txt", where=checkpoint.name)
    try:
        # Named one by one: the automatic classes take seconds to import, and choose torchvision where it is installed,
        # whose resizing gives other pixels than the ones the published checkpoints were trained on.
        image_processor = ViltImageProcessorPil.from_pretrained(checkpoint.folder)
        tokenizer = BertTokenizer.from_pretrained(checkpoint.folder)
    except (OSError, ValueError, TypeError) as error:
        hint = "a checkpoint needs its preprocessor_config.json or processor_config.json and its tokenizer files"
        raise ModelError(
            f"no usable processor: {str(error).splitlines()[0]}", where=checkpoint.name, hint=hint
        ) from None
    return ViltProcessor(image_processor, tokenizer)


def _only_picture(example: Example) -> ImageSource:
    if len(example.images) != 1:
        raise InputError(f"ViLT takes one picture a question, not {len(example.images)}", where=example.origin)
    return example.images[0]


def _keep_patch_order(network: ViltForQuestionAnswering) -> None:
    """Patches in their own order where no picture of a batch is padded: a tenth of a training step faster, and the same
    to the bit in every call. transformers gathers them row by row in an order drawn at random, which the network does
    not see, because positions are added before."""
    import torch

    embeddings = network.vilt.embeddings
    drawn_order = embeddings.visual_embed

    def visual_embed(pixel_values: torch.Tensor, pixel_mask: torch.Tensor, max_image_length: int = -1) -> Any:
        if max_image_length >= 0 or not pixel_mask.all():
            return drawn_order(pixel_values, pixel_mask, max_image_length=max_image_length)
        patches = embeddings.patch_embeddings(pixel_values)  # (B, hidden, H / patch, W / patch)
        rows, hidden, height, width = patches.shape
        side = embeddings.config.image_size // embeddings.config.patch_size
        grid = embeddings.position_embeddings[:, 1:].transpose(1, 2).reshape(1, hidden, side, side)
        grid = torch.nn.functional.interpolate(grid, size=(height, width), mode="bilinear", align_corners=True)
        positions = torch.cat([embeddings.position_embeddings[:, :1], grid.flatten(2).transpose(1, 2)], dim=1)
        patches = torch.cat([embeddings.cls_token.expand(rows, -1, -1), patches.flatten(2).transpose(1, 2)], dim=1)
        mask = pixel_mask.new_ones(rows, 1 + height * width)
        return embeddings.dropout(patches + positions), mask, None

    embeddings.visual_embed = visual_embed


def _attend_quickly(network: ViltForQuestionAnswering) -> None:
    """Have the layers compute attention as `attention.attend` does, and the last one what [CLS] becomes alone: of the others
    the head reads nothing, and so much of the layer is most of it."""

    def attend(layer: Any, hidden_states: Any, attention_mask: Any = None, output_attentions: bool = False) -> Any:
        return (of_bert(layer, hidden_states, attention_mask),)

    def first(block: Any, hidden_states: Any, attention_mask: Any = None, output_attentions: bool = False) -> Any:
        asking = hidden_states[:, :1]  # (B, 1, hidden)
        mask = None if attention_mask is None else attention_mask[:, :, :1]
        found = of_bert(block.attention.attention, block.layernorm_before(hidden_states), mask, asking=1)
        asking = block.attention.output(found, asking) + asking
        return (block.output(block.intermediate(block.layernorm_after(asking)), asking),)

    *blocks, last = network.vilt.encoder.layer
    for block in blocks:
        layer = block.attention.attention
        layer.forward = partial(attend, layer)
    last.forward = partial(first, last)


def _set_sine_cosine_positions(network: ViltForQuestionAnswering) -> None:
    """Two-dimensional sine-cosine values into the position embeddings of the patches, which start at zero.

    Half of the features say the row, half the column (Chen, Xie and He, "An Empirical Study of Training
    Self-Supervised Vision Transformers", ICCV 2021). They are trained on from there.
    """
    import torch

    config = network.config
    side, quarter = config.image_size // config.patch_size, config.hidden_size // 4
    frequencies = 10_000 ** -(torch.arange(quarter) / quarter)
    angles = torch.arange(side)[:, None] * frequencies  # (side, quarter)
    waves = torch.cat([angles.sin(), angles.cos()], dim=1)  # (side, hidden / 2)
    rows = waves[:, None].expand(side, side, -1)
    columns = waves[None].expand(side, side, -1)
    with torch.no_grad():
        # (1, 1 + side * side, hidden); the first position is the image's own [CLS]
        positions = network.vilt.embeddings.position_embeddings
        positions[0, 1:] = torch.cat([rows, columns], dim=-1).reshape(side * side, config.hidden_size)
