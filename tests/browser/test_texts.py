"""The page's words: every language says the same things, and the page asks for nothing that is not there."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import seesay

WEB = Path(seesay.__file__).parent / "server" / "web"
TEXTS = {file.stem: json.loads(file.read_text("utf-8")) for file in sorted((WEB / "texts").glob("*.json"))}
ENGLISH: dict[str, str] = TEXTS["en"]
SCRIPTS = {file.name: file.read_text("utf-8") for file in WEB.glob("*.js")}
PAGE = (WEB / "index.html").read_text("utf-8")
FAMILIES = ("certainty", "where ", "reason", "error")
"""Beginnings of keys that are put together while the page runs."""


class Said(HTMLParser):
    """The words in the page, by the key that its elements carry."""

    def __init__(self) -> None:
        super().__init__()
        self.words: dict[str, str] = {}
        self.inline: list[str] = []
        self._key = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._key = given.get("data-text") or ""
        self.inline += [name for name in given if name == "style" or name.startswith("on")]
        self.inline += [tag] if tag == "style" or (tag == "script" and not given.get("src")) else []

    def handle_data(self, data: str) -> None:
        if self._key and data.strip():
            self.words[self._key] = data.strip()


def said() -> Said:
    parser = Said()
    parser.feed(PAGE)
    return parser


@pytest.mark.parametrize("language", sorted(TEXTS))
def test_every_language_has_every_text_with_the_same_places_to_fill(language: str) -> None:
    texts = TEXTS[language]
    assert list(texts) == list(ENGLISH)
    for key, words in texts.items():
        assert words.strip() == words and words, key
        assert sorted(re.findall(r"{\w+}", words)) == sorted(re.findall(r"{\w+}", ENGLISH[key])), key


def test_languages_are_translated() -> None:
    for language in set(TEXTS) - {"en"}:
        same = [key for key, words in TEXTS[language].items() if words == ENGLISH[key] and key != "place"]
        assert not same, language


def test_the_page_says_in_english_what_the_english_texts_say() -> None:
    words = said().words
    assert len(words) > 40
    assert {key: ENGLISH[key] for key in words} == words


def test_no_text_is_missing_and_none_is_left_over() -> None:
    code = "\n".join(SCRIPTS.values())
    used = set(re.findall(r"""["'`]([a-zA-Z][\w ]*)["'`]""", code)) | set(said().words)
    asked = set(re.findall(r"""\b(?:text|complain|problem|put)\((?:[\w.]+(?:\("[^"]*"\))?, )?"(\w+)\"""", code))
    assert {"working", "errorNoQuestion", "withheld", "chosen"} - asked == {"chosen"}
    assert asked <= set(ENGLISH)
    left = [key for key in ENGLISH if key not in used and not key.startswith(FAMILIES)]
    assert left == []


def test_every_failure_has_words_and_what_to_do() -> None:
    keys = set(re.findall(r'"(error\w+)"', SCRIPTS["server.js"]))
    assert len(keys) >= 6
    for key in keys:
        assert key in ENGLISH and f"{key}Hint" in ENGLISH


def test_nothing_stands_in_the_page_that_its_policy_forbids() -> None:
    """Styles and scripts are files; no address of another host is in any file of the page."""
    assert said().inline == []
    for name, content in {**SCRIPTS, "index.html": PAGE, "style.css": (WEB / "style.css").read_text("utf-8")}.items():
        hosts = set(re.findall(r"https?://[\w.]+", content)) - {"http://www.w3.org"}
        assert not hosts, name


def test_the_page_stays_small() -> None:
    sizes = {file.name: file.stat().st_size for file in WEB.rglob("*") if file.is_file()}
    assert sum(size for name, size in sizes.items() if name.endswith(".webp")) < 100_000
    assert sum(sizes.values()) < 200_000
