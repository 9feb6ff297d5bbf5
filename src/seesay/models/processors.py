"""The configuration, the image processor and the tokenizer of a checkpoint that writes, read so that nothing is made up.

Knows nothing of networks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import ModelError
from .checkpoint import Checkpoint, import_torch

TOKENIZER_FILES = ("tokenizer.json", "vocab.txt", "vocab.json", "tokenizer.model", "spiece.model")


def read_config(checkpoint: Checkpoint, config: Any, architectures: Sequence[str]) -> Any:
    """The checkpoint's configuration, where its architecture is one that writes.

    Args:
        config: the configuration class of transformers.

    Raises:
        ModelError: it was saved with another head, or config.json cannot be used.
    """
    if checkpoint.architecture not in architectures:
        # transformers would build the head that is asked for, with random weights.
        found = checkpoint.architecture or "no architecture named"
        hint = f"what can: {', '.join(architectures)}"
        raise ModelError(f"this checkpoint cannot write answers ({found})", where=checkpoint.name, hint=hint)
    import_torch()
    try:
        return config.from_dict(dict(checkpoint.config))
    except (TypeError, ValueError, KeyError) as error:
        raise ModelError(f"config.json cannot be used: {error}", where=checkpoint.name) from None


def read_processor(kind: Any, checkpoint: Checkpoint, subfolder: str = "", **more: Any) -> Any:
    """An image processor or a tokenizer of the class `kind`, from the checkpoint's files; `more` goes to the class.

    Classes are named one by one: the automatic ones take seconds to import, and choose torchvision where it is installed,
    whose resizing gives other pixels than the ones the published checkpoints were trained on.

    Raises:
        ModelError: files are missing or cannot be used.
    """
    folder = checkpoint.folder / subfolder
    if "Image" not in kind.__name__ and not any((folder / name).is_file() for name in TOKENIZER_FILES):
        # Without them, transformers would make a tokenizer that knows next to nothing.
        raise ModelError("no tokenizer", where=f"{checkpoint.name}/{subfolder}".rstrip("/"), hint="tokenizer.json")
    try:
        return kind.from_pretrained(folder, **more)
    except (OSError, ValueError, TypeError) as error:
        hint = "a checkpoint needs its preprocessor_config.json or processor_config.json and its tokenizer files"
        found = str(error).splitlines()[0]
        raise ModelError(f"no usable processor: {found}", where=checkpoint.name, hint=hint) from None
