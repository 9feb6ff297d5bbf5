"""What every family of models can do. A family is one architecture; an instance of it is one loaded checkpoint.

| method      | called by                            | what it does                                                        |
|-------------|--------------------------------------|---------------------------------------------------------------------|
| `load`      | `models.load`                        | opens a checkpoint that can answer                                  |
| `fine_tune` | `models.for_training`                | opens a checkpoint and gives it a head for a vocabulary             |
| `create`    | `models.for_training`                | random weights for a named small configuration                      |
| `adapt`     | `models.for_training`                | leaves weights out of training: adapters, a frozen vision tower     |
| `prepare`   | `answering`, and training's collator | examples -> tensors, so that both prepare pictures and text one way |
| `prepare_lessons` | training's collator            | conversations -> tensors with labels, where it `converses`          |
| `predict`   | `answering`                          | tensors -> the best answers                                         |
| `examine`   | `training`                           | tensors with labels -> their loss, and the best answers             |
| `choose`    | `answering`                          | tensors -> which of some given answers                              |
| `log_odds`  | `search`                             | tensors -> how much likelier one answer is than another             |
| `write`     | `answering.stream`                   | tensors -> one answer, told of as it grows                          |
| `encode`    | `search`, once a picture             | pictures -> all that is computed of them before a question is known |
| `prepare_encoded` | `search`, for every question   | that and questions -> tensors, as `prepare` makes them of files     |
| `save`      | `training`                           | writes a folder that `load` opens, on any machine                   |
| `restore`   | `training`                           | takes the weights of such a folder, to train on                     |

A new family is one new file in `families/`, found by `discover()`. It knows nothing about files of pictures (`media`
opens them), data sets, batching or training.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ..errors import InputError, ModelError, RunError
from ..settings import GUIDES, GenerationSettings, Recipe
from ..types import Candidate, Conversation, Example, ImageSource, Note

if TYPE_CHECKING:
    import numpy
    import torch

    from ..media import Scaling
    from .chat_lesson import ChatLessons
    from .checkpoint import Checkpoint, Placement


IGNORED = -100
"""The label of what carries no loss, as everywhere in transformers."""
TINY = 1e-12
"""Shares below it are as good as nothing."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Examples as tensors, rows in the order of the examples.

    `tensors` are the keyword arguments of the network. `digests` are, for each row, the sha256 of its pictures.
    """

    tensors: dict[str, Any]
    digests: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """A picture as a family sees it before it knows a question; what an index keeps of it."""

    digest: str
    """The sha256 of the picture."""
    features: bytes
    """As the family packs them: nobody else reads them."""
    vector: numpy.ndarray[Any, numpy.dtype[numpy.float32]]
    """(W,) of length 1: pictures that look alike have vectors that lie near one another."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A batch with labels, looked at in an evaluation."""

    loss: float
    """Mean over all that carries loss."""
    count: int
    """How much that is: tokens of a model that writes, rows of a classifier."""
    answers: list[tuple[Candidate, ...]]
    """The best answer of each row; empty where none was wanted."""


@dataclass(frozen=True, slots=True)
class Scratch:
    """A named small configuration to train from random weights, and the training settings that suit it."""

    summary: str
    architecture: Mapping[str, int | float]
    """Arguments of the transformers configuration class."""
    recipe: Recipe
    """Values for those training settings that the user leaves open."""


class Family(ABC):
    """One loaded checkpoint: a network, its processor and its vocabulary of answers."""

    name: ClassVar[str]
    model_types: ClassVar[tuple[str, ...]]
    """The values of `model_type` in config.json that this family opens. No two families may claim one."""
    scratch: ClassVar[Mapping[str, Scratch]] = {}
    recipes: ClassVar[Mapping[str, Recipe]] = GUIDES
    """By task, values for training settings that the user leaves open when a checkpoint is fine-tuned."""
    embedded: ClassVar[Mapping[str, Path]] = {}
    """Checkpoints that the package carries, by name."""
    needs_torch: ClassVar[bool] = True
    """Whether answering needs torch; training always does."""
    writes: ClassVar[bool] = False
    """Whether it learns token by token; `preview` then shows which tokens."""
    one_size: ClassVar[bool] = False
    """Whether pictures are prepared to one size, whatever their shape, so that they never pad one another."""
    sees_pixels: ClassVar[bool] = True
    """Whether a batch holds whole pictures (B, 3, H, W), and not parts of them or features that were computed before."""
    captions: bool = False
    """Whether it describes a picture where no question is asked; in some families a checkpoint's head decides."""
    answers: bool = True
    """Whether it answers questions; likewise."""
    reads: ClassVar[bool] = False
    """Whether it reads text in pictures; for those that do not, the reader answers such questions."""
    streams: ClassVar[bool] = False
    """Whether `write` tells of an answer while it grows, token by token."""
    converses: ClassVar[bool] = False
    """Whether it reads a whole conversation; the others answer its last question."""
    adapts_quantized: ClassVar[bool] = False
    """Whether adapters can be trained over weights in 8 or 4 bits."""
    parallel: ClassVar[int] = 1
    """How many batches may be computed at one time; more than one only where another server computes them."""
    unknown: ClassVar[str] = ""
    """The answer that means "the picture does not show it", where a family has one."""

    generation: GenerationSettings = GenerationSettings()
    """For families that write token by token; the others take no notice."""
    checkpoint: Checkpoint
    placement: Placement
    vocabulary: tuple[str, ...]
    """The answers a classifier can give, in the order of its outputs."""

    @classmethod
    def adopts(cls, model_type: str) -> bool:
        """Whether it opens a `model_type` that no family names in its `model_types`; asked about such only."""
        return False

    @classmethod
    @abstractmethod
    def load(cls, checkpoint: Checkpoint, placement: Placement) -> Self:
        """Open a checkpoint that can answer.

        Raises:
            ModelError: it has no head for answers, or its weights do not fit its configuration.
        """

    @classmethod
    @abstractmethod
    def fine_tune(cls, checkpoint: Checkpoint, placement: Placement, vocabulary: Sequence[str], seed: int) -> Self:
        """Open a checkpoint to train it further, with a fresh head where its answers are not `vocabulary`."""

    @classmethod
    @abstractmethod
    def create(
        cls, configuration: str, placement: Placement, vocabulary: Sequence[str], questions: Iterable[str], seed: int
    ) -> Self:
        """Random weights for the `scratch` configuration of that name, with a tokenizer made from `questions`."""

    def adapt(self, *, lora: int, freeze_vision: bool, seed: int) -> None:
        """Leave weights out of training: all but adapters of rank `lora` (0: none), and those of the vision tower.

        Raises:
            ModelError: this family has no such part.
        """
        if lora or freeze_vision:
            found = "--lora" if lora else "--freeze-vision"
            raise ModelError(f"models of the family {self.name} know no {found}", where=self.checkpoint.name)

    @property
    @abstractmethod
    def engine(self) -> str:
        """What computes, with its version, such as `torch 2.13.0`; part of every answer's provenance."""

    @property
    @abstractmethod
    def network(self) -> torch.nn.Module:
        """The network that training optimizes; its forward pass takes `Batch.tensors` and returns `.loss`, `.logits`."""

    @property
    def fits(self) -> Scaling | None:
        """To what (width, height) `prepare` scales an upright picture of (width, height). Whoever decodes for it hands this to
        `media.open_image`, as `prepare` does: answers are the same, and large JPEGs cost a fifth. None where it needs all
        of a picture: its size decides how many parts of it are looked at, or it is sent on as it is."""
        return None

    @abstractmethod
    def prepare(self, examples: Sequence[Example], *, normalize: Callable[[str], str] | None = None) -> Batch:
        """Open pictures and tokenize questions, padded to the longest of this batch.

        Args:
            examples: rows; each must have exactly as many pictures as the family takes.
            normalize: given in training; the batch then has `labels`: of a classifier the soft targets (B, answers) in
                0..1, of a model that writes the tokens (B, T) of its replies, -100 behind their ends.

        Raises:
            ImageError: a picture cannot be used; the message names it.
        """

    def prepare_conversation(self, conversation: Conversation) -> Batch:
        """The next answer of a conversation, as a batch of one row. A family that does not converse takes the last question.

        Raises:
            InputError: the model cannot be shown this conversation; the message says which turn is wrong.
            ImageError: a picture cannot be used.
        """
        return self.prepare([last_question(conversation)])

    def prepare_lessons(self, conversations: Sequence[Conversation]) -> Batch:
        """Whole conversations as tensors with `labels` (B, T): the tokens of the assistant's turns and of their ends, -100 for
        all that is only read.

        Raises:
            ModelError: it does not converse.
            InputError: a conversation is too long, or cannot be shown to this model; the message says which.
            ImageError: a picture cannot be used.
        """
        raise self.no_conversations(self.checkpoint.name)

    @classmethod
    def lessons_of(cls, checkpoint: Checkpoint) -> ChatLessons:
        """What makes conversations ready for a checkpoint to learn from; its weights are not read.

        Raises:
            ModelError: it does not converse, or has no chat template.
        """
        raise cls.no_conversations(checkpoint.name)

    @classmethod
    def no_conversations(cls, name: str) -> ModelError:
        """Why a checkpoint of this family is not trained on conversations."""
        hint = "take one that chats, such as HuggingFaceTB/SmolVLM-256M-Instruct; seesay train vqa trains this one"
        return ModelError(f"models of the family {cls.name} learn no conversations", where=name, hint=hint)

    @property
    def placeholder(self) -> str:
        """What stands for a picture in texts written for this model; empty where nothing does."""
        return ""

    @property
    def encoding(self) -> str:
        """The name of what `encode` gives; it changes with the weights and with how pictures are prepared. Empty where
        nothing can be kept of a picture, because the network wants the question from its first layer on."""
        return ""

    def encode(self, images: Sequence[ImageSource]) -> list[Encoded]:
        """What is computed of pictures before a question is known; only where `encoding` has a name.

        Raises:
            ImageError: a picture cannot be used.
        """
        raise NotImplementedError(f"{self.name} keeps nothing of a picture")

    def prepare_encoded(self, encoded: Sequence[Encoded], questions: Sequence[str]) -> Batch:
        """What `prepare` gives for questions about these pictures, one a picture, without opening them.

        Answers are those of `prepare`, their scores within 0.002: features are kept in half precision.
        """
        raise NotImplementedError(f"{self.name} keeps nothing of a picture")

    @abstractmethod
    def predict(self, batch: Batch, top_k: int) -> list[tuple[Candidate, ...]]:
        """The best answers of each row, best first, at most `top_k`."""

    @abstractmethod
    def examine(self, batch: Batch, *, answer: bool) -> Examined:
        """The loss of a batch with labels and, where `answer`, the best answer of each row; for evaluations in training."""

    @abstractmethod
    def score(self, batch: Batch, answers: Sequence[str]) -> list[float]:
        """For each row the score of one given answer, on the scale of `predict` but never calibrated."""

    def choose(self, batch: Batch, choices: Sequence[str]) -> list[tuple[Candidate, ...]]:
        """For each row all of `choices`, best first, their scores made to sum to one.

        Raises:
            ModelError: a choice is not among the answers that a classifier can give.
        """
        unknown = [choice for choice in choices if self.vocabulary and choice not in self.vocabulary]
        if unknown:
            hint = f"it can give {len(self.vocabulary):,} answers, such as {', '.join(self.vocabulary[:5])}"
            raise ModelError(f"this model never answers {unknown[0]!r}", where=self.checkpoint.name, hint=hint)
        return [normalized(choices, row) for row in self.score_each(batch, choices)]

    def score_each(self, batch: Batch, answers: Sequence[str]) -> list[tuple[float, ...]]:
        """For each row the scores of all `answers`, as `score` gives them one by one."""
        scores = [self.score(batch, [answer] * len(batch.digests)) for answer in answers]
        return list(zip(*scores, strict=True))

    def log_odds(self, batch: Batch, answer: str, other: str) -> list[float]:
        """For each row how much likelier `answer` is than `other`, as the logarithm of their ratio.

        Raises:
            TextError: the question is not understood.
            ModelError: a classifier that never gives one of them.
        """
        chosen = self.choose(batch, (answer, other))
        shares = [next(one.score for one in row if one.text == answer) for row in chosen]
        return [math.log(max(share, TINY) / max(1 - share, TINY)) for share in shares]

    def likelihood_ratios(self, log_odds: Sequence[float]) -> list[float] | None:
        """What the log-odds of a yes against a no mean: how often they are seen where a thing is there, against how often
        where it is not, as the logarithm of the ratio. Unlike a probability it does not hang on how rare the thing is.
        None where that was not measured."""
        return None

    def demand(self, precision: float) -> float:
        """How likely pictures that are given must be on average (by `search.rarity`, from `likelihood_ratios`), so that at
        least the share `precision` of them is right.

        Raises:
            ModelError: that was not measured, or was found for no demand.
        """
        hint = "leave out --precision, or take seesay-mini"
        raise ModelError("answers of this model were not measured", where=self.checkpoint.name, hint=hint)

    def write(self, batch: Batch, max_new_tokens: int, hear: Callable[[str], bool]) -> tuple[Candidate, bool]:
        """One answer (greedy) to the only row of a batch, with its score, and whether the model ended it.

        Args:
            hear: told after every token the answer so far, which may end within a character, and nothing ("") now and then
                before the first one; False ends it there.
        """
        raise NotImplementedError(f"{self.name} does not write token by token")

    def count_tokens(self, text: str) -> int:
        """How many tokens `text` is to this model; words, of a model that has no tokens."""
        return len(text.split())

    @property
    def calibrated(self) -> bool:
        """Whether scores say how often such answers are right."""
        return False

    def threshold(self, risk: float | None) -> float:
        """The score from which on to answer, so that at most `risk` (0 to 1) of the answers given are wrong.

        Args:
            risk: None takes the family's default, which without a calibration is to answer always.

        Raises:
            ModelError: the checkpoint carries no calibration.
        """
        if risk is None or risk >= 1:
            return 0.0
        hint = "leave out --abstain-at-risk, or take seesay-mini"
        raise ModelError("scores of this model are not calibrated", where=self.checkpoint.name, hint=hint)

    def asks_for_caption(self, question: str) -> bool:
        """Whether this model describes the picture where it is asked `question`."""
        return not question

    def why_unknown(self, question: str) -> Note:
        """Why the answer to `question` is the family's `unknown`."""
        return Note("the picture does not seem to show it", "not_shown")

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write weights, configuration, processor and vocabulary: all that `load` needs."""

    def restore(self, folder: Path) -> None:
        """Take the weights that `save` wrote of this very model.

        Raises:
            RunError: the folder holds another model's weights.
        """
        restore_weights(self.network, folder)

    def preview(self, example: Example, normalize: Callable[[str], str]) -> tuple[tuple[str, bool], ...]:
        """The text of a training row as this model's tokens, each with whether it is learned; where `writes`."""
        return ()


def last_question(conversation: Conversation) -> Example:
    """What the last turn asks, about the latest picture; without words it asks for a description.

    Raises:
        InputError: there is no picture, or the last turn is not the user's.
    """
    if not conversation.messages or conversation.messages[-1].role != "user":
        raise InputError("the last turn of the conversation is not the user's")
    if not conversation.images:
        raise InputError("no picture in the conversation", hint="show one first")
    return Example((conversation.images[-1],), conversation.messages[-1].text)


def normalized(texts: Sequence[str], scores: Sequence[float]) -> tuple[Candidate, ...]:
    """Candidates, best first, their scores (at least 0) divided by their sum; equal where all of them are 0."""
    total = sum(scores)
    shares = [score / total if total else 1 / len(scores) for score in scores]
    return tuple(
        Candidate(text, share) for text, share in sorted(zip(texts, shares, strict=True), key=lambda one: -one[1])
    )


def restore_weights(network: torch.nn.Module, folder: Path) -> None:
    """Weights of all `model*.safetensors` into `network`; for a tensor under two names one of them is enough.

    Raises:
        RunError: names that the network does not know, or too few.
    """
    from safetensors.torch import load_file

    weights = {
        name: value for file in sorted(folder.glob("model*.safetensors")) for name, value in load_file(file).items()
    }
    missing, unexpected = network.load_state_dict(weights, strict=False)
    own = network.state_dict()
    restored = {own[name].data_ptr() for name in weights if name in own}
    wrong = [*unexpected, *(name for name in missing if own[name].data_ptr() not in restored)]
    if wrong:
        raise RunError(f"its weights are not this model's, such as {wrong[0]!r}", where=str(folder))


def reply_of(example: Example, normalize: Callable[[str], str]) -> str:
    """What a model that writes is taught to say: the answer most people gave; a caption as it was written, the first."""
    if not example.question:
        return example.answers[0]
    from ..metrics.vqa import soft_scores

    scores = soft_scores(example.answers, example.weights, normalize=normalize)
    return max(scores, key=lambda answer: scores[answer])
