"""LoRA: a network's weights stay as they are, and what is learned are two thin matrices beside each of some of them.

Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022, by peft. The second matrix starts at zero, so
training starts at the network as it was. What is saved is a plain checkpoint with the products added to its weights, and
beside it in `adapter/` the matrices alone, as peft reads them: from these a run goes on, to the bit.

Over quantized weights (QLoRA; Dettmers et al., NeurIPS 2023) there is no plain checkpoint: what was learned makes up for the
errors of quantizing too, and belongs to the weights as they are held. The matrices are saved alone then, and in `base.json` what
they belong to.

It knows no architecture; a family says which of its layers get adapters.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import MissingExtra, ModelError, RunError
from .checkpoint import EXTRA, Checkpoint, Placement

if TYPE_CHECKING:
    import torch

FOLDER = "adapter"
WEIGHTS = "adapter_model.safetensors"
BASE = "base.json"
SCALE = 2
"""lora_alpha by rank: the products count this much, whatever the rank."""


@dataclass(frozen=True, slots=True)
class Base:
    """The weights that adapters belong to, as they were held."""

    model: str
    """A Hub repository, or the absolute path of a folder."""
    revision: str
    quantize: str
    dtype: str

    @classmethod
    def of(cls, checkpoint: Checkpoint, placement: Placement) -> Base:
        """What a loaded checkpoint is as a base."""
        local = Path(checkpoint.name).expanduser().is_dir()
        name, revision = (str(checkpoint.folder), "") if local else (checkpoint.name, checkpoint.revision)
        return cls(name, revision, placement.quantize, placement.dtype)

    @classmethod
    def read(cls, checkpoint: Checkpoint) -> Base | None:
        """The base that a checkpoint of adapters alone names; None for one that has all its weights.

        Raises:
            ModelError: the file that names it is damaged.
        """
        path = checkpoint.folder / BASE
        if not path.is_file():
            return None
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError):
            raise ModelError(f"{BASE} is damaged", where=checkpoint.name, hint="download or train it again") from None

    def write(self, folder: Path) -> None:
        """Name it in a folder."""
        (folder / BASE).write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")


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
        with _quiet():
            self._adapted = peft.get_peft_model(network, settings)
        if network.dtype == torch.float32:
            # Under autocast rows come in bfloat16. peft would widen them to the matrices' float32, for autocast to narrow
            # them again: the same numbers, and a tenth of a step.
            for module in network.modules():
                if isinstance(module, peft.tuners.tuners_utils.BaseTunerLayer):
                    module.cast_input_dtype_enabled = False
        settings.base_model_name_or_path = base if not Path(base).exists() else Path(base).resolve().name

    @classmethod
    def opened(cls, network: Any, folder: Path) -> Adapter:
        """Those in the `adapter/` of `folder`, put into a network, which they are not learned in any more.

        Raises:
            ModelError: they cannot be read, or are another network's.
        """
        peft = _import_peft()
        adapter = cls.__new__(cls)
        adapter._network = network
        try:
            with _quiet():
                adapter._adapted = peft.PeftModel.from_pretrained(network, str(folder / FOLDER))
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            found = str(error).splitlines()[0]
            raise ModelError(f"its adapters cannot be read: {found}", where=str(folder)) from None
        return adapter

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


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        # peft asks transformers for something by its old name.
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        yield


def _import_peft() -> Any:
    if find_spec("peft") is None:
        raise MissingExtra("--lora", EXTRA)
    import peft

    return peft
