"""seesay-mini: the embedded model. A frozen EfficientNet-Lite0 and a small decoder that captions and answers.

Two runtimes. Answering runs on onnxruntime alone; torch is imported only to fine-tune, with the encoder's features cached
on disk. Scores are calibrated where the checkpoint carries a calibration: of answers at 0.8, eight in ten are right.
It knows nothing of the corpus it was trained on (corpus/README.md does).
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy

from ...errors import InputError, ModelError, TextError, UsageError
from ...media import Scaling, digest_image
from ...settings import Recipe
from ...types import Candidate, Example, ImageSource, Note
from ..checkpoint import Checkpoint, Placement, import_torch
from ..family import IGNORED, Batch, Encoded, Examined, Family
from ..mini.calibration import KINDS, Calibration, kind_of
from ..mini.encoder import SHAPES, Encoder, fits
from ..mini.expert import Expert
from ..mini.hints import HINTS, Hints
from ..mini.prompts import Prompts, is_caption
from ..mini.runtime import FEATURES, OnnxRuntime, Runtime
from ..mini.search import LONGEST, beam_search, log_softmax, sure_answers
from ..mini.seen import Seen
from ..mini.tokenizer import CAPTION, END, UNKNOWN_ANSWER, Tokenizer

if TYPE_CHECKING:
    import torch

    Array = numpy.ndarray[Any, Any]

EMBEDDED = Path(__file__).parent.parent / "mini" / "data"
WEIGHTS = "model.safetensors"
FILES = ("encoder.onnx", "tokenizer.json", "classes.json", "config.json")
BEAMS, MOST_BEAMS = 5, 32
DEFAULT_RISK = 0.1
SEEN = 10.0
"""The log-odds of a yes where the encoder surely sees a thing. On drawings it is right in one of three; of what the decoder alone
gives ten, two in three are (validation style, 113 names). On photographs it is the better one of both."""
CELLS = SHAPES["coarse"][1] * SHAPES["coarse"][2]
"""The first tokens of what the decoder reads are these cells; then the whole picture, then the names that the encoder sees."""
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


# Captions are put together from words, which takes longer to learn than which answer to take.
CAPTIONS = replace(RECIPE, num_train_epochs=24.0, learning_rate=6e-4)


class Mini(Family):
    """A loaded seesay-mini: the one in the package, or one fine-tuned from it."""

    name: ClassVar[str] = "mini"
    model_types: ClassVar[tuple[str, ...]] = ("seesay-mini",)
    needs_torch: ClassVar[bool] = False
    captions: bool = True
    embedded: ClassVar[dict[str, Path]] = {"seesay-mini": EMBEDDED}
    unknown: ClassVar[str] = UNKNOWN_ANSWER
    recipes: ClassVar[Mapping[str, Recipe]] = {"vqa": RECIPE, "caption": CAPTIONS}
    writes: ClassVar[bool] = True
    sees_pixels: ClassVar[bool] = False

    def __init__(
        self,
        checkpoint: Checkpoint,
        placement: Placement,
        tokenizer: Tokenizer,
        runtime: Runtime,
        *,
        learns: bool = False,
    ) -> None:
        folder = checkpoint.folder
        self.checkpoint, self.placement, self.tokenizer, self.runtime = checkpoint, placement, tokenizer, runtime
        self.seen = Seen(Encoder(folder / "encoder.onnx", placement.threads))
        self.prompts = Prompts(tokenizer, int(checkpoint.config["max_tokens"]), learns=learns)
        self.hints = Hints.load(folder / "classes.json", tokenizer)
        self.expert = Expert(folder / "classes.json", tokenizer)
        self.calibration = Calibration.load(folder / "calibration.json")
        self.vocabulary = ()

    @classmethod
    def load(cls, checkpoint: Checkpoint, placement: Placement) -> Self:
        missing = [name for name in (*FILES, "look.onnx", "decode.onnx") if not (checkpoint.folder / name).is_file()]
        if missing:
            raise ModelError(f"no {missing[0]}", where=checkpoint.name, hint="a seesay-mini is written by seesay train")
        tokenizer = Tokenizer.load(checkpoint.folder / "tokenizer.json")
        return cls(checkpoint, placement, tokenizer, OnnxRuntime(checkpoint.folder, placement.threads))

    @classmethod
    def fine_tune(cls, checkpoint: Checkpoint, placement: Placement, vocabulary: Sequence[str], seed: int) -> Self:
        import_torch()
        from ..mini.learner import open_learner

        tokenizer = Tokenizer.load(checkpoint.folder / "tokenizer.json")
        old = len(tokenizer)
        tokenizer = tokenizer.with_answers(vocabulary)
        learner = open_learner(checkpoint.folder, tokenizer, old, seed)
        model = cls(checkpoint, Placement("cpu", "float32"), tokenizer, learner, learns=True)
        model.calibration = Calibration({}, [])
        model.seen.keep_on_disk()
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

    @property
    def fits(self) -> Scaling | None:
        return fits

    def prepare(self, examples: Sequence[Example], *, normalize: Callable[[str], str] | None = None) -> Batch:
        sources = [_only_picture(example) for example in examples]
        digests = [digest_image(source) for source in sources]
        unique = list(dict.fromkeys(digests))
        tensors: dict[str, Any] = dict(self.seen(unique, dict(zip(digests, sources, strict=True))))
        tensors["hints"], tensors["chances"] = self.hints(tensors.pop("logits"))
        tensors["picture"] = numpy.array([unique.index(digest) for digest in digests], numpy.int64)
        prompts = self.prompts([example.question for example in examples])
        if normalize is None:
            return Batch({**tensors, "prompts": prompts}, tuple((digest,) for digest in digests))
        import torch

        learned = {name: torch.from_numpy(part) for name, part in tensors.items()}
        learned |= self.prompts.lessons([self.prompts.lesson(example, normalize) for example in examples])
        return Batch(learned | {"prompts": prompts}, tuple((digest,) for digest in digests))

    @property
    def encoding(self) -> str:
        look = hashlib.sha256((self.checkpoint.folder / "look.onnx").read_bytes()).hexdigest()
        return f"mini-{self.seen.encoder.identity}-{look[:16]}"

    def encode(self, images: Sequence[ImageSource]) -> list[Encoded]:
        """Packed are the memory (M, D) in half precision, then the names that the encoder sees and their probabilities. The
        vector is the mean of the grid's cells and the token of the whole picture."""
        batch = self.prepare([Example((image,)) for image in images])
        memory = self._memory(batch.tensors)
        vectors = numpy.concatenate([memory[:, :CELLS].mean(1), memory[:, CELLS]], axis=1)
        vectors /= numpy.linalg.norm(vectors, axis=1, keepdims=True)
        packed = [
            kept.tobytes() + names.astype(numpy.int32).tobytes() + chances.astype(numpy.float32).tobytes()
            for kept, names, chances in zip(
                memory.astype(numpy.float16), batch.tensors["hints"], batch.tensors["chances"], strict=True
            )
        ]
        return [
            Encoded(digests[0], packed[index], vectors[index])
            for digests, index in zip(batch.digests, batch.tensors["picture"].tolist(), strict=True)
        ]

    def prepare_encoded(self, encoded: Sequence[Encoded], questions: Sequence[str]) -> Batch:
        row = numpy.dtype(
            [
                ("memory", numpy.float16, (CELLS + 1 + HINTS, int(self.checkpoint.config["dim"]))),
                ("hints", numpy.int32, HINTS),
                ("chances", numpy.float32, HINTS),
            ]
        )
        rows = numpy.frombuffer(b"".join(one.features for one in encoded), row)
        tensors = {
            "memory": rows["memory"].astype(numpy.float32),
            "hints": rows["hints"].astype(numpy.int64),
            "chances": rows["chances"].copy(),
            "picture": numpy.arange(len(encoded)),
            "prompts": self.prompts(questions),
        }
        return Batch(tensors, tuple((one.digest,) for one in encoded))

    def predict(self, batch: Batch, top_k: int) -> list[tuple[Candidate, ...]]:
        tensors = {name: numpy.asarray(batch.tensors[name]) for name in ("hints", "chances", "picture")}
        memory, prompts = self._memory(batch.tensors), batch.tensors["prompts"]
        sure = self._sure_answers(prompts, memory, tensors["picture"]) if top_k == 1 else {}
        answers: list[tuple[Candidate, ...]] = []
        for row, (prompt, index) in enumerate(zip(prompts, tensors["picture"].tolist(), strict=True)):
            if not prompt:
                answers.append((Candidate(UNKNOWN_ANSWER, 1.0),))
                continue
            seen = (tensors["hints"][index], tensors["chances"][index])
            pairs = sure.get(row) or self._search(prompt, memory[index : index + 1], seen, top_k)
            kind = KINDS[-1] if len(prompt) == 1 else kind_of(pairs[0][0])
            best = self.calibration(kind, pairs[0][1])
            # What was measured is how often the *best* answer is right; the others keep their own probability.
            others = (Candidate(text, min(chance, best)) for text, chance in pairs[1:])
            candidates = (Candidate(pairs[0][0], best), *others)
            if self.calibrated:
                candidates = self.expert.heard(prompt, candidates, pairs[0][1], self._named(tensors, index))
            answers.append(candidates[:top_k])
        return answers

    def _named(self, tensors: Mapping[str, Any], picture: int) -> list[tuple[str, float]]:
        """The names that the encoder sees in a picture of a batch, with their probabilities."""
        names = [self.tokenizer.tokens[name] for name in tensors["hints"][picture].tolist()]
        return list(zip(names, tensors["chances"][picture].tolist(), strict=True))

    def log_odds(self, batch: Batch, answer: str, other: str) -> list[float]:
        """Of one-token answers they are those of their tokens. Where the encoder surely sees the one thing that is asked for,
        which it does in photographs, a yes has at least SEEN."""
        tokens = [self.tokenizer.encode(text) for text in (answer, other)]
        if any(len(ids) > 1 for ids in tokens):
            return super().log_odds(batch, answer, other)
        memory, pictures = self._memory(batch.tensors), batch.tensors["picture"]
        by_prompt: dict[tuple[int, ...], list[int]] = {}
        for row, prompt in enumerate(batch.tensors["prompts"]):
            by_prompt.setdefault(tuple(prompt), []).append(row)
        if () in by_prompt:
            raise TextError(
                Note("the question is not understood", "not_understood"),
                hint="it holds a word that this model does not know",
            )
        found = numpy.zeros(len(pictures))
        for prompt, rows in by_prompt.items():
            asked = pictures[rows]
            seen = memory if numpy.array_equal(asked, numpy.arange(len(memory))) else memory[asked]
            # One question of many pictures: what does not hang on the picture is computed once.
            logits = self.runtime.decode(numpy.array([prompt]), seen)[:, 0]
            found[rows] = logits[:, tokens[0][0]] - logits[:, tokens[1][0]]
            if self.calibrated and (answer, other) == ("yes", "no"):
                seen_names = (batch.tensors["hints"][asked], batch.tensors["chances"][asked])
                sure = self.expert.sees(prompt, *seen_names, found[rows])
                found[rows] = numpy.where(sure, numpy.maximum(found[rows], SEEN), found[rows])
        return found.tolist()

    def likelihood_ratios(self, log_odds: Sequence[float]) -> list[float] | None:
        if not self.calibration.presence:
            return None
        odds, ratios = zip(*self.calibration.presence, strict=True)
        found: list[float] = numpy.interp(log_odds, odds, ratios).tolist()
        return found

    def demand(self, precision: float) -> float:
        if not self.calibration.presence:
            return super().demand(precision)
        demanded = self.calibration.demand(precision)
        if demanded > 1:
            best = self.calibration.promises[-1][0]
            hint = f"--precision {best}; or --limit, which gives the best ones"
            raise ModelError(
                f"so high a precision was never measured: {precision}", where=self.checkpoint.name, hint=hint
            )
        return demanded

    def score(self, batch: Batch, answers: Sequence[str]) -> list[float]:
        memory = self._memory(batch.tensors)
        scores = []
        hints, chances = (numpy.asarray(batch.tensors[name]) for name in ("hints", "chances"))
        for prompt, picture, answer in zip(
            batch.tensors["prompts"], batch.tensors["picture"].tolist(), answers, strict=True
        ):
            if not prompt:  # not understood, as in `_answer`
                scores.append(float(answer == UNKNOWN_ANSWER))
                continue
            reply = [*self.tokenizer.encode(answer), self.tokenizer.ids[END]][: self._room(prompt)]
            seen, total = (hints[picture], chances[picture]), 0.0
            for index, token in enumerate(reply):
                ids = numpy.array([[*prompt, *reply[:index]]], numpy.int64)
                total += float(self._next(ids, memory[picture : picture + 1], seen)[0, token])
            scores.append(float(numpy.exp(total / (len(reply) if len(prompt) == 1 else 1))))
        return scores

    def count_tokens(self, text: str) -> int:
        return len(self.tokenizer.encode(text))

    def save(self, folder: Path) -> None:
        if isinstance(self.runtime, OnnxRuntime):
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
        prompt, reply = self.prompts.lesson(example, normalize)
        learned = [*reply, self.tokenizer.ids[END]]
        return tuple(
            (self.tokenizer.tokens[token], place >= len(prompt)) for place, token in enumerate([*prompt, *learned])
        )

    def asks_for_caption(self, question: str) -> bool:
        return is_caption(question)

    def why_unknown(self, question: str) -> Note:
        words = self.tokenizer.unknown_words(question)
        if not words:
            return super().why_unknown(question)
        return Note("this model does not know the word {word!r}", "unknown_word", word=words[0])

    def _memory(self, tensors: Mapping[str, Any]) -> Array:
        """(P, M, D): what the decoder reads of the pictures of a batch."""
        if "memory" in tensors:
            kept: Array = tensors["memory"]
            return kept
        return self.runtime.look(*(numpy.asarray(tensors[name]) for name in FEATURES))

    def _sure_answers(
        self, prompts: Sequence[list[int]], memory: Array, pictures: Array
    ) -> dict[int, list[tuple[str, float]]]:
        """By row the answers of `_search` that can be told without one: most, and several times faster."""
        by_length: dict[int, list[int]] = {}
        for row, prompt in enumerate(prompts):
            if len(prompt) > 1 and self._room(prompt) > 1:  # neither a caption nor what was not understood
                by_length.setdefault(len(prompt), []).append(row)
        known: dict[int, list[tuple[str, float]]] = {}
        for rows in by_length.values():
            seen = memory[pictures[rows]]

            def step(asked: Array, ids: Array, seen: Array = seen) -> Array:
                return self.runtime.decode(ids, seen[asked], last=2)

            ids = numpy.array([prompts[row] for row in rows], numpy.int64)
            for row, found in zip(rows, sure_answers(step, ids, self.tokenizer.ids[END]), strict=True):
                text = "" if found is None else self.tokenizer.decode(found.ids)
                if found is not None and text:
                    known[row] = [(text, float(numpy.exp(found.log_probability)))]
        return known

    def _search(
        self, prompt: list[int], memory: Array, seen: tuple[Array, Array], top_k: int
    ) -> list[tuple[str, float]]:
        """Answers and their probabilities (of captions a token's mean), the best first, each text once. `seen` are the ids of
        the encoder's names, and their probabilities."""
        is_caption = len(prompt) == 1
        beams = min(max(BEAMS, top_k), MOST_BEAMS)
        found = beam_search(
            lambda ids: self._next(ids, memory, seen), prompt, self.tokenizer.ids[END], beams, self._room(prompt)
        )
        if is_caption:  # longer ones are not less likely for being longer
            found.sort(key=lambda answer: -answer.per_token)
        pairs: dict[str, float] = {}
        for answer in found:
            text = self.tokenizer.decode(answer.ids)
            if text and (text != UNKNOWN_ANSWER or not pairs):
                pairs.setdefault(text, float(numpy.exp(answer.per_token if is_caption else answer.log_probability)))
        return list(pairs.items()) or [(UNKNOWN_ANSWER, 0.0)]

    def _next(self, ids: Array, memory: Array, seen: tuple[Array, Array]) -> Array:
        """ids (B, T), memory (1, M, D) -> log-probabilities (B, vocabulary) of the next token."""
        chances = log_softmax(self.runtime.decode(ids, memory)[:, 0])
        is_caption = ids[0, 0] == self.tokenizer.ids[CAPTION]
        # One that is calibrated was measured as it is, and hears the encoder afterwards.
        return self.expert.name(chances, *seen) if is_caption and not self.calibrated else chances

    def _room(self, prompt: list[int]) -> int:
        """Tokens of the longest answer after `prompt`."""
        return min(LONGEST, int(self.checkpoint.config["max_tokens"]) - len(prompt))


def _only_picture(example: Example) -> ImageSource:
    if len(example.images) != 1:
        raise InputError(f"seesay-mini takes one picture a question, not {len(example.images)}", where=example.origin)
    return example.images[0]
