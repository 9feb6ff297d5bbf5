"""The processor of a chat checkpoint: with torchvision the ordinary one, without it one for pictures alone.

Processors of models that also watch videos hold a video processor, which needs torchvision, and cannot be built without
(Qwen2-VL, SmolVLM, LLaVA-OneVision and others raise ImportError). Here they are then built with none; what they do with
pictures and text is the same code.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from ..errors import InputError, ModelError
from .checkpoint import Checkpoint, import_torch

VIDEOS = "video_processor"
NAMED_IN = ("processor_config.json", "preprocessor_config.json", "tokenizer_config.json")
"""The files that may name the processor's class, in the order transformers looks."""


def read_chat_processor(checkpoint: Checkpoint) -> Any:
    """Tokenizer, image processor and how they go together, as a transformers processor.

    Raises:
        ModelError: files are missing or cannot be used, or the checkpoint is for sound.
    """
    import_torch()
    from transformers import AutoProcessor, PreTrainedTokenizerBase, ProcessorMixin

    if "audio_tokenizer" in _json(checkpoint, NAMED_IN[0]):
        # It names another repository, whose weights would be loaded unguarded.
        raise ModelError("its processor has an audio tokenizer, which is not opened", where=checkpoint.name)
    kind = _class(checkpoint)
    try:
        if find_spec("torchvision") is None and kind is not None and VIDEOS in kind.get_attributes():
            processor = _without_videos(kind, checkpoint)
        else:
            processor = AutoProcessor.from_pretrained(checkpoint.folder, trust_remote_code=False)
    except (OSError, ValueError, TypeError, AttributeError, ImportError) as error:
        hint = "a checkpoint needs its preprocessor_config.json or processor_config.json and its tokenizer files"
        found = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise ModelError(f"no usable processor: {found}", where=checkpoint.name, hint=hint) from None
    if not isinstance(processor, ProcessorMixin) or getattr(processor, "image_processor", None) is None:
        raise ModelError("no processor for pictures and text in this checkpoint", where=checkpoint.name)
    tokenizer = processor.tokenizer
    if not isinstance(tokenizer, PreTrainedTokenizerBase):
        found = type(tokenizer).__name__
        raise ModelError(f"a tokenizer of another kind ({found})", where=checkpoint.name, hint="tokenizer.json")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return processor


def processed(
    processor: Any,
    texts: Sequence[str],
    pictures: Sequence[Sequence[Any]],
    *,
    side: str = "left",
    **more: Any,
) -> dict[str, Any]:
    """Tensors of a batch of rendered texts and of the pictures that stand in each.

    Args:
        pictures: PIL images, those of each text in order.
        side: where texts that are shorter than the longest are padded.
        more: further arguments of this processor.

    Raises:
        InputError: the processor refuses them; its own error is the cause.
    """
    import torch

    start = processor.tokenizer.bos_token
    # A template that writes the first token itself, as the processor's own apply_chat_template has it.
    without = {"add_special_tokens": False} if start and texts[0].startswith(start) else {}
    try:
        made = processor(
            text=list(texts),
            images=[list(row) for row in pictures] if any(pictures) else None,
            # Tokens as lists: PaliGemma's processor looks at them in a way that warns of tensors.
            text_kwargs={"padding": True, "padding_side": side, **without},
            images_kwargs={"return_tensors": "pt"},
            **more,
        )
    except (ValueError, TypeError, IndexError) as error:
        raise InputError(f"the processor of this model: {error}", where="conversation") from error
    return {key: torch.as_tensor(value) for key, value in made.items()}


def _class(checkpoint: Checkpoint) -> Any:
    """The processor's class, or None where neither a file nor transformers knows one."""
    import transformers
    from transformers.models.auto.processing_auto import PROCESSOR_MAPPING_NAMES

    named = (_json(checkpoint, file).get("processor_class") for file in NAMED_IN)
    name = next(filter(None, named), None) or PROCESSOR_MAPPING_NAMES.get(checkpoint.model_type)
    return getattr(transformers, str(name), None)


def _without_videos(kind: Any, checkpoint: Checkpoint) -> Any:
    from transformers import AutoImageProcessor, AutoTokenizer

    def check(self: Any, name: str, argument: Any) -> Any:
        return None if name == VIDEOS else kind.check_argument_for_proper_class(self, name, argument)

    module: Any = sys.modules[kind.__module__]
    if getattr(module, "num2words", "") is None:
        # SmolVLM counts the frames of a video in words, and insists on the package that does.
        module.num2words = str
    readers = {"image_processor": AutoImageProcessor, "tokenizer": AutoTokenizer}
    more = [name for name in kind.get_attributes() if name not in (*readers, VIDEOS)]
    if more:
        raise ModelError(f"its processor needs torchvision, and a {more[0]}", where=checkpoint.name)
    parts = [
        readers[name].from_pretrained(checkpoint.folder, trust_remote_code=False) if name in readers else None
        for name in kind.get_attributes()
    ]
    settings, _ = kind.get_processor_dict(checkpoint.folder)
    image_only: Any = type(kind.__name__, (kind,), {"check_argument_for_proper_class": check})
    return image_only.from_args_and_dict(parts, settings)


def _json(checkpoint: Checkpoint, file: str) -> dict[str, Any]:
    path = checkpoint.folder / file
    try:
        value = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError as error:
        raise ModelError(f"{file} is not JSON: {error}", where=checkpoint.name) from None
    return value if isinstance(value, dict) else {}
