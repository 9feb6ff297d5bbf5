"""What a folder, a manifest or a picture stands for."""

from pathlib import Path

import pytest

from seesay.errors import DataError, InputError
from seesay.search.places import listed


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_a_folder_stands_for_the_pictures_below_it(tmp_path: Path) -> None:
    good = [tmp_path / name for name in ("B.JPG", "a.jpg", "deep/er/c.webp", "z.avif")]
    touch(*good, tmp_path / "notes.txt", tmp_path / ".hidden.jpg", tmp_path / ".thumbs" / "a.jpg")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    assert list(listed(tmp_path)) == [str(path) for path in good]


def test_a_manifest_names_pictures_relative_to_itself(tmp_path: Path) -> None:
    text, rows, table = (tmp_path / f"list{kind}" for kind in (".txt", ".jsonl", ".csv"))
    text.write_text("\ufeffa.jpg\n\n  b c.jpg \n/abs/d.jpg\na.jpg\n", encoding="utf-8")
    rows.write_text('{"image": "a.jpg", "question": "what?"}\n{"image": "../b.jpg"}\n')
    table.write_text('question,image\n"what, this?","a,b.jpg"\n')
    assert list(listed(text)) == [str(tmp_path / "a.jpg"), str(tmp_path / "b c.jpg"), "/abs/d.jpg"]
    assert list(listed(rows)) == [str(tmp_path / "a.jpg"), str(tmp_path.parent / "b.jpg")]
    assert list(listed(table)) == [str(tmp_path / "a,b.jpg")]


def test_any_other_file_is_a_picture(tmp_path: Path) -> None:
    touch(tmp_path / "photo")
    assert list(listed(tmp_path / "photo")) == [str(tmp_path / "photo")]


@pytest.mark.parametrize(
    ("name", "content", "where", "message"),
    [
        ("a.jsonl", '{"image": "a.jpg"}\n{"img": "b.jpg"}\n', "a.jsonl:2", "no 'image'"),
        ("a.jsonl", '{"image": "a.jpg"}\n\n{"image"\n', "a.jsonl:3", "not JSON"),
        ("a.jsonl", "[1]\n", "a.jsonl:1", "no 'image'"),
        ("a.jsonl", '{"image": 7}\n', "a.jsonl:1", "no 'image'"),
        ("a.csv", "file\na.jpg\n", "a.csv", "no 'image'"),
        ("a.txt", "\xff\xfe", "a.txt", "cannot be read"),
    ],
)
def test_a_manifest_that_cannot_be_read_names_its_line(
    tmp_path: Path, name: str, content: str, where: str, message: str
) -> None:
    (tmp_path / name).write_bytes(content.encode("latin-1"))
    with pytest.raises(DataError, match=message) as caught:
        list(listed(tmp_path / name))
    assert caught.value.where == str(tmp_path / where)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file or folder"):
        list(listed(tmp_path / "nothing"))
