"""A chat model of SmolVLM-256M's size: five questions about one picture, its first token, and 32 tokens.

One at a time with plain transformers, and ours: the picture is prepared and looked at once, and what was read up to the end of
it is not read again. Preparing is part of it on both sides; nothing is kept from one turn to the next. A picture is one tile
of 512 pixels. The export is made in the first run, which takes some minutes more.
"""

from typing import Any

from .sides import ceilings, in_turns, one_thread, photo
from .sizes import QUESTIONS, WORK, checkpoint

TOKENS = 5
LONG = 32
ROUNDS = 3


def measure() -> dict[str, object]:
    folder = str(checkpoint("smolvlm-256m"))
    one_thread()
    import torch
    import transformers
    from PIL import Image

    from seesay import models
    from seesay.models.chat_asking import Asking
    from seesay.models.checkpoint import find
    from seesay.models.memory import Memory
    from seesay.settings import AskSettings
    from seesay.types import Example

    picture = photo(WORK, 640, 427)
    plain: Any = transformers.SmolVLMForConditionalGeneration.from_pretrained(folder).eval()
    asking = Asking.of(find(folder))
    families: dict[str, Any] = {"torch, exact": models.load(AskSettings(model=folder, engine="torch", dtype="float32"))}
    for numbers in ("float32", "auto"):
        family: Any = models.load(AskSettings(model=folder, engine="onnx", dtype=numbers))
        families[f"onnx {family.placement.dtype}"] = family

    def guide(questions: tuple[str, ...], tokens: int) -> None:
        for question in questions:
            text = asking.template.prompt(asking.conversation(Example((picture,), question)))
            with Image.open(picture) as image:
                inputs = asking.processor(text=[text], images=[[image.convert("RGB")]], return_tensors="pt")
            with torch.inference_mode():
                plain.generate(**inputs, max_new_tokens=tokens, min_new_tokens=tokens, do_sample=False)

    def ours(family: Any, questions: tuple[str, ...], tokens: int) -> None:
        family.recall = Memory()
        if hasattr(family, "images"):
            family.images.forget()
        family.generation = AskSettings(max_new_tokens=tokens)
        for question in questions:
            family.predict(family.prepare([Example((picture,), question)]), 1)

    result: dict[str, Any] = {}
    for name, questions, tokens in (
        ("five questions", QUESTIONS, TOKENS), ("first token", QUESTIONS[:1], 1), (f"{LONG} tokens", QUESTIONS[:1], LONG)
    ):  # fmt: skip
        ways: dict[str, Any] = {"transformers": lambda questions=questions, tokens=tokens: guide(questions, tokens)}
        for way, family in families.items():
            ways[way] = lambda family=family, questions=questions, tokens=tokens: ours(family, questions, tokens)
        result[name] = {"ways": in_turns(ways, ROUNDS)}
    return {"threads": 1, "tokens": TOKENS, "ceilings_gflops": ceilings(), **result}
