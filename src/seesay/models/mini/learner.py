"""The trained part of `seesay-mini` under torch, to be trained further. Imported inside functions only.

The encoder stays frozen; what is learned are the decoder, the layers that look at the features, and the embeddings.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from ..family import IGNORED
from .network import MiniConfig, MiniNetwork
from .onnx_export import export
from .runtime import FEATURES
from .tokenizer import Tokenizer

WEIGHTS = "model.safetensors"
Array = numpy.ndarray[Any, Any]


class Learner(nn.Module):
    """The network with its loss, and as a runtime for evaluations in between."""

    accepts_loss_kwargs = True
    """The Trainer says over how many tokens to take the mean, so that accumulated batches are one large one."""

    def __init__(self, network: MiniNetwork) -> None:
        super().__init__()
        self.mini = network

    @property
    def engine(self) -> str:
        return f"torch {torch.__version__}"

    @property
    def network(self) -> Learner:
        return self

    def forward(self, *, num_items_in_batch: Any = None, **tensors: Any) -> dict[str, torch.Tensor]:
        """Tensors of `Mini.prepare` with labels -> the mean cross-entropy over the tokens that are learned."""
        memory = self.mini.look(*(tensors[name] for name in FEATURES))
        states = self.mini.decode(tensors["ids"], memory, tensors["picture"])
        learned = tensors["labels"] != IGNORED
        logits = self.mini.logits(states[learned]).float()
        labels = tensors["labels"][learned]
        loss = nn.functional.cross_entropy(logits, labels, label_smoothing=0.02, reduction="sum")
        return {"loss": loss / (len(labels) if num_items_in_batch is None else num_items_in_batch)}

    def look(self, *features: Array) -> Array:
        tensors = (torch.from_numpy(part) for part in features)
        with torch.inference_mode():
            memory: Array = self.mini.eval().look(*tensors).numpy()
        return memory

    def decode(self, ids: Array, memory: Array, last: int = 1) -> Array:
        with torch.inference_mode():
            rows = max(len(ids), len(memory))
            picture = torch.zeros(rows, dtype=torch.int64) if len(memory) == 1 else None
            states = self.mini.eval().decode(torch.from_numpy(ids).expand(rows, -1), torch.from_numpy(memory), picture)
            logits: Array = self.mini.logits(states[:, -last:]).numpy()
        return logits


def open_learner(folder: Path, tokenizer: Tokenizer, old: int, seed: int) -> Learner:
    """The weights in `folder`; tokens from `old` on are new and start as the mean of what they are spelled with."""
    torch.manual_seed(seed)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config.pop("model_type")
    network = MiniNetwork(MiniConfig(**{**config, "vocabulary": len(tokenizer)}))
    weights = {name: value.float() for name, value in load_file(folder / WEIGHTS).items()}
    fresh = network.embedding.weight.detach().clone()
    embedding = "mini.embedding.weight"
    fresh[:old] = weights[embedding][:old]
    before = Tokenizer(tokenizer.names, tokenizer.words, tokenizer.synonyms)
    for index in range(old, len(tokenizer)):
        pieces = [piece for piece in before.encode(tokenizer.tokens[index]) if piece < old]
        fresh[index] = 0.5 * fresh[index] + 0.5 * weights[embedding][pieces].mean(0)
    weights[embedding] = fresh
    learner = Learner(network)
    learner.load_state_dict(weights)
    return learner


def save_learner(learner: Learner, folder: Path) -> None:
    """Weights for training further, and the two ONNX files that answer."""
    was_training = learner.training
    save_file({name: value.detach().clone() for name, value in learner.state_dict().items()}, folder / WEIGHTS)
    export(learner.mini.eval(), folder)
    learner.train(was_training)
