"""Recipes: the training settings whose right values depend on what is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The training settings whose right values depend on where the training starts. The defaults are those of Hugging
    Face's guide to visual question answering; configurations from scratch bring their own."""

    num_train_epochs: float = 20.0
    per_device_train_batch_size: int = 4
    gradient_accumulation_steps: int = 1
    learning_rate: float = 5e-5
    lr_scheduler_type: Literal["linear", "cosine", "constant_with_warmup", "warmup_stable_decay"] = "linear"
    warmup_ratio: float = 0.0
    weight_decay: float = 0.0
    adam_beta2: float = 0.999
    augment: Literal["none", "shift"] = "none"
    open_questions_first: float = 0.0
    eval_steps: int = 200
    save_total_limit: int = 2
    logging_steps: int = 50


GUIDES = {
    "vqa": Recipe(),
    "caption": Recipe(
        num_train_epochs=50.0,
        per_device_train_batch_size=32,
        gradient_accumulation_steps=2,
        eval_steps=50,
        save_total_limit=3,
    ),
    "chat": Recipe(
        num_train_epochs=3.0,
        per_device_train_batch_size=1,
        gradient_accumulation_steps=16,
        learning_rate=2e-5,
        lr_scheduler_type="cosine",
        warmup_ratio=0.03,
        eval_steps=100,
        logging_steps=10,
    ),
}
"""By task: Hugging Face's guides to visual question answering and to image captioning; for conversations learning rate, schedule
and batch are about those of LLaVA-1.5's fine-tuning (github.com/haotian-liu/LLaVA, scripts/v1_5)."""
LORA_LEARNING_RATE = 2e-4
"""Of adapters in a model that chats, as LLaVA-1.5's finetune_lora.sh has it."""
