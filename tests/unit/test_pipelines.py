"""`pipeline("image-to-text")` in the shapes of transformers v4; those for questions are in tests/parity."""

from pathlib import Path

import numpy
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


def test_a_text_gives_audio_and_its_rate_and_a_list_gives_a_list() -> None:
    say = seesay.pipeline("text-to-speech")
    found = say("A dog.")
    assert set(found) == {"audio", "sampling_rate"}
    assert found["sampling_rate"] == say.sampling_rate == 24_000
    assert numpy.array_equal(found["audio"], seesay.speak("A dog.").samples)
    one, other = seesay.pipeline("text-to-audio", seesay.load_voice())(["A dog.", "A cat."])
    assert numpy.array_equal(one["audio"], found["audio"])
    assert not numpy.array_equal(one["audio"][:5000], other["audio"][:5000])


def test_forward_params_name_the_speaker(voice_checkpoints: dict[str, Path]) -> None:
    import torch

    say = seesay.pipeline("text-to-speech", str(voice_checkpoints["speecht5"]))
    vector = torch.linspace(-1, 1, 12)[None]
    plain = say("A cat sat.")["audio"]
    mine = say("A cat sat.", forward_params={"speaker_embeddings": vector})["audio"]
    assert plain.shape != mine.shape or not numpy.allclose(plain, mine)
    with pytest.raises(UsageError, match=r"shape \(1, 256\); this voice takes 12 numbers"):
        say("A cat.", forward_params={"speaker_embeddings": torch.zeros(1, 256)})
    with pytest.raises(UsageError, match=r"unknown parameter 'do_sample'"):
        say("A cat.", forward_params={"do_sample": True})
    with pytest.raises(UsageError, match=r"unknown parameter 'speaker_id'"):
        seesay.pipeline("text-to-speech")("A cat.", forward_params={"speaker_id": 0})
