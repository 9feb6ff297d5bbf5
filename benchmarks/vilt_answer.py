"""An answer of a ViLT-B/32: plain transformers, as its guide does it, and ours on every engine; batches of 1 and 8.

Pictures are prepared before and the network alone is measured; preparing them is in `pictures`. Weights are random. Errors are
the largest of a logit, beside the logits' deviation.
"""

from typing import Any

from .sides import ceilings, flops_of, in_turns, one_thread, photo
from .sizes import ENGINES, QUESTIONS, WORK, Ways, checkpoint

OPENVINO: Ways = (("openvino", "float32", "openvino float32"), ("openvino", "bfloat16", "openvino bfloat16"))


def measure() -> dict[str, object]:
    folder = str(checkpoint("vilt-b32"))
    one_thread()
    import numpy
    import torch
    from PIL import Image
    from transformers import BertTokenizer, ViltForQuestionAnswering, ViltProcessor
    from transformers.models.vilt.image_processing_pil_vilt import ViltImageProcessorPil

    from seesay import models
    from seesay.models.runtime import installed
    from seesay.settings import AskSettings
    from seesay.types import Example

    processor = ViltProcessor(ViltImageProcessorPil.from_pretrained(folder), BertTokenizer.from_pretrained(folder))
    plain = ViltForQuestionAnswering.from_pretrained(folder).eval()
    ours: dict[str, Any] = {
        label: models.load(AskSettings(model=folder, engine=engine, dtype=numbers))
        for engine, numbers, label in ENGINES + (OPENVINO if installed("openvino") else ())
    }
    picture, limit, result = photo(WORK, 640, 427), ceilings(), dict[str, Any]()
    for size in (1, 8):
        asked = [QUESTIONS[index % len(QUESTIONS)] for index in range(size)]
        with Image.open(picture) as image:
            pixels = image.convert("RGB")
            inputs = processor([pixels] * size, asked, padding=True, return_tensors="pt")

        def transformers(inputs: Any = inputs) -> Any:
            with torch.inference_mode():
                return plain(**inputs).logits

        ways: dict[str, Any] = {"transformers": transformers}
        for name, family in ours.items():
            batch = family.prepare([Example((picture,), question) for question in asked])
            ways[name] = lambda family=family, batch=batch: family.predict(batch, 1)
        flops = flops_of(transformers)
        rows = in_turns(ways, 7 if size == 1 else 3, flops=flops, limit=limit["float32_onednn"] * 1e9)
        wanted = transformers().numpy()
        for name, family in ours.items():
            batch = family.prepare([Example((picture,), question) for question in asked])
            logits = family.logits(batch).numpy() if "torch" in name else family.found(batch, ())
            rows[name]["largest_error"] = float(f"{numpy.abs(logits - wanted).max():.2g}")
        result[f"batch {size}"] = {
            "gflop": round(flops / 1e9, 1),
            "logit_deviation": round(float(wanted.std()), 3),
            "ways": rows,
        }
    return {"threads": 1, "ceilings_gflops": limit, **result}
