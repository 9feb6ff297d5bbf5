"""Conversations as training has them, held against transformers used by hand: same tensors, same labels, same loss."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from PIL import Image

from seesay import Conversation
from seesay.answering import conversation_to_transformers
from seesay.models import fine_tuned
from seesay.models.families.chat import Chat
from seesay.settings import TrainChatSettings

END = {
    "idefics2": "<end_of_utterance>", "idefics3": "<end_of_utterance>", "smolvlm": "<end_of_utterance>",
    "llava": "", "llava_next": "</s>", "qwen2_vl": "<|im_end|>", "qwen2_5_vl": "<|im_end|>", "qwen3_vl": "<|im_end|>",
    "gemma3": "<end_of_turn>",
}  # fmt: skip
"""What the template writes behind an answer; nothing in LLaVA's."""
SPACE = ("idefics2", "idefics3", "smolvlm", "llava", "llava_next")
"""Whose templates put a space before an answer."""


@pytest.fixture(scope="module")
def pictures() -> list[Image.Image]:
    random = numpy.random.default_rng(0)
    sizes = [(40, 60), (64, 48), (50, 90)]
    return [Image.fromarray(random.integers(0, 255, (height, width, 3), dtype=numpy.uint8)) for width, height in sizes]


def opened(folder: Path) -> Chat:
    family = fine_tuned(TrainChatSettings(model=str(folder)), converses=True)
    assert isinstance(family, Chat)
    return family


def by_hand(name: str, folder: Path, conversation: Conversation) -> dict[str, Any]:
    """The tensors of a whole conversation, as the documentation of each model makes them."""
    from transformers import AutoImageProcessor, AutoProcessor, AutoTokenizer, Idefics3Processor

    messages = conversation_to_transformers(conversation)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    template = (folder / "chat_template.jinja").read_text()
    text = tokenizer.apply_chat_template(messages, chat_template=template, tokenize=False)
    shown = [list(conversation.images)]
    if name == "llava":
        made = AutoProcessor.from_pretrained(folder)(text=[f"{text.rstrip()}</s>"], images=shown, return_tensors="pt")
    elif name in ("smolvlm", "idefics3"):  # with pictures alone they are the same
        processor = Idefics3Processor(AutoImageProcessor.from_pretrained(folder), tokenizer, image_seq_len=4)
        made = processor(text=[text], images=shown, return_tensors="pt")
    elif name.startswith("qwen"):
        pixels = AutoImageProcessor.from_pretrained(folder)(shown, return_tensors="pt")
        for grid in pixels.image_grid_thw:
            text = text.replace("<|image_pad|>", "<|pad|>" * (int(grid.prod()) // 4), 1)
        ids = tokenizer(text.replace("<|pad|>", "<|image_pad|>"), return_tensors="pt")
        kinds = (ids.input_ids == tokenizer.convert_tokens_to_ids("<|image_pad|>")).long()
        made = {**ids, **pixels, "mm_token_type_ids": kinds}
    else:
        processor = AutoProcessor.from_pretrained(folder)
        made = processor.apply_chat_template(messages, tokenize=True, return_dict=True, return_tensors="pt")
    return dict(made)


def labels_by_hand(name: str, tokenizer: Any, ids: Sequence[int], answers: Sequence[str]) -> torch.Tensor:
    """-100 but where an answer and its end stand, found one after another by their own tokens."""
    labels, begin = [-100] * len(ids), 0
    end = tokenizer.convert_tokens_to_ids("</s>")
    for answer in answers:
        text = (" " if name in SPACE else "") + answer + END[name]
        wanted = tokenizer(text, add_special_tokens=False).input_ids
        begin = next(at for at in range(begin, len(ids)) if list(ids[at : at + len(wanted)]) == wanted)
        labels[begin : begin + len(wanted)] = wanted
        begin += len(wanted)
        if not END[name]:
            labels[begin] = end
    return torch.tensor([labels])


@pytest.mark.parametrize("name", sorted(END))
def test_tensors_labels_and_loss_are_those_by_hand(
    name: str, chat_checkpoints: dict[str, Path], pictures: list[Image.Image]
) -> None:
    folder = chat_checkpoints[name]
    family = opened(folder)
    conversation = Conversation().ask("is there a red dog", pictures[0]).answered("two green")
    conversation = conversation.ask("what is the color of the second image ?", *pictures[1:]).answered("a cat sitting")
    conversation = conversation.ask("how many").answered("one")
    batch = family.prepare_lessons([conversation])
    expected = by_hand(name, folder, conversation)
    for key in expected:
        assert torch.equal(batch.tensors[key], torch.as_tensor(expected[key])), key
    answers = ["two green", "a cat sitting", "one"]
    labels = labels_by_hand(name, family.tokenizer, expected["input_ids"][0].tolist(), answers)
    assert torch.equal(batch.tensors["labels"], labels)
    with torch.inference_mode():
        loss = family._network.eval()(**expected, labels=labels).loss
    assert family.examine(batch, answer=False).loss == pytest.approx(float(loss), rel=1e-5)


def test_paligemma_learns_what_its_processor_calls_the_suffix(
    chat_checkpoints: dict[str, Path], pictures: list[Image.Image]
) -> None:
    from transformers import AutoProcessor

    folder = chat_checkpoints["paligemma"]
    family = opened(folder)
    asked = [Conversation().ask("is there a dog", pictures[0]), Conversation().ask("how many", pictures[1])]
    batch = family.prepare_lessons([asked[0].answered("no"), asked[1].answered("two red ones")])
    made = AutoProcessor.from_pretrained(folder)(
        images=[[pictures[0]], [pictures[1]]],
        text=["<image>answer en is there a dog", "<image>answer en how many"],
        suffix=["no", "two red ones"],
        padding=True,
        padding_side="right",
    )
    expected = {key: torch.as_tensor(numpy.array(value)) for key, value in made.items()}
    for key in expected:
        assert torch.equal(batch.tensors[key], expected[key]), key
    with torch.inference_mode():
        loss = family._network.eval()(**expected).loss
    assert family.examine(batch, answer=False).loss == pytest.approx(float(loss), rel=1e-5)


@pytest.mark.parametrize("name", [*sorted(END), "paligemma"])
def test_a_batch_is_the_mean_over_the_tokens_of_its_conversations(
    name: str, chat_checkpoints: dict[str, Path], pictures: list[Image.Image]
) -> None:
    family = opened(chat_checkpoints[name])
    rows = [
        Conversation().ask("what is it", pictures[0]).answered("a red dog"),
        Conversation().ask("is there a dog on the grass ?", pictures[2]).answered("no"),
    ]
    if name != "paligemma":
        rows.append(rows[0].ask("and this", pictures[1]).answered("a large cat on a table"))
        rows.append(Conversation().ask("how many").answered("two"))  # with no picture at all
    together = family.examine(family.prepare_lessons(rows), answer=False)
    alone = [family.examine(family.prepare_lessons([row]), answer=False) for row in rows]
    assert together.count == sum(one.count for one in alone)
    mean = sum(one.loss * one.count for one in alone) / together.count
    assert together.loss == pytest.approx(mean, rel=1e-5)
