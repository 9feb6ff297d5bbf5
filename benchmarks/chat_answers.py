"""One chat model on every engine: five questions about one picture, its first token, and a longer answer.

One at a time with plain transformers, and ours: the picture is prepared and looked at once, and what was read up to the end of
it is not read again. Preparing is part of it on both sides; nothing is kept from one turn to the next. The export is made in
the first run, which takes some minutes more.
"""

from pathlib import Path
from typing import Any

from .sides import ceilings, in_turns, one_thread
from .sizes import QUESTIONS, checkpoint


def compare(name: str, picture: Path, *, tokens: int = 5, long: int = 32, rounds: int = 3) -> dict[str, object]:
    """What a topic's `measure` gives, of the checkpoint `name` of `sizes`.

    Args:
        tokens: of each of the five answers.
        long: of the longer answer.
    """
    folder = str(checkpoint(name))
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

    plain: Any = transformers.AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32).eval()
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
    for work, questions, count in (
        ("five questions", QUESTIONS, tokens), ("first token", QUESTIONS[:1], 1), (f"{long} tokens", QUESTIONS[:1], long)
    ):  # fmt: skip
        ways: dict[str, Any] = {"transformers": lambda questions=questions, count=count: guide(questions, count)}
        for way, family in families.items():
            ways[way] = lambda family=family, questions=questions, count=count: ours(family, questions, count)
        result[work] = {"ways": in_turns(ways, rounds)}
    return {"threads": 1, "tokens": tokens, "ceilings_gflops": ceilings(), **result}
