"""The page's words: every language says the same things, and the page asks for nothing that is not there."""

from __future__ import annotations

import ast
import importlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import seesay
from seesay.errors import MissingExtra, SeesayError

code_of = pytest.importorskip("seesay.server.replies").code_of
SOURCE = Path(seesay.__file__).parent
WEB = SOURCE / "server" / "web"
TEXTS = {file.stem: json.loads(file.read_text("utf-8")) for file in sorted((WEB / "texts").glob("*.json"))}
ENGLISH: dict[str, str] = TEXTS["en"]
SCRIPTS = {file.name: file.read_text("utf-8") for file in WEB.glob("*.js")}
PAGE = (WEB / "index.html").read_text("utf-8")
FAMILIES = ("certainty", "where ", "reason", "error", "role ", "why ")
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


def codes(*folders: str) -> set[str]:
    """The codes of all notes that are made in these parts of the package."""
    files = [file for folder in folders for file in sorted((SOURCE / folder).rglob("*.py"))]
    calls = [
        node for file in files for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.Call)
    ]
    notes = [
        node for node in calls if isinstance(node.func, ast.Name) and node.func.id == "Note" and len(node.args) > 1
    ]
    return {str(note.args[1].value) for note in notes if isinstance(note.args[1], ast.Constant)}


def keys_of(name: str, script: str) -> set[str]:
    """The keys of an object that a script has."""
    found = re.search(rf"const {name} = {{(.*?)}};", SCRIPTS[script], re.DOTALL)
    assert found
    return set(re.findall(r"(\w+):", found[1]))


def test_every_reason_has_words() -> None:
    suggested = codes("alttext") - {"decided"}  # what is told only where decisions are applied
    assert len(suggested) > 40
    assert {f"why {code}" for code in suggested} == {key for key in ENGLISH if key.startswith("why ")}
    withheld = codes("answering", "models") | {"no_text"}
    assert keys_of("REASONS", "turns.js") == withheld - {"not_understood"}


def test_what_failures_are_known_by_is_what_the_server_says() -> None:
    importlib.import_module("seesay.alttext.document")

    def below(kind: type[SeesayError]) -> set[str]:
        return {
            code_of(kind("")),
            *(code for one in kind.__subclasses__() if one is not MissingExtra for code in below(one)),
        }

    assert keys_of("CODES", "server.js") <= below(SeesayError) | codes("alttext", "api", "models", "server")


def test_nothing_stands_in_the_page_that_its_policy_forbids() -> None:
    """Styles and scripts are files; no address of another host is in any file of the page."""
    assert said().inline == []
    for name, content in {**SCRIPTS, "index.html": PAGE, "style.css": (WEB / "style.css").read_text("utf-8")}.items():
        hosts = set(re.findall(r"https?://[\w.]+", content)) - {"http://www.w3.org"}
        assert not hosts, name


def test_the_page_stays_small() -> None:
    sizes = {file.name: file.stat().st_size for file in WEB.rglob("*") if file.is_file()}
    assert sum(size for name, size in sizes.items() if name.endswith(".webp")) < 100_000
    assert sum(sizes.values()) < 220_000
