"""A caption of 20 tokens by a GIT of the published size, and its first token: plain transformers and ours."""

from typing import Any

from .sides import ceilings, in_turns, one_thread, photo
from .sizes import ENGINES, WORK, checkpoint


def measure() -> dict[str, object]:
    folder = str(checkpoint("git-base"))
    one_thread()
    import torch
    import transformers
    from PIL import Image
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    from seesay import models
    from seesay.models.memory import Memory
    from seesay.settings import AskSettings
    from seesay.types import Example

    picture, images = photo(WORK, 640, 427), CLIPImageProcessorPil.from_pretrained(folder)
    plain: Any = transformers.GitForCausalLM.from_pretrained(folder).eval()
    families: dict[str, Any] = {
        label: models.load(AskSettings(model=folder, engine=engine, dtype=numbers))
        for engine, numbers, label in ENGINES
    }

    def guide(tokens: int) -> None:
        with Image.open(picture) as image:
            pixels = images(image.convert("RGB"), return_tensors="pt").pixel_values
        with torch.inference_mode():
            plain.generate(pixel_values=pixels, max_new_tokens=tokens, min_new_tokens=tokens)

    def ours(family: Any, tokens: int) -> None:
        family.recall, family._memory = Memory(), Memory()
        family.generation = AskSettings(max_new_tokens=tokens)
        family.predict(family.prepare([Example((picture,))]), 1)

    result: dict[str, Any] = {}
    for tokens in (1, 20):
        ways: dict[str, Any] = {"transformers": lambda tokens=tokens: guide(tokens)}
        for name, family in families.items():
            ways[name] = lambda family=family, tokens=tokens: ours(family, tokens)
        result["first token" if tokens == 1 else f"{tokens} tokens"] = {"ways": in_turns(ways, 7)}
    return {"threads": 1, "ceilings_gflops": ceilings(), **result}
