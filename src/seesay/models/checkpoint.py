"""Finding a checkpoint and reading its weights, guarded: safetensors only, no code from the repository, nothing missing.

A checkpoint is a folder as a Hub repository looks: config.json, *.safetensors, processor and tokenizer files. Names of
Hub repositories are downloaded to Hugging Face's cache first (HF_HOME, HF_HUB_OFFLINE and HF_TOKEN work as ever).

This module knows no architecture; the families do.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import MissingExtra, ModelError, ModelNotFound
from ..settings import ModelSettings
from .allocation import keep_freed_memory
from .quantize import freed_at_once, plain_tensors, quantized_arguments

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedConfig, PreTrainedModel

HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
FILES_OF_A_CHECKPOINT = ["*.json", "*.safetensors", "*.txt", "*.model", "*.jinja"]
EXTRA = "seesay[models]"
CONVERTER = "SFconvertbot"
"""The Hub's account that converts weights to safetensors and offers them as pull requests."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint that is on this machine."""

    name: str
    """As the caller wrote it."""
    folder: Path
    revision: str
    config: dict[str, Any]
    """config.json."""

    @property
    def model_type(self) -> str:
        return str(self.config.get("model_type", ""))

    @property
    def architecture(self) -> str:
        """The class that was saved, such as `ViltForQuestionAnswering`; empty where the configuration names none."""
        return str(next(iter(self.config.get("architectures") or ()), ""))

    def file(self, path: str) -> Path:
        """A file of the checkpoint that `find` did not fetch, such as a voice's preset.

        Raises:
            ModelError: there is none.
        """
        here = self.folder / path
        if here.is_file():
            return here
        if not Path(self.name).expanduser().is_dir():
            from huggingface_hub import hf_hub_download
            from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

            with suppress(HfHubHTTPError, LocalEntryNotFoundError, OSError):
                return Path(hf_hub_download(self.name, path, revision=self.revision))
        raise ModelError(f"no file {path!r}", where=self.name, hint="download the checkpoint again")


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a network computes and with which numbers, both decided."""

    device: str
    dtype: str
    quantize: str = ""
    """`int8` or `int4`, where linear layers hold their weights so."""
    threads: int = 0
    """Threads that an engine other than torch computes one batch with; 0 leaves it to the engine."""

    @property
    def numbers(self) -> str:
        """What the weights are, as an answer's provenance says it."""
        return f"{self.quantize} and {self.dtype}" if self.quantize else self.dtype


def find(name: str, revision: str = "") -> Checkpoint:
    """The checkpoint of that name: a folder with config.json, a finished run's folder, or a Hub repository.

    Raises:
        ModelNotFound: nothing of that name here or on the Hub.
        ModelError: a folder that is no checkpoint.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        return _local(name, folder)
    if not HUB_NAME.fullmatch(name) or folder.is_absolute():
        raise ModelNotFound("no such folder, and not the name of a Hub repository (owner/name)", where=name)
    return _from_hub(name, revision)


def place(settings: ModelSettings) -> Placement:
    """Decide device and dtype, and say plainly when the wish cannot be had.

    Raises:
        ModelError: the device asked for is not on this machine.
    """
    torch = import_torch()
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    device = next(kind for kind in present if present[kind]) if settings.device == "auto" else settings.device
    if not present[device]:
        here = ", ".join(kind for kind in present if present[kind])
        raise ModelError(f"no {device} device on this machine", where="--device", hint=f"here: {here}")
    if settings.dtype != "auto":
        return Placement(device, settings.dtype, settings.quantize)
    fast_bfloat16 = device == "cuda" and torch.cuda.is_bf16_supported()
    return Placement(device, "bfloat16" if fast_bfloat16 or settings.quantize else "float32", settings.quantize)


def import_torch() -> Any:
    """torch, with transformers made silent; the one place that says what to install when it is missing.

    Raises:
        MissingExtra: torch or transformers is not installed.
    """
    if find_spec("torch") is None or find_spec("transformers") is None:
        raise MissingExtra("this model", EXTRA)
    from logging import getLogger

    keep_freed_memory()
    import torch
    from transformers.utils import logging

    # What transformers would say (heads that are new, slow processors) is either an error here or said by us.
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    for name in ("torchao", "torch.utils._pytree", "bitsandbytes"):
        # transformers and peft import what quantizes where it is installed, which tells of kernels that are not here.
        getLogger(name).setLevel("ERROR")
    return torch


def load_weights(
    network: type[PreTrainedModel],
    checkpoint: Checkpoint,
    config: PreTrainedConfig,
    placement: Placement,
    *,
    fresh: Collection[str] = (),
    attention: str = "sdpa",
) -> PreTrainedModel:
    """`network` with the weights of `checkpoint`, every tensor accounted for.

    Args:
        fresh: prefixes of parameters that may be missing or of another shape; they start from random values.
        attention: implementation, `sdpa` or `eager`; never one that needs a package that may be missing.

    Raises:
        ModelError: weights are pickled, missing, of another shape, not finite, or lie outside the folder.
    """
    torch = import_torch()
    from safetensors import SafetensorError

    _refuse_unsafe_files(checkpoint)
    source: dict[str, Any] = {"pretrained_model_name_or_path": checkpoint.folder, "use_safetensors": True}
    if placement.quantize:
        source = quantized_arguments(network, config, checkpoint.folder, placement.quantize, placement.dtype)
    try:
        with freed_at_once() if placement.quantize else nullcontext():
            model, info = network.from_pretrained(
                **source,
                config=config,
                dtype=getattr(torch, placement.dtype),
                attn_implementation=attention,
                trust_remote_code=False,
                ignore_mismatched_sizes=True,
                output_loading_info=True,
            )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise ModelError("the weights cannot be read", where=checkpoint.name, hint=str(error).split("\n")[0]) from None
    mismatched = {str(entry[0]) for entry in info["mismatched_keys"]}
    wrong = sorted(
        key for key in {*info["missing_keys"], *mismatched} if not any(key.startswith(prefix) for prefix in fresh)
    )
    if wrong:
        raise ModelError(
            f"{len(wrong)} weights are missing or of another shape than config.json says, such as {wrong[0]!r}",
            where=checkpoint.name,
            hint="the checkpoint is incomplete or its config.json belongs to another model",
        )
    habits = checkpoint.folder / "generation_config.json"
    if placement.quantize and model.can_generate() and habits.is_file():
        # Weights that come without a folder come without it.
        from transformers import GenerationConfig

        model.generation_config = GenerationConfig.from_pretrained(checkpoint.folder)
    _refuse_non_finite(model, checkpoint)
    return model.to(placement.device)


def _local(name: str, folder: Path) -> Checkpoint:
    if (folder / "model" / "config.json").is_file():
        folder = folder / "model"
    if not (folder / "config.json").is_file():
        saved = sorted(path.parent.name for path in folder.glob("checkpoint-*/config.json"))
        hint = f"an unfinished run; its checkpoints: {', '.join(saved)}" if saved else "a checkpoint has a config.json"
        raise ModelError("no model in this folder", where=name, hint=hint)
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        manifest = folder / "manifest.json"
        # A seesay run writes sizes and sha256 of all its files into the manifest, whose own digest names the weights.
        revision = hashlib.sha256(manifest.read_bytes()).hexdigest() if manifest.is_file() else ""
    except (ValueError, OSError) as error:
        raise ModelError(f"config.json cannot be read: {error}", where=name) from None
    if not isinstance(config, dict):
        raise ModelError(f"config.json holds a {type(config).__name__}, not an object", where=name)
    return Checkpoint(name, folder.resolve(), revision, config)


def _from_hub(name: str, revision: str) -> Checkpoint:
    if find_spec("huggingface_hub") is None:
        raise MissingExtra("loading from the Hub", EXTRA)
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError

    try:
        folder = Path(snapshot_download(name, revision=revision or None, allow_patterns=FILES_OF_A_CHECKPOINT))
        if not revision and not any(folder.rglob("*.safetensors")):
            converted = _converted(name)
            if converted:
                folder = Path(snapshot_download(name, revision=converted, allow_patterns=FILES_OF_A_CHECKPOINT))
    except RepositoryNotFoundError:
        hint = "check the name; a private one needs HF_TOKEN"
        raise ModelNotFound("no such folder and no such Hub repository", where=name, hint=hint) from None
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError):
        hint = "check the name and the connection, or give the folder of a checkpoint"
        raise ModelNotFound("no such folder, and the Hub cannot be reached", where=name, hint=hint) from None
    local = _local(str(folder), folder)
    # The folder of a snapshot is named after the commit it holds.
    return Checkpoint(name, folder, folder.name, local.config)


def _converted(name: str) -> str:
    """The branch in which the Hub's own converter keeps pickled weights of a repository as safetensors; empty where there is
    none. Anybody can open a pull request there, so its author decides."""
    from huggingface_hub import get_repo_discussions
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    # Where the Hub cannot be asked, the weights are missing, and that is told when they are read.
    with suppress(HfHubHTTPError, OfflineModeIsEnabled, OSError):
        for found in get_repo_discussions(name, author=CONVERTER, discussion_type="pull_request"):
            if found.author == CONVERTER and found.status in ("open", "draft"):
                return str(found.git_reference)
    return ""


def _refuse_unsafe_files(checkpoint: Checkpoint) -> None:
    if not any(checkpoint.folder.glob("*.safetensors")):
        why = "only safetensors are opened, because pickled weights can run code"
        hint = f"{why}; name a converted branch with --revision, or convert with save_pretrained()"
        raise ModelError("no *.safetensors in this checkpoint", where=checkpoint.name, hint=hint)
    for index in checkpoint.folder.glob("*.safetensors.index.json"):
        shards = json.loads(index.read_text(encoding="utf-8")).get("weight_map", {}).values()
        outside = next((shard for shard in shards if Path(shard).name != shard), None)
        if outside is not None:
            raise ModelError(f"a shard lies outside the folder: {outside!r}", where=f"{checkpoint.name}/{index.name}")


def _refuse_non_finite(model: torch.nn.Module, checkpoint: Checkpoint) -> None:
    for name, parameter in model.named_parameters():
        numbers = [part for part in plain_tensors(parameter) if part.is_floating_point()]
        # Piece by piece: the check takes no memory to speak of.
        if not all(
            piece.isfinite().all() for part in numbers for piece in part.flatten().chunk(1 + part.numel() // 2**20)
        ):
            hint = "training diverged, or the file is damaged"
            raise ModelError(f"the weight {name!r} holds NaN or infinity", where=checkpoint.name, hint=hint)
