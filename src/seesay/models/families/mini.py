"""seesay-mini: the embedded model. A frozen EfficientNet-Lite0 and a small decoder that captions and answers.

Two runtimes. Answering runs on onnxruntime alone; torch is imported only to fine-tune, with the encoder's features cached
on disk. Scores are calibrated where the checkpoint carries a calibration: of answers at 0.8, eight in ten are right.
It knows nothing of the corpus it was trained on (corpus/README.md does).
"""

from __future__ import annotations

import json
import shutil
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

import numpy

from ...errors import InputError, MissingExtra, ModelError, UsageError
from ...media import digest_image, open_image
from ...settings import Recipe
from ...types import Candidate, Example, ImageSource
from ..checkpoint import EXTRA, Checkpoint, Placement, import_torch
from ..family import IGNORED, Batch, Examined, Family, reply_of
from ..feature_cache import FeatureCache
from ..mini.calibration import KINDS, Calibration
from ..mini.colors import COLORS
from ..mini.encoder import SHAPES, Encoder, fits, open_session, prepare
from ..mini.expert import Expert
from ..mini.hints import Hints
from ..mini.search import LONGEST, beam_search, log_softmax
from ..mini.tokenizer import ANSWER, ASK, CAPTION, END, PAD, UNKNOWN_ANSWER, Tokenizer

if TYPE_CHECKING:
    import torch

    Array = numpy.ndarray[Any, Any]

EMBEDDED = Path(__file__).parent.parent / "mini" / "data"
WEIGHTS = "model.safetensors"
FILES = ("encoder.onnx", "tokenizer.json", "classes.json", "config.json")
REMEMBERED = 64
"""Pictures whose features are kept in memory, so that the next question about them looks at nothing again."""
BEAMS, MOST_BEAMS = 5, 32
DEFAULT_RISK = 0.1
DESCRIBE = ("describe", "caption")
"""A question that begins so asks for a caption."""
FEATURES = ("fine", "coarse", "pooled", "colors", "hints", "chances")
RECIPE = Recipe(
    num_train_epochs=8.0,
    per_device_train_batch_size=32,
    learning_rate=5e-4,
    lr_scheduler_type="cosine",
    warmup_ratio=0.1,
    weight_decay=0.05,
    eval_steps=100,
    logging_steps=20,
)


class Mini(Family):
    """A loaded seesay-mini: the one in the package, or one fine-tuned from it."""

    name: ClassVar[str] = "mini"
    model_types: ClassVar[tuple[str, ...]] = ("seesay-mini",)
    needs_torch: ClassVar[bool] = False
    captions: bool = True
    embedded: ClassVar[dict[str, Path]] = {"seesay-mini": EMBEDDED}
    unknown: ClassVar[str] = UNKNOWN_ANSWER
    recipes: ClassVar[Mapping[str, Recipe]] = dict.fromkeys(("vqa", "caption"), RECIPE)
    writes: ClassVar[bool] = True
    sees_pixels: ClassVar[bool] = False

    def __init__(self, checkpoint: Checkpoint, placement: Placement, tokenizer: Tokenizer, runtime: _Runtime) -> None:
        folder = checkpoint.folder
        self.checkpoint, self.placement, self.tokenizer, self.runtime = checkpoint, placement, tokenizer, runtime
        self.encoder = Encoder(folder / "encoder.onnx")
        self.hints = Hints.load(folder / "classes.json", tokenizer)
        self.expert = Expert(folder / "classes.json", tokenizer)
        self.calibration = Calibration.load(folder / "calibration.json")
        self.vocabulary = ()
        self._seen: OrderedDict[str, Array] = OrderedDict()
        self._cache: FeatureCache | None = None

    @classmethod
    def load(cls, checkpoint: Checkpoint, placement: Placement) -> Self:
        missing = [name for name in (*FILES, "look.onnx", "decode.onnx") if not (checkpoint.folder / name).is_file()]
        if missing:
            raise ModelError(f"no {missing[0]}", where=checkpoint.name, hint="a seesay-mini is written by seesay train")
        return cls(
            checkpoint, placement, Tokenizer.load(checkpoint.folder / "tokenizer.json"), _Onnx(checkpoint.folder)
        )

    @classmethod
    def fine_tune(cls, checkpoint: Checkpoint, placement: Placement, vocabulary: Sequence[str], seed: int) -> Self:
        import_torch()
        from ..mini.learner import open_learner

        tokenizer = Tokenizer.load(checkpoint.folder / "tokenizer.json")
        old = len(tokenizer)
        tokenizer = tokenizer.with_answers(vocabulary)
        learner = open_learner(checkpoint.folder, tokenizer, old, seed)
        model = cls(checkpoint, Placement("cpu", "float32"), tokenizer, learner)
        model.calibration = Calibration({}, [])
        model._cache = FeatureCache(model.encoder.identity, sum(int(numpy.prod(shape)) for shape in SHAPES.values()))
        return model

    @classmethod
    def create(
        cls, configuration: str, placement: Placement, vocabulary: Sequence[str], questions: Iterable[str], seed: int
    ) -> Self:
        raise UsageError("seesay-mini is fine-tuned, not made from random weights", hint="--model seesay-mini")

    @property
    def engine(self) -> str:
        return self.runtime.engine

    @property
    def network(self) -> torch.nn.Module:
        network: torch.nn.Module = self.runtime.network
        return network

    @property
    def calibrated(self) -> bool:
        return bool(self.calibration.risks)

    def threshold(self, risk: float | None) -> float:
        if risk is None:
            return self.calibration.threshold(DEFAULT_RISK) if self.calibrated else 0.0
        return super().threshold(risk) if not self.calibrated else self.calibration.threshold(risk)

    def prepare(self, examples: Sequence[Example], *, normalize: Callable[[str], str] | None = None) -> Batch:
        sources = [_only_picture(example) for example in examples]
        digests = [digest_image(source) for source in sources]
        unique = list(dict.fromkeys(digests))
        flat = self._features(unique, dict(zip(digests, sources, strict=True)))
        tensors: dict[str, Any] = dict(_parts(flat))
        tensors["hints"], tensors["chances"] = self.hints(tensors.pop("logits"))
        tensors["picture"] = numpy.array([unique.index(digest) for digest in digests], numpy.int64)
        prompts = [self._prompt(example.question) for example in examples]
        if normalize is None:
            return Batch({**tensors, "prompts": prompts}, tuple((digest,) for digest in digests))
        texts = [self._text(example, normalize) for example in examples]
        return Batch(self._lesson(tensors, texts) | {"prompts": prompts}, tuple((digest,) for digest in digests))

    def predict(self, batch: Batch, top_k: int) -> list[tuple[Candidate, ...]]:
        tensors = {name: numpy.asarray(batch.tensors[name]) for name in (*FEATURES, "picture")}
        memory = self.runtime.look(*(tensors[name] for name in FEATURES))
        answers: list[tuple[Candidate, ...]] = []
        for prompt, index in zip(batch.tensors["prompts"], tensors["picture"].tolist(), strict=True):
            if not prompt:
                answers.append((Candidate(UNKNOWN_ANSWER, 1.0),))
                continue
            pairs = self._search(prompt, memory[index : index + 1], top_k)
            kind = KINDS[-1] if len(prompt) == 1 else kind_of(pairs[0][0])
            best = self.calibration(kind, pairs[0][1])
            # What was measured is how often the *best* answer is right; the others keep their own probability.
            others = (Candidate(text, min(chance, best)) for text, chance in pairs[1:])
            candidates = (Candidate(pairs[0][0], best), *others)
            if self.calibrated:
                names = [self.tokenizer.tokens[name] for name in tensors["hints"][index].tolist()]
                seen = list(zip(names, tensors["chances"][index].tolist(), strict=True))
                candidates = self.expert.heard(prompt, candidates, pairs[0][1], seen)
            answers.append(candidates[:top_k])
        return answers

    def score(self, batch: Batch, answers: Sequence[str]) -> list[float]:
        memory = self.runtime.look(*(numpy.asarray(batch.tensors[name]) for name in FEATURES))
        scores = []
        for prompt, picture, answer in zip(
            batch.tensors["prompts"], batch.tensors["picture"].tolist(), answers, strict=True
        ):
            if not prompt:  # not understood, as in `_answer`
                scores.append(float(answer == UNKNOWN_ANSWER))
                continue
            reply = [*self.tokenizer.encode(answer), self.tokenizer.ids[END]][: self._room(prompt)]
            chance = 0.0
            for index, token in enumerate(reply):
                ids = numpy.array([[*prompt, *reply[:index]]], numpy.int64)
                chance += float(log_softmax(self.runtime.decode(ids, memory[picture : picture + 1]))[0, token])
            scores.append(float(numpy.exp(chance / (len(reply) if len(prompt) == 1 else 1))))
        return scores

    def save(self, folder: Path) -> None:
        if isinstance(self.runtime, _Onnx):
            shutil.copytree(self.checkpoint.folder, folder, dirs_exist_ok=True)
            return
        from ..mini.learner import save_learner

        folder.mkdir(parents=True, exist_ok=True)
        save_learner(self.runtime.network, folder)
        self.tokenizer.save(folder / "tokenizer.json")
        config = {**self.checkpoint.config, "vocabulary": len(self.tokenizer)}
        (folder / "config.json").write_text(json.dumps(config, indent=1), encoding="utf-8")
        for name in ("encoder.onnx", "classes.json"):
            shutil.copyfile(self.checkpoint.folder / name, folder / name)

    def examine(self, batch: Batch, *, answer: bool) -> Examined:
        import torch

        self.network.eval()
        with torch.inference_mode():
            loss = float(self.network(**batch.tensors)["loss"])
        tokens = int((batch.tensors["labels"] != IGNORED).sum())
        return Examined(loss, tokens, self.predict(batch, 1) if answer else [])

    def adapt(self, *, lora: int, freeze_vision: bool, seed: int) -> None:
        if lora:  # its encoder is frozen and its features are kept in any case
            hint = "it is small enough to be trained as it is"
            raise ModelError("seesay-mini takes no adapters", where=self.checkpoint.name, hint=hint)

    def preview(self, example: Example, normalize: Callable[[str], str]) -> tuple[tuple[str, bool], ...]:
        prompt, reply = self._text(example, normalize)
        learned = [*reply, self.tokenizer.ids[END]]
        return tuple(
            (self.tokenizer.tokens[token], place >= len(prompt)) for place, token in enumerate([*prompt, *learned])
        )

    def why_unknown(self, question: str) -> str:
        words = self.tokenizer.unknown_words(question)
        return f"this model does not know the word {words[0]!r}" if words else "the picture does not seem to show it"

    def _search(self, prompt: list[int], memory: Array, top_k: int) -> list[tuple[str, float]]:
        """Answers and their probabilities (of captions a token's mean), the best first, each text once."""

        def step(ids: Array) -> Array:
            return self.runtime.decode(ids, numpy.repeat(memory, len(ids), axis=0))

        beams = min(max(BEAMS, top_k), MOST_BEAMS)
        found = beam_search(step, prompt, self.tokenizer.ids[END], beams, self._room(prompt))
        is_caption = len(prompt) == 1
        if is_caption:  # longer ones are not less likely for being longer
            found.sort(key=lambda answer: -answer.per_token)
        pairs: dict[str, float] = {}
        for answer in found:
            text = self.tokenizer.decode(answer.ids)
            if text and (text != UNKNOWN_ANSWER or not pairs):
                pairs.setdefault(text, float(numpy.exp(answer.per_token if is_caption else answer.log_probability)))
        return list(pairs.items()) or [(UNKNOWN_ANSWER, 0.0)]

    def _room(self, prompt: list[int]) -> int:
        """Tokens of the longest answer after `prompt`."""
        return min(LONGEST, int(self.checkpoint.config["max_tokens"]) - len(prompt))

    def _prompt(self, question: str) -> list[int]:
        ids = self.tokenizer.ids
        if _is_caption(question):
            return [ids[CAPTION]]
        if self._cache is None and self.tokenizer.unknown_words(question):
            return []  # not understood: no answer is looked for
        longest = int(self.checkpoint.config["max_tokens"]) // 2
        return [ids[ASK], *self.tokenizer.encode_question(question)[:longest], ids[ANSWER]]

    def _features(self, digests: list[str], sources: dict[str, ImageSource]) -> Array:
        """(pictures, all features one after another) float32; from memory, or from disk in training."""

        def compute(missing: list[str]) -> Array:
            pixels = numpy.stack([prepare(open_image(sources[digest], fits=fits).pixels) for digest in missing])
            parts = [part.reshape(len(missing), -1) for part in self.encoder(pixels)]
            return numpy.concatenate(parts, axis=1)

        if self._cache is not None:
            return self._cache.get(digests, compute)
        missing = [digest for digest in digests if digest not in self._seen]
        if missing:
            for digest, row in zip(missing, compute(missing), strict=True):
                self._seen[digest] = row
        rows = numpy.stack([self._seen[digest] for digest in digests])
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return rows

    def _text(self, example: Example, normalize: Callable[[str], str]) -> tuple[list[int], list[int]]:
        """The prompt and the reply of a training row, without its end, no longer than the model reads."""
        ids, question = self.tokenizer.ids, example.question
        longest = int(self.checkpoint.config["max_tokens"])
        asked = [ids[ASK], *self.tokenizer.encode_question(question)[: longest // 2], ids[ANSWER]]
        prompt = [ids[CAPTION]] if _is_caption(question) else asked
        return prompt, self.tokenizer.encode(reply_of(example, normalize))[: longest - 1 - len(prompt)]

    def _lesson(
        self, features: dict[str, Array], texts: Sequence[tuple[list[int], list[int]]]
    ) -> dict[str, torch.Tensor]:
        """Features, with `ids` and `labels` (B, T): what is read, and what is to be written behind it, where it is learned."""
        import torch

        end, pad = self.tokenizer.ids[END], self.tokenizer.ids[PAD]
        longest = max(len(prompt) + len(reply) for prompt, reply in texts)
        ids = torch.full((len(texts), longest), pad)
        labels = torch.full((len(texts), longest), IGNORED)
        for row, (prompt, reply) in enumerate(texts):
            stop = len(prompt) + len(reply)
            ids[row, :stop] = torch.tensor([*prompt, *reply])
            labels[row, len(prompt) - 1 : stop] = torch.tensor([*reply, end])
        return {name: torch.from_numpy(part) for name, part in features.items()} | {"ids": ids, "labels": labels}


def kind_of(answer: str) -> str:
    """Which of KINDS an answer is; each has its own calibration."""
    if answer in ("yes", "no"):
        return "yes or no"
    if answer == UNKNOWN_ANSWER:
        return "unknown"
    if answer.isdigit():
        return "number"
    if answer in COLORS:
        return "color"
    return "place" if set(answer.split()) <= _PLACES else "name"


_PLACES = frozenset("left right top bottom middle above below".split())


class _Runtime(Protocol):
    """What computes the trained part: arrays in, arrays out."""

    @property
    def engine(self) -> str: ...

    @property
    def network(self) -> Any:
        """The torch module, where it can be trained."""

    def look(self, *features: Array) -> Array:
        """FEATURES of P pictures -> memory (P, M, D)."""

    def decode(self, ids: Array, memory: Array, /) -> Array:
        """ids (B, T), memory (B, M, D) -> logits (B, vocabulary) of the next token."""


class _Onnx:
    """Without torch."""

    def __init__(self, folder: Path) -> None:
        self._look = open_session(folder / "look.onnx")
        self._decode = open_session(folder / "decode.onnx")
        wanted = {given.name for given in self._look.get_inputs()}
        if wanted != set(FEATURES):
            hint = f"it takes {', '.join(sorted(wanted))}; this seesay gives {', '.join(sorted(FEATURES))}"
            raise ModelError("made by another version of seesay", where=str(folder), hint=hint)

    @property
    def engine(self) -> str:
        import onnxruntime

        return f"onnxruntime {onnxruntime.__version__}"

    @property
    def network(self) -> Any:
        raise MissingExtra("training", EXTRA)

    def look(self, *features: Array) -> Array:
        memory: Array = self._look.run(None, dict(zip(FEATURES, features, strict=True)))[0]
        return memory

    def decode(self, ids: Array, memory: Array) -> Array:
        logits: Array = self._decode.run(None, {"ids": ids, "memory": memory})[0][:, -1]
        return logits


def _parts(flat: Array) -> dict[str, Array]:
    found, start = {}, 0
    for name, shape in SHAPES.items():
        size = int(numpy.prod(shape))
        found[name] = numpy.ascontiguousarray(flat[:, start : start + size], numpy.float32).reshape(len(flat), *shape)
        start += size
    return found


def _is_caption(question: str) -> bool:
    return not question.strip() or question.lower().startswith(DESCRIBE)


def _only_picture(example: Example) -> ImageSource:
    if len(example.images) != 1:
        raise InputError(f"seesay-mini takes one picture a question, not {len(example.images)}", where=example.origin)
    return example.images[0]
