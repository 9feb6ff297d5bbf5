"""Time to the first piece of an answer: a first and a second question about the same two pictures of 512 pixels.

The model has the geometry of HuggingFaceTB/SmolVLM-256M-Instruct, as its config.json and preprocessor_config.json say:
SigLIP-B/16 at 512 pixels, SmolLM2-135M, pictures scaled to 2,048 pixels and cut into 16 parts and the whole, 64 tokens each.
Weights are drawn at random: what it says means nothing, what it takes is the same. Each round begins with nothing kept.
"""

import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

ROUNDS = 3
TOKENS = 8
QUESTIONS = ("What differs between these two pictures?", "Which of them is older?")
TEMPLATE = (
    "<|im_start|>{% for message in messages %}{{message['role'] | capitalize}}{% if message['content'][0]['type'] == 'image' %}"
    "{{':'}}{% else %}{{': '}}{% endif %}{% for line in message['content'] %}{% if line['type'] == 'text' %}{{line['text']}}"
    "{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>\n{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)
VISION = {
    "hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12, "image_size": 512,
    "patch_size": 16,
}  # fmt: skip
TEXT = {
    "model_type": "llama", "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30, "num_attention_heads": 9,
    "num_key_value_heads": 3, "vocab_size": 49280, "max_position_embeddings": 8192, "rope_theta": 100000.0,
    "rms_norm_eps": 1e-5, "initializer_range": 0.3,
}  # fmt: skip


def measure() -> dict[str, object]:
    import numpy
    import torch
    from PIL import Image

    import seesay
    from seesay import Conversation
    from seesay.models.generation import Generative
    from seesay.models.memory import Memory

    random = numpy.random.default_rng(0)
    pictures = [Image.fromarray(random.integers(0, 255, (512, 512, 3), dtype=numpy.uint8)) for _ in range(2)]
    with tempfile.TemporaryDirectory() as folder:
        model = seesay.load(str(build(Path(folder))))
    family = model.family
    assert isinstance(family, Generative)

    def timed(conversation: Conversation) -> tuple[float, str]:
        started = time.perf_counter()
        with model.stream(conversation, max_new_tokens=TOKENS) as pieces:
            first = next(pieces)
            seconds = time.perf_counter() - started
            return seconds, first + "".join(pieces)

    firsts, seconds = [], []
    same = True
    for _ in range(ROUNDS):
        family.recall = Memory()
        took, said = timed(Conversation().ask(QUESTIONS[0], *pictures))
        firsts.append(took)
        later = Conversation().ask(QUESTIONS[0], *pictures).answered(said).ask(QUESTIONS[1])
        took, kept = timed(later)
        seconds.append(took)
        megabytes = family.recall.bytes / 1e6
    family.recall = Memory(0)
    same = timed(later)[1] == kept
    batch, first = family.prepare_conversation(later), statistics.median(firsts)
    return {
        "parameters": sum(parameter.numel() for parameter in family.network.parameters()),
        "tokens": batch.tensors["input_ids"].shape[1],
        "threads": torch.get_num_threads(),
        "load": round(os.getloadavg()[0], 1),
        "the first piece of an answer": {
            "ways": {
                name: {"first_answer_s": round(took, 2), "ratio": round(first / took, 1)}
                for name, took in (("first question", first), ("second question", statistics.median(seconds)))
            }
        },
        "same_text_as_without": same,
        "kept_mb": round(megabytes, 1),
    }


def build(folder: Path, sizes: dict[str, Any] = TEXT) -> Path:
    """The checkpoint, as a Hub repository looks; `sizes` are those of its language model."""
    import torch
    from transformers import SmolVLMConfig, SmolVLMForConditionalGeneration

    places = [f"<row_{row}_col_{column}>" for row in range(1, 5) for column in range(1, 5)]
    control = ["<fake_token_around_image>", "<image>", "<end_of_utterance>", "<global-img>", *places]
    fast = byte_tokenizer(folder, control, end="<end_of_utterance>")
    letters = len(fast) - len(control) - 1
    text: dict[str, Any] = {**sizes, "bos_token_id": 0, "eos_token_id": fast.eos_token_id, "pad_token_id": 0}
    torch.manual_seed(0)
    config = SmolVLMConfig(
        vision_config=VISION, text_config=text, scale_factor=4, tie_word_embeddings=False, pad_token_id=0,
        image_token_id=fast.convert_tokens_to_ids("<image>"),
    )  # fmt: skip
    network = SmolVLMForConditionalGeneration(config)
    with torch.no_grad():
        # Letters alone, so that every token is a piece.
        network.lm_head.weight[letters:] = 0
        network.lm_head.weight[0] = 0
    network.generation_config.eos_token_id = fast.eos_token_id
    network.save_pretrained(folder)
    images = {
        "image_processor_type": "SmolVLMImageProcessor", "do_convert_rgb": True, "do_resize": True, "do_rescale": True,
        "do_normalize": True, "do_pad": True, "do_image_splitting": True, "resample": 1, "rescale_factor": 1 / 255,
        "size": {"longest_edge": 2048}, "max_image_size": {"longest_edge": 512}, "image_mean": [0.5] * 3,
        "image_std": [0.5] * 3,
    }  # fmt: skip
    (folder / "preprocessor_config.json").write_text(json.dumps(images), encoding="utf-8")
    (folder / "processor_config.json").write_text('{"processor_class": "SmolVLMProcessor", "image_seq_len": 64}')
    (folder / "chat_template.jinja").write_text(TEMPLATE, encoding="utf-8")
    return folder


def byte_tokenizer(folder: Path, control: list[str], *, end: str) -> Any:
    """A tokenizer of single bytes and control tokens, saved into a folder."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE({token: index for index, token in enumerate(["<|im_start|>", *alphabet])}, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<|im_start|>", eos_token=end, pad_token="<|im_start|>"
    )
    fast.add_tokens(control, special_tokens=True)
    fast.save_pretrained(folder)
    return fast
