"""Our ViLT against transformers by hand, on a small random checkpoint of the real architecture saved as the Hub has it."""

from pathlib import Path

import pytest

import seesay
from seesay import Example
from seesay.models import load
from seesay.settings import ModelSettings

TOLERANCE = 1e-5
QUESTIONS = [
    "What is the color of this picture?",
    "how many?",
    "Is there a RED [SEP] thing, and are there many of this?",
]


@pytest.fixture(scope="module")
def by_hand(vilt_checkpoint: Path, vilt_pictures: list[Path]) -> list[dict[str, object]]:
    """Pixel values, token ids, logits and the best answers as the model's documentation computes them."""
    import torch
    from PIL import Image
    from transformers import BertTokenizer, ViltForQuestionAnswering, ViltProcessor
    from transformers.models.vilt.image_processing_pil_vilt import ViltImageProcessorPil

    processor = ViltProcessor(
        ViltImageProcessorPil.from_pretrained(vilt_checkpoint), BertTokenizer.from_pretrained(vilt_checkpoint)
    )
    model = ViltForQuestionAnswering.from_pretrained(vilt_checkpoint).eval()
    results: list[dict[str, object]] = []
    for picture, question in zip(vilt_pictures, QUESTIONS, strict=True):
        encoding = processor(Image.open(picture).convert("RGB"), question.replace("[SEP]", "sep"), return_tensors="pt")
        with torch.no_grad():
            logits = model(**encoding).logits[0]
        results.append({"encoding": encoding, "logits": logits, "best": logits.topk(3).indices.tolist()})
    return results


@pytest.fixture(scope="module")
def examples(vilt_pictures: list[Path]) -> list[Example]:
    questions = [question.replace("[SEP]", "sep") for question in QUESTIONS]
    return [Example((path,), question) for path, question in zip(vilt_pictures, questions, strict=True)]


def test_pixel_values_and_token_ids_are_the_same(
    vilt_checkpoint: Path, by_hand: list[dict[str, object]], examples: list[Example]
) -> None:
    family = load(ModelSettings(model=str(vilt_checkpoint)))
    for example, reference in zip(examples, by_hand, strict=True):
        tensors = family.prepare([example]).tensors
        assert set(tensors) == set(reference["encoding"])
        for name, value in reference["encoding"].items():
            assert tensors[name].shape == value.shape, name
            assert (tensors[name] == value).all(), name


def test_logits_and_ranks_are_the_same_alone_and_in_a_batch(
    vilt_checkpoint: Path, by_hand: list[dict[str, object]], examples: list[Example]
) -> None:
    import torch

    family = load(ModelSettings(model=str(vilt_checkpoint)))
    expected = torch.stack([reference["logits"] for reference in by_hand])
    with torch.inference_mode():
        alone = torch.cat([family.network(**family.prepare([example]).tensors).logits for example in examples])
        together = family.network(**family.prepare(examples).tensors).logits
    assert (alone - expected).abs().max() < TOLERANCE
    assert (together - expected).abs().max() < TOLERANCE
    for candidates, reference in zip(family.predict(family.prepare(examples), 3), by_hand, strict=True):
        assert [family.vocabulary.index(candidate.text) for candidate in candidates] == reference["best"]
        for candidate in candidates:
            sigmoid = torch.sigmoid(reference["logits"][family.vocabulary.index(candidate.text)])
            assert candidate.score == pytest.approx(float(sigmoid), abs=TOLERANCE)


def test_labels_and_loss_are_the_guides(vilt_checkpoint: Path, vilt_pictures: list[Path]) -> None:
    """Soft targets from ten annotators, 0.3 / 0.6 / 0.9 / 1.0, in the columns of label2id; loss = BCE x answers."""
    import torch

    family = load(ModelSettings(model=str(vilt_checkpoint)))
    answers = ("red",) * 4 + ("blue",) * 3 + ("green",) * 2 + ("purple",)
    example = Example((vilt_pictures[0],), "What color?", answers)
    tensors = family.prepare([example], normalize=str.lower).tensors
    expected = {"red": 1.0, "blue": 0.9, "green": 0.6}
    assert tensors["labels"].tolist() == [[pytest.approx(expected.get(word, 0.0)) for word in family.vocabulary]]
    outputs = family.network(**tensors)
    cross_entropy = torch.nn.functional.binary_cross_entropy_with_logits(outputs.logits, tensors["labels"])
    assert float(outputs.loss.detach()) == pytest.approx(
        float(cross_entropy.detach()) * len(family.vocabulary), rel=1e-5
    )


def test_a_step_of_training_is_transformers_own(vilt_checkpoint: Path, vilt_pictures: list[Path]) -> None:
    """Every gradient, though the last layer is computed for [CLS] alone and attention in another way."""
    import torch
    from transformers import ViltForQuestionAnswering

    family = load(ModelSettings(model=str(vilt_checkpoint)))
    plain = ViltForQuestionAnswering.from_pretrained(vilt_checkpoint).eval()
    examples = [
        Example((vilt_pictures[0],), "What color?", ("red",)), Example((vilt_pictures[0],), "how many?", ("blue", "red"))
    ]  # fmt: skip
    tensors = family.prepare(examples, normalize=str.lower).tensors
    for network in (family.network.eval(), plain):
        network(**tensors).loss.backward()
    wanted = dict(plain.named_parameters())
    for name, weight in family.network.named_parameters():
        torch.testing.assert_close(weight.grad, wanted[name].grad, atol=1e-5, rtol=1e-4, msg=name)


def test_a_special_token_that_a_user_types_stays_text(vilt_checkpoint: Path, vilt_pictures: list[Path]) -> None:
    family = load(ModelSettings(model=str(vilt_checkpoint)))
    ids = family.prepare([Example((vilt_pictures[0],), "is [SEP] [MASK] there")]).tensors["input_ids"][0].tolist()
    assert ids.count(family.processor.tokenizer.sep_token_id) == 1
    assert family.processor.tokenizer.mask_token_id not in ids


def test_a_question_beyond_the_models_limit_is_cut_and_answered(
    vilt_checkpoint: Path, vilt_pictures: list[Path]
) -> None:
    model = seesay.load(str(vilt_checkpoint))
    family = model.family
    assert family.prepare([Example((vilt_pictures[0],), "what " * 300)]).tensors["input_ids"].shape == (1, 40)
    assert model.ask(vilt_pictures[0], "what " * 300).text in model.vocabulary


@pytest.mark.parametrize("size", [(3000, 20), (20, 3000), (1, 1), (1, 400), (5000, 1)])
def test_pictures_too_narrow_for_the_processor_are_answered(vilt_checkpoint: Path, size: tuple[int, int]) -> None:
    from PIL import Image

    model = seesay.load(str(vilt_checkpoint))
    assert model.ask(Image.new("RGB", size, "red"), "What color?").text in model.vocabulary
