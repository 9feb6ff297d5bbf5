"""A small ViLT whose weights are a formula, so that every version of torch and transformers builds the same one, and the
recorder of what transformers' v4 pipeline says about it.

Recorded once with transformers 4.57.6:  python tests/vilt_by_formula.py tests/parity/v4_pipeline.json
"""

import json
import sys
from pathlib import Path

WORDS = "what is the color of this picture ? how many are there a red blue green".split()
LETTERS = [*"abcdefghijklmnopqrstuvwxyz", *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz")]
ANSWERS = ["yes", "no", "red", "blue", "green", "2", "a dog"]
QUESTIONS = ["What is the color of this picture?", "How many are there?"]


def build(folder: Path, answers: list[str] | None = ANSWERS) -> Path:
    """Save the checkpoint as a Hub repository looks, old and new names of the processor's file alike.

    Without `answers` it is the base model that the guide starts from: a masked-language head instead of answers.
    """
    import torch
    from transformers import BertTokenizerFast, ViltConfig, ViltForMaskedLM, ViltForQuestionAnswering

    folder.mkdir(parents=True, exist_ok=True)
    tokens = dict.fromkeys(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *LETTERS])
    (folder / "vocab.txt").write_text("\n".join(tokens) + "\n", encoding="utf-8")
    labels = answers or []
    config = ViltConfig(
        vocab_size=len(tokens), hidden_size=48, num_hidden_layers=3, num_attention_heads=4, intermediate_size=96,
        image_size=96, patch_size=16, hidden_act="gelu", id2label=dict(enumerate(labels)),
        label2id={answer: index for index, answer in enumerate(labels)},
    )  # fmt: skip
    network = (ViltForQuestionAnswering if answers else ViltForMaskedLM)(config)
    with torch.no_grad():
        for number, (name, parameter) in enumerate(sorted(network.named_parameters())):
            wave = torch.sin(torch.arange(parameter.numel(), dtype=torch.float64) * 1.7 + number)
            scale, offset = (0.1, 1.0) if "norm" in name.lower() and name.endswith("weight") else (0.25, 0.0)
            parameter.copy_((wave * scale + offset).reshape(parameter.shape).float())
    network.save_pretrained(folder)
    BertTokenizerFast(vocab_file=str(folder / "vocab.txt"), vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    preprocessor = {
        "image_processor_type": "ViltImageProcessor", "do_resize": True, "size": {"shortest_edge": 96},
        "size_divisor": 16, "resample": 3, "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True,
        "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "do_pad": True,
    }  # fmt: skip
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor), encoding="utf-8")
    return folder


def pictures(folder: Path) -> list[Path]:
    """Three pictures of different shapes, made by formula."""
    import numpy
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for index, (width, height) in enumerate([(120, 90), (90, 160), (200, 200)]):
        y, x, channel = numpy.meshgrid(range(height), range(width), range(3), indexing="ij")
        values = 127 + 127 * numpy.sin(x / (5 + index) + channel) * numpy.cos(y / (7 + index))
        paths.append(folder / f"{index}.png")
        Image.fromarray(values.astype(numpy.uint8)).save(paths[-1])
    return paths


def record(target: Path) -> None:
    """Write what transformers' own v4 pipeline answers, for every shape of call."""
    import tempfile

    from PIL import Image
    from transformers import pipeline

    with tempfile.TemporaryDirectory() as scratch:
        oracle = pipeline("visual-question-answering", model=str(build(Path(scratch) / "model")))
        files = [str(path) for path in pictures(Path(scratch) / "pictures")]
        first, second = QUESTIONS
        answers = {
            "keywords": oracle(image=files[0], question=first),
            "positional": oracle(files[0], first),
            "top_k": oracle(files[0], first, top_k=1),
            "top_k_beyond_vocabulary": oracle(files[0], first, top_k=100),
            "pil": oracle(Image.open(files[1]), second),
            "dict": oracle({"image": files[0], "question": first}),
            "list_of_dicts": oracle([{"image": file, "question": second} for file in files], top_k=2),
            "pictures_one_question": oracle(files, first, top_k=2),
            "one_picture_questions": oracle(files[2], QUESTIONS, top_k=2),
            "pictures_and_questions": oracle(files, QUESTIONS, top_k=2),
            "generator": list(oracle(({"image": file, "question": first} for file in files), top_k=3)),
            "list_of_one": oracle([{"image": files[0], "question": first}], top_k=2),
            "batch_size": oracle([{"image": files[0], "question": q} for q in (first, first)], top_k=2, batch_size=2),
        }
    target.write_text(json.dumps(answers, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    record(Path(sys.argv[1]))
