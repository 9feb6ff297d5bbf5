"""What a chat model keeps between questions changes no answer: every architecture, held against transformers reading all of
it again, each time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from PIL import Image

import seesay
from seesay import Conversation, Example
from seesay.answering import answer
from seesay.models import Batch, load
from seesay.models.families.chat import BOTH_WAYS, REMEMBERED, Chat
from seesay.models.memory import Memory
from seesay.settings import AskSettings

NAMES = sorted(REMEMBERED)


@pytest.fixture(scope="module")
def pictures() -> list[Image.Image]:
    random = numpy.random.default_rng(0)
    sizes = [(40, 60), (64, 48), (50, 90)]
    return [Image.fromarray(random.integers(0, 255, (height, width, 3), dtype=numpy.uint8)) for width, height in sizes]


@pytest.fixture(params=NAMES)
def family(request: pytest.FixtureRequest, chat_checkpoints: dict[str, Path]) -> Chat:
    loaded = load(AskSettings(model=str(chat_checkpoints[request.param]), max_new_tokens=8))
    assert isinstance(loaded, Chat)
    return loaded


class Work:
    """What a network did since `clear`: how often its eye looked, and how many tokens its language model read at a time."""

    def __init__(self, network: Any) -> None:
        self.looks, self.read = 0, [0]
        base = network.base_model
        eye = next(
            part
            for name in ("vision_tower", "vision_model", "visual")
            if (part := getattr(base, name, None)) is not None
        )
        eye.register_forward_hook(self._look)
        network.get_decoder().register_forward_hook(self._hear, with_kwargs=True)

    def _look(self, *_: object) -> None:
        self.looks += 1

    def _hear(self, module: object, args: object, given: dict[str, Any], output: object) -> None:
        self.read.append(given["inputs_embeds"].shape[1])

    def clear(self) -> None:
        self.looks, self.read = 0, []


def plain(family: Chat, batch: Batch) -> tuple[list[int], torch.Tensor]:
    """Tokens, and logits (T, vocabulary), of transformers that keeps nothing."""
    return generated(family, family._network, batch.tensors)


def kept(family: Chat, batch: Batch) -> tuple[list[int], torch.Tensor]:
    """The same as the family reads it, and what it read kept for the next."""
    with torch.inference_mode():
        prompt = family._prompt(family._placed(batch), batch.digests)
    ids, logits = generated(family, prompt.decoder, prompt.inputs)
    prompt.keep(ids)
    return ids, logits


def generated(family: Chat, network: Any, inputs: dict[str, Any]) -> tuple[list[int], torch.Tensor]:
    with torch.inference_mode():
        found = network.generate(
            **inputs, max_new_tokens=6, do_sample=False, return_dict_in_generate=True, output_logits=True,
            eos_token_id=family.ends, pad_token_id=family.tokenizer.pad_token_id,
        )  # fmt: skip
    return found.sequences[0, inputs["input_ids"].shape[1] :].tolist(), torch.cat(found.logits)


def turns(family: Chat, pictures: list[Image.Image]) -> list[Conversation]:
    """Two conversations, a turn of each after the other; some turns show another picture."""
    needs_pictures = family.checkpoint.model_type == "paligemma"
    return [one for one in _turns(pictures) if one.images or not needs_pictures]


def _turns(pictures: list[Image.Image]) -> Iterator[Conversation]:
    one = Conversation().ask("is there a red dog", pictures[0])
    two = Conversation().ask("what is the color of the second image ?", pictures[0], pictures[1])
    yield from (one, two)
    one, two = one.answered("no").ask("how many are there"), two.answered("blue").ask("and of the first ?")
    yield from (one, two)
    yield two.answered("red").ask("and this one ?", pictures[2])
    yield one.answered("two").ask("and here ?", pictures[1])
    yield one  # again
    yield Conversation().ask("is there a red cat", pictures[0])
    yield Conversation().ask("is there a red dog", pictures[2])
    yield Conversation().ask("how many are there ?", pictures[1], pictures[0])  # the other way round
    yield Conversation().ask("what is the color of the second image ?", pictures[0])
    yield Conversation().ask("is there a dog ?")


def test_interleaved_conversations_get_the_tokens_and_logits_of_reading_all_again(
    family: Chat, pictures: list[Image.Image]
) -> None:
    work = Work(family._network)
    saved = 0
    for conversation in turns(family, pictures):
        batch = family.prepare_conversation(conversation)
        expected, logits = plain(family, batch)
        work.clear()
        ids, found = kept(family, batch)
        assert ids == expected
        assert (found - logits).abs().max() < 1e-5
        saved += batch.tensors["input_ids"].shape[1] - work.read[0]
    assert (saved > 0) == (family.checkpoint.model_type not in BOTH_WAYS)


def test_a_second_question_about_the_same_pictures_is_all_that_is_read(
    family: Chat, pictures: list[Image.Image]
) -> None:
    model, work = seesay.Model(family), Work(family._network)
    first = Conversation().ask("what is it ?", *pictures[:2])
    work.clear()
    said = model.chat(first, max_new_tokens=4)
    assert work.looks >= 1
    for again in (first.answered(said.text or "no").ask("how many ?"), Conversation().ask("where ?", *pictures[:2])):
        work.clear()
        length = family.prepare_conversation(again).tensors["input_ids"].shape[1]
        model.chat(again, max_new_tokens=4)
        assert work.looks == 0
        if family.checkpoint.model_type in BOTH_WAYS:
            assert work.read[0] == length
        else:
            pictures_end = int(
                (family.prepare_conversation(first).tensors["input_ids"] == image(family)).nonzero()[-1, 1]
            )
            assert work.read[0] < length - pictures_end
    work.clear()
    model.ask(pictures[0], "where ?")
    model.ask(pictures[0], "how many ?")
    assert work.looks == 1


def image(family: Chat) -> int:
    return int(family._network.config.image_token_id)


def test_batches_look_at_a_picture_once_and_answer_as_without(family: Chat, pictures: list[Image.Image]) -> None:
    questions = ["is there a dog ?", "what is the color of it ?", "a"]
    examples = [Example((picture,), question) for picture in pictures[:2] for question in questions]
    examples.insert(1, Example((pictures[1], pictures[0]), "what differs ?"))
    family.recall.limit = 0
    expected = [next(answer(family, [example], top_k=3)).alternatives for example in examples]
    family.recall.limit = 2**30
    work = Work(family._network)
    for _ in range(2):
        work.clear()
        found = list(answer(family, examples, top_k=3, batch_size=4))
        for one, alternatives in zip(found, expected, strict=True):
            assert [candidate.text for candidate in one.alternatives] == [candidate.text for candidate in alternatives]
            assert [c.score for c in one.alternatives] == pytest.approx([c.score for c in alternatives], abs=1e-5)
    assert work.looks == 0
    chosen = [next(answer(family, [example], choices=["yes", "no dog"])) for example in examples]
    family.recall.limit = 0
    for one, example in zip(chosen, examples, strict=True):
        without = next(answer(family, [example], choices=["yes", "no dog"]))
        assert one.text == without.text
        assert one.score == pytest.approx(without.score, abs=1e-5)


def test_memory_is_bounded_and_what_was_evicted_is_read_again(family: Chat, pictures: list[Image.Image]) -> None:
    conversations = turns(family, pictures)
    for conversation in conversations:
        kept(family, family.prepare_conversation(conversation))
    whole = family.recall.bytes
    assert whole > 0
    family.recall = Memory(limit=whole // 3)
    for conversation in conversations:
        batch = family.prepare_conversation(conversation)
        expected, logits = plain(family, batch)
        ids, found = kept(family, batch)
        assert ids == expected
        assert (found - logits).abs().max() < 1e-5
        assert 0 <= family.recall.bytes <= whole // 3
    family.recall = Memory(limit=0)
    ids, _ = kept(family, batch)
    assert ids == expected
    assert family.recall.bytes == 0
