"""Documents that somebody sent: found among their files, and bounded in what they may cost; the disk is not looked at."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from seesay.alttext.decisions import Decision, changes, decided
from seesay.alttext.documents import open_handed
from seesay.alttext.found import Mark, digest_of
from seesay.alttext.places import Handed
from seesay.alttext.record import Record

PNG = b"\x89PNG\r\n\x1a\n"


def test_addresses_are_found_by_path_else_by_a_name_that_is_unique() -> None:
    files = {"site/a.html": b"", "site/img/cat.jpg": b"1", "dog.jpg": b"2", "x/two.jpg": b"3", "y/two.jpg": b"4"}
    places = Handed("site/a.html", files)
    assert places.find("img/cat.jpg").source == b"1"
    assert places.find("/assets/dog.jpg").source == b"2"
    assert places.find("two.jpg").problem == "it was not handed over with the document"
    for elsewhere in ("/etc/passwd", "../../../etc/passwd", "file:///etc/passwd", "https://a.example/cat.jpg", "\0"):
        place = places.find(elsewhere)
        assert place.source is None and place.problem, elsewhere


def test_pictures_are_documents_only_where_no_page_came_with_them(alt_documents: ModuleType, tmp_path: Path) -> None:
    picture = alt_documents.MAKERS["png"](tmp_path, [None]).read_bytes()
    alone, _ = open_handed({"a.png": picture, "b.png": picture}, 10_000_000)
    assert [one.name for one in alone] == ["a.png", "b.png"]
    together, _ = open_handed({"a.png": picture, "page.md": b"![](a.png)"}, 10_000_000)
    assert [one.name for one in together] == ["page.md"] and together[0].document.found[0].picture == picture


def test_the_record_that_came_along_says_who_wrote_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = Record({}).written([("a.png", Mark("seesay-mini", digest_of("A cat")))])
    files = {"docs/page.md": b"![A cat](a.png)", "docs/page.md.alt.json": record}
    (opened,), _ = open_handed(files, 10_000)
    assert opened.document.found[0].standing == "ours"
    # One that lies where the server runs is another's.
    monkeypatch.chdir(tmp_path)
    (tmp_path / "page.md.alt.json").write_bytes(record)
    (alone,), _ = open_handed({"page.md": b"![A cat](a.png)"}, 10_000)
    assert alone.document.found[0].standing == "human"


def test_a_book_that_unpacks_to_too_much_is_not_unpacked() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr("bomb.jpg", bytes(50_000_000))
    assert len(buffer.getvalue()) < 100_000
    opened, (problem,) = open_handed({"book.epub": buffer.getvalue()}, 10_000_000)
    assert not opened and "unpacks to more than 10,000,000 bytes" in problem.message


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("page.html", b"<p>" * 700_000, "the limit is 2,000,000"),
        ("page.md", b"word " * 50_000, "the limit is 200,000"),
        ("page.html", b"<img>" * 10_001, "more than 10,000 pictures"),
        ("page.md", b"![](a)\n\n" * 10_001, "more than 10,000 pictures"),
    ],
)
def test_what_would_be_slow_to_read_is_refused(name: str, data: bytes, said: str) -> None:
    opened, (problem,) = open_handed({name: data}, 100_000_000)
    assert not opened and said in problem.message


def test_a_decision_never_takes_a_persons_text_away() -> None:
    (opened,), _ = open_handed({"page.html": b'<img src=a.png alt="Rex">'}, 10_000)
    (found,) = opened.document.found
    decision = Decision("page.html", found.key, "Rex", "change", "Fido", "rules")
    findings = decided([opened], [decision])
    assert [(one.action, one.why) for one in findings] == [("keep", "a person's text")]
    assert changes(findings, [decision]) == {}
