"""`pipeline("image-to-text")` in the shapes of transformers v4; those for questions are in tests/parity."""

from pathlib import Path

import numpy
import pytest
from PIL import Image

import seesay
from seesay.errors import InputError, ModelError, UsageError


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
    with pytest.raises(UsageError, match="no model named"):
        seesay.pipeline("vqa")  # type: ignore[call-overload]
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


@pytest.fixture(scope="module")
def talker(chat_checkpoints: dict[str, Path]) -> seesay.Model:
    return seesay.load(str(chat_checkpoints["idefics3"]))


def test_messages_give_messages_or_the_new_text_alone(talker: seesay.Model, vilt_pictures: list[Path]) -> None:
    talk = seesay.pipeline("image-text-to-text", model=talker)
    content = [{"type": "image", "url": str(vilt_pictures[0])}, {"type": "text", "text": "what is it?"}]
    messages = [{"role": "user", "content": content}]
    said = talker.chat(seesay.Conversation().ask("what is it?", vilt_pictures[0]), max_new_tokens=9).text
    (one,) = talk(text=messages, return_full_text=False, max_new_tokens=9)
    assert one == {"input_text": messages, "generated_text": said}
    (full,) = talk(messages, generate_kwargs={"max_new_tokens": 9, "do_sample": False})
    assert full["generated_text"] == [*messages, {"role": "assistant", "content": said}]
    several = talk(text=[messages, messages], return_full_text=False, max_new_tokens=9)
    assert several == [[one], [one]]
    assert messages == [{"role": "user", "content": content}]


def test_pictures_beside_messages_fill_their_places(talker: seesay.Model, vilt_pictures: list[Path]) -> None:
    talk = seesay.pipeline("image-text-to-text", model=talker)
    content = [{"type": "image"}, {"type": "image"}, {"type": "text", "text": "what differs?"}]
    images = [Image.open(path).convert("RGB") for path in vilt_pictures[:2]]
    messages = [{"role": "user", "content": content}]
    (one,) = talk(images=images, text=messages, return_full_text=False, max_new_tokens=9)
    conversation = seesay.Conversation().ask("what differs?", *vilt_pictures[:2])
    assert one["generated_text"] == talker.chat(conversation, max_new_tokens=9).text
    with pytest.raises(InputError, match=r"messages\[0\].content\[1\]: a place for a picture, and 1 picture given"):
        talk(images=images[:1], text=messages)


def test_a_text_about_pictures_is_continued(talker: seesay.Model, vilt_pictures: list[Path]) -> None:
    talk = seesay.pipeline("image-text-to-text", model=talker)
    said = talker.chat(seesay.Conversation().ask("what?", vilt_pictures[0]), max_new_tokens=9).text or ""
    (one,) = talk(str(vilt_pictures[0]), text="<image>what?", max_new_tokens=9)
    assert one == {"input_text": "<image>what?", "generated_text": f"<image>what?{said}"}
    stopped = talk(str(vilt_pictures[0]), "what?", return_full_text=False, stop_sequence=said[:1], max_new_tokens=9)
    assert stopped[0]["generated_text"] == ""


def test_what_a_conversation_pipeline_cannot_mean_is_refused(talker: seesay.Model) -> None:
    talk = seesay.pipeline("image-text-to-text", model=talker)
    with pytest.raises(UsageError, match="'do_sample' is not supported"):
        talk(text=[{"role": "user", "content": "hi"}], generate_kwargs={"do_sample": True})
    with pytest.raises(UsageError, match="neither text nor messages"):
        talk()
    with pytest.raises(InputError, match="the last turn must be the user's"):
        talk(text=[{"role": "assistant", "content": "hi"}])
