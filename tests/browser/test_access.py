"""The page for everyone: without a mouse, by ear, enlarged, from right to left, in every state, checked by axe-core."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LISTENING = """() => {
  window.heard = []; window.alarms = [];
  for (const [id, list] of [["polite", window.heard], ["assertive", window.alarms]]) {
    new MutationObserver((changes) => changes.forEach((change) => change.addedNodes.forEach((node) =>
      list.push(node.textContent)))).observe(document.getElementById(id), { childList: true, subtree: true, characterData: true });
  }
}"""
FOCUSABLE = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary")]
  .filter((one) => one.checkVisibility() && !one.disabled && one.tabIndex >= 0)
  .filter((one) => one.type !== "radio" || one.checked)
  .map((one) => one.id || one.className || one.textContent.trim())"""
FOCUSED = "() => { const one = document.activeElement; return one.id || one.className || one.textContent.trim(); }"
RING = """() => { const style = getComputedStyle(document.activeElement.closest(".pick") ?? document.activeElement);
  return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2; }"""
SMALL = """() => [...document.querySelectorAll("a[href], button, select, textarea, summary, input")]
  .filter((one) => one.checkVisibility()).map((one) => [one, one.getBoundingClientRect()])
  .filter(([one, box]) => { const least = one.matches("input[type=checkbox], input[type=radio]") ? 24 : 44;
    return box.height < least || box.width < least; })
  .map(([one, box]) => `${one.id || one.className || one.textContent}: ${box.width} x ${box.height}`)"""


def states(page: Page, at: Any, farm: list[Path]) -> Iterator[str]:
    """Brings the page into every state, one after the other."""
    yield "empty"
    at.show("cat.jpg")
    yield "a picture chosen"
    held: list[Route] = []
    page.route("**/ask", lambda route: held.append(route))
    page.fill("#question", "What animal is this?")
    page.press("#question", "Enter")
    page.locator("#latest .working").wait_for()
    yield "answering"
    held[0].continue_()
    page.unroute("**/ask")
    at.answer("What animal is this?")
    yield "answered"
    at.ask("How old is the cat?")
    page.click("#latest button.others")
    yield "withheld, with its guesses"
    at.show("sign.jpg")
    page.click("#read")
    page.locator("#latest .said", has_text="BAKERY").wait_for()
    page.click("#latest button.others")
    page.click("#alt summary")
    yield "read, two pictures, alt text"
    page.route("**/ask", lambda route: route.fulfill(status=429, headers={"Retry-After": "7"}, body="{}"))
    at.ask("What is this?")
    page.click("#ask [type=submit]")
    yield "errors"
    page.unroute("**/ask")
    page.click("#views [href='#view-find']")
    yield "find"
    at.find("cat")
    yield "found"
    page.fill("#find-question", "zibberquack")
    page.press("#find-question", "Enter")
    page.locator("#find-error .todo").wait_for()
    yield "not understood"
    page.click("#views [href='#view-alt']")
    yield "alt texts"
    page.set_input_files("#review-files", farm)
    page.locator("#review-count:focus").wait_for()
    page.locator(".card details").first.evaluate("(one) => { one.open = true; }")
    page.locator(".card [value=change]").last.check()
    page.locator(".card textarea").last.fill("")
    page.click("#review-save")
    page.locator(".card .error").last.wait_for()
    yield "alt texts under review, one missing"


LOOKS: dict[str, tuple[int, dict[str, str]]] = {
    "light": (1280, {}),
    "dark": (1280, {"color_scheme": "dark"}),
    "a phone with high contrast": (390, {"color_scheme": "dark", "contrast": "more"}),
}


@pytest.mark.parametrize(("locale", "looks"), [("en-US", list(LOOKS)), ("ar", ["light"])])
def test_axe_finds_nothing_in_any_state(
    locale: str, looks: list[str], axe: Any, visit: Callable[..., Any], visitor: Any, farm: list[Path]
) -> None:
    page, watched = visit(reduced_motion="reduce", locale=locale)
    watched.expected = ("429", "422")
    found = {}
    for state in states(page, visitor(page), farm):
        for look in looks:
            width, media = LOOKS[look]
            page.set_viewport_size({"width": width, "height": 860})
            page.emulate_media(**{"color_scheme": "light", "contrast": "no-preference", **media})
            result = axe.run(page, options={"runOnly": RULES, "resultTypes": ["violations"]})
            if result.violations_count:
                found[f"{state}, {look}"] = result.generate_report()
        page.set_viewport_size({"width": 1280, "height": 860})
    assert not found, "\n".join(f"{state}: {report}" for state, report in found.items())


def test_tab_goes_to_every_control_in_order_and_shows_where_it_is(visit: Callable[..., Any], visitor: Any) -> None:
    page, _ = visit()
    at = visitor(page)
    at.show("cat.jpg", "coffee.jpg")
    at.ask("What animal is this?")
    at.ask("What do you see?")
    page.click("#alt summary")
    wanted = page.evaluate(FOCUSABLE)
    assert {
        "choose",
        "photograph",
        "remove",
        "question",
        "voice",
        "describe",
        "read",
        "aloud",
        "speed",
        "clear",
    } <= set(wanted)
    page.evaluate("() => document.querySelector('.skip').focus()")
    page.keyboard.press("Shift+Tab")
    reached = []
    for _ in wanted:
        page.keyboard.press("Tab")
        reached.append(page.evaluate(FOCUSED))
        assert page.evaluate(RING), f"focus on {reached[-1]} cannot be seen"
    assert reached == wanted


def test_a_question_is_asked_and_heard_without_a_mouse(visit: Callable[..., Any], visitor: Any, pictures: Path) -> None:
    page, _ = visit()
    at = visitor(page)
    page.keyboard.press("Tab")
    assert page.locator(".skip").is_visible()
    page.keyboard.press("Enter")
    page.locator("#main:focus").wait_for()
    page.keyboard.press("Tab")
    page.locator("#choose:focus").wait_for()
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(pictures / "cat.jpg")
    page.locator("#picture-name", has_text="cat.jpg").wait_for()
    assert page.evaluate(FOCUSED) == "choose", "focus stays where it was"
    page.focus("#question")
    page.keyboard.type("What animal is this?")
    page.keyboard.press("Enter")
    assert at.answer("What animal is this?") == "cat"
    page.focus("#latest .listen")
    with page.expect_response("**/speak") as response:
        page.keyboard.press("Space")
    assert response.value.status == 200
    page.keyboard.press("Escape")
    assert page.locator("#latest .listen").inner_text() == "Listen" and page.locator(".speaking").count() == 0


def test_the_picture_asked_is_chosen_with_arrow_keys(visit: Callable[..., Any], visitor: Any) -> None:
    page, _ = visit()
    visitor(page).show("cat.jpg", "coffee.jpg")
    page.focus("#thumbs :checked")
    page.keyboard.press("ArrowLeft")
    assert "cat.jpg" in page.locator("#picture-name").inner_text()
    assert page.evaluate("() => document.activeElement.checked && document.activeElement.value") == "1"
    page.focus("#remove")
    page.keyboard.press("Enter")
    assert "coffee.jpg" in page.locator("#picture-name").inner_text()
    page.keyboard.press("Enter")
    assert page.locator("#shown").is_hidden()
    assert page.evaluate(FOCUSED) == "choose", "focus is not lost with the control"


def test_sentences_are_announced_whole_once_and_in_order(visit: Callable[..., Any], visitor: Any) -> None:
    page, _ = visit()
    at = visitor(page)
    at.show("sign.jpg")
    page.evaluate(LISTENING)
    page.click("#read")
    page.locator("#latest .certainty").wait_for()
    at.ask("What does the sign say?")
    at.show("cat.jpg")
    at.ask("What animal is this?")
    at.ask("How old is the cat?")
    lines = ["THE OLD BAKERY", "Fresh bread $3.50", "Open daily", "8 am to 6 pm"]
    heard = [one for one in page.evaluate("window.heard") if "Looking" not in one]
    assert heard == [
        *lines,
        *lines,
        "Picture added: cat.jpg. Now ask about it.",
        "cat",
        "Almost certain",
        "I cannot tell. The picture does not seem to show it.",
    ]
    assert page.evaluate("window.alarms") == []


def test_an_error_is_said_at_once_and_tied_to_its_field(visit: Callable[..., Any], visitor: Any) -> None:
    page, _ = visit()
    visitor(page).show("cat.jpg")
    page.evaluate(LISTENING)
    page.click("#ask [type=submit]")
    field = page.locator("#question")
    told = page.locator("#question-error").inner_text()
    assert "Write a question first" in told
    assert field.get_attribute("aria-invalid") == "true"
    assert "question-error" in (field.get_attribute("aria-describedby") or "").split()
    assert page.evaluate("window.alarms") == [told]
    assert page.evaluate(FOCUSED) == "question"
    page.keyboard.type("W")
    assert page.locator("#question-error").is_hidden() and field.get_attribute("aria-invalid") is None


def test_arabic_runs_from_right_to_left_around_answers_that_do_not(visit: Callable[..., Any], visitor: Any) -> None:
    page, _ = visit(locale="ar-EG")
    at = visitor(page)
    assert page.evaluate("[document.documentElement.lang, document.documentElement.dir]") == ["ar", "rtl"]
    at.show("cat.jpg")
    at.ask("What animal is this?")
    said = page.locator("#latest .said")
    assert (said.get_attribute("lang"), said.get_attribute("dir")) == ("en", "ltr")
    assert said.evaluate("(one) => getComputedStyle(one).direction") == "ltr"
    picture, form = page.locator("#shown").bounding_box(), page.locator("#ask").bounding_box()
    assert picture and form and picture["x"] > form["x"] + form["width"]
    word, card = page.locator("#latest .said p").bounding_box(), page.locator("#latest article").bounding_box()
    assert word and card and word["x"] > card["x"] + card["width"] / 2
    assert page.locator("#latest .words").inner_text() == "شبه متأكد"


def test_the_language_is_changed_everywhere_also_in_answers(visit: Callable[..., Any], visitor: Any) -> None:
    page, _ = visit()
    at = visitor(page)
    at.show("cat.jpg")
    at.ask("How old is the cat?")
    page.select_option("#language", "ko")
    page.locator("html[lang=ko]").wait_for()
    page.locator("#latest .said", has_text="알 수 없습니다").wait_for()
    assert page.locator("#ask [type=submit]").inner_text() == "묻기"
    page.reload()
    page.locator("html[lang=ko]").wait_for()


def test_nothing_is_cut_off_on_a_narrow_window_or_in_large_letters(
    visit: Callable[..., Any], visitor: Any, farm: list[Path]
) -> None:
    page, _ = visit()
    at = visitor(page)

    def check(state: str) -> None:
        for width, zoom in ((320, 100), (640, 200), (1280, 200)):
            page.set_viewport_size({"width": width, "height": 860})
            page.evaluate(f"() => document.documentElement.style.fontSize = '{zoom}%'")
            assert page.evaluate("() => document.documentElement.scrollWidth") <= width, (state, width, zoom)
            assert page.evaluate(SMALL) == [], (state, width, zoom)

    check("empty")
    at.show("cat.jpg", "coffee.jpg")
    at.ask("What do you see?")
    page.click("#alt summary")
    check("answered")
    at.find("cat")
    check("found")
    at.review(*farm)
    page.locator(".card [value=change]").last.check()
    check("under review")


def test_nothing_moves_for_who_wants_it_still(visit: Callable[..., Any], visitor: Any) -> None:
    page, _ = visit(reduced_motion="reduce")
    at = visitor(page)
    at.show("cat.jpg")
    at.ask("What animal is this?")
    assert page.evaluate("() => document.getAnimations().length") == 0
    moving = "() => [...document.querySelectorAll('*')].filter((one) => getComputedStyle(one).animationName !== 'none').length"
    assert page.evaluate(moving) == 0


def test_what_comes_in_tokens_is_given_out_in_sentences(visit: Callable[..., Any]) -> None:
    page, _ = visit()
    words = "Dr. Smith has a cat. It weighs 3.5 kg, e.g. more than mine! Isn't it “large?” Yes…\nTwo\n\nlines"
    wanted = [
        "Dr. Smith has a cat.",
        "It weighs 3.5 kg, e.g. more than mine!",
        "Isn't it “large?”",
        "Yes…",
        "Two",
        "lines",
    ]
    split = """async (pieces) => {
      const { Sentences } = await import("/announce.js");
      const given = [];
      const sentences = new Sentences((one) => given.push(one));
      for (const piece of pieces) sentences.add(piece);
      sentences.end();
      return given;
    }"""
    for size in (1, 3, 7, len(words)):
        pieces = [words[place : place + size] for place in range(0, len(words), size)]
        assert page.evaluate(split, pieces) == wanted, size
