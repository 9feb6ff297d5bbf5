"""What people do on the page, against a real server with the embedded model."""

from __future__ import annotations

import io
import re
import wave
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy
import pytest
from PIL import Image

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

Visit = Callable[..., Any]
SPEAKING = """() => { window.shown = []; new MutationObserver((changes) => changes.forEach(({ target }) =>
  target.matches(".speaking") && window.shown.push(target.textContent))).observe(document.querySelector("#latest .said"),
  { subtree: true, attributeFilter: ["class"] }); }"""
AGAIN = "#latest button:has-text('Try again')"
DROP = """async ([bytes, name, kind]) => {
  const data = new DataTransfer();
  data.items.add(new File([Uint8Array.from(atob(bytes), (one) => one.charCodeAt(0))], name, { type: kind }));
  document.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
}"""
COPY_PICTURE = """async () => {
  const canvas = new OffscreenCanvas(64, 48);
  canvas.getContext("2d").fillRect(0, 0, 64, 48);
  await navigator.clipboard.write([new ClipboardItem({ "image/png": await canvas.convertToBlob() })]);
}"""


def samples_of(wav: bytes) -> tuple[numpy.ndarray[Any, Any], float]:
    with wave.open(io.BytesIO(wav)) as sound:
        samples = numpy.frombuffer(sound.readframes(sound.getnframes()), "<i2") / 32768
        return samples, sound.getnframes() / sound.getframerate()


def sounds(page: Page) -> list[bytes]:
    """What the server speaks from now on."""
    spoken: list[bytes] = []

    def pass_on(route: Route) -> None:
        response = route.fetch()
        spoken.append(response.body())
        route.fulfill(response=response)

    page.unroute("**/speak")
    page.route("**/speak", pass_on)
    return spoken


def kept(page: Page) -> list[str]:
    stored: list[str] = page.evaluate("() => [...Object.keys(localStorage), ...Object.keys(sessionStorage)]")
    return [*stored, *[cookie["name"] for cookie in page.context.cookies()]]


def test_a_sample_is_asked_with_one_click(visit: Visit, visitor: Any) -> None:
    page, _ = visit()
    assert page.locator("#talk").is_hidden()
    page.click("[data-sample='cat.webp']")
    assert visitor(page).answer("What animal is this?") == "cat"
    assert page.locator("#latest .words").inner_text() == "Almost certain"
    assert page.locator("#latest .meter .on").count() == 5
    assert page.locator("#question:focus").count() == 1, "the control that had the focus is gone"


def test_two_pictures_in_one_conversation(visit: Visit, visitor: Any) -> None:
    page, _ = visit()
    at = visitor(page)
    at.show("cat.jpg")
    assert page.locator("#tray").is_hidden()
    at.show("coffee.jpg")
    assert at.ask("What do you see?") == "cup of coffee"
    page.check("#thumbs input[value='1']")
    assert at.ask("What is this?") == "cat"
    assert page.locator("#latest .of").inner_text() == "Picture 1: cat.jpg"
    earlier = page.locator("#earlier article")
    assert earlier.count() == 1 and "cup of coffee" in earlier.inner_text() and "Picture 2" in earlier.inner_text()


def test_a_withheld_answer_says_why_and_what_it_would_have_been(visit: Visit, visitor: Any) -> None:
    page, _ = visit()
    at = visitor(page)
    at.show("cat.jpg")
    assert at.ask("How old is the cat?") == "I cannot tell"
    assert page.locator("#latest .reason").inner_text() == "The picture does not seem to show it."
    assert page.locator("#latest .certainty").is_hidden() and page.locator("#latest button.evidence").is_hidden()
    at.ask("Is there a zibberquack?")
    assert "“zibberquack”" in page.locator("#latest .reason").inner_text()


def test_other_answers_and_evidence_come_on_request(visit: Visit, visitor: Any) -> None:
    page, _ = visit()
    at = visitor(page)
    at.show("coffee.jpg")
    at.ask("What color is it?")
    others = page.locator("#latest button.others")
    assert others.get_attribute("aria-expanded") == "false" and page.locator("#latest .others-list").is_hidden()
    others.click()
    assert others.get_attribute("aria-expanded") == "true"
    listed = page.locator("#latest .others-list li").all_inner_texts()
    assert listed and "brown" not in listed[0] and re.search(r"\d+% likely", listed[0])
    page.click("#latest button.evidence")
    picture = page.locator("#latest figure img")
    picture.wait_for()
    assert picture.evaluate("(one) => one.decode().then(() => one.naturalWidth)") == 640
    words = page.locator("#latest figcaption").inner_text()
    assert "matter more" in words or "Do not trust" in words
    assert re.search(r"\d+% of the score is left; hidden in random order, \d+%", words)


def test_an_answer_is_heard_and_the_sentence_shown(visit: Visit, visitor: Any) -> None:
    page, _ = visit()
    at = visitor(page)
    spoken = sounds(page)
    at.show("sign.jpg")
    page.select_option("#speed", "2")
    page.click("#read")
    page.locator("#latest .certainty").wait_for()
    page.evaluate(SPEAKING)
    page.click("#latest .listen")
    sound = page.locator("#sound")
    while not (seconds := sound.evaluate("(one) => !one.paused && one.currentTime > 0.05 && one.duration")):
        page.wait_for_timeout(20)
    page.click("#latest .listen")
    assert page.locator("#latest .listen").inner_text() == "Continue" and sound.evaluate("(one) => one.paused")
    page.click("#latest .listen")
    page.locator("#latest .listen", has_text="Listen").wait_for()
    assert page.evaluate("window.shown") == ["THE OLD BAKERY", "Fresh bread $3.50", "Open daily", "8 am to 6 pm"]
    assert page.locator(".speaking").count() == 0
    lengths = []
    for samples, length in map(samples_of, spoken):
        assert numpy.sqrt(numpy.mean(samples**2)) > 0.01 and length > 0.2
        lengths.append(length)
    assert len(lengths) == 4 and min(abs(length - seconds) for length in lengths) < 0.05


def test_answers_are_read_aloud_at_once_and_faster_where_wished(visit: Visit, visitor: Any) -> None:
    page, _ = visit()
    at = visitor(page)
    at.show("cat.jpg")
    lengths = {}
    for speed in ("1", "2"):
        page.select_option("#speed", speed)
        page.check("#aloud")
        spoken = sounds(page)
        at.ask("What animal is this?")
        page.locator("#latest .listen", has_text="Listen").wait_for()
        assert len(spoken) == 2, "the answer, and how sure it is"
        lengths[speed] = samples_of(spoken[0])[1]
    assert lengths["2"] < 0.8 * lengths["1"]
    page.reload()
    page.wait_for_selector("body[data-ready]")
    assert page.input_value("#speed") == "2" and page.locator("#aloud").is_checked()


def test_alt_text_is_suggested_corrected_accepted_and_copied(visit: Visit, visitor: Any) -> None:
    page, _ = visit(permissions=["clipboard-read", "clipboard-write"])
    visitor(page).show("cat.jpg", "coffee.jpg")
    page.click("#alt summary")
    page.click("#alt-suggest")
    page.locator("#polite", has_text="cup of coffee").wait_for()
    assert "coffee" in page.input_value("#alt-text")
    page.fill("#alt-text", "Espresso in a red cup")
    page.click("#alt-accept")
    assert page.get_attribute("#picture", "alt") == "Espresso in a red cup"
    page.click("#alt-copy")
    page.locator("#polite", has_text="Copied").wait_for()
    assert page.evaluate("() => navigator.clipboard.readText()") == "Espresso in a red cup"
    page.check("#thumbs input[value='1']")
    assert page.input_value("#alt-text") == "" and "cat.jpg" in (page.get_attribute("#picture", "alt") or "")
    page.check("#thumbs input[value='2']")
    assert page.input_value("#alt-text") == "Espresso in a red cup"


def test_a_photo_is_taken(visit: Visit, visitor: Any) -> None:
    page, _ = visit(permissions=["camera"])
    page.locator("#photograph").wait_for()
    page.click("#photograph")
    page.locator("dialog[open]").wait_for()
    while not page.locator("#video").evaluate("(one) => one.videoWidth"):
        page.wait_for_timeout(20)
    page.click("#shoot")
    page.locator("#picture-name", has_text="Photo 1").wait_for()
    assert page.locator("dialog").is_hidden()
    assert page.locator("#video").evaluate("(one) => one.srcObject") is None, "the camera is off"
    assert visitor(page).ask("Is there a dog?") in ("no", "I cannot tell", "yes")


def test_a_phone_uses_its_own_camera(visit: Visit, visitor: Any, pictures: Path) -> None:
    page, _ = visit(width=390, height=844, is_mobile=True, has_touch=True)
    with page.expect_file_chooser() as chooser:
        page.tap("#photograph")
    assert chooser.value.element.get_attribute("capture") == "environment"
    chooser.value.set_files(pictures / "cat.jpg")
    page.tap("[data-text='readyThis']")
    assert visitor(page).answer("What is this?") == "cat"


def test_pictures_are_dropped_and_pasted(visit: Visit, visitor: Any) -> None:
    page, _ = visit(permissions=["clipboard-read", "clipboard-write"])
    dropped = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(dropped, "PNG")
    page.evaluate(DROP, [b64encode(dropped.getvalue()).decode(), "dropped.png", "image/png"])
    page.locator("#picture-name", has_text="dropped.png").wait_for()
    page.evaluate(COPY_PICTURE)
    page.keyboard.press("Control+v")
    page.locator("#picture-name", has_text="Picture 2").wait_for()
    assert page.locator("#picture").evaluate("(one) => one.decode().then(() => one.naturalWidth)") == 64


def test_a_picture_over_the_limits_is_made_smaller_and_upright(visit: Visit, visitor: Any, tmp_path: Path) -> None:
    page, _ = visit()
    large = tmp_path / "large.jpg"
    picture = Image.new("RGB", (7600, 6700), "navy")
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(large, quality=30, exif=exif)
    page.set_input_files("#files", large)
    page.locator("#polite", has_text="made smaller").wait_for()
    page.locator("#picture-name", has_text="large.jpg").wait_for()
    size = page.locator("#picture").evaluate("(one) => one.decode().then(() => [one.naturalWidth, one.naturalHeight])")
    assert size[0] < size[1] and size[0] * size[1] < 12_100_000
    assert visitor(page).ask("What color is the background?")


def test_what_is_no_picture_is_refused_in_words(visit: Visit, visitor: Any, pictures: Path, tmp_path: Path) -> None:
    page, watched = visit()
    watched.expected = ("422",)
    notes, empty = tmp_path / "notes.txt", tmp_path / "empty.png"
    notes.write_text("not a picture")
    empty.write_bytes(b"")
    for file, words in ((notes, "is not a picture"), (empty, "is empty")):
        page.set_input_files("#files", file)
        page.locator("#picture-error", has_text=words).wait_for()
        assert file.name in page.locator("#assertive").inner_text()
    page.set_input_files("#files", [pictures / "cat.jpg"] * 9)
    page.locator("#picture-error", has_text="At most 8 pictures").wait_for()
    assert page.locator("#thumbs input").count() == 8
    page.reload()
    page.wait_for_selector("body[data-ready]")
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"nothing like a picture")
    page.set_input_files("#files", broken)
    page.locator("#unseen").wait_for()
    assert "no picture that can be opened" in visitor(page).ask("What is this?")
    told = page.locator("#latest p[lang=en]").inner_text()
    assert told.startswith("broken.jpg: ")


def test_a_server_that_is_busy_or_gone_is_told_and_asked_again(visit: Visit, visitor: Any) -> None:
    page, watched = visit()
    watched.expected = ("429", "ERR_FAILED")
    at = visitor(page)
    at.show("cat.jpg")
    page.route("**/ask", lambda route: route.fulfill(status=429, headers={"Retry-After": "7"}, body="{}"))
    assert at.ask("What animal is this?") == "Many people are asking just now."
    assert page.locator("#latest .reason").inner_text() == "Try again in 7 seconds."
    assert "7 seconds" in page.locator("#assertive").inner_text()
    page.unroute("**/ask")
    page.route("**/ask", lambda route: route.abort())
    page.click(AGAIN)
    page.locator("#latest .said", has_text="cannot be reached").wait_for()
    page.unroute("**/ask")
    page.click(AGAIN)
    page.locator("#latest .said", has_text="cat").wait_for()


def test_an_answer_that_takes_long_can_be_stopped(visit: Visit, visitor: Any) -> None:
    page, watched = visit()
    watched.expected = ("ERR_ABORTED",)
    held: list[Route] = []
    page.route("**/ask", lambda route: held.append(route))
    at = visitor(page)
    at.show("cat.jpg")
    page.fill("#question", "What is this?")
    page.press("#question", "Enter")
    page.locator("#polite", has_text="Looking at the picture").wait_for()
    page.focus("#latest .stop")
    page.keyboard.press("Enter")
    page.locator("#latest .said", has_text="Stopped").wait_for()
    assert page.locator(f"{AGAIN}:focus").count() == 1, "focus is not lost with the control"
    page.unroute("**/ask")
    assert at.ask("What animal is this?") == "cat"


def test_nothing_is_kept_but_settings_and_clearing_clears(visit: Visit, visitor: Any) -> None:
    page, _ = visit()
    at = visitor(page)
    at.show("cat.jpg")
    at.ask("What animal is this?")
    at.ask("Is there a dog?")
    page.check("#aloud")
    assert kept(page) == ["aloud"]
    page.click("#clear")
    assert page.locator("#answers").is_hidden() and page.locator("#shown").is_hidden()
    assert page.locator("article").count() == 0 and "cat" not in page.locator("#polite").inner_text()
    page.reload()
    assert page.locator("article").count() == 0


@pytest.fixture(scope="module")
def guarded(server_maker: Any) -> Any:
    with server_maker.serving(environment={"SEESAY_SERVE__API_KEY": "open sesame"}) as running:
        yield running


def test_a_server_with_a_key_asks_for_it(guarded: Any, visit: Visit, visitor: Any) -> None:
    page, watched = visit(address=guarded.address)
    watched.expected = ("401",)
    at = visitor(page)
    at.show("cat.jpg")
    assert at.ask("What animal is this?") == "This server wants a key."
    assert page.locator("#key:focus").count() == 1
    page.keyboard.type("open sesame")
    page.keyboard.press("Tab")
    page.click(AGAIN)
    page.locator("#latest .said", has_text="cat").wait_for()
