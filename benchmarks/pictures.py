"""From a JPEG to pixel values, and one question over many pictures, decoding included: the processor's way and ours."""

from functools import partial
from typing import Any

from .sides import ceilings, in_turns, one_thread, photo
from .sizes import ENGINES, QUESTIONS, WORK, checkpoint

PICTURES = 6
SIZES = {"0.3 megapixels": (640, 480), "12 megapixels": (4000, 3000)}


def measure() -> dict[str, object]:
    folder = str(checkpoint("vilt-b32"))
    one_thread()
    import numpy
    import torch
    from PIL import Image
    from transformers import BertTokenizer, ViltForQuestionAnswering
    from transformers.models.vilt.image_processing_pil_vilt import ViltImageProcessorPil

    from seesay import answering, models
    from seesay.models.memory import Memory
    from seesay.settings import AskSettings
    from seesay.types import Example

    images, tokenizer = ViltImageProcessorPil.from_pretrained(folder), BertTokenizer.from_pretrained(folder)
    plain = ViltForQuestionAnswering.from_pretrained(folder).eval()
    families: dict[str, Any] = {
        label: models.load(AskSettings(model=folder, engine=engine, dtype=numbers))
        for engine, numbers, label in ENGINES
    }
    result, export = dict[str, Any](), families["onnx int8"]
    for label, size in SIZES.items():
        files = [photo(WORK, *size, seed) for seed in range(PICTURES)]

        def prepare(file: Any) -> Any:
            with Image.open(file) as image:
                return images(image.convert("RGB"), return_tensors="pt")

        def guide(files: Any = files) -> None:
            words = tokenizer(QUESTIONS[1], return_tensors="pt")
            for file in files:
                with torch.inference_mode():
                    plain(**words, **prepare(file)).logits.argmax()

        def ours(family: Any, files: Any = files) -> None:
            family._memory = Memory()
            list(answering.answer(family, [Example((file,), QUESTIONS[1]) for file in files], batch_size=1))

        def prepared(export: Any, files: Any = files) -> None:
            export._memory = Memory()
            export.prepare([Example((files[0],), "")])

        ways = {"transformers": partial(prepare, files[0]), "ours": partial(prepared, export)}
        result[f"prepare, {label}"] = {"ways": in_turns(ways, 7)}
        wanted = prepare(files[0]).pixel_values[0].numpy()
        found = export.prepare([Example((files[0],), "")]).tensors["pixel_values"][0]
        result[f"prepare, {label}"]["mean_difference_of_255"] = round(
            float(numpy.abs(wanted - found).mean() * 127.5), 3
        )
        ways = {"transformers": guide} | {name: lambda family=family: ours(family) for name, family in families.items()}
        result[f"{PICTURES} pictures, one question, {label}"] = {"ways": in_turns(ways, 2)}
    return {"threads": 1, "ceilings_gflops": ceilings(), **result}
