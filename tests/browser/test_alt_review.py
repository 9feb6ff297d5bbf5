"""The review page in a real browser: axe, the keyboard alone, and the file it saves, which `seesay alt --apply` takes."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from seesay import api
from seesay.settings import AltSettings

HTML = """<!doctype html><html lang="en"><head><title>Farm</title></head><body><h1>Our &lt;/script&gt; &lt;!-- farm</h1>
<p>Here: <img src="cat.jpg"></p>
<p><a href="/"><img src="coffee.jpg"></a></p>
<p><img src="rocket.jpg"></p>
<p><img src="apple-and-cup.jpg"></p>
<p><img src="dogs.jpg"></p>
</body></html>
"""


@pytest.fixture(scope="module")
def site(alt_documents: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page, its pictures and its review page, which all tests open; one of them writes, beside the review page."""
    folder = tmp_path_factory.mktemp("site")
    for name in ("cat", "coffee", "rocket", "apple-and-cup", "dogs"):
        (folder / f"{name}.jpg").write_bytes((alt_documents.EXAMPLES / f"{name}.jpg").read_bytes())
    (folder / "page <script><b>.html").write_text(HTML, encoding="utf-8")
    api.alt(AltSettings(review=folder / "review.htm"), [str(folder / "page <script><b>.html")])
    return folder


def opened(chromium: Any, site: Path, **options: Any) -> tuple[Any, list[str]]:
    page = chromium.new_context(accept_downloads=True, **options).new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on(
        "request",
        lambda request: said.append(request.url) if request.url[:5] not in ("file:", "data:", "blob:") else None,
    )
    page.goto((site / "review.htm").as_uri())
    return page, said


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_nothing_and_nothing_is_cut_off(chromium: Any, axe: Any, site: Path, scheme: str, width: int) -> None:
    page, said = opened(chromium, site, color_scheme=scheme, viewport={"width": width, "height": 800})
    page.locator("summary").click()
    found = axe.run(
        page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    )
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert said == []
    page.context.close()


def test_it_is_worked_by_keyboard_alone_and_what_it_saves_is_applied(chromium: Any, site: Path) -> None:
    page, said = opened(chromium, site, viewport={"width": 1000, "height": 800})
    status = page.locator("#status")
    assert status.inner_text() == "1 of 5 decided."
    cards = page.locator(".card")
    # The cat is sure, and accepted beforehand. To the next: its heading has the focus, then its choices.
    page.locator("#next").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.textContent") == "Picture 2: coffee.jpg"
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert cards.nth(1).locator("input:checked").get_attribute("value") == "accept"
    assert status.inner_text() == "2 of 5 decided."
    # Another text: down to that choice, Tab into the field, and write.
    page.locator("#next").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "TEXTAREA"
    page.keyboard.press("Control+A")
    page.keyboard.type("The rocket before its start")
    assert cards.nth(2).locator("input:checked").get_attribute("value") == "change"
    assert cards.nth(2).locator(".count").inner_text().startswith("27 of 125")
    cards.nth(3).locator("input[value=decorative]").check()
    cards.nth(4).locator("input[value=leave]").check()
    with page.expect_download() as download:
        page.locator("#save").focus()
        page.keyboard.press("Enter")
    download.value.save_as(site / "alt-decisions.json")
    assert status.inner_text() == "Saved 5 decisions as alt-decisions.json."
    assert said == []
    page.context.close()
    rows = json.loads((site / "alt-decisions.json").read_text(encoding="utf-8"))["decisions"]
    assert [row["decision"] for row in rows] == ["accept", "accept", "change", "decorative", "leave"]
    outcome = api.alt(AltSettings(apply=site / "alt-decisions.json", write=True))
    assert [finding.action for finding in outcome.findings] == ["write"] * 4
    written = (site / "page <script><b>.html").read_text(encoding="utf-8")
    assert 'alt="The rocket before its start" src="rocket.jpg"' in written
    assert 'alt="" src="apple-and-cup.jpg"' in written
    assert '<img src="dogs.jpg">' in written
    again = api.alt(AltSettings(apply=site / "alt-decisions.json", write=True))
    assert {finding.action for finding in again.findings} == {"keep"}


def test_a_missing_text_is_told_where_it_is_missing(chromium: Any, site: Path) -> None:
    page, _ = opened(chromium, site)
    card = page.locator(".card").nth(1)
    card.locator("textarea").fill("")
    assert card.locator(".state").inner_text() == "No decision yet"
    page.locator("#save").click()
    assert page.evaluate("document.activeElement.id") == "p1-own"
    assert card.locator("textarea").get_attribute("aria-invalid") is not None
    assert "Write a text" in card.locator(".mistake").inner_text()
    card.locator("textarea").fill("Home")
    assert card.locator(".mistake").inner_text() == ""
    page.context.close()


def test_decided_pictures_can_be_hidden(chromium: Any, site: Path) -> None:
    page, _ = opened(chromium, site)
    page.get_by_label("those without a decision").check()
    assert page.locator(".card:visible").count() == 4
    page.get_by_label("all pictures").check()
    assert page.locator(".card:visible").count() == 5
    page.context.close()
