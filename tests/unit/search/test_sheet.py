"""The contact sheet, read as a browser and a screen reader would."""

from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

from seesay.errors import Problem
from seesay.search import Findings
from seesay.search.sheet import sections
from seesay.types import Hit

PhotoMaker = Callable[..., Path]


class Page(HTMLParser):
    """Pictures with their descriptions, and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.pictures: list[dict[str, str | None]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.pictures.append(dict(attrs))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def read(found: Findings) -> Page:
    page = Page()
    page.feed("".join(sections(found, "photos.seesay")))
    return page


def test_every_picture_has_its_description_and_lies_within_the_page(photo: PhotoMaker, tmp_path: Path) -> None:
    one, two = photo(tmp_path / "a <b>.png", (900, 30)), photo(tmp_path / "c.png")
    hits = (Hit(str(one), 0.93, "", ("copy.png",), 'a red "bar"'), Hit(str(two), 0.5, ""), Hit("gone.png", 0.5, ""))
    page = read(Findings("is there a <bar>?", hits, 9, 5, 0.5, True, (Problem("bad.png", "broken"),)))
    assert [picture["alt"] for picture in page.pictures] == ['a red "bar"', str(two)]
    assert all(str(picture["src"]).startswith("data:image/jpeg;base64,") for picture in page.pictures)
    text = " ".join(page.texts)
    for part in (
        "3 of 9 pictures",
        "is there a <bar>?",
        "asked about 5",
        str(one),
        "93% likely",
        "no such file",
        "broken",
    ):
        assert part in text


def test_a_page_of_nothing_says_so() -> None:
    page = read(Findings("is there a dog?", (), 9, 9, 0.5, True))
    assert page.pictures == []
    assert "none of 9 pictures" in " ".join(page.texts)
