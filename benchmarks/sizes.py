"""Checkpoints of the published sizes with random weights, which cost the same as trained ones, saved as the Hub has them.

They, and the exports made of them, lie in `runs/benchmarks`, so that a measurement that is repeated does not make them again.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeAlias

WORK = Path(__file__).parent.parent / "runs/benchmarks"
PICTURES = Path(__file__).parent.parent / "examples/pictures"
Ways: TypeAlias = tuple[tuple[Literal["torch", "onnx", "openvino"], Literal["auto", "float32", "bfloat16"], str], ...]
ENGINES: Ways = (
    ("torch", "auto", "torch, exact"),
    ("onnx", "float32", "onnx float32"),
    ("onnx", "auto", "onnx int8"),
)
"""Ours: engine, numbers, and how rows name them."""
WORDS = "what is in the picture ? there a dog on left of table color it how many cat red who why".split()
QUESTIONS = (
    "What is in the picture?",
    "Is there a dog on the left of the table?",
    "What color is the cat?",
    "How many?",
    "Who is in it?",
)


def checkpoint(name: str) -> Path:
    """The folder of one of the `MAKERS`, made where it is not there."""
    folder = WORK / name
    if not (folder / "done").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        MAKERS[name](folder)
        (folder / "done").touch()
    os.environ["SEESAY_CACHE"] = str(WORK / "cache")
    return folder


def tokenizer(folder: Path, *more: str, longest: int = 512) -> None:
    """BERT's, of as many words as the published one."""
    from transformers import BertTokenizer

    known = ["[PAD]", *(f"[unused{index}]" for index in range(99)), "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    known += [f"word{index}" for index in range(30522 - len(known))]
    words = {word: index for index, word in enumerate([*known, *more])}
    BertTokenizer(vocab=words, model_max_length=longest).save_pretrained(folder)


def vilt(folder: Path) -> None:
    import torch
    from transformers import ViltConfig, ViltForQuestionAnswering
    from transformers.models.vilt.image_processing_pil_vilt import ViltImageProcessorPil

    torch.manual_seed(0)
    answers = {f"answer {index}": index for index in range(3129)}
    config = ViltConfig(id2label={index: answer for answer, index in answers.items()}, label2id=answers)
    ViltForQuestionAnswering(config).save_pretrained(folder)
    tokenizer(folder, longest=40)
    ViltImageProcessorPil().save_pretrained(folder)


def git(folder: Path) -> None:
    import torch
    from transformers import GitConfig, GitForCausalLM
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    torch.manual_seed(0)
    GitForCausalLM(GitConfig()).save_pretrained(folder)
    tokenizer(folder)
    square = {"height": 224, "width": 224}
    CLIPImageProcessorPil(size={"shortest_edge": 224}, crop_size=square).save_pretrained(folder)


def blip(folder: Path) -> None:
    import torch
    from transformers import BlipConfig, BlipForQuestionAnswering
    from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

    torch.manual_seed(0)
    BlipForQuestionAnswering(BlipConfig(vision_config={"image_size": 384})).save_pretrained(folder)
    tokenizer(folder, "[DEC]", "[ENC]")
    BlipImageProcessorPil().save_pretrained(folder)


def smolvlm(folder: Path) -> None:
    """As published, but pictures are one tile of 512 pixels: with seventeen of them all else would be lost in looking. Weights
    are as small as before training; larger ones make of a rounding another answer."""
    import json

    from .chat_cache import TEXT, build

    build(folder, {**TEXT, "initializer_range": 0.02})
    file = folder / "preprocessor_config.json"
    settings = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**settings, "size": {"longest_edge": 512}}), encoding="utf-8")


def qwen_vl(folder: Path) -> None:
    """The eye as published, Qwen2.5-0.5B's geometry behind it, and the words of a few control tokens."""
    import json

    import torch
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    from .chat_cache import byte_tokenizer

    controls = [
        f"<|{name}|>" for name in ("im_start", "im_end", "vision_start", "vision_end", "image_pad", "video_pad")
    ]
    fast = byte_tokenizer(folder, controls, end="<|im_end|>")
    ids = dict(zip(controls, fast.convert_tokens_to_ids(controls), strict=True))
    torch.manual_seed(0)
    config = Qwen2_5_VLConfig(
        vision_config={
            "depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "num_heads": 16, "out_hidden_size": 896,
            "patch_size": 14, "spatial_merge_size": 2, "temporal_patch_size": 2, "window_size": 112,
            "fullatt_block_indexes": [7, 15, 23, 31],
        },
        text_config={
            "hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 24, "num_attention_heads": 14,
            "num_key_value_heads": 2, "vocab_size": 151936, "max_position_embeddings": 32768, "rms_norm_eps": 1e-6,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [8, 12, 12]},
            "eos_token_id": ids["<|im_end|>"], "tie_word_embeddings": True,
        },
        image_token_id=ids["<|image_pad|>"], video_token_id=ids["<|video_pad|>"], tie_word_embeddings=True,
        vision_start_token_id=ids["<|vision_start|>"], vision_end_token_id=ids["<|vision_end|>"],
    )  # fmt: skip
    Qwen2_5_VLForConditionalGeneration(config).save_pretrained(folder)
    images = {
        "image_processor_type": "Qwen2VLImageProcessor", "processor_class": "Qwen2_5_VLProcessor", "patch_size": 14,
        "merge_size": 2, "temporal_patch_size": 2, "size": {"shortest_edge": 3136, "longest_edge": 12845056},
        "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711],
    }  # fmt: skip
    (folder / "preprocessor_config.json").write_text(json.dumps(images), encoding="utf-8")
    template = (
        "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{% for content in message['content'] %}"
        "{% if content['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ content['text'] }}"
        "{% endif %}{% endfor %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    (folder / "chat_template.jinja").write_text(template, encoding="utf-8")


MAKERS: dict[str, Callable[[Path], None]] = {
    "vilt-b32": vilt,
    "git-base": git,
    "blip-vqa-base": blip,
    "smolvlm-256m": smolvlm,
    "qwen2.5-vl-0.5b": qwen_vl,
}
