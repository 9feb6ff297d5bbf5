"""What families share that write an answer token by token: greedy or beam search, scores, and prompts of unequal length.

A score is the likelihood of the answer's tokens, its end among them, as a geometric mean: exp(mean log p), in 0..1. Answers
of different length are comparable, and `score` of a given text is on the same scale. Beams are ranked by it too (Wu et al.,
"Google's Neural Machine Translation System", 2016, section 7, with a length penalty of 1).

Prompts are padded on the left, with positions counted from the first real token, so that the answer follows its prompt
directly: a batch then gives what single questions give. Padded on the right, decoder-only models answer otherwise.

In training the same prompts are continued by the replies that are to be learned (`teaching`).

Knows nothing about one architecture; a family says by `_prompt` what its decoder continues.
"""

from __future__ import annotations

import math
import re
import threading
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ..errors import InputError, UsageError
from ..media import Scaling, digest_image, open_image
from ..types import Candidate, Example, ImageSource
from .adapter import Adapter, save_network
from .arithmetic import fast_float32
from .checkpoint import Checkpoint, Placement
from .family import IGNORED, Batch, Encoded, Examined, Family, normalized, reply_of, restore_weights
from .memory import Memory
from .picture_features import take_patches
from .pixels import fits_of
from .prompts import Prompt, likelihoods, logits_of
from .recall import Row, held
from .steps import forget_habits, greedy, searched

if TYPE_CHECKING:
    import PIL.Image
    import torch

    from .teaching import FrozenTower, Lesson

FEWEST_BEAMS, MOST_BEAMS = 3, 32
"""Beams where alternatives are asked for."""
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Generative(Family):
    """A loaded checkpoint that writes its answers."""

    streams: ClassVar[bool] = True
    architectures: ClassVar[tuple[str, ...]]
    """The classes in config.json that can answer or describe; another one of the same family has another head."""
    writes: ClassVar[bool] = True
    one_size: ClassVar[bool] = True
    text_blocks: ClassVar[tuple[str, ...]]
    """Prefixes of the names of the layers that get adapters, in what reads and writes."""
    vision_blocks: ClassVar[tuple[str, ...]]
    """Likewise in what looks at pictures."""
    keeps_patches: ClassVar[bool] = True
    """Whether what the tower sees in a picture hangs on the picture alone, and can take its place."""

    def __init__(
        self, network: Any, image_processor: Any, tokenizer: Any, checkpoint: Checkpoint, placement: Placement
    ) -> None:
        self._network, self.image_processor, self.tokenizer = network.eval(), image_processor, tokenizer
        self.checkpoint, self.placement, self.vocabulary = checkpoint, placement, ()
        # Some networks keep notes of a generation on themselves (Qwen-VL its positions), so they run one at a time.
        self._alone = threading.Lock()
        self._lesson: Lesson | None = None
        self._adapter: Adapter | None = None
        self._frozen: FrozenTower | None = None
        self._fits = fits_of(image_processor)
        self._memory = Memory()
        self.recall = Memory()
        forget_habits(self._decoder, tokenizer.eos_token_id)

    @classmethod
    def fine_tune(cls, checkpoint: Checkpoint, placement: Placement, vocabulary: Sequence[str], seed: int) -> Self:
        model = cls.load(checkpoint, placement)
        model._teach()
        return model

    @classmethod
    def create(
        cls, configuration: str, placement: Placement, vocabulary: Sequence[str], questions: Iterable[str], seed: int
    ) -> Self:
        raise UsageError(f"{cls.name} is fine-tuned, not made from random weights", where=configuration)

    def adapt(self, *, lora: int, freeze_vision: bool, seed: int) -> None:
        if freeze_vision:
            from .teaching import FrozenTower

            self._frozen = FrozenTower(self._tower, self.image_processor, self.name)
        if lora:
            blocks = self.text_blocks + (() if freeze_vision else self.vision_blocks)
            self._adapter = Adapter(self._network, blocks, lora, seed, self.checkpoint.name)

    @property
    def engine(self) -> str:
        import torch

        return f"torch {torch.__version__}"

    @property
    def network(self) -> torch.nn.Module:
        network: torch.nn.Module = self._network if self._lesson is None else self._lesson
        return network

    @property
    def fits(self) -> Scaling | None:
        return self._fits

    def prepare(self, examples: Sequence[Example], *, normalize: Callable[[str], str] | None = None) -> Batch:
        sources = [self._only_picture(example) for example in examples]
        digests = [digest_image(source) for source in sources]
        tensors = self._texts([example.question.strip() for example in examples])
        pictures = {digest: partial(self._pixels, source) for digest, source in zip(digests, sources, strict=True)}
        tensors["pixel_values"] = self._pictures(digests, pictures, learned=normalize is not None)
        if normalize is not None:
            tensors["labels"] = self._labels([reply_of(example, normalize) for example in examples])
        return Batch(tensors, tuple((digest,) for digest in digests))

    @property
    def encoding(self) -> str:
        if not self.keeps_patches or self.placement.quantize:
            return ""
        from .teaching import identity

        return f"{self.name}-{identity(self._tower, self.image_processor)}"

    def encode(self, images: Sequence[ImageSource]) -> list[Encoded]:
        """Packed are the patches (N, D) in half precision; the vector is their mean."""
        import torch

        found = []
        for image in images:
            digest, pixels = digest_image(image), self._pixels(image)[None]
            with self._alone, torch.inference_mode():
                seen = self._tower(pixels.to(self.placement.device, getattr(torch, self.placement.dtype)))
            patches = seen.last_hidden_state[0].float().cpu()
            mean = patches.mean(0)
            found.append(Encoded(digest, patches.half().numpy().tobytes(), (mean / mean.norm()).numpy()))
        return found

    def prepare_encoded(self, encoded: Sequence[Encoded], questions: Sequence[str]) -> Batch:
        import torch

        take_patches(self._tower)
        kept = [torch.frombuffer(bytearray(one.features), dtype=torch.half) for one in encoded]
        patches = [seen.view(1, -1, len(one.vector)).float() for seen, one in zip(kept, encoded, strict=True)]
        tensors = {**self._texts([question.strip() for question in questions]), "pixel_values": torch.stack(patches)}
        return Batch(tensors, tuple((one.digest,) for one in encoded))

    def predict(self, batch: Batch, top_k: int) -> list[tuple[Candidate, ...]]:
        import torch

        self._network.eval()
        beams = min(max(self.generation.num_beams, *((FEWEST_BEAMS, top_k) if top_k > 1 else (1,))), MOST_BEAMS)
        with self._alone, torch.inference_mode(), fast_float32():
            replies, chances = self._write(self._prompt(self._placed(batch), self._rows(batch), beams), beams)
        rows = range(0, len(replies), beams)
        return [self._rank(replies[row : row + beams], chances[row : row + beams], top_k) for row in rows]

    def score(self, batch: Batch, answers: Sequence[str]) -> list[float]:
        return likelihoods(*self._given(batch, answers)).tolist()

    def choose(self, batch: Batch, choices: Sequence[str]) -> list[tuple[Candidate, ...]]:
        # Of the whole answer, not of a token's mean: what is chosen among are the answers.
        given = (self._given(batch, [choice] * len(batch.digests)) for choice in choices)
        sums = [(chances * (ids != IGNORED)).sum(1).tolist() for chances, ids in given]
        return [normalized(choices, [math.exp(one - max(row)) for one in row]) for row in zip(*sums, strict=True)]

    def write(self, batch: Batch, max_new_tokens: int, hear: Callable[[str], bool]) -> tuple[Candidate, bool]:
        import torch

        ends = self.ends
        tokens: list[int] = []
        written: list[int] = []
        chances: list[float] = []

        def on(token: int, chance: float) -> bool:
            tokens.append(token)
            chances.append(chance)
            if token in ends:
                return False
            written.append(token)
            return hear(self._text(written))

        while not self._alone.acquire(timeout=0.05):
            if not hear(""):
                return Candidate("", 0.0), False
        try:
            with torch.inference_mode(), fast_float32():
                prompt = self._prompt(self._placed(batch), self._rows(batch))
                taken = prompt.inputs["input_ids"].shape[1] if "input_ids" in prompt.inputs else 1
                greedy(prompt, on, min(max_new_tokens, self.longest - taken), ends, self._padding)
                prompt.keep(tokens)
        finally:
            self._alone.release()
        score = math.exp(sum(chances) / len(chances)) if chances else 0.0
        return Candidate(self._text(written).strip(), score), len(chances) > len(written)

    def count_tokens(self, text: str) -> int:
        return len(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def _given(self, batch: Batch, answers: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, T) log-probabilities of given answers and (B, T) their tokens with the end, IGNORED behind it."""
        import torch

        self._network.eval()
        ids = self._replies(answers, self._room)
        with self._alone, torch.inference_mode(), fast_float32():
            prompt = self._prompt(self._placed(batch), self._rows(batch))
            ids = ids.to(self.placement.device)
            chances = self._chances(prompt, ids.clamp_min(0))
            prompt.keep(ids[0].clamp_min(0).tolist())
            return chances, ids

    def _chances(self, prompt: Prompt, replies: torch.Tensor) -> torch.Tensor:
        """(B, T): the log-probability of each token of `replies` (B, T), given those before it."""
        chances = logits_of(prompt, replies).float().log_softmax(-1)  # (B, T, vocabulary)
        return chances.gather(-1, replies[..., None])[..., 0]

    def examine(self, batch: Batch, *, answer: bool) -> Examined:
        import torch

        self._network.eval()
        tensors = self._placed(batch)
        with torch.inference_mode():
            loss = float(self.network(**tensors)["loss"])
        labels = tensors["labels"]
        return Examined(loss, int((labels != IGNORED).sum()), self.predict(batch, 1) if answer else [])

    def preview(self, example: Example, normalize: Callable[[str], str]) -> tuple[tuple[str, bool], ...]:
        read = self._texts([example.question.strip()])["input_ids"][0].tolist()
        learned = self._labels([reply_of(example, normalize)])[0].tolist()
        shown = self.tokenizer.convert_ids_to_tokens
        return (*((token, False) for token in shown(read)), *((token, True) for token in shown(learned)))

    def restore(self, folder: Path) -> None:
        if self._adapter is None:
            restore_weights(self._network, folder)
        else:
            self._adapter.restore(folder)

    def save(self, folder: Path) -> None:
        save_network(self._network, self._adapter, folder)
        self.image_processor.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)

    def reply_logits(self, batch: Batch, replies: Sequence[str]) -> torch.Tensor:
        """(N, vocabulary): what the decoder says before each token of given replies and their ends, one row after another."""
        import torch

        self._network.eval()
        ids = self._replies(replies, self._room).to(self.placement.device)
        with self._alone, torch.inference_mode(), fast_float32():
            logits = logits_of(self._prompt(self._placed(batch), self._rows(batch)), ids.clamp_min(0))
        return logits[ids != IGNORED].float()

    @property
    def bare_network(self) -> Any:
        """The network of transformers, whatever it is being taught."""
        return self._network

    @property
    def decoder_config(self) -> Any:
        """Of the part that writes."""
        return self._decoder.config

    @property
    @abstractmethod
    def _tower(self) -> Any:
        """The part of the network that looks at pictures (B, 3, H, W); patches (B, N, D) are its `last_hidden_state`."""

    def _teach(self) -> None:
        """Make it a network that learns its replies."""
        from .teaching import Lesson

        def write(tensors: dict[str, Any], labels: torch.Tensor) -> torch.Tensor:
            return logits_of(self._prompt(tensors, ()), labels.clamp_min(0))[labels != IGNORED]

        self._lesson = Lesson(self._network, write)

    def _labels(self, replies: Sequence[str]) -> torch.Tensor:
        """(B, T): the tokens of each reply and its end, which is not learned of one that is cut off."""
        return self._replies(replies, self.longest // 2)

    def _replies(self, texts: Sequence[str], room: int) -> torch.Tensor:
        """(B, T): the tokens of each text and its end, `room` of them at most; IGNORED behind."""
        import torch

        replies = [[*self._reply_ids(text), self.ends[0]][:room] for text in texts]
        longest = max(map(len, replies))
        return torch.tensor([reply + [IGNORED] * (longest - len(reply)) for reply in replies])

    @abstractmethod
    def _texts(self, questions: Sequence[str]) -> dict[str, Any]:
        """The tensors of a batch that come from its questions, where an empty one asks for a caption."""

    @abstractmethod
    def _prompt(self, tensors: dict[str, Any], digests: Sequence[Row], beams: int = 1) -> Prompt:
        """What the decoder continues, given the tensors of a batch and the digests of its rows' pictures, none where nothing is
        to be kept; pictures and questions are encoded here."""

    def _rows(self, batch: Batch) -> Sequence[Row]:
        """The pictures of a batch, where what is seen in them may be kept: weights that learn see otherwise tomorrow."""
        return batch.digests if self._lesson is None else ()

    def _encoded(
        self, pixels: torch.Tensor, digests: Sequence[Row], encode: Callable[[torch.Tensor], torch.Tensor]
    ) -> torch.Tensor:
        """(B, N, D): what `encode` makes of the picture of each row (B, 3, H, W), every picture once where there are `digests`."""
        import torch

        if not digests:
            return encode(pixels)
        found = {row: self.recall.get(row) for row in digests}
        first = {row: index for index, row in reversed([*enumerate(digests)]) if found[row] is None}
        if first:
            made = encode(pixels[list(first.values())])
            for row, features in zip(first, made, strict=True):
                found[row] = features.clone()
                self.recall.put(row, found[row], held([found[row]]))
        return torch.stack([found[row] for row in digests])

    def _reply_ids(self, answer: str) -> list[int]:
        """An answer as the decoder would write it, without its end."""
        return self._encode(answer)

    def _encode(self, text: str) -> list[int]:
        """Tokens of a text; a special token that a user typed stays the letters it is made of."""
        ids: list[int] = self.tokenizer(text, add_special_tokens=False, split_special_tokens=True).input_ids
        return ids

    @property
    def _decoder(self) -> Any:
        """The part of the network that writes."""
        return self._network

    @property
    def ends(self) -> list[int]:
        """Tokens that end a reply."""
        end = self._decoder.generation_config.eos_token_id
        return list(end) if isinstance(end, (list, tuple)) else [end]

    @property
    def longest(self) -> int:
        """Tokens that the decoder has positions for."""
        return int(getattr(self._decoder.config, "max_position_embeddings", None) or 512)

    @property
    def _room(self) -> int:
        """Tokens of the longest reply."""
        return min(self.generation.max_new_tokens, self.longest // 2)

    @property
    def _prompt_room(self) -> int:
        """Tokens of the longest prompt; a reply that is learned may be longer than one that is written."""
        return self.longest - (self._room if self._lesson is None else self.longest // 2)

    def _pictures(
        self, digests: Sequence[str], pictures: Mapping[str, Callable[[], torch.Tensor]], *, learned: bool
    ) -> torch.Tensor:
        """(B, 3, H, W) pixels; of pictures that are learned with a frozen tower (B, 1, N, D), what it sees in them. A picture
        that comes twice is opened once."""
        import torch

        if learned and self._frozen is not None:
            return self._frozen.patches(digests, pictures)
        if learned:  # the next epoch asks for them again
            pictures = {digest: partial(self._memory.made, digest, prepare) for digest, prepare in pictures.items()}
        pixels = {digest: prepare() for digest, prepare in pictures.items()}
        return torch.stack([pixels[digest] for digest in digests])

    def _pixels(self, source: ImageSource) -> torch.Tensor:
        """(3, H, W), of one size for all pictures."""
        image = self._framed(open_image(source, fits=self.fits).pixels)
        pixels: torch.Tensor = self.image_processor(image, return_tensors="pt").pixel_values[0]
        return pixels

    def _framed(self, image: PIL.Image.Image) -> PIL.Image.Image:
        """The picture as the processor can take it."""
        return image

    def _placed(self, batch: Batch) -> dict[str, Any]:
        import torch

        # Not the network's own dtype: parts of BLIP-2 stay in float32 whatever the rest is.
        device, dtype = self.placement.device, getattr(torch, self.placement.dtype)
        return {
            name: value.to(device, dtype if value.is_floating_point() else None)
            for name, value in batch.tensors.items()
        }

    def _write(self, prompt: Prompt, beams: int) -> tuple[list[list[int]], list[float]]:
        """Replies without their ends and their scores, `beams` of each row, one row after another."""
        ids, chances = searched(prompt, beams, self._room, self.ends, self._padding)
        replies = [[token for token in row if token != IGNORED and token not in self.ends] for row in ids.tolist()]
        return replies, likelihoods(chances, ids).tolist()

    @property
    def _padding(self) -> int:
        padding = self.tokenizer.pad_token_id
        return self.ends[0] if padding is None else int(padding)

    def _rank(self, replies: Sequence[list[int]], chances: Sequence[float], top_k: int) -> tuple[Candidate, ...]:
        """The best texts, best first. Two replies of one text (spelled in other tokens) are the better one of them."""
        best: dict[str, float] = {}
        for reply, chance in zip(replies, chances, strict=True):
            text = self._text(reply).strip()
            best[text] = max(chance, best.get(text, 0.0))
        ranked = sorted(best.items(), key=lambda item: -item[1])
        return tuple(Candidate(text, chance) for text, chance in ranked[:top_k])

    def _text(self, reply: Sequence[int]) -> str:
        """A reply in words; a terminal would follow control characters."""
        return CONTROLS.sub("", self.tokenizer.decode(reply, skip_special_tokens=True))

    def _only_picture(self, example: Example) -> ImageSource:
        if len(example.images) != 1:
            found = len(example.images)
            raise InputError(f"{self.name} takes one picture a question, not {found}", where=example.origin)
        return example.images[0]
