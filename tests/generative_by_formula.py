"""Small GIT, BLIP, BLIP-2 and InstructBLIP checkpoints, saved as Hub repositories look. Their weights are drawn from a seed.

Tokens that no tokenizer would write (unknown, padding, the beginning of a text) are made unlikely where the head has a
bias, so that what is written reads back as the same tokens.
"""

import json
from pathlib import Path
from typing import Any

WORDS = (
    "what is the color of this picture ? how many are there a red blue green : question answer yes no dog cat".split()
)
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
MORE = "two on sitting with man woman street photo grass table white black standing small large sky".split()
SIZE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
VISION = {**SIZE, "image_size": 32, "patch_size": 8}
CLIP = {"image_mean": [0.48, 0.46, 0.41], "image_std": [0.27, 0.26, 0.28]}
QUESTIONS = [
    "What is the color of this picture?", "how many are there", "Is there a dog on the grass?", "a", "What?",
    "is the small white cat sitting with a man on this street", "what color is the sky ?", "red",
]  # fmt: skip


def bert(folder: Path, *more: str) -> Any:
    """A BERT tokenizer of whole words and letters, saved into `folder`."""
    from transformers import BertTokenizer

    tokens = list(dict.fromkeys([*SPECIAL, *WORDS, *MORE, *more]))
    tokenizer = BertTokenizer(vocab={token: index for index, token in enumerate(tokens)})
    tokenizer.save_pretrained(folder)
    return tokenizer


def byte_pairs(folder: Path, template: str) -> Any:
    """A byte-level BPE tokenizer as OPT's, trained on these words; `template` says where </s> stands, as in "</s> $A"."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=1000, special_tokens=["<s>", "<pad>", "</s>", "<unk>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    tokenizer.train_from_iterator([f" {word}" for word in [*WORDS, *MORE] for _ in range(3)], trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single=template, special_tokens=[("</s>", 2)])
    made = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="</s>", eos_token="</s>", unk_token="</s>", pad_token="<pad>"
    )
    made.add_tokens(["<image>"], special_tokens=True)
    made.save_pretrained(folder)
    return made


def only_words(network: Any, tokenizer: Any) -> None:
    """Tokens that are no whole word get no embedding, so that they are hardly ever written; the end is."""
    import torch

    words = {tokenizer.convert_tokens_to_ids(f"Ġ{word}") for word in [*WORDS, *MORE]}
    with torch.no_grad():
        weight = network.get_output_embeddings().weight
        weight[[index for index in range(len(weight)) if index not in {2, *words}]] *= 0.01
        weight[2] *= 1.5


def preprocessor(folder: Path, kind: str) -> None:
    square: dict[str, Any] = {"height": 32, "width": 32}
    settings: dict[str, Any] = {
        "image_processor_type": kind, "do_resize": True, "size": square, "resample": 3, "do_rescale": True,
        "rescale_factor": 1 / 255, "do_normalize": True, "do_convert_rgb": True, **CLIP,
    }  # fmt: skip
    if kind == "CLIPImageProcessor":
        settings |= {"size": {"shortest_edge": 32}, "do_center_crop": True, "crop_size": square}
    (folder / "preprocessor_config.json").write_text(json.dumps(settings), encoding="utf-8")


def shake(network: Any, seed: int, scale: float = 0.3) -> None:
    """Weights wide enough that pictures and questions change what is written."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in sorted(network.named_parameters()):
            noise = torch.randn(parameter.shape, generator=generator)
            is_scale = "norm" in name.lower() and name.endswith("weight")
            parameter.copy_(1 + 0.1 * noise if is_scale else scale * noise)


def never(bias: Any, tokenizer: Any, ids: list[int], end: int, wish: float = 2.0) -> None:
    """Make tokens unlikely and the end likely enough that replies differ in length."""
    import torch

    with torch.no_grad():
        bias[ids] = -50.0
        bias[end] += wish


def git(folder: Path) -> Path:
    import torch
    from transformers import GitConfig, GitForCausalLM

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = bert(folder)
    torch.manual_seed(0)
    network = GitForCausalLM(
        GitConfig(
            vision_config=VISION, vocab_size=len(tokenizer), **SIZE, max_position_embeddings=48, pad_token_id=0,
            bos_token_id=2, eos_token_id=3,
        )
    )  # fmt: skip
    shake(network, 1)
    never(network.output.bias, tokenizer, [0, 1, 2, 4], 3)
    network.save_pretrained(folder)
    preprocessor(folder, "CLIPImageProcessor")
    return folder


def blip(folder: Path, architecture: str) -> Path:
    import torch
    import transformers

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = bert(folder, "[DEC]", "[ENC]")
    start = tokenizer.convert_tokens_to_ids("[DEC]")
    text = {
        **SIZE, "encoder_hidden_size": 32, "vocab_size": len(tokenizer), "max_position_embeddings": 48,
        "bos_token_id": start, "pad_token_id": 0, "sep_token_id": 3, "eos_token_id": 2,
    }  # fmt: skip
    torch.manual_seed(0)
    config = transformers.BlipConfig(text_config=text, vision_config=VISION, image_text_hidden_size=32)
    network = getattr(transformers, architecture)(config)
    shake(network, 3)
    never(network.text_decoder.cls.predictions.bias, tokenizer, [0, 1, 2, 4, start, start + 1], 3)
    network.save_pretrained(folder)
    preprocessor(folder, "BlipImageProcessor")
    return folder


def blip2(folder: Path, language: str = "opt", *, instruct: bool = False) -> Path:
    """With OPT as language model, or with T5; InstructBLIP where `instruct`."""
    import torch
    import transformers

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = byte_pairs(folder, "</s> $A" if language == "opt" else "$A </s>")
    text: dict[str, Any] = {"model_type": language, "vocab_size": len(tokenizer)}
    if language == "opt":
        text |= {
            "hidden_size": 32, "word_embed_proj_dim": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "ffn_dim": 64,
            "max_position_embeddings": 64, "pad_token_id": 1, "bos_token_id": 2, "eos_token_id": 2,
        }  # fmt: skip
    else:
        text |= {
            "d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4, "pad_token_id": 1, "eos_token_id": 2,
            "decoder_start_token_id": 1,
        }  # fmt: skip
    name = "InstructBlip" if instruct else "Blip2"
    reader = {**SIZE, "encoder_hidden_size": 32, "cross_attention_frequency": 1}
    if instruct:
        reader |= {"vocab_size": len(bert(folder / "qformer_tokenizer")), "max_position_embeddings": 32}
    config = getattr(transformers, f"{name}Config")(
        vision_config=VISION, qformer_config=reader, text_config=text, num_query_tokens=4,
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
    )  # fmt: skip
    torch.manual_seed(0)
    network = getattr(transformers, f"{name}ForConditionalGeneration")(config)
    shake(network, 5)
    only_words(network, tokenizer)
    network.save_pretrained(folder)
    preprocessor(folder, "BlipImageProcessor")
    settings = {"processor_class": f"{name}Processor", "num_query_tokens": 4}
    (folder / "processor_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


MAKERS: dict[str, Any] = {
    "git": git,
    "blip-vqa": lambda folder: blip(folder, "BlipForQuestionAnswering"),
    "blip-caption": lambda folder: blip(folder, "BlipForConditionalGeneration"),
    "blip2-opt": blip2,
    "blip2-t5": lambda folder: blip2(folder, "t5"),
    "instructblip-opt": lambda folder: blip2(folder, instruct=True),
    "instructblip-t5": lambda folder: blip2(folder, "t5", instruct=True),
}


def build(folder: Path) -> dict[str, Path]:
    """All of them, by name."""
    return {name: make(folder / name) for name, make in MAKERS.items()}
