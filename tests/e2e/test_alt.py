"""`seesay alt` as people call it: dry run, diff, writing, JSON, decisions, what goes wrong."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import html5lib
import pytest

PAGE = (
    "<!DOCTYPE html>\r\n<html lang='en'>\r\n<body class=x>\r\n<p>Here:&nbsp;<img  src='cat.jpg'\r\n   class=\"a b\" >\r\n"
    '<img src=dogs.jpg alt="Two dogs">\r\n<a href="/"><img src=coffee.jpg></a> <img src="none.png">\r\n'
)


def seesay(*words: object, cwd: Path, **given: object) -> subprocess.CompletedProcess[bytes]:
    call = [sys.executable, "-m", "seesay", "alt", *map(str, words)]
    return subprocess.run(call, cwd=cwd, capture_output=True, check=False, **given)  # type: ignore[call-overload, no-any-return]


@pytest.fixture
def site(alt_documents: ModuleType, tmp_path: Path) -> Path:
    for name in ("cat.jpg", "dogs.jpg", "coffee.jpg"):
        (tmp_path / name).write_bytes((alt_documents.EXAMPLES / name).read_bytes())
    (tmp_path / "page.html").write_bytes(PAGE.encode())
    return tmp_path


def test_a_page_from_dry_run_to_the_second_run(site: Path) -> None:
    page = site / "page.html"
    page.chmod(0o640)
    dry = seesay("page.html", cwd=site)
    assert dry.returncode == 3  # none.png
    assert page.read_bytes() == PAGE.encode()
    assert b"none.png: no such file" in dry.stderr and b'coffee.jpg: review "Home"' in dry.stderr
    assert b"4 pictures: 1 to write (--write does it), 1 to review, 1 kept, 1 cannot be used" in dry.stderr
    done = seesay("page.html", "--write", cwd=site)
    assert done.stdout == dry.stdout and b"1 written" in done.stderr
    content = page.read_bytes()
    at = PAGE.encode().index(b"<img") + 4
    assert content.startswith(PAGE.encode()[:at] + b' alt="A cat" data-alt-by="seesay/')
    assert content.endswith(PAGE.encode()[at:])
    assert stat.S_IMODE(page.stat().st_mode) == 0o640
    tree = html5lib.parse(content, namespaceHTMLElements=False)
    assert [image.get("alt") for image in tree.iter("img")] == ["A cat", "Two dogs", None, None]
    again = seesay("page.html", "--write", cwd=site)
    assert (again.stdout, page.read_bytes()) == (b"", content)
    patched = site / "patched.html"
    if shutil.which("patch"):
        patched.write_bytes(PAGE.encode())
        subprocess.run(["patch", "--binary", "-s", str(patched)], input=dry.stdout, check=True)
        assert patched.read_bytes() == content


def test_json_has_one_object_a_picture(site: Path) -> None:
    done = seesay("page.html", "--json", cwd=site)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(row["picture"], row["action"], row["standing"], row["alt"]) for row in rows] == [
        ("cat.jpg", "write", "missing", "A cat"),
        ("dogs.jpg", "keep", "human", None),
        ("coffee.jpg", "review", "missing", "Home"),
        ("none.png", "fail", "missing", None),
    ]
    assert rows[0]["certainty"] == "almost certain" and rows[0]["score"] >= 0.95
    assert rows[2]["context"]["link"]["target"] == "/"
    assert not any(row["written"] for row in rows)


def decisions(file: Path, *rows: dict[str, object]) -> Path:
    base = {"document": "page.html", "was": None, "alt": "", "by": "test"}
    value = {"format": "seesay alt decisions 1", "decisions": [base | row for row in rows]}
    file.write_text(json.dumps(value), encoding="utf-8")
    return file


def test_decisions_are_applied_where_the_text_is_still_the_one_that_was_seen(site: Path) -> None:
    decided = decisions(
        site / "d.json",
        {"key": "|img|cat.jpg|1", "decision": "accept", "alt": "A tabby"},
        {"key": "|img|dogs.jpg|1", "decision": "change", "alt": "Three dogs"},
        {"key": "|img|coffee.jpg|1", "decision": "decorative"},
        {"key": "|img|gone.jpg|1", "decision": "accept", "alt": "Gone"},
        {"key": "|img|none.png|1", "decision": "leave"},
    )
    dry = seesay("--apply", decided, cwd=site)
    assert (site / "page.html").read_bytes() == PAGE.encode() and b'+<p>Here:&nbsp;<img alt="A tabby"' in dry.stdout
    assert dry.returncode == 3 and b"gone.jpg: this picture is no longer in the document" in dry.stderr
    seesay("--apply", decided, "--write", cwd=site)
    content = (site / "page.html").read_text(encoding="utf-8")
    assert 'alt="A tabby" data-alt-by="seesay/' in content and "; reviewed)" in content
    assert 'alt="Two dogs"' in content and '<img alt="" src=coffee.jpg>' in content
    rows = [json.loads(line) for line in seesay("page.html", "--json", "--renew", cwd=site).stdout.splitlines()]
    assert [row["standing"] for row in rows] == ["reviewed", "human", "empty", "missing"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", b"not JSON"),
        ("[]", b"not decisions"),
        ('{"format": "seesay alt decisions 1", "decisions": [3]}', b"decision 1: not an object"),
        (
            '{"format": "seesay alt decisions 1", "decisions": [{"document": "a", "key": "b", "decision": "x"}]}',
            b"'x' is not one of",
        ),
        (
            '{"format": "seesay alt decisions 1", "decisions":'
            ' [{"document": "a", "key": "b", "decision": "change", "alt": "\\u0007x"}]}',
            b"control character",
        ),
    ],
)
def test_decisions_that_cannot_be_used_are_told(site: Path, content: str, why: bytes) -> None:
    (site / "d.json").write_text(content, encoding="utf-8")
    done = seesay("--apply", "d.json", cwd=site)
    assert done.returncode == 3 and why in done.stderr and b"Traceback" not in done.stderr


def test_what_cannot_be_meant_is_told_and_the_rest_is_done(site: Path) -> None:
    assert seesay(cwd=site).returncode == 2
    assert b"not a folder" in seesay("page.html", "--root", "none", cwd=site).stderr
    (site / "text.txt").write_text("x", encoding="utf-8")
    done = seesay("none.html", "text.txt", "page.html", cwd=site)
    assert done.returncode == 3 and b"A cat" in done.stdout
    assert b"none.html: no such file" in done.stderr and b"text.txt: not a kind of document" in done.stderr
    (site / "photos").mkdir()
    (site / "photos" / "cat.jpg").write_bytes((site / "cat.jpg").read_bytes())
    assert b"seesay alt photos/*.jpg" in seesay("photos", cwd=site).stderr


def test_a_file_behind_a_link_is_written_and_one_that_may_not_be_is_left(site: Path) -> None:
    (site / "link.html").symlink_to("page.html")
    assert seesay("link.html", "--write", cwd=site).returncode == 3
    assert (site / "link.html").is_symlink() and b"A cat" in (site / "page.html").read_bytes()
    if os.geteuid():
        (site / "page.html").write_bytes(PAGE.encode())
        (site / "page.html").chmod(0o444)
        assert b"no permission" in seesay("page.html", "--write", cwd=site).stderr
        assert (site / "page.html").read_bytes() == PAGE.encode()


def test_a_review_page_of_a_run_that_wrote_knows_what_it_wrote(site: Path) -> None:
    assert seesay("page.html", "--write", "--review", "review.htm", cwd=site).returncode == 3
    page = (site / "review.htm").read_text(encoding="utf-8")
    data = json.loads(page.partition('id="data">')[2].partition("</script>")[0])
    assert [(row["was"], row["alt"]) for row in data["pictures"]] == [("A cat", "A cat"), (None, "Home")]


def test_an_old_page_keeps_its_encoding(site: Path) -> None:
    old = "<meta charset=iso-8859-1><html lang=en><title>Größe “x”</title><img src=cat.jpg title='猫 &amp; “Minka”'>"
    (site / "old.html").write_bytes(old.encode("cp1252", "xmlcharrefreplace"))
    assert seesay("old.html", "--write", cwd=site).returncode == 0
    content = (site / "old.html").read_bytes()
    assert content.replace(content[content.index(b" alt=") : content.index(b" src=")], b"", 1) == old.encode(
        "cp1252", "xmlcharrefreplace"
    )
    (image,) = html5lib.parse(content, namespaceHTMLElements=False).iter("img")
    assert image.get("alt") == "猫 & “Minka”"
