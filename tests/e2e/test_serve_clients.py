"""The clients that people have, against a real server: OpenAI's, Ollama's, and plain HTTP."""

import base64
import io
import json
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import ollama
import openai
import pytest

import seesay

PICTURES = Path(__file__).parents[2] / "examples" / "pictures"
DOGS, SIGN = PICTURES / "dogs.jpg", PICTURES / "sign.jpg"


def data_url(path: Path) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(path.read_bytes()).decode()}"


def asking(question: str, *pictures: Path) -> list[Any]:
    parts: list[dict[str, Any]] = [
        {"type": "image_url", "image_url": {"url": data_url(picture)}} for picture in pictures
    ]
    return [{"role": "user", "content": [*parts, {"type": "text", "text": question}]}]


@pytest.fixture(scope="module")
def mini() -> seesay.Model:
    return seesay.load()


@pytest.fixture(scope="module")
def client(server: Any) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.address}/v1", api_key="none", max_retries=0) as opened:
        yield opened


@pytest.fixture(scope="module")
def llama(server: Any) -> Iterator[ollama.Client]:
    with ollama.Client(host=server.address) as opened:
        yield opened


@pytest.fixture(scope="module")
def http(server: Any) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=server.address, timeout=240) as opened:
        yield opened


class TestOpenAI:
    def test_an_answer_is_what_the_model_says(self, client: openai.OpenAI, mini: seesay.Model) -> None:
        reply = client.chat.completions.create(model="seesay-mini", messages=asking("What animal is this?", DOGS))
        expected = mini.ask(DOGS, "What animal is this?")
        assert reply.choices[0].message.content == expected.text
        assert reply.choices[0].finish_reason == "stop"
        assert reply.usage is not None and reply.usage.prompt_tokens > 3 and reply.usage.completion_tokens >= 1
        extra = reply.model_extra
        assert extra is not None and extra["seesay"]["score"] == pytest.approx(expected.score, abs=1e-5)
        assert extra["seesay"]["certainty"] == expected.certainty

    def test_the_pieces_of_a_stream_are_the_answer(self, client: openai.OpenAI) -> None:
        whole = client.chat.completions.create(model="seesay-mini", messages=asking("describe it", DOGS))
        chunks = list(
            client.chat.completions.create(
                model="seesay-mini",
                messages=asking("describe it", DOGS),
                stream=True,
                stream_options={"include_usage": True},
            )
        )
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        assert text == whole.choices[0].message.content
        assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
        assert chunks[-1].usage == whole.usage

    def test_the_last_question_about_the_latest_picture_is_answered(
        self, client: openai.OpenAI, mini: seesay.Model
    ) -> None:
        messages = [
            *asking("What animal is this?", DOGS),
            {"role": "assistant", "content": "dog"},
            *asking("What does the sign say?", SIGN),
        ]
        reply = client.chat.completions.create(model="seesay-mini", messages=messages)
        assert reply.choices[0].message.content == mini.ask(SIGN, "What does the sign say?").text

    def test_models_are_listed(self, client: openai.OpenAI) -> None:
        assert [model.id for model in client.models.list()] == ["seesay-mini", "hibari"]
        assert client.models.retrieve("seesay-mini").owned_by == "seesay"
        with pytest.raises(openai.NotFoundError):
            client.models.retrieve("gpt-6")

    def test_an_unknown_field_is_refused_by_its_name(self, client: openai.OpenAI) -> None:
        with pytest.raises(openai.BadRequestError) as refused:
            client.chat.completions.create(
                model="seesay-mini", messages=asking("What?", DOGS), extra_body={"voodoo": 1}
            )
        assert refused.value.param == "voodoo" and "'voodoo'" in refused.value.message

    @pytest.mark.parametrize(
        ("wrong", "field"), [({"n": 2}, "n"), ({"temperature": 9}, "temperature"), ({"tools": [{}]}, "tools")]
    )
    def test_what_is_not_done_is_refused_by_its_name(
        self, client: openai.OpenAI, wrong: dict[str, Any], field: str
    ) -> None:
        with pytest.raises(openai.BadRequestError) as refused:
            client.chat.completions.create(model="seesay-mini", messages=asking("What?", DOGS), extra_body=wrong)
        assert refused.value.param == field

    def test_addresses_are_not_fetched(self, client: openai.OpenAI) -> None:
        parts = [{"type": "image_url", "image_url": {"url": "http://127.0.0.1/secret.png"}}]
        with pytest.raises(openai.UnprocessableEntityError, match="data: URL"):
            client.chat.completions.create(
                model="seesay-mini",
                messages=[{"role": "user", "content": parts}],  # type: ignore[typeddict-item]
            )

    @pytest.mark.parametrize("kind", ["wav", "pcm", "flac", "mp3"])
    def test_a_text_is_spoken(self, client: openai.OpenAI, kind: Any) -> None:
        import soundfile

        text = "A brown dog is running. It is happy."
        sound = client.audio.speech.create(model="hibari", voice="default", input=text, response_format=kind).read()
        expected = seesay.speak(text)
        if kind == "pcm":
            assert len(sound) == 2 * len(expected.samples)
            return
        if kind == "wav":  # streamed: its header does not know the length
            assert len(sound) == 44 + 2 * len(expected.samples)
        samples, rate = soundfile.read(io.BytesIO(sound))
        assert rate == expected.sample_rate
        assert len(samples) / rate == pytest.approx(expected.seconds, abs=0.2)

    def test_a_format_that_is_not_written_is_refused_by_its_name(self, client: openai.OpenAI) -> None:
        with pytest.raises(openai.BadRequestError, match="'aac'"):
            client.audio.speech.create(model="hibari", voice="default", input="A dog.", response_format="aac")

    def test_without_a_whisper_recordings_are_refused(self, client: openai.OpenAI, recording: Path) -> None:
        with pytest.raises(openai.NotFoundError, match="--listen-model"):
            client.audio.transcriptions.create(model="whisper", file=recording)

    def test_decisions(self, client: openai.OpenAI, mini: seesay.Model) -> None:
        decided = client.decisions.create(
            model="seesay-mini",
            input=[{"role": "user", "content": [{"type": "input_image", "image_url": data_url(DOGS)}]}],
            questions=[
                {"type": "predicate", "name": "dog", "instructions": "Is there a dog?"},
                {"type": "predicate", "instructions": "Is there a cat?"},
                {
                    "type": "choice",
                    "name": "kind",
                    "instructions": "What animal is this?",
                    "choices": [{"value": "cat"}, {"value": "dog"}],
                },
                {
                    "type": "choice",
                    "instructions": "Is there a dog?",
                    "choices": [{"value": True}, {"value": False}],
                },
                {
                    "type": "score",
                    "instructions": "How many dogs are there?",
                    "levels": [{"label": "2"}, {"label": "3"}, {"label": "4"}],
                },
                {"type": "predicate", "name": "odd", "instructions": "Is there a xylofloop?"},
            ],
        )
        dog, cat, kind, typed, score, odd = decided.answers
        expected = mini.ask(DOGS, "Is there a dog?", choices=["yes", "no"])
        yes = next(one.score for one in expected.alternatives if one.text == "yes")
        assert dog.type == "predicate" and dog.name == "dog" and dog.probability == pytest.approx(yes, abs=0.02)
        assert cat.type == "predicate" and dog.probability > 0.5 > cat.probability and cat.name is None
        assert kind.type == "choice" and kind.choice == "dog" and 0 < kind.confidence <= 1
        assert sum(one.probability for one in kind.probabilities) == pytest.approx(1)
        assert typed.type == "choice" and typed.choice is True
        assert score.type == "score" and 0 <= score.score <= 2 and [p.value for p in score.probabilities] == [0, 1, 2]
        assert odd.type == "refusal" and odd.name == "odd"
        assert decided.usage.total_tokens == decided.usage.input_tokens > 0


class TestOllama:
    def test_chat(self, llama: ollama.Client, mini: seesay.Model) -> None:
        messages = [{"role": "user", "content": "What animal is this?", "images": [str(DOGS)]}]
        reply = llama.chat(model="seesay-mini", messages=messages, options={"num_predict": 20, "temperature": 0.7})
        assert reply.message.content == mini.ask(DOGS, "What animal is this?").text
        assert reply.done and reply.done_reason == "stop" and (reply.eval_count or 0) >= 1

    def test_chat_in_lines(self, llama: ollama.Client) -> None:
        messages = [{"role": "user", "content": "What animal is this?", "images": [DOGS.read_bytes()]}]
        whole = llama.chat(model="seesay-mini:latest", messages=messages)
        parts = list(llama.chat(model="seesay-mini", messages=messages, stream=True))
        assert "".join(part.message.content or "" for part in parts) == whole.message.content
        assert [part.done for part in parts] == [False] * (len(parts) - 1) + [True]

    def test_generate_describes_where_nothing_is_asked(self, llama: ollama.Client, mini: seesay.Model) -> None:
        reply = llama.generate(model="seesay-mini", images=[str(DOGS)])
        assert reply.response == mini.caption(DOGS).text
        parts = list(llama.generate(model="seesay-mini", prompt="Is there a dog?", images=[str(DOGS)], stream=True))
        assert "".join(part.response or "" for part in parts) == mini.ask(DOGS, "Is there a dog?").text

    def test_what_is_there(self, llama: ollama.Client) -> None:
        assert [model.model for model in llama.list().models] == ["seesay-mini:latest"]
        assert [model.model for model in llama.ps().models] == ["seesay-mini:latest"]
        assert "vision" in (llama.show("seesay-mini").capabilities or [])

    def test_system_one(self, llama: ollama.Client, http: httpx2.Client) -> None:
        questions = {
            "dog": {"type": "noul", "instructions": "Is there a dog?"},
            "kind": {
                "type": "choice",
                "instructions": "What animal is this?",
                "criteria": {"dog": None, "cat": "a cat"},
            },
            "many": {"type": "score", "instructions": "How many dogs are there?", "criteria": ["2", "3", "4"]},
        }
        asset = {"type": "image", "format": "jpeg", "data_base64": base64.b64encode(DOGS.read_bytes()).decode()}
        body = {"model": "seesay-mini", "state": {"photo": "img-1"}, "questions": questions, "assets": {"img-1": asset}}
        reply = http.post("/v1/systemone", json=body)
        assert reply.status_code == 200, reply.text
        parsed = ollama.SystemOneResponse.model_validate(reply.json())
        assert parsed.answers["dog"].noul > 0.5  # type: ignore[union-attr]
        assert parsed.answers["kind"].choice == "dog"  # type: ignore[union-attr]
        assert parsed.answers["many"].legend == {"0": "2", "1": "3", "2": "4"}  # type: ignore[union-attr]
        with pytest.raises(ollama.ResponseError, match="picture"):
            llama.systemone(model="seesay-mini", state="nothing", questions={"dog": questions["dog"]})

    def test_an_unknown_model_is_said_as_ollama_says_it(self, llama: ollama.Client) -> None:
        with pytest.raises(ollama.ResponseError) as refused:
            llama.generate(model="llava", prompt="?", images=[str(DOGS)])
        assert refused.value.status_code == 404 and "'llava'" in refused.value.error


class TestPlain:
    def test_ask(self, http: httpx2.Client, mini: seesay.Model) -> None:
        files = [("picture", ("dogs.jpg", DOGS.read_bytes())), ("picture", ("sign.jpg", SIGN.read_bytes()))]
        asked = ["Is there a dog?", "What does the sign say?"]
        reply = http.post("/ask", files=files, data={"question": asked, "top_k": 2})
        assert reply.status_code == 200, reply.text
        rows = reply.json()["answers"]
        assert [(row["picture"], row["question"]) for row in rows] == [
            (name, question) for name in ("dogs.jpg", "sign.jpg") for question in asked
        ]
        expected = mini.ask([DOGS, DOGS, SIGN, SIGN], asked * 2, top_k=2)
        for row, given in zip(rows, expected, strict=True):
            assert row["answer"] == given.text and row["score"] == pytest.approx(given.score, abs=1e-5)
            assert row["provenance"]["inputs"] == list(given.provenance.inputs)
        assert rows[3]["lines"] and rows[3]["provenance"]["model"] == "reader"

    def test_choices(self, http: httpx2.Client) -> None:
        given = {"question": "What animal is this?", "choices": "cat,dog"}
        row = http.post("/ask", files={"picture": DOGS.read_bytes()}, data=given).json()["answers"][0]
        assert row["answer"] == "dog" and sum(one["score"] for one in row["alternatives"]) == pytest.approx(1)

    def test_caption_and_read(self, http: httpx2.Client, mini: seesay.Model) -> None:
        (row,) = http.post("/caption", files={"picture": DOGS.read_bytes()}).json()["captions"]
        assert row["caption"] == mini.caption(DOGS).text
        (row,) = http.post("/read", files={"picture": SIGN.read_bytes()}).json()["readings"]
        assert row["text"] == seesay.read(SIGN).text and row["lines"][0]["where"]

    def test_evidence(self, http: httpx2.Client) -> None:
        asked = {"question": "What animal is this?"}
        drawn = http.post("/evidence", files={"picture": DOGS.read_bytes()}, data=asked)
        assert drawn.content.startswith(b"\x89PNG") and drawn.headers["seesay-trusted"] in ("yes", "no")
        row = http.post("/evidence", files={"picture": DOGS.read_bytes()}, data={**asked, "format": "json"}).json()
        assert row["answer"] == "dog" and row["trusted"] == (drawn.headers["seesay-trusted"] == "yes")
        assert base64.b64decode(row["image"].partition(",")[2]).startswith(b"\x89PNG")

    def test_speak(self, http: httpx2.Client) -> None:
        spoken = http.post("/speak", data={"text": "One dog. Two dogs."})
        with wave.open(io.BytesIO(spoken.content)) as file:
            seconds = file.getnframes() / file.getframerate()
        row = http.post("/speak", data={"text": "One dog. Two dogs.", "format": "json", "speed": 2}).json()
        assert [cue["text"] for cue in row["cues"]] == ["One dog.", "Two dogs."]
        assert row["seconds"] < seconds

    def test_what_the_page_asks_first(self, http: httpx2.Client) -> None:
        about = http.get("/about").json()
        assert about["model"] == "seesay-mini" and about["voice"] == "hibari" and about["listens"] is None
        assert about["pictures"] == 8 and about["bytes"] == 20_000_000 and about["needs_key"] is False
        assert http.get("/live").text == "yes\n" and http.get("/ready").status_code == 200
        assert "seesay_requests_total" in http.get("/metrics").text
        page = http.get("/docs").text
        assert "POST /ask" in page and "http" not in page.replace("http-equiv", "")


def test_answers_do_not_depend_on_who_else_asks(server: Any, mini: seesay.Model) -> None:
    """Sixteen at once are computed together, and each has the answer it has alone."""
    import asyncio

    pictures = sorted(PICTURES.glob("*.jpg"))
    asked = [(picture, question) for picture in pictures for question in ("What is this?", "describe it", "Is it red?")]

    async def ask_all() -> list[Any]:
        async with httpx2.AsyncClient(base_url=server.address, timeout=240) as http:
            calls = [
                http.post("/ask", files={"picture": picture.read_bytes()}, data={"question": question, "risk": "1"})
                for picture, question in asked
            ]
            return await asyncio.gather(*calls)

    replies = asyncio.run(ask_all())
    expected = [mini.ask(picture, question, risk=1.0) for picture, question in asked]
    rows = [reply.json()["answers"][0] for reply in replies]
    assert [row["answer"] for row in rows] == [given.text for given in expected]
    assert [row["score"] for row in rows] == pytest.approx([given.score for given in expected], abs=1e-5)


def test_the_log_holds_neither_questions_nor_pictures(server: Any, http: httpx2.Client) -> None:
    http.post("/ask", files={"picture": DOGS.read_bytes()}, data={"question": "Is there a zeppelin?"})
    http.get("/secret-path-zeppelin")
    rows = [json.loads(line) for line in server.log]
    assert rows and {"time", "level", "event"} <= set(rows[0])
    assert "zeppelin" not in "".join(server.log)
