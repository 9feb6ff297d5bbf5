"""What tests of reports share: a reader of pages that fails where one is not well-formed."""

from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

VOID = {"meta", "img", "br", "link", "hr", "input"}


class Page(HTMLParser):
    """Fails on a tag that is closed wrongly; collects what the page shows and refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []
        self.tags: list[str] = []
        self.alternatives: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append(tag)
        self.sources += [str(values[name]) for name in ("src", "href") if name in values]
        assert tag != "img" or values.get("alt")
        assert values.get("role") != "img" or values.get("aria-label")
        if tag == "img":
            self.alternatives.append(str(values["alt"]))
        if tag not in VOID and not self.get_starttag_text().endswith("/>"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="session")
def read_page() -> Callable[[Path], Page]:
    """Reads a report that must be one file, without scripts and without anything from elsewhere."""

    def read(file: Path) -> Page:
        page = Page()
        page.feed(file.read_text(encoding="utf-8"))
        assert page.open == []
        assert "script" not in page.tags
        assert all(source.startswith("data:") for source in page.sources)
        return page

    return read
