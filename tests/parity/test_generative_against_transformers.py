"""Our GIT, BLIP, BLIP-2 and InstructBLIP against transformers by hand, on small random checkpoints of the real
architectures: the same inputs, the same tokens written by greedy and by beam search, the same likelihoods."""

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from PIL import Image

from seesay import Example
from seesay.models import Family, load
from seesay.settings import ModelSettings

TOLERANCE = 1e-5
ANSWERS = ["red", "a white cat", "yes", "no"]
CHECKPOINTS = ["git", "blip-vqa", "blip-caption", "blip2-opt", "blip2-t5", "instructblip-opt", "instructblip-t5"]


class ByHand:
    """A checkpoint as its model's documentation uses it, one picture and question at a time."""

    def __init__(self, name: str, folder: Path) -> None:
        import transformers
        from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil
        from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

        self.name = name
        classes = {
            "git": ("GitForCausalLM", "GitProcessor", CLIPImageProcessorPil),
            "blip-vqa": ("BlipForQuestionAnswering", "BlipProcessor", BlipImageProcessorPil),
            "blip-caption": ("BlipForConditionalGeneration", "BlipProcessor", BlipImageProcessorPil),
            "blip2": ("Blip2ForConditionalGeneration", "Blip2Processor", BlipImageProcessorPil),
            "instructblip": ("InstructBlipForConditionalGeneration", "InstructBlipProcessor", BlipImageProcessorPil),
        }
        network, processor, image_processor = classes[name if name in classes else name.split("-")[0]]
        parts = [image_processor.from_pretrained(folder), transformers.AutoTokenizer.from_pretrained(folder)]
        if processor == "InstructBlipProcessor":
            parts.append(transformers.BertTokenizer.from_pretrained(folder / "qformer_tokenizer"))
        more = {"num_query_tokens": 4} if "2" in processor or "Instruct" in processor else {}
        self.processor = getattr(transformers, processor)(*parts, **more)
        self.tokenizer = self.processor.tokenizer
        self.network = getattr(transformers, network).from_pretrained(folder).eval()

    def inputs(self, picture: Path, question: str) -> dict[str, Any]:
        import torch

        image = Image.open(picture).convert("RGB")
        if self.name == "git":
            ids = [self.tokenizer.cls_token_id, *self.tokenizer(question, add_special_tokens=False).input_ids]
            pixels = self.processor(images=image, return_tensors="pt").pixel_values
            return {"pixel_values": pixels, "input_ids": torch.tensor([ids])}
        text = f"Question: {question} Answer:" if self.name.startswith("blip2") and question else question
        if self.name.startswith("instructblip") and not question:
            text = "A short image description:"
        found = dict(self.processor(images=image, text=text, return_tensors="pt"))
        found.pop("token_type_ids", None)
        return found

    def written(self, picture: Path, question: str, beams: int) -> list[list[int]]:
        """The tokens of each beam, without the prompt and the end."""
        inputs = self.inputs(picture, question)
        found = self.network.generate(
            **inputs, max_new_tokens=20, num_beams=beams, num_return_sequences=beams, do_sample=False
        )
        decoder_only = self.name in ("git", "blip-caption", "blip2-opt", "instructblip-opt")
        prompt = inputs["input_ids"].shape[1] - (self.name == "blip-caption") if decoder_only else 1
        ends = {self.tokenizer.sep_token_id, self.tokenizer.pad_token_id, self.tokenizer.eos_token_id}
        return [[token for token in row[prompt:].tolist() if token not in ends] for row in found]

    def likelihood(self, picture: Path, question: str, reply: list[int]) -> float:
        """exp(-loss), where transformers' loss is the mean over the tokens of the reply and its end."""
        import torch

        inputs = self.inputs(picture, question)
        is_bert = self.name == "git" or self.name.startswith("blip-")
        reply = [*reply, self.tokenizer.sep_token_id if is_bert else self.tokenizer.eos_token_id]
        prompt = inputs["input_ids"][0].tolist()
        if self.name == "blip-vqa":
            start = self.network.config.text_config.bos_token_id
            given = {**inputs, "labels": torch.tensor([[start, *reply]])}
        elif self.name.endswith("-t5"):
            given = {**inputs, "labels": torch.tensor([reply])}
        else:
            if self.name == "blip-caption":
                prompt = [self.network.config.text_config.bos_token_id, *prompt[1:-1]]
            labels = torch.tensor([[-100] * len(prompt) + reply])
            given = {**inputs, "input_ids": torch.tensor([prompt + reply]), "labels": labels}
            given.pop("attention_mask", None)
        with torch.no_grad():
            return float(self.network(**given).loss.neg().exp())


@pytest.fixture(params=CHECKPOINTS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def family(name: str, generative_checkpoints: dict[str, Path]) -> Any:
    return load(ModelSettings(model=str(generative_checkpoints[name])))


@pytest.fixture
def by_hand(name: str, generative_checkpoints: dict[str, Path]) -> ByHand:
    return ByHand(name, generative_checkpoints[name])


@pytest.fixture
def asked(name: str, generative_maker: ModuleType, vilt_pictures: list[Path]) -> list[tuple[Path, str]]:
    """Eight pictures with questions of very different length; for a captioner, with beginnings and without."""
    questions: list[str] = generative_maker.QUESTIONS
    if name == "blip-caption":
        questions = ["", "a photo of", "", "the small white dog", "a", "there are", "", "street"]
    elif name != "blip-vqa":
        questions = [*questions[:-2], "", questions[-1]]
    return [(vilt_pictures[index % 3], question) for index, question in enumerate(questions)]


def examples(asked: list[tuple[Path, str]]) -> list[Example]:
    return [Example((picture,), question) for picture, question in asked]


def test_pixel_values_and_token_ids_are_the_same(
    name: str, family: Family, by_hand: ByHand, asked: list[tuple[Path, str]]
) -> None:
    for (picture, question), example in zip(asked, examples(asked), strict=True):
        tensors = family.prepare([example]).tensors
        expected = by_hand.inputs(picture, question)
        if name == "blip-caption":  # generate() puts its own first token there and takes the [SEP] off
            expected["input_ids"][:, 0] = by_hand.network.config.text_config.bos_token_id
            expected = {key: value[:, :-1] if "pixel" not in key else value for key, value in expected.items()}
        for key, value in expected.items():
            assert tensors[key].shape == value.shape, key
            assert (tensors[key] == value).all(), key


@pytest.mark.parametrize("beams", [1, 3])
def test_the_same_tokens_are_written_alone_and_in_a_batch(
    family: Any, by_hand: ByHand, asked: list[tuple[Path, str]], beams: int
) -> None:
    import torch

    expected = [reply for row in asked for reply in by_hand.written(*row, beams)]
    batch = family.prepare(examples(asked))
    with torch.inference_mode():
        together, _ = family._write(family._prompt(batch.tensors, batch.digests, beams), beams)
        alone = [
            reply
            for one in (family.prepare([example]) for example in examples(asked))
            for reply in family._write(family._prompt(one.tensors, one.digests, beams), beams)[0]
        ]
    assert alone == expected
    assert together == expected
    assert len({tuple(reply) for reply in expected}) > beams  # pictures and questions change what is written


def test_a_score_is_the_likelihood_of_the_answer_and_its_end(
    family: Family, by_hand: ByHand, asked: list[tuple[Path, str]]
) -> None:
    answers = [ANSWERS[index % len(ANSWERS)] for index in range(len(asked))]
    together = family.score(family.prepare(examples(asked)), answers)
    for row, example, answer, score in zip(asked, examples(asked), answers, together, strict=True):
        # BPE makes the space before a word a part of it, as it stands in a text.
        reply = by_hand.tokenizer(f" {answer}", add_special_tokens=False).input_ids
        assert score == pytest.approx(by_hand.likelihood(*row, reply), rel=1e-4)
        assert score == pytest.approx(family.score(family.prepare([example]), [answer])[0], abs=TOLERANCE)


def test_the_score_of_what_was_written_is_the_likelihood_of_its_text(
    family: Any, by_hand: ByHand, asked: list[tuple[Path, str]]
) -> None:
    batch = family.prepare(examples(asked))
    for top_k in (1, 3):
        rows = family.predict(batch, top_k)
        assert family.score(batch, [row[0].text for row in rows]) == pytest.approx(
            [row[0].score for row in rows], abs=TOLERANCE
        )
    finished = [
        (row, reply)
        for row in asked
        for reply in by_hand.written(*row, 1)
        if len(reply) < 20  # one that was cut off has no end
    ]
    for (picture, question), reply in finished:
        (candidate,) = family.predict(family.prepare([Example((picture,), question)]), 1)[0]
        assert candidate.score == pytest.approx(by_hand.likelihood(picture, question, reply), rel=1e-4)
