"""Trains `seesay-mini` on the corpus: all questions about a picture at once over the cached features of the frozen encoder.

Beside the answers it learns from what the corpus knows about each cell of the grid (which thing, of what color), which
the questions alone would teach slowly. Pictures that no drawing shows are imitated: a class of ImageNet is moved along its
own classifier weights until the encoder is as sure of it as it is of photographs, so that the decoder learns to say
what only the encoder has seen. It knows nothing of how the pictures were made.

The loop is a plain one and not `seesay.training`, because a step holds pictures with all of their questions; fine-tuning
by users goes through `seesay.training`.
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy
import torch
from torch import nn

from seesay.models.mini.colors import COLORS
from seesay.models.mini.network import CELLS, MiniConfig, MiniNetwork, fold
from seesay.models.mini.tokenizer import ANSWER, ASK, CAPTION, END, LETTERS, PAD, SPECIAL, Tokenizer
from seesay.models.mini.words import a, plural

from . import features
from .questions import CATEGORY, NAME, PRESENCE

HINTS = 8
EMPTY = -1
UNSEEN = -100


@dataclass(frozen=True)
class Settings:
    """How long and how."""

    minutes: float = 40.0
    """Of training; evaluations not counted. A run that is stopped goes on from its last checkpoint."""
    pictures: int = 32
    imitations: int = 4
    """Imitated photographs in a batch."""
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    warmup_steps: int = 300
    seed: int = 7
    threads: int = 2


class Names:
    """ImageNet's classes as hints: classes of one name are added up."""

    def __init__(self, classes: list[dict[str, str]], tokenizer: Tokenizer) -> None:
        self.classes = classes
        names = sorted({c["name"] for c in classes})
        self.ids = numpy.array([tokenizer.ids[name] for name in names])
        self.sum = numpy.zeros((len(classes), len(names)), numpy.float32)
        for index, c in enumerate(classes):
            self.sum[index, names.index(c["name"])] = 1.0

    def __call__(self, logits: numpy.ndarray[Any, Any]) -> tuple[numpy.ndarray[Any, Any], numpy.ndarray[Any, Any]]:
        """(B, 1000) -> ids (B, HINTS) and their probabilities, largest first."""
        logits = logits.astype(numpy.float32)
        chances = numpy.exp(logits - logits.max(1, keepdims=True))
        named = (chances / chances.sum(1, keepdims=True)) @ self.sum
        best = numpy.argsort(-named, axis=1)[:, :HINTS]
        return self.ids[best], numpy.take_along_axis(named, best, axis=1)


class Split:
    """The rows of a split as ids, by picture."""

    def __init__(self, folder: Path, split: str, tokenizer: Tokenizer, names: Names) -> None:
        self.features = features.open_features(folder, split)
        self.images = features.pictures(folder, split)
        index = {image: number for number, image in enumerate(self.images)}
        self.rows: list[list[tuple[str, list[int], list[int]]]] = [[] for _ in self.images]
        cache: dict[str, list[int]] = {}
        for line in (folder / f"{split}.jsonl").open():
            row = json.loads(line)
            kind, question, answer = (
                ("caption", "", row["caption"])
                if "caption" in row
                else (row["question_type"], row["question"], row["answer"])
            )
            ids = [cache[t] if t in cache else cache.setdefault(t, tokenizer.encode(t)) for t in (question, answer)]
            self.rows[index[row["image"]]].append((kind, ids[0], ids[1]))
        self.cells = numpy.full((len(self.images), CELLS), EMPTY, numpy.int16)
        self.colors = numpy.full((len(self.images), CELLS), EMPTY, numpy.int16)
        self.centers = numpy.zeros((len(self.images), CELLS), numpy.float32)
        self.whole = numpy.full(len(self.images), UNSEEN, numpy.int64)
        for number, line in enumerate((folder / f"{split}.objects.jsonl").open()):
            self._locate(number, json.loads(line), tokenizer)
        self.hints, self.chances = [], []
        for start in range(0, len(self.images), 2048):
            ids, chances = names(features.parts(self.features[start : start + 2048])["logits"])
            self.hints.append(ids)
            self.chances.append(chances)
        self.hints, self.chances = numpy.concatenate(self.hints), numpy.concatenate(self.chances)

    def __len__(self) -> int:
        return len(self.images)

    def _locate(self, number: int, fact: dict[str, Any], tokenizer: Tokenizer) -> None:
        """Cells whose center lies in a thing's box belong to the thing with the nearest center."""
        for cell in range(CELLS):
            x, y = (cell % 7 + 0.5) * 32, (cell // 7 + 0.5) * 32
            over = [o for o in fact["objects"] if o["box"][0] <= x < o["box"][2] and o["box"][1] <= y < o["box"][3]]
            if over:
                near = min(
                    over, key=lambda o: abs(o["box"][0] + o["box"][2] - 2 * x) + abs(o["box"][1] + o["box"][3] - 2 * y)
                )
                self.cells[number, cell] = tokenizer.ids[near["name"]]
                self.colors[number, cell] = tokenizer.ids[near["color"]] if near["color"] else EMPTY
        for thing in fact["objects"]:
            x, y = (thing["box"][0] + thing["box"][2]) / 64, (thing["box"][1] + thing["box"][3]) / 64
            self.centers[number, min(6, int(y)) * 7 + min(6, int(x))] += 1
        if len(fact["objects"]) == 1:
            self.whole[number] = tokenizer.ids[fact["objects"][0]["name"]]


class Imitator:
    """Features that look to the decoder as those of a photograph of a given ImageNet class might."""

    def __init__(
        self, encoder_weights: Path, classes: list[dict[str, str]], tokenizer: Tokenizer, names: Names
    ) -> None:
        weights = torch.load(encoder_weights, weights_only=True)
        self.weight, self.bias = weights["_fc.weight"].float(), weights["_fc.bias"].float()
        self.direction = self.weight - self.weight.mean(0)
        self.classes, self.tokenizer, self.names = classes, tokenizer, names
        self.categories = sorted({c["category"] for c in classes} - {""})

    def make(
        self, base: torch.Tensor, random: numpy.random.Generator
    ) -> tuple[torch.Tensor, numpy.ndarray, numpy.ndarray, list[int]]:
        """base (B, 1280) pooled features of any pictures -> pooled, hints, chances, classes."""
        chosen = random.integers(0, len(self.classes), len(base)).tolist()
        strength = torch.from_numpy(random.uniform(2.0, 9.0, (len(base), 1))).float()
        direction = nn.functional.normalize(self.direction[chosen], dim=1)
        pooled = (0.6 * base + strength * direction).clamp(min=0)
        logits = pooled @ self.weight.T + self.bias
        hints, chances = self.names(logits.numpy())
        return pooled, hints, chances, chosen

    def ask(self, index: int, random: numpy.random.Generator) -> list[tuple[str, list[int], list[int]]]:
        """Rows about a picture of that class."""
        c = self.classes[index]
        other = self.classes[int(random.integers(len(self.classes)))]
        present = random.random() < 0.5
        asked = c["name"] if present else other["name"]
        template = str(random.choice(PRESENCE))
        rows = [("name", str(random.choice(NAME)), c["name"]), ("caption", "", a(c["name"])),
                ("presence", template.format(name=asked, a_name=a(asked), names=plural(asked)), "yes" if asked == c["name"] else "no")]  # fmt: skip
        if c["category"]:
            category = c["category"] if random.random() < 0.5 else str(random.choice(self.categories))
            words = str(random.choice(CATEGORY)).format(a_category=a(category), categories=plural(category))
            rows.append(("category", words, "yes" if category == c["category"] else "no"))
        return [(kind, self.tokenizer.encode(q), self.tokenizer.encode(answer)) for kind, q, answer in rows]


def train(folder: Path, run: Path, encoder_weights: Path, settings: Settings, evaluate_every: int = 1500) -> None:
    """Train into `run`; prints a line a measurement, keeps the last checkpoint in `run/mini.pt`."""
    torch.set_num_threads(settings.threads)
    tokenizer = Tokenizer.load(run / "tokenizer.json")
    classes = json.loads((run / "classes.json").read_text())
    names = Names(classes, tokenizer)
    data, held = Split(folder, "train", tokenizer, names), Split(folder, "validation", tokenizer, names)
    first = len(SPECIAL) + len(LETTERS)
    config = MiniConfig(len(tokenizer), len(tokenizer.names), first)
    (run / "config.json").write_text(json.dumps({"model_type": "seesay-mini", **asdict(config)}, indent=1))
    torch.manual_seed(settings.seed)
    network = MiniNetwork(config)
    _standardize(network, data)
    teacher = Teacher(network, config)
    imitator = Imitator(encoder_weights, classes, tokenizer, names)
    decay = [p for p in teacher.parameters() if p.ndim > 1]
    plain = [p for p in teacher.parameters() if p.ndim <= 1]
    groups = [{"params": decay, "weight_decay": settings.weight_decay}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=settings.learning_rate, betas=(0.9, 0.98), fused=True)
    step, spent, order, position = 0, 0.0, numpy.zeros(0, int), 0
    checkpoint = run / "mini.pt"
    if checkpoint.is_file():
        state = torch.load(checkpoint, weights_only=True)
        teacher.load_state_dict(state["teacher"])
        optimizer.load_state_dict(state["optimizer"])
        step, spent = state["step"], state["spent"]
    begun = step
    random = numpy.random.default_rng([settings.seed, step])
    shown: dict[str, float] = {}
    log = (run / "train.log").open("a")
    while spent < settings.minutes * 60:
        started = time.perf_counter()
        if position + settings.pictures > len(order):
            order, position = random.permutation(len(data)), 0
        chosen = numpy.sort(order[position : position + settings.pictures])
        position += settings.pictures
        share = spent / (settings.minutes * 60)
        rate = (
            settings.learning_rate
            * min(1, (step - begun + 1) / settings.warmup_steps)
            * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share)))
        )
        for group in optimizer.param_groups:
            group["lr"] = rate
        batch = _batch(data, chosen, tokenizer, random, imitator, settings.imitations)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            losses = teacher(batch)
        loss = sum(losses.values())
        loss.backward()
        nn.utils.clip_grad_norm_(teacher.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        for name, value in losses.items():
            shown[name] = 0.98 * shown.get(name, float(value.detach())) + 0.02 * float(value.detach())
        step += 1
        spent += time.perf_counter() - started
        if step % 250 == 0:
            text = " ".join(f"{name} {value:.3f}" for name, value in shown.items())
            _say(
                log,
                f"step {step} {spent / 60:.1f} min {step * settings.pictures / len(data):.2f} passes lr {rate:.1e} {text}",
            )
        if step % evaluate_every == 0 or spent >= settings.minutes * 60:
            _say(
                log,
                " ".join(f"{kind} {value:.3f}" for kind, value in score(network, held, tokenizer, limit=2500).items()),
            )
            state = {"teacher": teacher.state_dict(), "optimizer": optimizer.state_dict(), "step": step, "spent": spent}
            torch.save(state, checkpoint.with_suffix(".partial"))
            checkpoint.with_suffix(".partial").rename(checkpoint)


class Teacher(nn.Module):
    """The network and the losses that teach it."""

    def __init__(self, network: MiniNetwork, config: MiniConfig) -> None:
        super().__init__()
        self.network = network
        self.config = config
        self.cell_name = nn.Linear(config.dim, config.dim)
        self.cell_color = nn.Linear(config.dim, config.dim)
        self.whole_name = nn.Linear(config.dim, config.dim)
        self.center = nn.Linear(config.dim, 1)
        self.empty = nn.Parameter(torch.zeros(1, config.dim))

    def forward(self, batch: dict[str, Any]) -> dict[str, torch.Tensor]:
        network, config = self.network, self.config
        memory = network.look(*(batch[name] for name in ("fine", "coarse", "pooled", "colors", "hints", "chances")))
        names = network.embedding.weight[config.first_name : config.first_name + config.names]
        table = torch.cat([self.empty, names])  # row 0 is "nothing here"
        cells = nn.functional.linear(self.cell_name(memory[:, :CELLS]), table).float()
        losses = {
            "cell": 0.5
            * nn.functional.cross_entropy(cells.flatten(0, 1), batch["cells"].flatten(), ignore_index=UNSEEN)
        }
        words = network.embedding.weight[batch["color_ids"]]
        colors = nn.functional.linear(self.cell_color(memory[:, :CELLS]), words).float()
        losses["color"] = 0.3 * nn.functional.cross_entropy(
            colors.flatten(0, 1), batch["cell_colors"].flatten(), ignore_index=UNSEEN
        )
        whole = nn.functional.linear(self.whole_name(memory[:, CELLS]), names).float()
        losses["whole"] = (
            0.5
            * nn.functional.cross_entropy(whole, batch["whole"], ignore_index=UNSEEN, reduction="sum")
            / max(1, int((batch["whole"] != UNSEEN).sum()))
        )
        centers = self.center(memory[:, :CELLS]).float().squeeze(-1)
        known = (batch["centers"] >= 0).float()
        gap = nn.functional.binary_cross_entropy_with_logits(centers, batch["centers"].clamp(0, 1), reduction="none")
        losses["center"] = 2.0 * (gap * known).sum() / known.sum()
        total = 0.0
        for group in batch["text"]:
            states = network.decode(group["ids"], memory, group["picture"])
            asked = group["weights"] > 0
            logits = network.logits(states[asked]).float()
            loss = nn.functional.cross_entropy(logits, group["targets"][asked], reduction="none", label_smoothing=0.02)
            total = total + (loss * group["weights"][asked]).sum()
        losses["answer"] = total / batch["rows"]
        return losses


def _batch(
    data: Split,
    chosen: numpy.ndarray,
    tokenizer: Tokenizer,
    random: numpy.random.Generator,
    imitator: Imitator | None,
    imitations: int,
) -> dict[str, Any]:
    parts = {
        name: torch.from_numpy(part.astype(numpy.float32))
        for name, part in features.parts(data.features[chosen]).items()
    }
    hints, chances = data.hints[chosen], data.chances[chosen].copy()
    chances[random.random(len(chosen)) < 0.15] = 0.0
    rows = [(number, *row) for number, picture in enumerate(chosen) for row in data.rows[picture]]
    first = len(SPECIAL) + len(LETTERS)
    cells, colors = data.cells[chosen].astype(numpy.int64), data.colors[chosen].astype(numpy.int64)
    color_ids = numpy.array([tokenizer.ids[word] for word in COLORS])
    position = {int(index): number for number, index in enumerate(color_ids)}
    cells = numpy.where(cells == EMPTY, 0, cells - first + 1)
    colors = numpy.vectorize(lambda index: position.get(int(index), UNSEEN))(colors)
    centers = data.centers[chosen]
    whole = numpy.where(data.whole[chosen] == UNSEEN, UNSEEN, data.whole[chosen] - first)
    if imitator is not None and imitations:
        base = parts["pooled"][torch.from_numpy(random.integers(0, len(chosen), imitations))]
        pooled, new_hints, new_chances, classes = imitator.make(base, random)
        # The grid of a photograph is like none of the drawings': nothing at all, or noise.
        noise = torch.from_numpy(random.integers(0, 2, (imitations, 1, 1, 1))).float()
        for name in ("fine", "coarse", "colors"):
            spread = parts[name].std(dim=(0, 2, 3), keepdim=True)
            drawn = torch.randn(imitations, *parts[name].shape[1:]) * spread * noise + parts[name].mean(
                dim=(0, 2, 3), keepdim=True
            )
            parts[name] = torch.cat([parts[name], drawn])
        parts["pooled"] = torch.cat([parts["pooled"], pooled])
        hints, chances = numpy.concatenate([hints, new_hints]), numpy.concatenate([chances, new_chances])
        blank = numpy.full((imitations, CELLS), UNSEEN)
        centers = numpy.concatenate([centers, numpy.full((imitations, CELLS), -1, numpy.float32)])
        cells, colors = numpy.concatenate([cells, blank]), numpy.concatenate([colors, blank])
        whole = numpy.concatenate([whole, [tokenizer.ids[imitator.classes[c]["name"]] - first for c in classes]])
        rows += [(len(chosen) + n, *row) for n, c in enumerate(classes) for row in imitator.ask(c, random)]
    batch: dict[str, Any] = {name: parts[name] for name in ("fine", "coarse", "pooled", "colors")}
    batch |= {
        "hints": torch.from_numpy(hints),
        "chances": torch.from_numpy(chances).float(),
        "cells": torch.from_numpy(cells),
    }
    batch |= {
        "cell_colors": torch.from_numpy(colors),
        "whole": torch.from_numpy(whole),
        "color_ids": torch.from_numpy(color_ids),
    }
    rows.sort(key=lambda row: len(row[2]) + len(row[3]))
    batch["text"] = [
        _text(group, tokenizer) for group in (rows[: len(rows) * 2 // 3], rows[len(rows) * 2 // 3 :]) if group
    ]
    batch["centers"] = torch.from_numpy(centers)
    batch["rows"] = len(rows)
    return batch


def _text(rows: list[tuple[int, str, list[int], list[int]]], tokenizer: Tokenizer) -> dict[str, torch.Tensor]:
    """[ask] question [answer] answer [end], shifted by one; weight only where an answer is predicted."""
    ask, caption, answer, end, pad = (tokenizer.ids[token] for token in (ASK, CAPTION, ANSWER, END, PAD))
    texts = [([caption] if kind == "caption" else [ask, *q, answer], reply) for _, kind, q, reply in rows]
    length = max(len(q) + len(reply) for q, reply in texts)
    ids = torch.full((len(rows), length), pad)
    targets, weights = torch.full((len(rows), length), pad), torch.zeros(len(rows), length)
    for number, (question, reply) in enumerate(texts):
        ids[number, : len(question) + len(reply)] = torch.tensor(question + reply)
        start = len(question) - 1
        targets[number, start : start + len(reply) + 1] = torch.tensor([*reply, end])
        weights[number, start : start + len(reply) + 1] = 0.35 if rows[number][1] == "caption" else 1.0
    return {"ids": ids, "targets": targets, "weights": weights, "picture": torch.tensor([row[0] for row in rows])}


@torch.inference_mode()
def score(network: MiniNetwork, data: Split, tokenizer: Tokenizer, limit: int = 0) -> dict[str, float]:
    """Share of rows whose answer greedy decoding gives to the letter, by type (teacher forcing finds the same)."""
    network.eval()
    right: dict[str, list[bool]] = {}
    random = numpy.random.default_rng(0)
    chosen = numpy.sort(random.permutation(len(data))[: limit or len(data)])
    for start in range(0, len(chosen), 64):
        group = chosen[start : start + 64]
        parts = {
            name: torch.from_numpy(part.astype(numpy.float32))
            for name, part in features.parts(data.features[group]).items()
        }
        hints, chances = torch.from_numpy(data.hints[group]), torch.from_numpy(data.chances[group]).float()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            memory = network.look(parts["fine"], parts["coarse"], parts["pooled"], parts["colors"], hints, chances)
            rows = [(number, *row) for number, picture in enumerate(group) for row in data.rows[picture]]
            rows.sort(key=lambda row: len(row[2]) + len(row[3]))
            text = _text(rows, tokenizer)
            logits = network.logits(network.decode(text["ids"], memory, text["picture"]))
        same = (logits.argmax(-1) == text["targets"]) | (text["weights"] == 0)
        for row, good in zip(rows, same.all(1).tolist(), strict=True):
            right.setdefault(row[1], []).append(good)
    network.train()
    return {kind: sum(values) / len(values) for kind, values in sorted(right.items())}


def _standardize(network: MiniNetwork, data: Split) -> None:
    sample = features.parts(data.features[:: max(1, len(data) // 2000)])
    fine, coarse = (torch.from_numpy(sample[name].astype(numpy.float32)) for name in ("fine", "coarse"))
    grid = torch.cat([fold(fine), coarse], dim=1)
    network.grid_mean.copy_(grid.mean(dim=(0, 2, 3)))
    network.grid_scale.copy_(1 / (grid.std(dim=(0, 2, 3)) + 1e-3))
    pooled = torch.from_numpy(sample["pooled"].astype(numpy.float32))
    network.pooled_mean.copy_(pooled.mean(0))
    network.pooled_scale.copy_(1 / (pooled.std(0) + 0.05))


def _say(log: Any, text: str) -> None:
    print(text, flush=True)
    log.write(text + "\n")
    log.flush()
