"""Folders and manifests as pictures and questions."""

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seesay.batch.source import Asked, Item, count_rows, grouped, items, read_questions
from seesay.errors import DataError, TextError, UsageError


def flat(source: Path, *questions: str, asks: bool = True) -> list[tuple[str, str, str, str]]:
    found = items(str(source), questions, asks=asks)
    return [(item.name, one.question, one.id, one.error) for item in found for one in item.asked]


def test_a_folder_with_those_below_it_by_name(tmp_path: Path) -> None:
    for name in ("b.jpg", "a.PNG", "below/c.webp", "below/notes.txt", ".hidden/d.jpg", ".e.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [row[0] for row in flat(tmp_path, "What?")] == ["a.PNG", "b.jpg", "below/c.webp"]
    assert [Path(item.source).exists() for item in items(str(tmp_path), ["What?"], asks=True)] == [True] * 3
    assert count_rows(str(tmp_path), 2) == 6


def test_rows_of_a_manifest_bring_their_questions_or_take_those_given(tmp_path: Path) -> None:
    rows = [
        {"image": "a.jpg", "question": "Own?", "id": 7},
        {"image": "a.jpg", "id": "x"},
        {"file_name": "b.jpg"},
        {"id": "no picture"},
        {"image": ["a.jpg", "b.jpg"], "question": "Two?"},
        {"image": "a.jpg", "question": 3},
        {"image": "a.jpg", "question": "bell \a"},
    ]
    manifest = tmp_path / "m.jsonl"
    manifest.write_text("\n".join(map(json.dumps, rows)) + "\nno json\n")
    assert flat(manifest, "One?", "Other?") == [
        ("a.jpg", "Own?", "7", ""),
        ("a.jpg", "One?", "x", ""),
        ("a.jpg", "Other?", "x", ""),
        ("b.jpg", "One?", "", ""),
        ("b.jpg", "Other?", "", ""),
        ("m.jsonl:4", "One?", "no picture", "no 'image' field"),
        ("m.jsonl:4", "Other?", "no picture", "no 'image' field"),
        ("m.jsonl:5", "Two?", "", "the picture is list, not one path"),
        ("a.jpg", "", "", "the question is int, not text"),
        ("a.jpg", "bell \a", "", "a control character (U+0007) at character 6"),
        ("m.jsonl:8", "", "", "not JSON: Expecting value"),
    ]
    assert [row[3] for row in flat(manifest) if row[0] == "b.jpg"] == [
        "no 'question' field, and no question was given for all"
    ]
    assert flat(manifest, asks=False)[0] == ("a.jpg", "", "7", "")


def test_rows_about_one_picture_that_follow_each_other_are_one_item(tmp_path: Path) -> None:
    manifest = tmp_path / "m.csv"
    manifest.write_text("image,question\na.jpg,One?\na.jpg,Other?\nb.jpg,One?\na.jpg,Third?\n")
    found = list(items(str(manifest), [], asks=True))
    assert [(item.name, len(item.asked)) for item in found] == [("a.jpg", 2), ("b.jpg", 1), ("a.jpg", 1)]
    assert found[0].source == str(tmp_path / "a.jpg")


def test_a_list_of_paths(tmp_path: Path) -> None:
    manifest = tmp_path / "list.txt"
    manifest.write_bytes(b"/far/a b.jpg\r\n\nbelow/\xff.jpg\nhttps://example.org/a.jpg\n")
    found = list(items(str(manifest), ["What?"], asks=True))
    assert [item.name for item in found] == ["/far/a b.jpg", "below/\\udcff.jpg", "https://example.org/a.jpg"]
    assert found[0].source == "/far/a b.jpg"
    assert found[2].source == "https://example.org/a.jpg"


def test_a_picture_within_the_manifest_has_a_short_name(tmp_path: Path) -> None:
    url = "data:image/png;base64," + base64.b64encode(b"x" * 300).decode()
    manifest = tmp_path / "m.jsonl"
    manifest.write_text(json.dumps({"image": url}))
    (found,) = items(str(manifest), ["What?"], asks=True)
    assert (found.source, found.name) == (url, "data URL")


def test_what_cannot_be_an_input(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    for source, message in (("none", "no such folder or manifest"), ("a.jpg", "neither a folder nor a manifest")):
        with pytest.raises(UsageError, match=message):
            items(str(tmp_path / source), ["What?"], asks=True)
    with pytest.raises(UsageError, match="no question"):
        items(str(tmp_path), [], asks=True)


def test_a_line_too_long_ends_the_job_and_hides_no_rows(tmp_path: Path) -> None:
    manifest = tmp_path / "m.jsonl"
    manifest.write_text(json.dumps({"image": "a" * 2_000_000}) + "\n" + json.dumps({"image": "b.jpg"}) + "\n")
    with pytest.raises(DataError, match=r"m\.jsonl:1"):
        flat(manifest, "What?")


def test_questions_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "q.txt"
    file.write_text(" Is there a dog? \n\nHow many?\nIs there a dog?\n")
    assert read_questions(file, ["First?"]) == ("First?", "Is there a dog?", "How many?")
    file.write_text("ok?\nbell\a\n")
    with pytest.raises(TextError, match=r"q\.txt:2"):
        read_questions(file, [])
    with pytest.raises(UsageError, match="No such file"):
        read_questions(tmp_path / "none.txt", [])


@given(st.lists(st.integers(1, 40), max_size=30), st.integers(1, 20))
def test_groups_hold_every_item_once_in_order(counts: list[int], size: int) -> None:
    given_items = [Item("s", str(n), tuple(Asked(str(i)) for i in range(count))) for n, count in enumerate(counts)]
    groups = list(grouped(given_items, size))
    assert [item for group in groups for item in group.items] == given_items
    for group in groups:
        assert sum(len(item.asked) for item in group.items) <= size or len(group.items) == 1
