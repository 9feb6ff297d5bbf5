"""Conversations read from every form they come in, and what is wrong with rows told at their place."""

import base64
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seesay import Conversation, DataSettings
from seesay.data import check_conversations, holds_conversations, load_conversations
from seesay.data.conversations import ConversationSet
from seesay.errors import DataError
from seesay.types import ImagePart, Message, TextPart

PhotoMaker = Callable[..., Path]
USER, ASSISTANT = "user", "assistant"


@pytest.fixture
def folder(photo: PhotoMaker, tmp_path: Path) -> Path:
    for index, color in enumerate(("red", "blue", "green")):
        photo(tmp_path / f"{color}.png", (40 + index, 30), color)
    return tmp_path


def write(folder: Path, rows: Sequence[Any], name: str = "talks.jsonl") -> Path:
    path = folder / name
    lines = json.dumps(rows) if name.endswith(".json") else "".join(json.dumps(row) + "\n" for row in rows)
    path.write_text(lines, encoding="utf-8")
    return path


def read(path: Path, **more: Any) -> ConversationSet:
    return load_conversations(DataSettings(data=str(path), validation_fraction=0.0, **more))


def only(path: Path) -> Conversation:
    found = read(path)
    assert found.problems == ()
    ((row,),) = found.splits.values()
    return row


def llava(value: str = "<image>\nWhat is it?", said: str = "red", **more: Any) -> dict[str, Any]:
    return {"conversations": [{"from": "human", "value": value}, {"from": "gpt", "value": said}], **more}


def expected(folder: Path) -> Conversation:
    return Conversation().ask("What is it?", folder / "red.png").answered("red")


@pytest.mark.parametrize("name", ["talks.jsonl", "talks.json", "train.jsonl"])
def test_llava_files_in_both_kinds(folder: Path, name: str) -> None:
    path = write(folder, [llava(image="red.png", id=7)], name)
    assert holds_conversations(DataSettings(data=str(path)))
    row = only(path)
    assert row == expected(folder)
    assert row.id == "7"
    assert row.origin == ("talks.json:entry 1" if name == "talks.json" else f"{name}:1")


def test_messages_of_hugging_face_and_openai(folder: Path) -> None:
    place = {"type": "image"}
    words = {"type": "text", "text": "What is it?"}
    red = (folder / "red.png").read_bytes()
    url = f"data:image/png;base64,{base64.b64encode(red).decode()}"
    answer = {"role": ASSISTANT, "content": "red"}
    rows = [
        {"messages": [{"role": USER, "content": [place, words]}, answer], "images": ["red.png"]},
        {"messages": [{"role": USER, "content": [{**place, "image": "red.png"}, words]}, answer]},
        {"messages": [{"role": USER, "content": [{**place, "path": "red.png", "text": None}, words]}, answer]},
        {"messages": [{"role": USER, "content": "<image>What is it?"}, answer], "images": ["red.png"]},
        {"messages": [{"role": USER, "content": "What is it?"}, answer], "images": ["red.png"]},
        {
            "messages": [
                {"role": USER, "content": [{"type": "image_url", "image_url": {"url": "red.png"}}, words]},
                answer,
            ]
        },
    ]
    found = read(write(folder, rows))
    assert found.format == "messages"
    assert found.problems == ()
    assert list(found.splits["train"]) == [expected(folder)] * len(rows)
    part = {"type": "image_url", "image_url": {"url": url}}
    row = only(write(folder, [{"messages": [{"role": USER, "content": [part, words]}, answer]}], "openai.jsonl"))
    assert row.images == (url,)
    check_conversations(read(folder / "openai.jsonl")).raise_for_problems()


def test_pictures_stand_where_their_places_are(folder: Path) -> None:
    value = "Here <image> is one,\n<image>\nand here another. "
    row = only(write(folder, [llava(value, image=["red.png", "blue.png"])]))
    assert row.messages[0].parts == (
        TextPart("Here "),
        ImagePart(folder / "red.png"),
        TextPart(" is one,"),
        ImagePart(folder / "blue.png"),
        TextPart("and here another."),
    )


def test_tables_of_arrow_and_parquet(folder: Path) -> None:
    datasets = pytest.importorskip("datasets")
    red = {"bytes": (folder / "red.png").read_bytes(), "path": None}
    content = [{"type": "image", "text": None, "index": 0}, {"type": "text", "text": "What is it?", "index": None}]
    said = [{"type": "text", "text": "red", "index": None}]
    messages = [{"role": USER, "content": content}, {"role": ASSISTANT, "content": said}]
    table = datasets.Dataset.from_list([{"messages": messages, "images": [red]}] * 2)
    table.save_to_disk(str(folder / "saved"))
    table.to_parquet(str(folder / "train.parquet"))
    for source in (folder / "saved", folder / "train.parquet"):
        assert holds_conversations(DataSettings(data=str(source)))
        found = read(source)
        assert found.problems == ()
        assert [row.images for row in found.splits["train"]] == [(red["bytes"],)] * 2
        assert found.splits["train"][0].messages[1] == Message("assistant", (TextPart("red"),))


def turns(*said: tuple[str, str]) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": text} for role, text in said]}


BAD: list[tuple[dict[str, Any], str]] = [
    (llava(), "1 place for pictures in the turns, and 0 pictures in the row"),
    (llava("<image> <image>", image="red.png"), "2 places for pictures in the turns, and 1 picture in the row"),
    (llava(image=["red.png", "blue.png"]), "1 place for pictures in the turns, and 2 pictures in the row"),
    (llava(image="rad.png"), "no picture 'rad.png'"),
    (llava(image="../red.png"), "lies outside the data's folder"),
    (llava(image="https://example.org/a.png"), "is an address; nothing is fetched"),
    (llava(image=7), "7 is not the path of a picture"),
    (llava(image="red.png", said=" "), "turn 2 (assistant) is empty"),
    (llava("", image=[]), "turn 1 (user) is empty"),
    (llava(said="a\0b", image="red.png"), "a control character (U+0000)"),
    ({"conversations": [{"from": "robot", "value": "hi"}]}, "turn 1 is from 'robot'"),
    ({"conversations": [{"from": "human", "value": 7}]}, "turn 1 (human) says 7, not text"),
    ({"conversations": []}, "no turns in 'conversations'"),
]
BAD_ORDERS = [
    (turns((USER, "a")), "it ends with a turn of the user's"),
    (turns((ASSISTANT, "a")), "turn 1 (assistant): nothing was asked before it"),
    (turns((USER, "a"), (USER, "b"), (ASSISTANT, "c")), "turn 2 (user) follows another of the user's"),
    (turns((USER, "a"), (ASSISTANT, "b"), (ASSISTANT, "c")), "turn 3 (assistant) follows another"),
    (turns((USER, "a"), ("system", "b"), (ASSISTANT, "c")), "turn 2 (system): a system turn stands at the beginning"),
    (turns((USER, "a"), ("tool", "b")), "messages[1]: role 'tool'"),
    (turns((USER, "a"), (ASSISTANT, "")), "turn 2 (assistant) is empty"),
    ({"messages": [{"role": USER, "content": None}]}, "messages[0]: content is text or a list of parts"),
    ({"messages": [7]}, "turn 1 is 7"),
    ({"messages": "hello"}, "no turns in 'messages'"),
]


@pytest.mark.parametrize(("row", "message"), BAD)
def test_what_is_wrong_with_a_row_is_told_at_its_place(folder: Path, row: dict[str, Any], message: str) -> None:
    (problem,) = read(write(folder, [llava(image="red.png"), row])).problems
    assert problem.where == "talks.jsonl:2"
    assert message in problem.message
    assert problem.hint


@pytest.mark.parametrize(("row", "message"), BAD_ORDERS)
def test_turns_in_a_wrong_order_and_of_unknown_roles(folder: Path, row: dict[str, Any], message: str) -> None:
    good = turns((USER, "a"), (ASSISTANT, "b"))
    (problem,) = read(write(folder, [good, row])).problems
    assert problem.where == "talks.jsonl:2"
    assert message in problem.message


def test_no_picture_stands_in_two_splits(folder: Path) -> None:
    rows = [
        llava(said=f"{color} {index}", image=f"{color}.png")
        for color in ("red", "blue", "green")
        for index in (1, 2, 3)
    ]
    path = write(folder, rows)
    found = load_conversations(DataSettings(data=str(path), validation_fraction=0.4), training=True)
    train, validation = ({row.images for row in found.splits[name]} for name in ("train", "validation"))
    assert train and validation and not train & validation
    assert (
        found.fingerprint
        == load_conversations(DataSettings(data=str(path), validation_fraction=0.4), training=True).fingerprint
    )
    write(folder, [*rows[:-1], llava(said="otherwise", image="green.png")])
    changed = load_conversations(DataSettings(data=str(path), validation_fraction=0.4), training=True)
    assert found.fingerprint != changed.fingerprint


def test_the_report_counts_and_names_what_is_broken(folder: Path) -> None:
    (folder / "broken.png").write_bytes(b"no picture")
    rows = [
        llava(image="red.png"),
        llava(image="red.png"),
        llava(image="broken.png"),
        llava("hello there", "well, hello"),
    ]
    report = check_conversations(read(write(folder, rows)), training=True)
    (train,) = report.splits
    assert (train.conversations, train.pictures, train.without_picture) == (4, 2, 1)
    assert train.turns == (1, 1, 1)
    assert train.words_answered == (1, 1, 2)
    told = "\n".join(report.sentences())
    assert "talks.jsonl:3: broken.png: " in told
    assert "1 conversations of train stand there twice: talks.jsonl:2 is talks.jsonl:1" in told
    assert "no validation rows" in told
    with pytest.raises(DataError, match="2 problems to mend"):
        report.raise_for_problems()


def test_other_data_is_no_conversation(folder: Path) -> None:
    path = write(folder, [{"image": "red.png", "question": "what?", "answer": "red"}])
    assert not holds_conversations(DataSettings(data=str(path)))
    with pytest.raises(DataError, match="no conversations"):
        read(path)
    with pytest.raises(DataError, match="no such file"):
        read(folder / "nothing.jsonl")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["from", "value", "role", "content", "type", "text", "image", "url"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(JSON, max_size=3), JSON)
def test_whatever_a_row_holds_is_a_conversation_or_a_problem(
    tmp_path_factory: pytest.TempPathFactory, said: list[Any], image: Any
) -> None:
    folder = tmp_path_factory.mktemp("any")
    first = [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "ho"}]
    for row, name in (
        ({"conversations": first}, "conversations"),
        (turns((USER, "hi"), (ASSISTANT, "ho")), "messages"),
    ):
        found = read(write(folder, [row, {name: said, "image": image}]))
        assert len(found.problems) + sum(map(len, found.splits.values())) == 2
