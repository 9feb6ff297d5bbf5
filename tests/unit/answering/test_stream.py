"""Streams: pieces that stay as they are, ends, errors and threads; over every checkpoint that writes token by token."""

import gc
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import seesay
from seesay import Conversation
from seesay.answering.stream import AnswerStream, Pieces, whole
from seesay.errors import ImageNotFound, InputError, Interrupted, UsageError
from seesay.types import Answer

WRITING = [
    "git",
    "blip-vqa",
    "blip-caption",
    "blip2-opt",
    "blip2-t5",
    "instructblip-opt",
    "idefics2",
    "qwen2_vl",
    "llava",
]
MODELS: dict[str, seesay.Model] = {}
texts = st.text(st.sampled_from("ab \n<é"), max_size=12)


@pytest.fixture(params=WRITING)
def model(
    request: pytest.FixtureRequest, generative_checkpoints: dict[str, Path], chat_checkpoints: dict[str, Path]
) -> seesay.Model:
    if request.param not in MODELS:
        MODELS[request.param] = seesay.load(str({**generative_checkpoints, **chat_checkpoints}[request.param]))
    return MODELS[request.param]


@pytest.fixture
def talking(chat_checkpoints: dict[str, Path]) -> seesay.Model:
    """One that writes on and on."""
    return seesay.load(str(chat_checkpoints["idefics2"]))


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    assert not [thread.name for thread in threading.enumerate() if thread.name == "seesay-stream"]


def put_all(stops: list[str], steps: list[str]) -> tuple[list[str], Pieces]:
    put: list[str] = []
    pieces = Pieces(stops, put.append)
    for step in steps:
        if pieces.grow(step):
            break
    pieces.finish()
    return put, pieces


@given(st.lists(st.binary(min_size=1, max_size=3), max_size=12))
def test_half_a_character_is_never_put(tokens: list[bytes]) -> None:
    whole_text = "aé漢🙂" * 3
    data = whole_text.encode()
    cuts = [sum(map(len, tokens[:index])) for index in range(1, len(tokens) + 1)] + [len(data)]
    put, pieces = put_all([], [data[:cut].decode(errors="replace") for cut in cuts])
    assert "".join(put) == pieces.text == whole_text
    assert "\ufffd" not in "".join(put)


@given(texts, st.lists(texts.filter(bool), max_size=3), st.integers(1, 4))
def test_pieces_joined_are_the_text_up_to_the_first_stop_string(text: str, stops: list[str], width: int) -> None:
    steps = [text[:end] for end in range(width, len(text) + width, width)]
    put, pieces = put_all(stops, steps)
    expected = text
    for end in range(len(text) + 1):  # the first moment at which a stop string is complete
        seen = next((step for step in steps if len(step) >= end), "")
        found = [seen.find(stop) for stop in stops if stop in seen]
        if found:
            expected = seen[: min(found)]
            break
    assert "".join(put) == pieces.text == expected.strip()
    assert pieces.stopped == any(stop in step for stop in stops for step in steps)


def test_the_last_half_of_a_character_that_never_comes_is_left_out() -> None:
    put, _ = put_all([], ["ok ", "ok \ufffd"])
    assert "".join(put) == "ok"


def test_joined_pieces_are_the_answer_and_the_answer_is_that_of_ask(
    model: seesay.Model, vilt_pictures: list[Path]
) -> None:
    question = "a" if model.family.checkpoint.architecture.endswith("BlipForConditionalGeneration") else "what is it?"
    model.family.generation = seesay.models.family.GenerationSettings(max_new_tokens=12)
    with model.stream(vilt_pictures[0], question, max_new_tokens=12) as stream:
        pieces = list(stream)
        answer = stream.answer()
    asked = model.ask(vilt_pictures[0], question, risk=1.0)
    assert "".join(pieces) == answer.text == asked.text
    assert answer.score == pytest.approx(asked.score, abs=1e-5)
    assert answer.provenance.inputs == asked.provenance.inputs
    assert len(pieces) >= min(2, len((answer.text or "").split()))
    for marker in filter(None, model.family.tokenizer.all_special_tokens):  # type: ignore[attr-defined]
        assert marker not in (answer.text or "")


def test_a_conversation_is_streamed_and_chatted_alike(model: seesay.Model, vilt_pictures: list[Path]) -> None:
    caption = model.family.checkpoint.architecture == "BlipForConditionalGeneration"
    conversation = Conversation().ask("red", vilt_pictures[0]).answered("no").ask("a" if caption else "what is it?")
    with model.stream(conversation, max_new_tokens=8) as stream:
        text = "".join(stream)
    answer = model.chat(conversation, max_new_tokens=8)
    assert answer.text == text
    assert answer.finish in ("stop", "length")


def test_an_answer_never_outgrows_the_positions_of_the_model(model: seesay.Model, vilt_pictures: list[Path]) -> None:
    caption = model.family.checkpoint.architecture == "BlipForConditionalGeneration"
    answer = model.stream(vilt_pictures[0], "a" if caption else "what is it " * 12, max_new_tokens=300).answer()
    assert answer.finish in ("stop", "length")


def test_a_stop_string_ends_the_answer_and_is_not_part_of_it(talking: seesay.Model, vilt_pictures: list[Path]) -> None:
    conversation = Conversation().ask("what is it?", vilt_pictures[0])
    full = talking.chat(conversation, max_new_tokens=30).text
    assert full is not None
    stop = full[10:16]
    answer = talking.chat(conversation, max_new_tokens=30, stop=[stop, "never"])
    assert answer.text == full[: full.index(stop)].strip()
    assert answer.finish == "stop"
    with pytest.raises(UsageError, match="stop string is empty"):
        talking.stream(conversation, stop=[""])


def test_an_answer_says_why_it_ends(talking: seesay.Model, vilt_pictures: list[Path]) -> None:
    conversation = Conversation().ask("what is it?", vilt_pictures[0])
    assert talking.chat(conversation, max_new_tokens=3).finish == "length"
    late = talking.chat(conversation, max_new_tokens=1024, deadline=1.0)
    assert late.finish in ("deadline", "stop")
    slow = seesay.load(str(talking.family.checkpoint.folder))
    _delay(slow, 0.3)
    assert slow.chat(conversation, max_new_tokens=1024, deadline=1.0).finish == "deadline"


def _delay(model: seesay.Model, seconds: float) -> None:
    """Make every token of a model take its time, as those of large ones do."""
    model.family.network.register_forward_pre_hook(lambda *_: time.sleep(seconds))


def test_closing_stops_the_work_within_a_token(talking: seesay.Model, vilt_pictures: list[Path]) -> None:
    slow = seesay.load(str(talking.family.checkpoint.folder))
    steps: list[float] = []
    slow.family.network.register_forward_pre_hook(lambda *_: steps.append(time.perf_counter()))
    _delay(slow, 0.05)
    stream = slow.stream(Conversation().ask("what is it?", vilt_pictures[0]), max_new_tokens=500)
    next(stream)
    seen = len(steps)
    stream.close()
    assert len(steps) <= seen + 1
    assert list(stream) == []
    with pytest.raises(Interrupted):
        stream.answer()
    # The model is free again.
    assert slow.chat(Conversation().ask("what is it?", vilt_pictures[0]), max_new_tokens=2).text


def test_a_stream_that_is_let_go_stops(talking: seesay.Model, vilt_pictures: list[Path]) -> None:
    slow = seesay.load(str(talking.family.checkpoint.folder))
    _delay(slow, 0.05)
    stream = slow.stream(Conversation().ask("what is it?", vilt_pictures[0]), max_new_tokens=500)
    next(stream)
    del stream
    gc.collect()  # the fixture looks for its thread


def test_an_error_reaches_the_reader_at_once_and_as_itself(talking: seesay.Model, vilt_pictures: list[Path]) -> None:
    class OutOfCoffee(Exception):
        pass

    broken = seesay.load(str(talking.family.checkpoint.folder))
    calls: list[int] = []

    def fail(*_: object) -> None:
        calls.append(1)
        if len(calls) > 3:
            raise OutOfCoffee("third token")

    broken.family.network.register_forward_pre_hook(fail)
    stream = broken.stream(Conversation().ask("what is it?", vilt_pictures[0]), max_new_tokens=500)
    started = time.perf_counter()
    with pytest.raises(OutOfCoffee, match="third token"):
        list(stream)
    assert time.perf_counter() - started < 10
    with pytest.raises(OutOfCoffee):
        stream.answer()


def test_a_missing_picture_is_named_where_the_pieces_are_read(talking: seesay.Model, tmp_path: Path) -> None:
    with (
        talking.stream(Conversation().ask("what?", tmp_path / "none.png")) as stream,
        pytest.raises(ImageNotFound, match=r"none\.png"),
    ):
        next(stream)


def test_two_streams_of_one_model_do_not_mix(chat_checkpoints: dict[str, Path], vilt_pictures: list[Path]) -> None:
    model = seesay.load(str(chat_checkpoints["qwen2_vl"]))  # which keeps the positions of a generation on itself
    asked = [Conversation().ask("what is it?", path) for path in vilt_pictures] * 2
    alone = [model.chat(conversation, max_new_tokens=12).text for conversation in asked]
    streams = [model.stream(conversation, max_new_tokens=12) for conversation in asked]
    assert ["".join(stream) for stream in streams] == alone


@pytest.mark.parametrize("name", ["mini_checkpoint", "vilt_checkpoint"])
def test_models_that_do_not_write_answer_in_one_piece(
    name: str, request: pytest.FixtureRequest, vilt_pictures: list[Path]
) -> None:
    model = seesay.load(str(request.getfixturevalue(name)))
    conversation = Conversation().ask("Is it red?", vilt_pictures[0]).answered("no").ask("How many?", vilt_pictures[1])
    asked = model.ask(vilt_pictures[1], "How many?")
    stream = model.stream(conversation)
    assert list(stream) == ([asked.text] if asked.text else [])
    assert (stream.answer().text, stream.answer().score) == (asked.text, asked.score)
    with pytest.raises(InputError, match="no picture in the conversation"):
        model.chat(Conversation().ask("How many?"))


@pytest.mark.parametrize(("name", "value"), [("max_new_tokens", 0), ("max_new_tokens", 1025), ("deadline", 0.0)])
def test_limits_out_of_range_are_refused(
    talking: seesay.Model, vilt_pictures: list[Path], name: str, value: float
) -> None:
    with pytest.raises(UsageError, match=name):
        talking.stream(vilt_pictures[0], "what?", **{name: value})  # type: ignore[arg-type]


def test_work_in_one_piece_that_fails_says_so() -> None:
    def fail() -> Answer:
        raise ZeroDivisionError

    make: Callable[[], Answer] = fail
    with pytest.raises(ZeroDivisionError):
        next(whole(make))


def test_a_closed_stream_of_finished_work_has_no_answer() -> None:
    stream = AnswerStream(lambda put, closed: (put("a"), closed.wait(5))[0])  # type: ignore[arg-type, func-returns-value]
    assert next(stream) == "a"
    stream.close()
    with pytest.raises(Interrupted):
        stream.answer()


def test_a_stream_can_be_cancelled_without_waiting() -> None:
    stopped = threading.Event()

    def work(put: Callable[[str], None], closed: threading.Event) -> Answer:
        put("one")
        assert closed.wait(10)
        stopped.set()
        raise Interrupted("stopped")

    pieces = AnswerStream(work)
    assert next(pieces) == "one"
    pieces.cancel()
    assert stopped.wait(10)
    with pytest.raises(Interrupted):
        pieces.answer()
    pieces.close()
