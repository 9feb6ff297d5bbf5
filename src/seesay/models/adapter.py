"""LoRA: a network's weights stay as they are, and what is learned are two thin matrices beside each of some of them.

Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022, by peft. The second matrix starts at zero, so
training starts at the network as it was. What is saved is a plain checkpoint with the products added to its weights, and
beside it in `adapter/` the matrices alone, as peft reads them: from these a run goes on, to the bit.

It knows no architecture; a family says which of its layers get adapters.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import MissingExtra, RunError
from .checkpoint import EXTRA

if TYPE_CHECKING:
    import torch

FOLDER = "adapter"
WEIGHTS = "adapter_model.safetensors"
SCALE = 2
"""lora_alpha by rank: the products count this much, whatever the rank."""


class Adapter:
    """Adapters inside a network.

    Args:
        network: a transformers network; its layers are replaced in place, and all its weights stop learning.
        blocks: prefixes of names; every linear layer below one of them gets an adapter.
        rank: columns of the first matrix, rows of the second.
        base: the name of the checkpoint, which peft notes.
        trained: parts that learn all their weights, because they are new.

    Raises:
        MissingExtra: peft is not installed.
    """

    def __init__(
        self, network: Any, blocks: Sequence[str], rank: int, seed: int, base: str, trained: Sequence[str] = ()
    ) -> None:
        import torch

        peft = _import_peft()
        layers = [name for name, module in network.named_modules() if isinstance(module, torch.nn.Linear)]
        settings = peft.LoraConfig(
            r=rank,
            lora_alpha=SCALE * rank,
            target_modules=[name for name in layers if name.startswith(tuple(blocks))],
            modules_to_save=list(trained) or None,
        )
        torch.manual_seed(seed)
        self._network = network
        with warnings.catch_warnings():
            # peft asks transformers for something by its old name.
            warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
            self._adapted = peft.get_peft_model(network, settings)
        settings.base_model_name_or_path = base if not Path(base).exists() else Path(base).resolve().name

    def merged(self) -> dict[str, torch.Tensor]:
        """The network's weights with the products added, under the names that it had before."""
        added = {
            name: module.get_delta_weight("default")
            for name, module in self._network.named_modules()
            if hasattr(module, "get_delta_weight")
        }
        weights: dict[str, torch.Tensor] = {}
        for name, value in self._network.state_dict().items():
            if ".lora_" in name or ".original_module." in name:
                continue
            layer, _, rest = name.rpartition(".base_layer.")
            if rest == "weight":
                value = value + added[layer].to(value.dtype)
            weights[name.replace(".base_layer.", ".").replace(".modules_to_save.default.", ".")] = value
        return weights

    def save(self, folder: Path) -> None:
        """Write `adapter/` into `folder`."""
        self._adapted.save_pretrained(str(folder / FOLDER), save_embedding_layers=False)
        (folder / FOLDER / "README.md").unlink(missing_ok=True)  # a form that nobody filled in

    def restore(self, folder: Path) -> None:
        """Take the matrices in the `adapter/` of `folder`.

        Raises:
            RunError: there are none, or of another shape.
        """
        from safetensors.torch import load_file

        try:
            weights = load_file(folder / FOLDER / WEIGHTS)
            found = _import_peft().set_peft_model_state_dict(self._adapted, weights)
        except (OSError, RuntimeError) as error:
            raise RunError(f"its adapters cannot be read: {error}", where=str(folder)) from None
        if found.unexpected_keys:
            raise RunError(
                f"its adapters are not this model's, such as {found.unexpected_keys[0]!r}", where=str(folder)
            )


def save_network(network: Any, adapter: Adapter | None, folder: Path) -> None:
    """The network as a plain checkpoint, its adapters added and beside it."""
    if adapter is None:
        network.save_pretrained(folder)
        return
    network.save_pretrained(folder, state_dict=adapter.merged())
    adapter.save(folder)


def _import_peft() -> Any:
    if find_spec("peft") is None:
        raise MissingExtra("--lora", EXTRA)
    import peft

    return peft
