"""Small checkpoints of models that chat about pictures, saved as Hub repositories look. Their weights are drawn from a seed.

Every one has a byte-level tokenizer with the control tokens of its real namesake, and the chat template that the namesake's
repository carries (PaliGemma has none, there as here).
"""

import json
from pathlib import Path
from typing import Any

WORDS = (
    "what is the color of this picture ? how many are there a red blue green : question answer yes no dog cat two on "
    "sitting with man woman street photo grass table white black standing small large sky first second image one word"
).split()
SIZE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
VISION = {**SIZE, "image_size": 32, "patch_size": 8}
MEAN = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
TEXT = {
    **SIZE,
    "num_key_value_heads": 2,
    "max_position_embeddings": 2048,
    "rms_norm_eps": 1e-5,
    "initializer_range": 0.3,
}
QUESTIONS = ["What is the color of this picture?", "how many are there", "Is there a dog on the grass?", "a"]

CAPITALS = (
    "{% for message in messages %}{{message['role'] | capitalize}}{% if message['content'][0]['type'] == 'image' %}{{':'}}"
    "{% else %}{{': '}}{% endif %}{% for line in message['content'] %}{% if line['type'] == 'text' %}{{line['text']}}"
    "{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>\n{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)
VICUNA = (
    "{% for message in messages %}{% if message['role'] != 'system' %}{{ message['role'].upper() + ': '}}{% endif %}"
    "{% for content in message['content'] | selectattr('type', 'equalto', 'image') %}{{ '<image>\n' }}{% endfor %}"
    "{% for content in message['content'] | selectattr('type', 'equalto', 'text') %}{{ content['text'] + ' '}}{% endfor %}"
    "{% endfor %}{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}"
)
MISTRAL = (
    "{% for message in messages %}{% if message['role'] == 'system' %}{{ '<<SYS>>\n' + message['content'][0]['text'] + "
    "'\n<</SYS>>\n\n' }}{% elif message['role'] == 'user' %}{{ '[INST] ' }}"
    "{% for content in message['content'] | selectattr('type', 'equalto', 'image') %}{{ '<image>\n' }}{% endfor %}"
    "{% for content in message['content'] | selectattr('type', 'equalto', 'text') %}{{ content['text'] }}{% endfor %}"
    "{{' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ ' ' + message['content'][0]['text'] + '</s> ' }}"
    "{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}"
)
QWEN_LLAVA = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + ' '}}"
    "{% for content in message['content'] | selectattr('type', 'equalto', 'image') %}{{ '<image>' }}{% endfor %}"
    "{% for content in message['content'] | selectattr('type', 'equalto', 'text') %}{{ '\n' + content['text'] }}{% endfor %}"
    "{{'<|im_end|>'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
QWEN = (
    "{% for message in messages %}{% if loop.first and message['role'] != 'system' %}<|im_start|>system\n"
    "You are a helpful assistant.<|im_end|>\n{% endif %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}<|im_end|>\n{% else %}"
    "{% for content in message['content'] %}{% if content['type'] == 'image' or 'image' in content %}"
    "<|vision_start|><|image_pad|><|vision_end|>{% elif 'text' in content %}{{ content['text'] }}{% endif %}{% endfor %}"
    "<|im_end|>\n{% endif %}{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
GEMMA = (
    "{{ bos_token }}{%- if messages[0]['role'] == 'system' -%}{%- set first = messages[0]['content'][0]['text'] + '\n\n' -%}"
    "{%- set rest = messages[1:] -%}{%- else -%}{%- set first = '' -%}{%- set rest = messages -%}{%- endif -%}"
    "{%- for message in rest -%}{%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{%- endif -%}"
    "{%- if message['role'] == 'assistant' -%}{%- set role = 'model' -%}{%- else -%}{%- set role = message['role'] -%}"
    "{%- endif -%}{{ '<start_of_turn>' + role + '\n' + (first if loop.first else '') }}"
    "{%- if message['content'] is string -%}{{ message['content'] | trim }}{%- else -%}{%- for item in message['content'] -%}"
    "{%- if item['type'] == 'image' -%}{{ '<start_of_image>' }}{%- elif item['type'] == 'text' -%}{{ item['text'] | trim }}"
    "{%- endif -%}{%- endfor -%}{%- endif -%}{{ '<end_of_turn>\n' }}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{'<start_of_turn>model\n'}}{%- endif -%}"
)


def tokenizer(folder: Path, control: list[str], *, bos: bool, end: str = "</s>", **named: str) -> Any:
    """A byte-level BPE tokenizer with the control tokens given, saved into `folder`; `bos` puts <s> before every text."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=2000, special_tokens=["<unk>", "<pad>", "<s>", "</s>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    made.train_from_iterator([f" {word}" for word in WORDS for _ in range(3)], trainer)
    if bos:
        made.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 2)])
    extra = {"extra_special_tokens": named} if named else {}
    fast = PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<s>", eos_token=end, unk_token="<unk>", pad_token="<pad>", **extra
    )
    fast.add_tokens([*control, *named.values()], special_tokens=True)
    fast.save_pretrained(folder)
    return fast


def save(
    folder: Path, network: Any, fast: Any, *, images: dict[str, Any], processor: dict[str, Any], template: str
) -> Path:
    """The files of a repository; replies are made of the words alone, and come to an end."""
    import torch

    generator = torch.Generator().manual_seed(7)
    words = {fast.convert_tokens_to_ids(f"Ġ{word}") for word in WORDS} | {fast.eos_token_id}
    words -= {None, fast.unk_token_id}
    with torch.no_grad():
        for name, parameter in sorted(network.named_parameters()):
            noise = torch.randn(parameter.shape, generator=generator)
            is_scale = "norm" in name.lower() and name.endswith("weight")
            parameter.copy_(1 + 0.1 * noise if is_scale else noise * 0.2)
        weight = network.get_output_embeddings().weight
        weight[[index for index in range(len(weight)) if index not in words]] *= 0.05
        weight[fast.eos_token_id] *= 1.3
    network.generation_config.eos_token_id = fast.eos_token_id
    network.generation_config.pad_token_id = fast.pad_token_id
    network.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(images), encoding="utf-8")
    if processor:
        (folder / "processor_config.json").write_text(json.dumps(processor), encoding="utf-8")
    if template:
        (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    return folder


def common(kind: str, **more: Any) -> dict[str, Any]:
    return {
        "image_processor_type": kind, "do_resize": True, "do_rescale": True, "rescale_factor": 1 / 255,
        "do_normalize": True, "do_convert_rgb": True, "resample": 3, **MEAN, **more,
    }  # fmt: skip


def text(kind: str, fast: Any, **more: Any) -> dict[str, Any]:
    ids = {"pad_token_id": fast.pad_token_id, "bos_token_id": fast.bos_token_id, "eos_token_id": fast.eos_token_id}
    return {"model_type": kind, "vocab_size": len(fast), **TEXT, **ids, "tie_word_embeddings": False, **more}


def idefics2(folder: Path) -> Path:
    from transformers import Idefics2Config, Idefics2ForConditionalGeneration

    control = ["<fake_token_around_image>", "<image>", "<end_of_utterance>"]
    fast = tokenizer(folder, control, bos=True, end="<end_of_utterance>")
    config = Idefics2Config(
        vision_config=VISION, text_config=text("mistral", fast),
        perceiver_config={"resampler_n_latents": 4, "resampler_depth": 1, "resampler_n_heads": 2, "resampler_head_dim": 8,
                          "num_key_value_heads": 1, "hidden_size": 32},
        image_token_id=fast.convert_tokens_to_ids("<image>"), tie_word_embeddings=False,
    )  # fmt: skip
    images = common("Idefics2ImageProcessor", size={"longest_edge": 32, "shortest_edge": 16}, do_image_splitting=False)
    return save(
        folder, Idefics2ForConditionalGeneration(config), fast, images={**images, "do_pad": True},
        processor={"processor_class": "Idefics2Processor", "image_seq_len": 4}, template=CAPITALS,
    )  # fmt: skip


def idefics3(folder: Path, name: str = "Idefics3") -> Path:
    import transformers

    rows = [f"<row_{row}_col_{column}>" for row in range(1, 4) for column in range(1, 4)]
    control = ["<fake_token_around_image>", "<image>", "<end_of_utterance>", "<|im_start|>", "<global-img>", *rows]
    fast = tokenizer(folder, control, bos=False, end="<end_of_utterance>")
    config = getattr(transformers, f"{name}Config")(
        vision_config=VISION, text_config=text("llama", fast), scale_factor=2, tie_word_embeddings=False,
        image_token_id=fast.convert_tokens_to_ids("<image>"), pad_token_id=fast.pad_token_id,
    )  # fmt: skip
    images = common(f"{name}ImageProcessor", size={"longest_edge": 64}, max_image_size={"longest_edge": 32})
    return save(
        folder, getattr(transformers, f"{name}ForConditionalGeneration")(config), fast,
        images={**images, "do_image_splitting": True, "do_pad": True},
        processor={"processor_class": f"{name}Processor", "image_seq_len": 4}, template=f"<|im_start|>{CAPITALS}",
    )  # fmt: skip


def llava(folder: Path) -> Path:
    from transformers import LlavaConfig, LlavaForConditionalGeneration

    fast = tokenizer(folder, ["<image>"], bos=True)
    config = LlavaConfig(
        vision_config={"model_type": "clip_vision_model", **VISION}, text_config=text("llama", fast),
        image_token_id=fast.convert_tokens_to_ids("<image>"), vision_feature_layer=-2, tie_word_embeddings=False,
    )  # fmt: skip
    square = {"height": 32, "width": 32}
    images = common("CLIPImageProcessor", size={"shortest_edge": 32}, do_center_crop=True, crop_size=square)
    processor = {
        "processor_class": "LlavaProcessor", "patch_size": 8, "num_additional_image_tokens": 1,
        "vision_feature_select_strategy": "default", "image_token": "<image>",
    }  # fmt: skip
    network = LlavaForConditionalGeneration(config)
    return save(folder, network, fast, images=images, processor=processor, template=VICUNA)


def llava_next(folder: Path) -> Path:
    from transformers import LlavaNextConfig, LlavaNextForConditionalGeneration

    fast = tokenizer(folder, ["<image>"], bos=True)
    points = [[32, 64], [64, 32], [64, 64]]
    config = LlavaNextConfig(
        vision_config={"model_type": "clip_vision_model", **VISION}, text_config=text("mistral", fast),
        image_token_id=fast.convert_tokens_to_ids("<image>"), image_grid_pinpoints=points, tie_word_embeddings=False,
    )  # fmt: skip
    square = {"height": 32, "width": 32}
    images = common("LlavaNextImageProcessor", size={"shortest_edge": 32}, do_center_crop=True, crop_size=square)
    processor = {
        "processor_class": "LlavaNextProcessor", "patch_size": 8, "num_additional_image_tokens": 1,
        "vision_feature_select_strategy": "default", "image_token": "<image>",
    }  # fmt: skip
    images |= {"image_grid_pinpoints": points, "do_pad": True}
    network = LlavaNextForConditionalGeneration(config)
    return save(folder, network, fast, images=images, processor=processor, template=MISTRAL)


def llava_onevision(folder: Path) -> Path:
    from transformers import LlavaOnevisionConfig, LlavaOnevisionForConditionalGeneration

    fast = tokenizer(folder, ["<|im_start|>", "<|im_end|>", "<image>", "<video>"], bos=False, end="<|im_end|>")
    points = [[32, 32], [32, 64], [64, 32], [64, 64]]
    config = LlavaOnevisionConfig(
        vision_config={"model_type": "siglip_vision_model", **VISION, "vision_use_head": False},
        text_config=text("qwen2", fast), image_token_id=fast.convert_tokens_to_ids("<image>"),
        video_token_id=fast.convert_tokens_to_ids("<video>"), image_grid_pinpoints=points, tie_word_embeddings=False,
    )  # fmt: skip
    images = common("LlavaOnevisionImageProcessor", size={"height": 32, "width": 32}, image_grid_pinpoints=points)
    processor = {
        "processor_class": "LlavaOnevisionProcessor", "num_image_tokens": 16, "vision_feature_select_strategy": "full",
        "image_token": "<image>", "video_token": "<video>",
    }  # fmt: skip
    (folder / "video_preprocessor_config.json").write_text('{"video_processor_type": "LlavaOnevisionVideoProcessor"}')
    network = LlavaOnevisionForConditionalGeneration(config)
    return save(folder, network, fast, images={**images, "do_pad": True}, processor=processor, template=QWEN_LLAVA)


def qwen_vl(folder: Path, name: str = "Qwen2VL") -> Path:
    import transformers

    control = [
        "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>"
    ]  # fmt: skip
    fast = tokenizer(folder, control, bos=False, end="<|im_end|>")
    ids = {f"{kind}_token_id": fast.convert_tokens_to_ids(f"<|{kind}_pad|>") for kind in ("image", "video")}
    ids |= {f"vision_{end}_token_id": fast.convert_tokens_to_ids(f"<|vision_{end}|>") for end in ("start", "end")}
    vision: dict[str, Any] = {
        "depth": 2,
        "num_heads": 4,
        "patch_size": 4,
        "spatial_merge_size": 2,
        "temporal_patch_size": 2,
    }
    words = text({"Qwen2VL": "qwen2_vl_text", "Qwen2_5_VL": "qwen2_5_vl_text", "Qwen3VL": "qwen3_vl_text"}[name], fast)
    words["rope_parameters"] = {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10000.0}
    match name:
        case "Qwen2VL":
            vision |= {"embed_dim": 32, "hidden_size": 32, "mlp_ratio": 2}
        case "Qwen2_5_VL":
            vision |= {"hidden_size": 32, "out_hidden_size": 32, "intermediate_size": 64, "window_size": 16,
                       "fullatt_block_indexes": [1]}  # fmt: skip
        case _:
            vision |= {"hidden_size": 32, "out_hidden_size": 32, "intermediate_size": 64, "num_position_embeddings": 64,
                       "deepstack_visual_indexes": [0]}  # fmt: skip
            words |= {"head_dim": 8}
    config = getattr(transformers, f"{name}Config")(
        vision_config=vision, text_config=words, tie_word_embeddings=False, **ids
    )
    images = common("Qwen2VLImageProcessor", patch_size=4, merge_size=2, temporal_patch_size=2)
    images |= {"size": {"shortest_edge": 256, "longest_edge": 1024}}
    processor_class = {
        "Qwen2VL": "Qwen2VLProcessor",
        "Qwen2_5_VL": "Qwen2_5_VLProcessor",
        "Qwen3VL": "Qwen3VLProcessor",
    }[name]
    (folder / "video_preprocessor_config.json").write_text('{"video_processor_type": "Qwen2VLVideoProcessor"}')
    return save(
        folder, getattr(transformers, f"{name}ForConditionalGeneration")(config), fast,
        images={**images, "processor_class": processor_class}, processor={}, template=QWEN,
    )  # fmt: skip


def gemma3(folder: Path) -> Path:
    from transformers import Gemma3Config, Gemma3ForConditionalGeneration

    named = {"boi_token": "<start_of_image>", "eoi_token": "<end_of_image>", "image_token": "<image_soft_token>"}
    fast = tokenizer(folder, ["<start_of_turn>", "<end_of_turn>"], bos=True, end="<end_of_turn>", **named)
    ids = {
        f"{kind}_token_index": fast.convert_tokens_to_ids(named[f"{kind}_token"]) for kind in ("boi", "eoi", "image")
    }
    config = Gemma3Config(
        vision_config={"model_type": "siglip_vision_model", **VISION, "vision_use_head": False},
        text_config=text("gemma3_text", fast, head_dim=8, query_pre_attn_scalar=8, sliding_window=64),
        mm_tokens_per_image=4, tie_word_embeddings=False, **ids,
    )  # fmt: skip
    images = common("Gemma3ImageProcessor", size={"height": 32, "width": 32}, image_seq_length=4)
    return save(
        folder, Gemma3ForConditionalGeneration(config), fast, images=images,
        processor={"processor_class": "Gemma3Processor", "image_seq_length": 4}, template=GEMMA,
    )  # fmt: skip


def paligemma(folder: Path, kind: str = "gemma", **words: Any) -> Path:
    from transformers import PaliGemmaConfig, PaliGemmaForConditionalGeneration

    parts = [f"<loc{index:0>4}>" for index in range(1024)] + [f"<seg{index:0>3}>" for index in range(128)]
    fast = tokenizer(folder, ["<image>"], bos=True)
    fast.add_tokens(parts)
    fast.save_pretrained(folder)
    config = PaliGemmaConfig(
        vision_config={"model_type": "siglip_vision_model", **VISION, "vision_use_head": False, "num_image_tokens": 16},
        text_config=text(kind, fast, head_dim=8, **words), image_token_index=fast.convert_tokens_to_ids("<image>"),
        projection_dim=32, hidden_size=32, tie_word_embeddings=False,
    )  # fmt: skip
    images = common("SiglipImageProcessor", size={"height": 32, "width": 32}, image_seq_length=16)
    return save(
        folder, PaliGemmaForConditionalGeneration(config), fast, images={**images, "processor_class": "PaliGemmaProcessor"},
        processor={}, template="",
    )  # fmt: skip


MAKERS: dict[str, Any] = {
    "idefics2": idefics2,
    "idefics3": idefics3,
    "smolvlm": lambda folder: idefics3(folder, "SmolVLM"),
    "llava": llava,
    "llava_next": llava_next,
    "llava_onevision": llava_onevision,
    "qwen2_vl": qwen_vl,
    "qwen2_5_vl": lambda folder: qwen_vl(folder, "Qwen2_5_VL"),
    "qwen3_vl": lambda folder: qwen_vl(folder, "Qwen3VL"),
    "gemma3": gemma3,
    "paligemma": paligemma,
}


def build(folder: Path) -> dict[str, Path]:
    """All of them, by name."""
    made = {}
    for name, make in MAKERS.items():
        (folder / name).mkdir(parents=True)
        made[name] = make(folder / name)
    return made
