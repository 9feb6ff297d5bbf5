"""What every exported architecture states: its network once more in a form that exports, and how it answers without torch.

An instance is one export that was opened: a `Family` like the original, with the same `prepare` and the same answers as far as
`models.engines` verified. It never trains. Only its class methods see the original, which runs on torch.
"""

from __future__ import annotations

import json
import shutil
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeAlias

from ...errors import InputError, ModelError
from ...media import Scaling, digest_image, open_image
from ...types import Example, ImageSource
from ..checkpoint import Checkpoint, Placement
from ..family import Batch, Examined, Family
from ..memory import Memory
from ..pixels import PixelRecipe
from ..runtime import Array, Runtime, named, open_graph
from ..words import Words

if TYPE_CHECKING:
    import PIL.Image
    import torch

FACTS, TOKENIZER = "facts.json", "tokenizer.json"


Scales: TypeAlias = Literal["product", "row", "block"]
"""All activations of a product; each row of them, so that what comes of a token does not depend on those beside it; or every few
numbers of a row. Language models need that: a few of their numbers are a hundred times larger than the others, which one scale
would all but erase. It costs time where many rows are multiplied."""


@dataclass(frozen=True)
class Part:
    """One network of an architecture, to be written as `<name>.onnx`."""

    network: torch.nn.Module
    inputs: Mapping[str, torch.Tensor]
    """Arguments of its forward pass, by name, in order; values only show the shapes."""
    outputs: tuple[str, ...]
    free: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    """Of inputs and outputs the axes whose length is free, each with a name."""
    scales: Scales = "product"
    """What shares a scale in 8 bits of what weights are multiplied with."""


class Exported(Family):
    """An export that was opened."""

    needs_torch: ClassVar[bool] = False
    part_names: tuple[str, ...]
    """Its ONNX files without their endings."""
    samples: ClassVar[tuple[int, int]] = (4, 4)
    """On how many batches it is verified, and the rows of each."""

    def __init__(self, checkpoint: Checkpoint, folder: Path, runtime: Runtime, numbers: str, threads: int = 0) -> None:
        self.checkpoint, self.runtime = checkpoint, runtime
        self.placement = Placement("cpu", numbers, threads=threads)
        self.facts: dict[str, Any] = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        self.vocabulary = tuple(self.facts.get("vocabulary", ()))
        self.captions, self.answers = bool(self.facts["captions"]), bool(self.facts["answers"])
        self._memory = Memory()
        self._open_preparing(folder)
        self._parts = {
            name: open_graph(folder / f"{name}.onnx", runtime, "float32" if numbers == "int8" else numbers, threads)
            for name in self.part_names
        }

    def _open_preparing(self, folder: Path) -> None:
        """Open what makes pictures and words ready."""
        self.pixels, self.words = PixelRecipe.read(self.facts["pixels"]), Words(folder / TOKENIZER)

    @classmethod
    def keep_preparing(cls, original: Any, folder: Path) -> None:
        """Write what `_open_preparing` opens."""
        cls.processors(original)[1].backend_tokenizer.save(str(folder / TOKENIZER))

    @classmethod
    def refused(cls, checkpoint: Checkpoint) -> str:
        """Why a checkpoint of this architecture cannot be exported; empty where it can."""
        return ""

    @classmethod
    @abstractmethod
    def parts(cls, original: Any) -> dict[str, Part]:
        """The networks of an opened original, by `part_names`."""

    @classmethod
    @abstractmethod
    def processors(cls, original: Any) -> tuple[Any, Any]:
        """Image processor and tokenizer of an opened original."""

    @classmethod
    def facts_of(cls, original: Any) -> dict[str, Any]:
        """What an export must know beside its networks, as JSON keeps it."""
        return {
            "pixels": PixelRecipe.of(cls.processors(original)[0]).saved(),
            "captions": original.captions,
            "answers": original.answers,
            "vocabulary": list(original.vocabulary),
        }

    @classmethod
    @abstractmethod
    def wanted(cls, original: Any, batch: Batch, replies: Sequence[str]) -> Array:
        """(N, C) logits of the original, which `found` should equal: of each row, or of each token of its reply."""

    @abstractmethod
    def found(self, batch: Batch, replies: Sequence[str]) -> Array:
        """The same of the export, of a batch that it prepared."""

    def lost(self, original: Any, batch: Batch, mine: Batch, replies: Sequence[str], given: Sequence[str]) -> float:
        """How much less the original thinks of the answers `given` by the export than of its own `replies`, at most, in 0..1.
        Of a `batch` that the original prepared, which is `mine` as the export prepares it."""
        scores = [original.score(batch, texts) for texts in (replies, given)]
        return float(max(mine - other for mine, other in zip(*scores, strict=True)))

    @property
    def engine(self) -> str:
        return named(self.runtime)

    @property
    def alone(self) -> bool:
        """Whether rows are computed one by one: numbers scaled by the largest of a batch would make answers depend on it."""
        return self.placement.dtype == "int8"

    def save(self, folder: Path) -> None:
        shutil.copytree(self.checkpoint.folder, folder, dirs_exist_ok=True)

    @property
    def network(self) -> torch.nn.Module:
        raise self._never_trained()

    def examine(self, batch: Batch, *, answer: bool) -> Examined:
        raise self._never_trained()

    @classmethod
    def load(cls, checkpoint: Checkpoint, placement: Placement) -> Self:
        raise ModelError("exports are opened by their engine", where=checkpoint.name)

    @classmethod
    def fine_tune(cls, checkpoint: Checkpoint, placement: Placement, vocabulary: Sequence[str], seed: int) -> Self:
        raise ModelError("an export cannot be trained", where=checkpoint.name, hint="--engine torch")

    @classmethod
    def create(
        cls, configuration: str, placement: Placement, vocabulary: Sequence[str], questions: Iterable[str], seed: int
    ) -> Self:
        raise ModelError("an export is made of a checkpoint", where=configuration, hint="--engine torch")

    def _never_trained(self) -> ModelError:
        return ModelError("an export cannot be trained", where=self.checkpoint.name, hint="--engine torch")

    @property
    def fits(self) -> Scaling | None:
        return self.pixels.fits

    def _pictures(self, examples: Sequence[Example]) -> tuple[list[Array], list[str]]:
        """Pixels (3, H, W) and sha256 of the only picture of each row; one that comes again is prepared once."""
        sources = [_only_picture(example, self.name) for example in examples]
        digests = [digest_image(source) for source in sources]
        pixels: list[Array] = [
            self._memory.made(digest, partial(self._prepared, source))
            for source, digest in zip(sources, digests, strict=True)
        ]
        return pixels, digests

    def _prepared(self, source: ImageSource) -> Array:
        return self.pixels(self._framed(open_image(source, fits=self.fits).pixels))

    def _framed(self, image: PIL.Image.Image) -> PIL.Image.Image:
        """The picture as it can be scaled."""
        return image


def restated(network: Any, forward: Callable[..., Any]) -> torch.nn.Module:
    """A network's weights with another way to use them."""
    import torch

    class Restated(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, *given: torch.Tensor) -> Any:
            return forward(*given)

    return Restated().eval()


def _only_picture(example: Example, name: str) -> ImageSource:
    if len(example.images) != 1:
        raise InputError(f"{name} takes one picture a question, not {len(example.images)}", where=example.origin)
    return example.images[0]
