"""OpenAI's responses with OpenAI's own client: whole, as events, left in the middle, refused."""

import base64
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx2
import openai
import pytest
from openai.types.responses import Response

import seesay

PICTURES = Path(__file__).parents[2] / "examples" / "pictures"
DOGS, SIGN = PICTURES / "dogs.jpg", PICTURES / "sign.jpg"


def picture(path: Path) -> dict[str, Any]:
    url = f"data:image/jpeg;base64,{base64.b64encode(path.read_bytes()).decode()}"
    return {"type": "input_image", "image_url": url, "detail": "auto"}


def asking(question: str, *pictures: Path) -> list[Any]:
    content = [*map(picture, pictures), {"type": "input_text", "text": question}]
    return [{"role": "user", "content": content}]


@pytest.fixture(scope="module")
def client(server: Any) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.address}/v1", api_key="none", max_retries=0) as opened:
        yield opened


@pytest.fixture(scope="module")
def writer(server_maker: ModuleType, chat_checkpoint: Path) -> Iterator[Any]:
    # torch answers: an export of so small a model would be done before anybody could leave.
    with server_maker.serving("--model", chat_checkpoint, "--engine", "torch", "--voice", "") as running:
        yield running


@pytest.fixture(scope="module")
def writing(writer: Any) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{writer.address}/v1", api_key="none", max_retries=0) as opened:
        yield opened


@pytest.fixture(scope="module")
def mini() -> seesay.Model:
    return seesay.load()


class TestWhole:
    def test_an_answer_is_what_the_model_says(self, client: openai.OpenAI, mini: seesay.Model) -> None:
        reply = client.responses.create(
            model="seesay-mini", input=asking("What animal is this?", DOGS), metadata={"page": "7"}
        )
        expected = mini.ask(DOGS, "What animal is this?")
        assert reply.output_text == expected.text and reply.status == "completed" and reply.incomplete_details is None
        assert reply.usage is not None and reply.usage.input_tokens > 3 and reply.usage.output_tokens >= 1
        assert reply.usage.total_tokens == reply.usage.input_tokens + reply.usage.output_tokens
        assert reply.metadata == {"page": "7"}
        assert reply.model_extra is not None and reply.model_extra["store"] is False
        assert reply.model_extra["seesay"]["score"] == pytest.approx(expected.score, abs=1e-5)
        Response.model_validate(reply.model_dump(), strict=True)

    def test_what_was_said_before_comes_with_the_request(self, client: openai.OpenAI, mini: seesay.Model) -> None:
        asked = asking("What animal is this?", DOGS)
        first = client.responses.create(model="seesay-mini", input=asked)
        again = [*asked, *first.output, *asking("What does the sign say?", SIGN)]
        reply = client.responses.create(model="seesay-mini", input=again)
        assert reply.output_text == mini.ask(SIGN, "What does the sign say?").text

    def test_instructions_and_what_a_developer_says_are_one_turn(
        self, writing: openai.OpenAI, chat_checkpoint: Path
    ) -> None:
        told = [{"role": "developer", "content": "Be brief."}, *asking("What differs?", DOGS, SIGN)]
        wanted: dict[str, Any] = {"model": "idefics3", "max_output_tokens": 7}
        reply = writing.responses.create(instructions="Be kind.", input=told, **wanted)  # type: ignore[arg-type]
        urls = [part["image_url"] for part in told[1]["content"][:2]]  # type: ignore[index]
        parts = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
        system = [{"type": "text", "text": text} for text in ("Be kind.", "Be brief.")]
        messages = [
            {"role": "system", "content": system},
            {"role": "user", "content": [*parts, {"type": "text", "text": "What differs?"}]},
        ]
        conversation = seesay.conversation_from_openai(messages)
        expected = seesay.load(str(chat_checkpoint)).chat(conversation, max_new_tokens=7)
        assert reply.output_text == expected.text
        without = writing.responses.create(input=asking("What differs?", DOGS, SIGN), **wanted)
        assert without.usage is not None and reply.usage is not None
        assert without.usage.input_tokens < reply.usage.input_tokens

    def test_an_answer_cut_off_is_incomplete(self, writing: openai.OpenAI) -> None:
        reply = writing.responses.create(model="idefics3", input=asking("What?", DOGS), max_output_tokens=3)
        assert reply.status == "incomplete" and reply.output[0].status == "incomplete"  # type: ignore[union-attr]
        assert reply.incomplete_details is not None and reply.incomplete_details.reason == "max_output_tokens"

    def test_words_alone_are_an_input(self, writing: openai.OpenAI) -> None:
        reply = writing.responses.create(model="idefics3", input="What is it?", max_output_tokens=3)
        assert reply.output_text


class TestEvents:
    def test_they_come_in_order_and_are_the_answer(self, writing: openai.OpenAI) -> None:
        wanted: dict[str, Any] = {"model": "idefics3", "input": asking("What?", DOGS), "max_output_tokens": 24}
        whole = writing.responses.create(**wanted)
        events = list(writing.responses.create(**wanted, stream=True))
        assert [event.sequence_number for event in events] == list(range(len(events)))
        kinds = [event.type for event in events]
        deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
        assert "".join(deltas) == whole.output_text and len(deltas) > 1
        assert kinds == [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
            *["response.output_text.delta"] * len(deltas),
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            f"response.{whole.status}",
        ]
        last = events[-1]
        assert last.type in ("response.completed", "response.incomplete")
        assert last.response.output_text == whole.output_text and last.response.usage == whole.usage
        assert events[0].type == "response.created" and events[0].response.id == last.response.id

    def test_the_client_that_gathers_them_has_the_answer(self, client: openai.OpenAI, mini: seesay.Model) -> None:
        asked = asking("What animal is this?", DOGS)
        with client.responses.stream(model="seesay-mini", input=asked) as stream:
            for _ in stream:
                pass
            assert stream.get_final_response().output_text == mini.ask(DOGS, "What animal is this?").text

    def test_a_stream_that_is_left_stops_within_a_token(self, writing: openai.OpenAI, writer: Any) -> None:
        def figure(name: str) -> float:
            lines = httpx2.get(f"{writer.address}/metrics").text.splitlines()
            return sum(float(line.split()[-1]) for line in lines if line.startswith(f"{name} "))

        gone = figure("seesay_clients_gone_total")
        wanted: dict[str, Any] = {"model": "idefics3", "input": asking("What?", DOGS), "max_output_tokens": 800}
        for _ in range(3):
            stream = writing.responses.create(**wanted, stream=True)
            next(iter(stream))
            stream.close()
        began = time.monotonic()
        while figure("seesay_in_flight") > 1:
            assert time.monotonic() - began < 5
            time.sleep(0.05)
        # On a quick machine an answer may be complete before its client is seen to have gone.
        assert gone < figure("seesay_clients_gone_total") <= gone + 3

    def test_what_is_wrong_is_told_by_the_status(self, client: openai.OpenAI) -> None:
        broken = {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "auto"}
        asked: list[Any] = [{"role": "user", "content": [broken, {"type": "input_text", "text": "What?"}]}]
        with pytest.raises(openai.UnprocessableEntityError, match="picture 1"):
            client.responses.create(model="seesay-mini", input=asked, stream=True)


class TestRefused:
    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"tools": [{"type": "web_search"}]}, "tools"),
            ({"previous_response_id": "resp_1"}, "previous_response_id"),
            ({"store": True}, "store"),
            ({"background": True}, "background"),
            ({"text": {"format": {"type": "json_object"}}}, "text.format.type"),
            ({"max_output_tokens": 100_000}, "max_output_tokens"),
            ({"reasoning": {"effort": "low"}}, "reasoning"),
            ({"voodoo": 1}, "voodoo"),
        ],
    )
    def test_what_is_not_done_by_its_name(self, client: openai.OpenAI, wrong: dict[str, Any], field: str) -> None:
        with pytest.raises(openai.BadRequestError) as refused:
            client.responses.create(model="seesay-mini", input=asking("What?", DOGS), extra_body=wrong)
        assert refused.value.param == field and field in refused.value.message

    @pytest.mark.parametrize(
        ("part", "field"),
        [
            ({"type": "input_file", "file_id": "f"}, "input.0.content.0"),
            ({"type": "input_image", "file_id": "f"}, "input.0.content.0.image_url"),
            ({"type": "input_image", "image_url": "https://example.org/a.png"}, "input[0].content[0]"),
            ({"type": "input_text", "text": 5}, "input.0.content.0.text"),
        ],
    )
    def test_a_part_by_its_place(self, client: openai.OpenAI, part: dict[str, Any], field: str) -> None:
        with pytest.raises(openai.BadRequestError) as refused:
            client.responses.create(model="seesay-mini", input=[{"role": "user", "content": [part]}])  # type: ignore[list-item,misc]
        assert refused.value.param == field

    def test_another_model(self, client: openai.OpenAI) -> None:
        with pytest.raises(openai.NotFoundError, match="'gpt-6'"):
            client.responses.create(model="gpt-6", input="What?")

    def test_words_without_a_picture_where_one_is_needed(self, client: openai.OpenAI) -> None:
        with pytest.raises(openai.UnprocessableEntityError, match="picture"):
            client.responses.create(model="seesay-mini", input="What is it?")
