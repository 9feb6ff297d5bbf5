"""Finding in an index on the page: by keyboard, by ear, from right to left, and on into a conversation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Visit = Callable[..., Any]
LISTENING = """() => { window.heard = []; window.alarms = [];
  for (const [id, list] of [["polite", window.heard], ["assertive", window.alarms]]) {
    new MutationObserver((changes) => changes.forEach((change) => change.addedNodes.forEach((node) =>
      list.push(node.textContent)))).observe(document.getElementById(id), { childList: true }); } }"""
FOCUSED = "() => document.activeElement.id || document.activeElement.textContent.trim()"


def test_a_picture_is_found_opened_and_asked_without_a_mouse(visit: Visit, visitor: Any) -> None:
    page, watched = visit()
    at = visitor(page)
    page.focus("#views [href='#view-find']")
    page.keyboard.press("Enter")
    page.locator("#view-find h1:focus").wait_for()
    assert page.locator("#views [aria-current=page]").all_inner_texts() == ["Find"]
    page.evaluate(LISTENING)
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED) == "find-question"
    page.keyboard.type("cat")
    page.keyboard.press("Enter")
    page.locator("#hits li").wait_for()
    assert page.locator("#found-title").inner_text() == "One picture of 6"
    hit = page.locator("#hits li")
    assert hit.locator(".words").inner_text() == "Quite sure" and hit.locator(".name").inner_text() == "cat.jpg"
    picture = hit.locator("img")
    assert (picture.get_attribute("alt"), picture.get_attribute("lang")) == ("a cat", "en")
    page.wait_for_function("() => document.querySelector('#hits img').naturalWidth > 0")
    assert page.evaluate("window.heard") == ["One picture of 6", "a cat"]
    for stop in ("Find", "find-precision", "Ask about itcat.jpg"):
        page.keyboard.press("Tab")
        assert page.evaluate(FOCUSED) == stop
    page.keyboard.press("Enter")
    page.locator("#question:focus").wait_for()
    assert page.locator("#views [aria-current=page]").inner_text() == "Ask"
    assert "cat.jpg" in page.locator("#picture-name").inner_text()
    page.keyboard.type("What animal is this?")
    page.keyboard.press("Enter")
    assert at.answer("What animal is this?") == "cat"
    page.go_back()
    page.locator("#found-title").wait_for()
    paths = [one for one in watched.requests if "/find/pictures/" in one]
    assert len(paths) == 2 and all("cat" not in one for one in paths), "by content, not by name"


def test_how_many_should_be_right_changes_what_is_found(visit: Visit, visitor: Any) -> None:
    page, _ = visit()
    at = visitor(page)
    assert at.find("cat") == ["cat.jpg"]
    page.select_option("#find-precision", "0.4")
    page.press("#find-question", "Enter")
    page.locator("#found-title", has_text="of 6 pictures").wait_for()
    assert page.locator("#hits .name").first.inner_text() == "cat.jpg" and page.locator("#hits li").count() > 1
    assert at.find("airplane") == []
    assert page.locator("#found-title").inner_text() == "None of 6 pictures"
    assert "Try another word" in page.locator("#found-note").inner_text()


def test_what_goes_wrong_is_said_beside_the_field(visit: Visit, visitor: Any) -> None:
    page, watched = visit()
    watched.expected = ("422", "429")
    page.click("#views [href='#view-find']")
    page.evaluate(LISTENING)
    page.focus("#find-question")
    page.keyboard.press("Enter")
    assert page.evaluate(FOCUSED) == "find-question"
    page.fill("#find-question", "zibberquack")
    assert page.locator("#find-error").is_hidden(), "writing takes it back"
    page.press("#find-question", "Enter")
    page.locator("#find-error", has_text="a word in it that this model does not know").wait_for()
    assert page.get_attribute("#find-question", "aria-invalid") == "true"
    page.route("**/find", lambda route: route.fulfill(status=429, headers={"Retry-After": "7"}, body="{}"))
    page.press("#find-question", "Enter")
    page.locator("#find-error", has_text="Try again in 7 seconds").wait_for()
    assert [one.partition(".")[0] for one in page.evaluate("window.alarms")] == [
        "Say first what the pictures should show",
        "There is a word in it that this model does not know",
        "Many people are asking just now",
    ]


def test_a_search_that_takes_long_is_stopped(visit: Visit, visitor: Any) -> None:
    page, watched = visit()
    watched.expected = ("ERR_ABORTED",)
    held: list[Any] = []
    page.route("**/find", lambda route: held.append(route))
    page.click("#views [href='#view-find']")
    page.fill("#find-question", "cat")
    page.press("#find-question", "Enter")
    page.locator("#find-working").wait_for()
    page.keyboard.press("Escape")
    page.locator("#find-working").wait_for(state="hidden")
    assert page.locator("#polite p").last.inner_text() == "Stopped"
    page.unroute("**/find")
    assert visitor(page).find("cat") == ["cat.jpg"]


def test_arabic_runs_from_right_to_left(visit: Visit, visitor: Any) -> None:
    page, _ = visit(locale="ar-EG")
    at = visitor(page)
    at.find("cat")
    page.select_option("#find-precision", "0.4")
    page.press("#find-question", "Enter")
    page.locator("#hits li").nth(1).wait_for()
    first, second = (page.locator("#hits li").nth(place).bounding_box() for place in (0, 1))
    assert first["x"] > second["x"], "the best stands where reading begins"
    field, button = page.locator("#find-question").bounding_box(), page.locator("#find [type=submit]").bounding_box()
    assert field["x"] > button["x"]
    assert page.locator("#hits .words").first.inner_text() == "واثق إلى حد كبير"
    assert page.locator("#views [aria-current=page]").inner_text() == "ابحث"


@pytest.fixture(scope="module")
def guarded(server_maker: Any, index: Path) -> Iterator[Any]:
    with server_maker.serving("--index", index, environment={"SEESAY_SERVE__API_KEY": "open sesame"}) as running:
        yield running


def test_pictures_of_the_index_need_the_key_too(guarded: Any, visit: Visit, visitor: Any) -> None:
    page, watched = visit(address=guarded.address)
    watched.expected = ("401",)
    page.click("#views [href='#view-find']")
    page.fill("#find-question", "cat")
    page.press("#find-question", "Enter")
    page.locator("#find-error", has_text="This server wants a key").wait_for()
    page.fill("#key", "open sesame")
    page.press("#key", "Tab")
    assert visitor(page).find("cat") == ["cat.jpg"]
    page.wait_for_function("() => document.querySelector('#hits img').naturalWidth > 0")
    address = next(one for one in watched.requests if one.endswith("/thumbnail"))
    assert page.request.get(address).status == 401
