"""`pipeline("image-to-text")` in the shapes of transformers v4; those for questions are in tests/parity."""

from pathlib import Path

import pytest
from PIL import Image

import seesay
from seesay.errors import ModelError, UsageError


@pytest.fixture(scope="module")
def captioner(generative_checkpoints: dict[str, Path]) -> seesay.Model:
    return seesay.load(str(generative_checkpoints["blip-caption"]))


def test_a_picture_gives_a_list_and_a_list_gives_lists(captioner: seesay.Model, vilt_pictures: list[Path]) -> None:
    describe = seesay.pipeline("image-to-text", model=captioner)
    texts = [captioner.caption(path).text for path in vilt_pictures]
    assert describe(str(vilt_pictures[0])) == [{"generated_text": texts[0]}]
    assert describe(Image.open(vilt_pictures[0])) == [{"generated_text": texts[0]}]
    several = describe([str(path) for path in vilt_pictures], batch_size=2)
    assert several == [[{"generated_text": text}] for text in texts]
    assert describe([vilt_pictures[1]]) == [[{"generated_text": texts[1]}]]


def test_max_new_tokens_holds_for_one_call(captioner: seesay.Model, vilt_pictures: list[Path]) -> None:
    describe = seesay.pipeline("image-to-text", model=captioner)
    (one,) = describe(vilt_pictures[0], max_new_tokens=3)
    assert len(one["generated_text"].split()) == 3
    (other,) = describe(vilt_pictures[0])
    assert len(other["generated_text"].split()) > 3
    with pytest.raises(UsageError, match="max-new-tokens"):
        describe(vilt_pictures[0], max_new_tokens=0)


def test_other_tasks_and_models_that_cannot_describe_are_refused(
    vilt_checkpoint: Path, vilt_pictures: list[Path]
) -> None:
    with pytest.raises(UsageError, match="image-to-text"):
        seesay.pipeline("text-to-image", model=str(vilt_checkpoint))
    with pytest.raises(ModelError, match="cannot describe"):
        seesay.pipeline("image-to-text", model=str(vilt_checkpoint))(vilt_pictures[0])
