"""Every architecture that chats, held against transformers used by hand: same tensors, same tokens, same text."""

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy
import pytest
import torch
from PIL import Image

from seesay import Conversation, Example
from seesay.answering import answer, conversation_from_transformers, conversation_to_transformers
from seesay.errors import InputError
from seesay.models import load
from seesay.models.families.chat import Chat
from seesay.settings import AskSettings

NAMES = [
    "gemma3", "idefics2", "idefics3", "llava", "llava_next", "llava_onevision", "paligemma", "qwen2_5_vl", "qwen2_vl",
    "qwen3_vl", "smolvlm",
]  # fmt: skip
WITHOUT_TORCHVISION = ("llava_onevision", "qwen2_vl", "qwen2_5_vl", "qwen3_vl", "smolvlm")
"""Whose processors cannot be made by AutoProcessor here."""
FAMILIES: dict[str, Chat] = {}


@pytest.fixture(scope="module")
def pictures() -> list[Image.Image]:
    random = numpy.random.default_rng(0)
    sizes = [(40, 60), (64, 48), (64, 48), (50, 90)]
    return [Image.fromarray(random.integers(0, 255, (height, width, 3), dtype=numpy.uint8)) for width, height in sizes]


@pytest.fixture(params=NAMES)
def family(request: pytest.FixtureRequest, chat_checkpoints: dict[str, Path]) -> Chat:
    if request.param not in FAMILIES:
        settings = AskSettings(model=str(chat_checkpoints[request.param]), max_new_tokens=8)
        loaded = load(settings)
        assert isinstance(loaded, Chat)
        FAMILIES[request.param] = loaded
    return FAMILIES[request.param]


@pytest.fixture
def conversation(pictures: list[Image.Image]) -> Conversation:
    asked = Conversation().ask("is there a red dog", pictures[0]).answered("no")
    return asked.ask("what is the color of the second image ?", *pictures[1:3])


def kind(family: Chat) -> str:
    return family.checkpoint.model_type


def by_hand(family: Chat, conversation: Conversation) -> dict[str, Any]:
    """The tensors as the documentation of each model makes them."""
    from transformers import AutoImageProcessor, AutoProcessor, AutoTokenizer, Idefics3Processor

    folder = family.checkpoint.folder
    messages = conversation_to_transformers(conversation)
    if kind(family) == "paligemma":
        processor = AutoProcessor.from_pretrained(folder)
        pictures = list(conversation.images)
        text = "<image>" * len(pictures) + "answer en " + conversation.messages[-1].text
        made = dict(processor(images=[pictures], text=[text]))
        return {name: torch.as_tensor(numpy.array(value)) for name, value in made.items()}
    if kind(family) not in WITHOUT_TORCHVISION:
        processor = AutoProcessor.from_pretrained(folder)
        made = processor.apply_chat_template(
            messages, tokenize=True, return_dict=True, return_tensors="pt", add_generation_prompt=True
        )
        return dict(made)
    tokenizer, images = AutoTokenizer.from_pretrained(folder), AutoImageProcessor.from_pretrained(folder)
    template = (folder / "chat_template.jinja").read_text()
    text = tokenizer.apply_chat_template(messages, chat_template=template, tokenize=False, add_generation_prompt=True)
    if kind(family) == "smolvlm":  # with pictures alone it is Idefics3's
        processor = Idefics3Processor(images, tokenizer, image_seq_len=4)
        return dict(processor(text=[text], images=[list(conversation.images)], return_tensors="pt"))
    pixels = images([list(conversation.images)], return_tensors="pt")
    if kind(family) == "llava_onevision":  # several pictures: 16 patches each, and one that ends the row
        return {
            **tokenizer(text.replace("<image>", "<image>" * 17), return_tensors="pt"),
            "pixel_values": pixels.pixel_values,
        }
    for grid in pixels.image_grid_thw:
        text = text.replace("<|image_pad|>", "<|pad|>" * (int(grid.prod()) // 4), 1)
    made = tokenizer(text.replace("<|pad|>", "<|image_pad|>"), return_tensors="pt")
    return {**made, "pixel_values": pixels.pixel_values, "image_grid_thw": pixels.image_grid_thw}


def test_tensors_are_those_of_the_processor_by_hand(family: Chat, conversation: Conversation) -> None:
    ours, theirs = family.prepare_conversation(conversation).tensors, by_hand(family, conversation)
    assert {"input_ids", "attention_mask", "pixel_values"} <= {*ours, *theirs}
    for name in theirs.keys() - {"labels"}:
        assert torch.equal(ours[name], theirs[name]), name


def test_greedy_and_beams_write_what_generate_writes(family: Chat, conversation: Conversation) -> None:
    inputs = family.prepare_conversation(conversation).tensors
    batch = family.prepare_conversation(conversation)
    start = inputs["input_ids"].shape[1]
    ends = family.ends
    common = {
        "max_new_tokens": 8,
        "do_sample": False,
        "eos_token_id": ends,
        "pad_token_id": family.tokenizer.pad_token_id,
    }
    with torch.inference_mode():
        greedy = family._network.generate(**inputs, **common)[0, start:]
        beams = family._network.generate(**inputs, **common, num_beams=3, num_return_sequences=3)[:, start:]
    decode = family.tokenizer.decode
    written, _ = family.write(batch, 8, lambda text: True)
    assert written.text == decode(greedy, skip_special_tokens=True).strip()
    assert family.predict(batch, 1)[0][0].text == written.text
    found = {candidate.text for candidate in family.predict(batch, 3)[0]}
    assert found == {decode(row, skip_special_tokens=True).strip() for row in beams}
    prompt = decode(inputs["input_ids"][0], skip_special_tokens=True)
    assert prompt.strip()[:20] not in written.text


def test_a_batch_padded_on_the_left_gives_the_logits_of_single_rows(family: Chat, pictures: list[Image.Image]) -> None:
    examples = [
        Example((pictures[0],), "a"),
        Example((pictures[1], pictures[3]), "is there a dog on the grass and what is the color of the sky ?"),
        Example((pictures[2],), ""),
    ]
    together = family.prepare(examples)
    assert (together.tensors["attention_mask"][:, -1] == 1).all()
    assert (together.tensors["attention_mask"][0] == 0).any()
    logits = first_logits(family, together.tensors)
    alone = torch.cat([first_logits(family, family.prepare([example]).tensors) for example in examples])
    assert (logits - alone).abs().max() < 1e-5
    for one, other in zip(
        answer(family, examples, batch_size=1, top_k=3), answer(family, examples, batch_size=3, top_k=3), strict=True
    ):
        assert [candidate.text for candidate in one.alternatives] == [
            candidate.text for candidate in other.alternatives
        ]


def first_logits(family: Chat, tensors: dict[str, Any]) -> torch.Tensor:
    """(B, vocabulary) of the first token of the answers."""
    with torch.inference_mode():
        found = family._network.generate(
            **tensors, max_new_tokens=1, do_sample=False, return_dict_in_generate=True, output_logits=True,
            pad_token_id=family.tokenizer.pad_token_id,
        )  # fmt: skip
    logits: torch.Tensor = found.logits[0]
    return logits


def test_swapped_pictures_are_swapped_for_the_model(family: Chat, pictures: list[Image.Image]) -> None:
    one, other = pictures[1:3]
    pixels = [
        family.prepare_conversation(Conversation().ask("what differs ?", *pair)).tensors["pixel_values"]
        for pair in ((one, other), (other, one))
    ]
    first, second = (value[0] if value.shape[0] == 1 else value for value in pixels)  # (pictures or their parts, ...)
    half = len(first) // 2
    assert torch.equal(first[:half], second[half:])
    assert torch.equal(first[half:], second[:half])
    assert not torch.equal(first, second)


def test_the_prompt_is_the_templates_own(family: Chat, conversation: Conversation) -> None:
    file = family.checkpoint.folder / "chat_template.jinja"
    if not file.is_file():
        expected = "<image><image><image>answer en what is the color of the second image ?"
    else:
        expected = family.tokenizer.apply_chat_template(
            conversation_to_transformers(conversation), chat_template=file.read_text(), tokenize=False,
            add_generation_prompt=True,
        )  # fmt: skip
    assert family.asking.template.prompt(conversation) == expected
    again = conversation_from_transformers(conversation_to_transformers(conversation))
    assert family.asking.template.prompt(again) == expected


def test_special_tokens_that_people_type_stay_letters(family: Chat, pictures: list[Image.Image]) -> None:
    special = [token.content for token in family.tokenizer.added_tokens_decoder.values() if token.special]
    typed = " ".join(["what", *special, "".join(special), "color"])
    harmless = Conversation().ask("what color", pictures[0]).answered("no").ask("why", pictures[1])
    hostile = Conversation().ask(typed, pictures[0]).answered(typed).ask("why", pictures[1])
    ids = [set(special_ids(family, one)) for one in (harmless, hostile)]
    assert ids[0] == ids[1]
    counts = [len(special_ids(family, one)) for one in (harmless, hostile)]
    assert counts[0] == counts[1]


def special_ids(family: Chat, conversation: Conversation) -> list[int]:
    ids = family.prepare_conversation(conversation).tensors["input_ids"][0].tolist()
    special = {index for index, token in family.tokenizer.added_tokens_decoder.items() if token.special}
    return [index for index in ids if index in special]


def test_a_conversation_longer_than_the_model_reads_is_refused(family: Chat, pictures: list[Image.Image]) -> None:
    conversation = Conversation().ask("dog " * 2100, pictures[0])
    with pytest.raises(InputError, match=r"tokens; this model reads 2,048"):
        family.prepare_conversation(conversation)


def test_the_likelihood_of_a_given_answer_is_that_of_its_tokens(family: Chat, conversation: Conversation) -> None:
    batch = family.prepare_conversation(conversation)
    reply = [*family._reply_ids("red dog"), family.ends[0]]
    chance = 0.0
    for index, token in enumerate(reply):
        longer = dict(batch.tensors)
        longer["input_ids"] = torch.cat([longer["input_ids"], torch.tensor([reply[:index]], dtype=torch.long)], dim=1)
        longer["attention_mask"] = torch.ones_like(longer["input_ids"])
        for name in ("token_type_ids", "mm_token_type_ids"):
            if name in longer:
                # PaliGemma's prompt is seen in both directions; what has the type 1 is not part of it.
                rest = torch.full((1, index), int(kind(family) == "paligemma"), dtype=torch.long)
                longer[name] = torch.cat([batch.tensors[name], rest], dim=1)
        chance += float(first_logits(family, longer)[0].log_softmax(-1)[token])
    assert family.score(batch, ["red dog"])[0] == pytest.approx(numpy.exp(chance / len(reply)), rel=1e-4)


def test_what_is_made_here_is_what_is_tested(chat_maker: ModuleType) -> None:
    assert sorted(chat_maker.MAKERS) == sorted(NAMES)
