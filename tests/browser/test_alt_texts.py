"""Alt texts on the page: files in, suggestions with reasons, decisions by keyboard alone, and the written files back."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

Visit = Callable[..., Any]
FOCUSED = "() => document.activeElement.id || document.activeElement.tagName"
HEARD = """() => { window.heard = []; new MutationObserver((changes) => changes.forEach((change) =>
  change.addedNodes.forEach((node) => window.heard.push(node.textContent)))).observe(document.getElementById("polite"),
  { childList: true }); }"""
LEFT = """(one) => { const range = document.createRange(); range.selectNodeContents(one);
  return range.getBoundingClientRect().left; }"""
DROP = """async (names) => {
  const data = new DataTransfer();
  for (const [name, kind, bytes] of names)
    data.items.add(new File([Uint8Array.from(atob(bytes), (one) => one.charCodeAt(0))], name, { type: kind }));
  document.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
}"""


def test_suggestions_are_decided_about_by_keyboard_and_the_page_comes_back(
    visit: Visit, visitor: Any, farm: list[Path], tmp_path: Path
) -> None:
    page, watched = visit(accept_downloads=True)
    page.focus("#views [href='#view-alt']")
    page.keyboard.press("Enter")
    page.locator("#view-alt h1:focus").wait_for()
    page.evaluate(HEARD)
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED) == "review-choose"
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(farm)
    page.locator("#review-count:focus").wait_for()
    assert page.locator("#review-count").inner_text() == "2 pictures lack a text"
    assert page.evaluate("window.heard") == [
        "Looking at the pictures. That takes up to a second for each.",
        "2 pictures lack a text. Sure, and accepted beforehand: 1.",
    ]
    cards = page.locator(".card")
    assert cards.nth(0).locator(".suggested").inner_text() == "A cat"
    assert cards.nth(0).locator("img").evaluate("(one) => one.decode().then(() => one.naturalWidth)") > 100
    assert "described by the model" in cards.nth(0).inner_text()
    assert "check that this is what the link or button does" in cards.nth(1).inner_text()
    left = page.locator("#review-left-list li").all_text_contents()
    assert left == [
        "farm.html: dogs.jpg a person’s text",
        "farm.html: https://pictures.example/remote.jpg on the web; pictures are not fetched",
    ]
    assert page.locator("#review-progress").inner_text() == "1 of 2 decided"
    page.focus("#review-next")
    page.keyboard.press("Enter")
    page.locator("#decision-1-name:focus").wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED) == "SUMMARY"
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert cards.nth(1).locator(":checked").get_attribute("value") == "accept"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED) == "decision-1-own"
    page.keyboard.press("Control+A")
    page.keyboard.type("To the farm’s <start> & shop")
    assert page.locator("#decision-1-count").inner_text() == "28 of 125 characters"
    assert page.locator("#review-progress").inner_text() == "2 of 2 decided"
    page.focus("#review-save")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    download.value.save_as(tmp_path / "written.html")
    assert download.value.suggested_filename == "farm.html"
    page.locator("#polite", has_text="Downloaded farm.html. New texts: 2.").wait_for()
    written = (tmp_path / "written.html").read_text(encoding="utf-8")
    assert 'alt="A cat" data-alt-by="seesay/' in written and 'src="img/cat.jpg"' in written
    assert '<img alt="To the farm’s &lt;start&gt; &amp; shop" src="coffee.jpg">' in written
    assert '<img src="dogs.jpg" alt="Rex">' in written, "a person's text stays"
    assert not [one for one in watched.requests if "example" in one]


def test_several_documents_come_back_as_an_archive(
    visit: Visit, visitor: Any, alt_documents: ModuleType, tmp_path: Path
) -> None:
    page, _ = visit(accept_downloads=True)
    (tmp_path / "in").mkdir()
    made = [maker(tmp_path / "in", [None]) for maker in (alt_documents.markdown, alt_documents.epub)]
    visitor(page).review(*made, tmp_path / "in" / "cat.jpg")
    assert page.locator(".card").count() == 2
    for card in page.locator(".card").all():
        card.locator("[value=change]").check()
        card.locator("textarea").fill("Tom")
    with page.expect_download() as download:
        page.click("#review-save")
    download.value.save_as(tmp_path / "written.zip")
    with zipfile.ZipFile(tmp_path / "written.zip") as archive:
        assert sorted(archive.namelist()) == ["book.epub", "page.md", "page.md.alt.json"]
        assert "![Tom](cat.jpg)" in archive.read("page.md").decode()
        with archive.open("book.epub") as book, zipfile.ZipFile(book) as inside:
            assert 'alt="Tom"' in inside.read("OEBPS/text/one.xhtml").decode()


def test_a_picture_that_is_dropped_gets_its_text_inside(visit: Visit, tmp_path: Path, pictures: Path) -> None:
    from base64 import b64encode

    from seesay.alttext.kinds.jpeg import Jpeg

    page, _ = visit(accept_downloads=True)
    page.click("#views [href='#view-alt']")
    data = b64encode((pictures / "cat.jpg").read_bytes()).decode()
    page.evaluate(DROP, [["cat.jpg", "image/jpeg", data]])
    page.locator("#review-count:focus").wait_for()
    assert page.locator("#talk").is_hidden(), "it was not dropped to be asked about"
    page.locator(".card [value=accept]").check()
    with page.expect_download() as download:
        page.click("#review-save")
    download.value.save_as(tmp_path / "cat.jpg")
    (found,) = Jpeg(tmp_path / "cat.jpg", (tmp_path / "cat.jpg").read_bytes()).found
    assert found.alt == "A cat" and found.standing == "reviewed"


def test_what_is_missing_or_cannot_be_used_is_told(
    visit: Visit, visitor: Any, farm: list[Path], tmp_path: Path
) -> None:
    page, watched = visit()
    watched.expected = ("422",)
    notes, book = tmp_path / "notes.txt", tmp_path / "book.epub"
    notes.write_text("nothing")
    book.write_bytes(b"PK\x03\x04 not a book")
    page.click("#views [href='#view-alt']")
    page.set_input_files("#review-files", notes)
    page.locator("#review-error", has_text="no page, Markdown file, book or picture").wait_for()
    visitor(page).review(book)
    assert page.locator("#review-count").inner_text() == "There is nothing to decide"
    assert "book.epub" in page.locator("#review-left-list").inner_text()
    visitor(page).review(farm[0])
    assert "choose it together with the page" in page.locator("#review-left-list").inner_text()
    page.click("#review-save")
    page.locator("#review-error", has_text="Nothing would change yet").wait_for()
    page.locator(".card [value=change]").check()
    page.locator(".card textarea").fill(" ")
    page.click("#review-save")
    assert page.evaluate("() => document.activeElement.tagName") == "TEXTAREA"
    assert page.locator(".card textarea").get_attribute("aria-invalid") == "true"
    assert "Write a text" in page.locator("#assertive").inner_text()
    page.click("#review-again")
    assert page.locator("#review").is_hidden() and page.locator("#review-choose:focus").count() == 1


def test_arabic_has_the_reasons_too(visit: Visit, visitor: Any, farm: list[Path]) -> None:
    page, _ = visit(locale="ar")
    visitor(page).review(*farm)
    assert "تحقق من أن هذا ما يفعله الرابط أو الزر" in page.locator(".card").nth(1).inner_text()
    picture, words = page.locator(".card .small").first.bounding_box(), page.locator(".card .told").first.bounding_box()
    assert picture["x"] > words["x"]
    suggested, card = page.locator(".suggested").first, page.locator(".card").first.bounding_box()
    ends = suggested.evaluate(LEFT)
    assert ends > card["x"] + card["width"] / 3, "English, but where a reader of Arabic begins"
    page.select_option("#language", "zh")
    page.locator("html[lang=zh]").wait_for()
    assert "由模型描述" in page.locator(".card").first.inner_text()
