"""Five questions about one picture, GIT and BLIP at their published sizes: one at a time with plain transformers, and ours.

Ours is handed all five at once: the picture is prepared and encoded once, on every engine. Five tokens are written for each,
because random weights know no end. Preparing is part of it on both sides; nothing is kept from one turn to the next.
"""

from typing import Any

from .sides import ceilings, in_turns, one_thread, photo
from .sizes import ENGINES, QUESTIONS, WORK, checkpoint

TOKENS = 5


def measure() -> dict[str, object]:
    one_thread()
    limit = ceilings()
    return {
        "threads": 1,
        "tokens": TOKENS,
        "ceilings_gflops": limit,
        **{name: _one(name) for name in ("git-base", "blip-vqa-base")},
    }


def _one(name: str) -> dict[str, Any]:
    folder = str(checkpoint(name))
    import torch
    import transformers
    from PIL import Image
    from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    from seesay import models
    from seesay.models.memory import Memory
    from seesay.settings import AskSettings
    from seesay.types import Example

    picture = photo(WORK, 640, 427)
    tokenizer = transformers.BertTokenizer.from_pretrained(folder)
    if name == "git-base":
        images: Any = CLIPImageProcessorPil.from_pretrained(folder)
        plain: Any = transformers.GitForCausalLM.from_pretrained(folder).eval()
    else:
        images = BlipImageProcessorPil.from_pretrained(folder)
        plain = transformers.BlipForQuestionAnswering.from_pretrained(folder).eval()

    def guide() -> None:
        for question in QUESTIONS:
            with Image.open(picture) as image:
                pixels = images(image.convert("RGB"), return_tensors="pt").pixel_values
            ids = tokenizer(question, return_tensors="pt", add_special_tokens=name != "git-base").input_ids
            if name == "git-base":
                ids = torch.cat([torch.tensor([[tokenizer.cls_token_id]]), ids], dim=1)
            with torch.inference_mode():
                plain.generate(pixel_values=pixels, input_ids=ids, max_new_tokens=TOKENS)

    ways: dict[str, Any] = {"transformers": guide}
    for engine, numbers, label in ENGINES:
        family: Any = models.load(AskSettings(model=folder, engine=engine, dtype=numbers, max_new_tokens=TOKENS))

        def ours(family: Any = family) -> None:
            family.recall, family._memory = Memory(), Memory()
            family.predict(family.prepare([Example((picture,), question) for question in QUESTIONS]), 1)

        ways[label] = ours
    return {"ways": in_turns(ways, 3)}
