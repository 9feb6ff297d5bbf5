"""The page with a model that converses and a Whisper that listens: small random checkpoints, so what they say means nothing;
that it is shown, said once, remembered and taken for a question does."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [
    pytest.mark.skipif(not importlib.util.find_spec("torch"), reason="needs seesay[models]"),
    pytest.mark.skipif(not importlib.util.find_spec("soundfile"), reason="needs seesay[sound]"),
    pytest.mark.filterwarnings("ignore"),  # of transformers, while the checkpoints are made
]
HEARD = """() => { window.heard = []; new MutationObserver((changes) => changes.forEach((change) =>
  change.addedNodes.forEach((node) => window.heard.push(node.textContent)))).observe(document.getElementById("polite"),
  { childList: true, subtree: true }); }"""


@pytest.fixture(scope="module")
def conversing(server_maker: Any, chat_checkpoint: Path, whisper_checkpoint: Path) -> Iterator[Any]:
    flags = ("--model", chat_checkpoint, "--engine", "torch", "--listen-model", whisper_checkpoint, "--voice", "")
    with server_maker.serving(*flags, environment={"PYTHONWARNINGS": "ignore"}) as running:
        yield running


def bodies(page: Page) -> list[dict[str, Any]]:
    """What is sent to be continued, from now on."""
    sent: list[dict[str, Any]] = []
    page.on("request", lambda one: sent.append(json.loads(one.post_data or "{}")) if "completions" in one.url else None)
    return sent


def kinds(message: dict[str, Any]) -> list[str]:
    return [part["type"] for part in message["content"]] if isinstance(message["content"], list) else []


def test_a_conversation_about_two_pictures_is_streamed_by_sentences(
    conversing: Any, visit: Callable[..., Any], visitor: Any
) -> None:
    page, _ = visit(address=conversing.address)
    at, sent = visitor(page), bodies(page)
    assert page.locator("#question-hint").inner_text() == "It remembers what was said before."
    assert page.locator(".sound").is_hidden(), "there is no voice"
    at.show("cat.jpg", "coffee.jpg")
    page.evaluate(HEARD)
    first = at.ask("What is this?")
    at.ask("And what color?")
    page.check("#thumbs input[value='1']")
    at.ask("And this one?")
    said = page.locator("#latest .said p, #earlier .said p").all_inner_texts()
    heard = [one.strip() for one in page.evaluate("window.heard") if "Looking" not in one]
    assert sorted(" ".join(heard).split()) == sorted(" ".join(said).split()), "each sentence once"
    assert " ".join(heard).split()[: len(first.split())] == first.split()
    assert [len(body["messages"]) for body in sent] == [1, 3, 5]
    last = sent[-1]["messages"]
    assert [kinds(message) for message in last[::2]] == [["image_url", "text"], ["text"], ["image_url", "text"]]
    assert last[0]["content"][0] != last[4]["content"][0], "the picture that was picked goes along"
    assert [message["role"] for message in last] == ["user", "assistant"] * 2 + ["user"]
    assert last[1]["content"].split() == first.split()


def test_a_question_is_asked_by_voice(conversing: Any, visit: Callable[..., Any], visitor: Any) -> None:
    page, _ = visit(address=conversing.address, permissions=["microphone"])
    visitor(page).show("cat.jpg")
    voice = page.locator("#voice")
    assert page.locator("#voice-note").is_hidden(), "the recording goes to this server and nowhere else"
    voice.click()
    page.locator("#polite", has_text="Listening").wait_for()
    assert voice.get_attribute("aria-pressed") == "true" and voice.inner_text() == "Stop listening"
    page.wait_for_timeout(1500)
    with page.expect_response("**/v1/audio/transcriptions") as response:
        voice.click()
    heard = response.value.json()["text"].strip()
    assert response.value.status == 200
    if heard:
        page.locator("#latest .asked", has_text=heard[:20]).wait_for()
    else:
        page.locator("#question-error", has_text="Nothing was heard").wait_for()
    voice.and_(page.locator("[aria-pressed=false]")).wait_for()
