"""Conversations from and to the messages of others, and what every conversation must be."""

import base64
import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from seesay import (
    Conversation,
    ImagePart,
    Message,
    TextPart,
    conversation_from_openai,
    conversation_from_transformers,
    conversation_to_openai,
    conversation_to_transformers,
)
from seesay.answering import check
from seesay.errors import ImageUnreadable, InputError, TextError
from seesay.media import open_image


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "red.png"
    Image.new("RGB", (8, 6), "red").save(path)
    return path


def data_url(path: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"


def test_openai_messages_there_and_back(picture: Path) -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "This"},
                {"type": "image_url", "image_url": {"url": data_url(picture)}},
                {"type": "text", "text": "is what?"},
            ],
        },
        {"role": "assistant", "content": "A square."},
    ]
    conversation = conversation_from_openai(messages)
    assert [message.role for message in conversation.messages] == ["system", "user", "assistant"]
    assert [type(part) for part in conversation.messages[1].parts] == [TextPart, ImagePart, TextPart]
    assert conversation_to_openai(conversation) == messages
    assert conversation_from_openai(json.loads(json.dumps(conversation_to_openai(conversation)))) == conversation


@pytest.mark.parametrize("kind", ["path", "bytes", "pil", "array", "data URL"])
def test_every_picture_comes_back_from_openai_messages_with_its_pixels(picture: Path, kind: str) -> None:
    with Image.open(picture) as opened:
        array = numpy.asarray(opened)
    sources: dict[str, Any] = {
        "path": picture, "bytes": picture.read_bytes(), "pil": Image.fromarray(array), "array": array, "data URL": data_url(picture)
    }  # fmt: skip
    (message,) = conversation_to_openai(Conversation().ask("what?", sources[kind]))
    again = conversation_from_openai([message])
    assert numpy.array_equal(numpy.asarray(open_image(again.images[0]).pixels), array)
    if kind in ("path", "bytes"):
        assert message["content"][0]["image_url"]["url"] == data_url(picture)


@pytest.mark.parametrize("url", ["/etc/passwd", "http://localhost/a.png", "file:///a.png", "a.png", None, 3])
def test_openai_messages_name_no_files_and_no_addresses(url: object) -> None:
    part = {"type": "image_url", "image_url": {"url": url}}
    with pytest.raises(InputError, match=r"messages\[0\].content\[0\].*nothing is fetched or read"):
        conversation_from_openai([{"role": "user", "content": [part]}])


def test_transformers_messages_there_and_back(picture: Path) -> None:
    encoded = base64.b64encode(picture.read_bytes()).decode()
    for key, value in {
        "image": Image.open(picture),
        "path": str(picture),
        "url": str(picture),
        "base64": encoded,
    }.items():
        part = {"type": "image", key: value}
        messages = [{"role": "user", "content": [part, {"type": "text", "text": "what?"}]}]
        (back,) = conversation_to_transformers(conversation_from_transformers(messages))
        assert back["content"][1] == {"type": "text", "text": "what?"}
        assert back["content"][0]["image"].getpixel((0, 0)) == (255, 0, 0)


def test_places_are_filled_in_order(picture: Path) -> None:
    place = {"type": "image"}
    messages = [
        {"role": "user", "content": [place, place, {"type": "text", "text": "what differs?"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "nothing"}]},
        {"role": "user", "content": [{"type": "text", "text": "and here?"}, place]},
    ]
    images = [Image.new("RGB", (2, 2), color) for color in ("red", "lime", "blue")]
    conversation = conversation_from_transformers(messages, images)
    assert list(conversation.images) == images
    with pytest.raises(InputError, match=r"messages\[2\].content\[1\]: a place for a picture, and 2 pictures given"):
        conversation_from_transformers(messages, images[:2])
    with pytest.raises(InputError, match="4 pictures given for 3 places") as error:
        conversation_from_transformers(messages, [*images, picture])
    assert "messages[2].content[1]" in str(error.value)


def test_a_web_address_in_transformers_messages_is_refused_by_the_door() -> None:
    part = {"type": "image", "url": "https://example.org/a.png"}
    conversation = conversation_from_transformers([{"role": "user", "content": [part]}])
    with pytest.raises(ImageUnreadable, match="web addresses are not opened"):
        open_image(conversation.images[0])


@pytest.mark.parametrize(
    ("messages", "message"),
    [
        ("hello", "messages are a list"),
        ([3], "a message is an object"),
        ([{"role": "tool", "content": "x"}], "role 'tool'"),
        ([{"content": "x"}], "role None"),
        ([{"role": "user"}], "content is text or a list of parts, not a NoneType"),
        ([{"role": "user", "content": ["x"]}], "a part is an object with a type"),
        ([{"role": "user", "content": [{"type": "video"}]}], "a part of type 'video'"),
        ([{"role": "user", "content": [{"type": "text"}]}], "without a text"),
    ],
)
@pytest.mark.parametrize("read", [conversation_from_openai, conversation_from_transformers])
def test_messages_that_cannot_be_meant_say_where(read: Any, messages: Any, message: str) -> None:
    with pytest.raises(InputError, match="messages") as error:
        read(messages)
    assert message in str(error.value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["role", "content", "type", "text", "image_url", "url", "x"]), inner)
        ),
        max_leaves=8,
    )
)
@settings(max_examples=50)
def test_anything_else_is_refused_and_never_breaks(messages: Any) -> None:
    for read in (conversation_from_openai, conversation_from_transformers):
        with contextlib.suppress(InputError):
            read(messages)  # type: ignore[operator]


def test_a_conversation_that_cannot_be_answered_says_which_turn(picture: Path) -> None:
    good = Conversation().ask("what?", picture).answered("red").ask("sure?")
    assert check(good) == good
    bad = {
        "must be the user's, and is missing": Conversation(),
        "must be the user's, and is the assistant's": good.answered("yes"),
        "turn 2 (system): a system turn stands": Conversation(
            (good.messages[0], Message("system", (TextPart("x"),)), good.messages[2])
        ),
        "turn 1 (user): a turn without words": Conversation((Message("user", ()),)),
        "turn 3 (user): the text is empty": Conversation(good.messages[:2]).ask(" "),
        "turn 1: role 'tool'": Conversation((Message("tool", (TextPart("x"),)), *good.messages)),  # type: ignore[arg-type]
    }
    for message, conversation in bad.items():
        with pytest.raises(InputError) as error:
            check(conversation)
        assert message in str(error.value)


def test_words_are_cleaned_and_limited() -> None:
    assert check(Conversation().ask("  Cafe\u0301? ")).messages[0].text == "Caf\u00e9?"
    with pytest.raises(TextError, match=r"turn 1 \(user\): a control character"):
        check(Conversation().ask("a\x1b[2J"))
    # What a model wrote does not end its own conversation.
    assert check(Conversation().ask("a").answered("b\x1b[2J").ask("c")).messages[1].text == "b[2J"
    long = Conversation().ask("x" * 20_000).answered("y" * 11_000).ask("z" * 2_000)
    with pytest.raises(TextError, match="33,000 bytes of text; the limit is 32,000"):
        check(long)


def test_a_conversation_grows_without_changing() -> None:
    first = Conversation().ask("what?", io.BytesIO().getvalue())
    second = first.answered("red")
    assert len(first.messages) == 1
    assert [message.text for message in second.messages] == ["what?", "red"]
