"""Captioned pictures are the same examples in every format, and what is wrong with them is told with its place."""

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seesay import DataSettings, SeesayError
from seesay.data import Dataset, load
from seesay.errors import DataError
from seesay.media import open_image

KINDS = (
    "image-folder",
    "image-folder of CSV",
    "image-folder of Parquet",
    "sidecar",
    "coco-captions",
    "karpathy",
    "flickr-tokens",
    "jsonl",
    "csv",
    "parquet",
    "datasets",
)


def read(source: Path, **settings: object) -> Dataset:
    return load(DataSettings(data=str(source), validation_fraction=0, **settings))


def colors(dataset: Dataset) -> dict[str, dict[tuple[int, ...], tuple[str, ...]]]:
    """Split -> color of the picture -> its captions."""
    return {
        split: {open_image(row.images[0]).pixels.getpixel((0, 0)): row.answers for row in rows}
        for split, rows in dataset.splits.items()
    }


def told(source: Path) -> list[tuple[str, str]]:
    """Where and what of each problem."""
    return [(problem.where, problem.message) for problem in read(source).problems]


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_gives_each_picture_its_captions(kind: str, tmp_path: Path, caption_sets: ModuleType) -> None:
    from PIL import ImageColor

    assert set(KINDS) == set(caption_sets.MAKERS)
    dataset = read(caption_sets.MAKERS[kind](tmp_path))
    assert dataset.format == kind.partition(" of ")[0]
    assert dataset.problems == ()
    expected = {
        split: {ImageColor.getrgb(color): captions for color, captions in pictures.items()}
        for split, pictures in caption_sets.CAPTIONS.items()
    }
    assert colors(dataset) == expected
    examples = [row for rows in dataset.splits.values() for row in rows]
    assert {(row.question, row.question_type) for row in examples} == {("", "caption")}
    assert len({row.origin for row in examples}) == len(examples)


@pytest.mark.parametrize("kind", KINDS)
def test_a_split_of_its_own_keeps_the_test_rows(kind: str, tmp_path: Path, caption_sets: ModuleType) -> None:
    source = caption_sets.MAKERS[kind](tmp_path)
    held = load(DataSettings(data=str(source), validation_fraction=0.5, test_fraction=0.3))
    assert held.splits["test"] == read(source).splits["test"]


def test_one_file_of_coco_finds_the_pictures_beside_its_folder(tmp_path: Path, caption_sets: ModuleType) -> None:
    folder = caption_sets.coco_captions(tmp_path)
    dataset = read(folder / "annotations/captions_test2017.json")
    assert (len(dataset.splits["test"]), dataset.problems) == (2, ())
    moved = tmp_path / "elsewhere/captions_train2017.json"
    moved.parent.mkdir()
    (folder / "annotations/captions_train2017.json").rename(moved)
    [problem, *_] = read(moved).problems
    assert "--images names another folder" in problem.hint
    assert read(moved, images=folder).problems == ()
    assert read(moved, images=folder / "train2017").problems == ()


def test_coco_pictures_of_one_name_in_two_splits_are_not_mixed_up(tmp_path: Path, photo: Callable[..., Path]) -> None:
    for split, color in (("train", "red"), ("val", "blue")):
        photo(tmp_path / "images" / split / "1.png", colour=color)
        content = {"images": [{"id": 1, "file_name": "1.png"}], "annotations": [{"image_id": 1, "caption": color}]}
        (tmp_path / f"captions_{split}.json").write_text(json.dumps(content))
    assert colors(read(tmp_path)) == {"train": {(255, 0, 0): ("red",)}, "validation": {(0, 0, 255): ("blue",)}}


def test_coco_names_each_bad_entry(tmp_path: Path, photo: Callable[..., Path]) -> None:
    photo(tmp_path / "1.png")
    content = {
        "images": [{"id": 1, "file_name": "1.png"}, {"id": 2, "file_name": "2.png"}, {"id": 3}, {"id": [4]}],
        "annotations": [
            {"image_id": 1, "caption": "fine"},
            {"image_id": 1, "caption": "  "},
            {"image_id": 2, "caption": "no picture"},
            {"image_id": 9, "caption": "of nothing"},
            {"image_id": [], "caption": "of nothing"},
        ],
    }
    (tmp_path / "captions.json").write_text(json.dumps(content))
    assert told(tmp_path) == [
        ("captions.json:entry 3 of images", "no 'id', or no 'file_name' that is text"),
        ("captions.json:entry 4 of images", "no 'id', or no 'file_name' that is text"),
        ("captions.json:entry 4 of annotations", "its 'image_id' is that of no image"),
        ("captions.json:entry 5 of annotations", "its 'image_id' is that of no image"),
        ("captions.json:entry 2 of annotations", "the caption: the text is empty"),
        ("captions.json:image 2", "no picture '2.png'"),
    ]


def test_sidecars_and_pictures_that_stand_alone_are_told_by_name(tmp_path: Path, photo: Callable[..., Path]) -> None:
    for name in ("good.png", "alone.png", "empty.jpg", "latin.webp", "two.png", "long.png"):
        photo(tmp_path / name)
    (tmp_path / "._good.png").write_bytes(b"what a Mac leaves")
    (tmp_path / "good.txt").write_text("one\n\n  \ntwo\n")
    (tmp_path / "lost.txt").write_text("a picture that is gone")
    (tmp_path / "empty.txt").write_text(" \n")
    (tmp_path / "latin.txt").write_bytes("café".encode("latin-1"))
    (tmp_path / "two.txt").write_text("a")
    (tmp_path / "two.caption").write_text("b")
    (tmp_path / "long.txt").write_text("short\n" + "word " * 5_000)
    (tmp_path / "NOTICE.txt").write_text("whose they are")
    dataset = read(tmp_path)
    assert [row.answers for row in dataset.splits["train"]] == [("one", "two")]
    assert [(problem.where, problem.message) for problem in dataset.problems] == [
        ("alone.png", "no .txt or .caption file of this name beside it"),
        ("empty.txt:1", "no caption for the picture 'empty.jpg'"),
        ("latin.txt", "byte 4 is not UTF-8"),
        ("long.txt:2", "the caption: 24,999 characters are more than the limit of 2,000"),
        ("lost.txt", "no picture of this name beside it"),
        ("two.caption", "two.txt is for the same picture"),
    ]
    assert all(problem.hint and problem.fatal for problem in dataset.problems)


def test_a_picture_of_a_kind_that_is_refused_is_not_overlooked(tmp_path: Path, photo: Callable[..., Path]) -> None:
    photo(tmp_path / "a.png")
    (tmp_path / "a.txt").write_text("fine")
    (tmp_path / "b.heic").write_bytes(b"\0\0\0\x18ftypheic")
    (tmp_path / "b.txt").write_text("a phone's picture")
    assert [row.answers for row in read(tmp_path).splits["train"]] == [("fine",), ("a phone's picture",)]


def test_texts_that_are_links_to_outside_are_not_read(tmp_path: Path, photo: Callable[..., Path]) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    photo(tmp_path / "data/a.png")
    photo(tmp_path / "data/b.png")
    (tmp_path / "data/a.txt").symlink_to(tmp_path / "secret.txt")
    (tmp_path / "data/b.txt").write_text("b")
    [(where, message)] = told(tmp_path / "data")
    assert (where, message) == ("a.txt", "the picture 'a.txt' is a link to outside the data's folder")


def test_metadata_in_the_folder_itself_and_in_folders_below(tmp_path: Path, caption_sets: ModuleType) -> None:
    for name in ("red", "train/blue", "val/cards/green"):
        caption_sets.draw(tmp_path / f"{name}.png")
    (tmp_path / "metadata.csv").write_text("file_name,text\nred.png,red\ntrain/blue.png,blue\n")
    (tmp_path / "val/cards/metadata.csv").write_text("file_name,text\ngreen.png,green\n../../red.png,red\n")
    found = read(tmp_path)
    assert {split: [row.answers[0] for row in rows] for split, rows in found.splits.items()} == {
        "train": ["red", "blue"],
        "validation": ["green", "red"],
    }
    assert found.splits["validation"][0].origin == "val/cards/metadata.csv:2"
    (tmp_path / "metadata.jsonl").write_text("{}")
    with pytest.raises(DataError, match=r"metadata.csv and metadata.jsonl lie in one folder"):
        read(tmp_path)


def test_metadata_cannot_name_pictures_outside(tmp_path: Path, photo: Callable[..., Path]) -> None:
    photo(tmp_path / "secret.png")
    photo(tmp_path / "data/train/a.png")
    rows = [{"file_name": name, "text": "x"} for name in ("../../secret.png", "/etc/passwd", "a\0.png", "\ud800/a.png")]
    file = tmp_path / "data/train/metadata.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert [(where, message[-40:]) for where, message in told(tmp_path / "data")] == [
        ("train/metadata.jsonl:1", "secret.png' lies outside the data's folder"[-40:]),
        ("train/metadata.jsonl:2", "'/etc/passwd' lies outside the data's folder"[-40:]),
        ("train/metadata.jsonl:3", "'a\\x00.png' cannot be the path of a picture"[-40:]),
        ("train/metadata.jsonl:4", "'\\ud800/a.png' cannot be the path of a picture"[-40:]),
    ]


def test_flickr_tokens_without_lists_are_all_training_rows(tmp_path: Path, caption_sets: ModuleType) -> None:
    folder = caption_sets.flickr(tmp_path)
    for file in folder.glob("*Images.txt"):
        file.unlink()
    with (folder / "Flickr8k.token.txt").open("a") as tokens:
        tokens.write("a line without a caption\n2258277193.jpg.1#0\tpeople waiting\n")
    dataset = read(folder / "Flickr8k.token.txt")
    assert {split: len(rows) for split, rows in dataset.splits.items()} == {"train": 7}
    assert [(problem.where, problem.message) for problem in dataset.problems] == [
        ("Flickr8k.token.txt:14", "not a picture, # and a number, a tab and a caption"),
        ("Flickr8k.token.txt:15", "no picture '2258277193.jpg.1'"),
    ]


def test_names_that_are_not_utf_8_are_read_and_shown_as_escapes(tmp_path: Path, photo: Callable[..., Path]) -> None:
    import os

    photo(tmp_path / os.fsdecode(b"caf\xe9.png"))
    (tmp_path / os.fsdecode(b"caf\xe9.txt")).write_text("a place")
    (tmp_path / os.fsdecode(b"b\xe9.png")).symlink_to("nowhere.png")
    (tmp_path / os.fsdecode(b"b\xe9.txt")).write_text("nothing")
    dataset = load(DataSettings(data=str(tmp_path), validation_fraction=0.5))
    rows = [row for rows in dataset.splits.values() for row in rows]
    assert {row.origin for row in rows} <= {"caf\\udce9.txt:1", "b\\udce9.txt:1"}
    assert (255, 0, 0) in [
        open_image(row.images[0]).pixels.getpixel((0, 0)) for row in rows if row.answers == ("a place",)
    ]
    assert all(problem.where.isprintable() and problem.message.isprintable() for problem in dataset.problems)


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.csv", "captions.json", "Flickr8k.token.txt", "rows"])
def test_a_pipe_is_refused_and_not_waited_for(name: str, tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / name)
    for source in (tmp_path / name, tmp_path):
        with pytest.raises(DataError, match="no format recognises it"):
            read(source)


GOOD = {"image": "a.png", "caption": "a card"}


@pytest.mark.parametrize(
    ("row", "message", "hint"),
    [
        ({**GOOD, "caption": ""}, "the field 'caption' is empty", "describe the picture there"),
        ({"image": "a.png", "captions": []}, "the field 'captions' is empty", "describe the picture there"),
        ({**GOOD, "caption": " \n"}, "the field 'caption': the text is empty", "take the row out"),
        ({**GOOD, "caption": "word " * 5_000}, "24,999 characters are more than the limit of 2,000", "shorten it"),
        ({**GOOD, "caption": 3}, "the field 'caption' holds 3, not text", "several are a list"),
        ({**GOOD, "caption": ["a", None]}, "the field 'caption', entry 2 holds None, not text", ""),
        ({**GOOD, "caption": {"a": 1}}, "holds {'a': 1}, not text", ""),
        ({**GOOD, "caption": "a\u0007"}, "the field 'caption': a control character (U+0007)", "remove it"),
        ({**GOOD, "caption": ["fine", "\ud800"]}, "entry 2: half a surrogate pair", "remove it"),
        ({**GOOD, "id": "\x1b[2J"}, "the field 'id': a control character", ""),
        ({"image": "a.png", "\x1b[2J": "a"}, "no answer and no caption", "fields here: image, \\x1b[2J; needed"),
        ({**GOOD, "image": {"bytes": 10**12}}, "the field 'image' holds 1000000000000", "name a file"),
        ({**GOOD, "image": "x" * 5_000}, "no picture 'xxx", ""),
        ({"image": "a.png", "question": "What?", "label": {"ids": 5, "weights": 5}}, "'label' holds {'ids': 5", "ids"),
        ({"image": "a.png"}, "no answer and no caption", "caption, captions or text"),
    ],
)
def test_a_bad_caption_row_is_told_with_its_line_and_what_to_do(
    row: object, message: str, hint: str, tmp_path: Path, photo: Callable[..., Path]
) -> None:
    photo(tmp_path / "a.png")
    file = tmp_path / "my.jsonl"
    file.write_text(json.dumps(GOOD) + "\n" + json.dumps(row) + "\n")
    dataset = read(file)
    [problem] = dataset.problems
    assert len(dataset.splits["train"]) == 1
    assert problem.where == "my.jsonl:2"
    assert message in problem.message
    assert hint in problem.hint
    assert problem.fatal
    assert len(str(problem)) < 400
    assert str(problem).replace("\n", "").isprintable()


def test_captions_and_questions_stand_in_one_file(tmp_path: Path, photo: Callable[..., Path]) -> None:
    photo(tmp_path / "a.png")
    (tmp_path / "my.csv").write_text(
        'image,question,answer,caption\na.png,What?,a card,\na.png,,,a card\na.png,,,""\na.png,"Red, ""or"" blue?",red,x\n'
    )
    dataset = read(tmp_path / "my.csv")
    assert [(row.question, row.answers) for row in dataset.splits["train"]] == [
        ("What?", ("a card",)),
        ("", ("a card",)),
        ('Red, "or" blue?', ("red",)),
    ]
    assert [(problem.where, problem.message) for problem in dataset.problems] == [
        ("my.csv:4", "the field 'caption' is empty")
    ]


def test_columns_of_several_captions_in_csv(tmp_path: Path, photo: Callable[..., Path]) -> None:
    photo(tmp_path / "a.png")
    file = tmp_path / "captions.txt"
    file.write_bytes(
        b'image_name|captions\na.png|["one", "two"]\na.png|only one\na.png|["broken\na.png|caf\xe9\na.png|[1]\n'
    )
    dataset = read(file)
    assert [row.answers for row in dataset.splits["train"]] == [("one", "two"), ("only one",)]
    assert [problem.where for problem in dataset.problems] == ["captions.txt:4", "captions.txt:5", "captions.txt:6"]
    assert "the column 'captions' holds '[\"broken', not JSON" in dataset.problems[0].message
    assert "the column 'captions' is not UTF-8" in dataset.problems[1].message
    file.write_text("image,caption,caption\na.png,one,two\n")
    [problem] = read(file).problems
    assert (problem.where, problem.message) == ("captions.txt:1", "two columns are called 'caption'")


def test_test_rows_may_lack_captions(tmp_path: Path, photo: Callable[..., Path]) -> None:
    for split in ("train", "test"):
        photo(tmp_path / split / "a.png")
        (tmp_path / split / "metadata.jsonl").write_text(json.dumps({"file_name": "a.png", "text": None}) + "\n")
    dataset = read(tmp_path)
    assert [row.answers for row in dataset.splits["test"]] == [()]
    assert [problem.where for problem in dataset.problems] == ["train/metadata.jsonl:1"]


def test_pictures_in_lists_of_a_datasets_set_stay_encoded(tmp_path: Path, photo: Callable[..., Path]) -> None:
    import datasets as hub

    content = photo(tmp_path / "a.png").read_bytes()
    features = hub.Features({"images": hub.List(hub.Image()), "text": hub.Value("string")})
    rows = [{"images": [{"bytes": content, "path": None}], "text": "a card"}]
    hub.Dataset.from_list(rows, features=features).save_to_disk(tmp_path / "set")
    [row] = read(tmp_path / "set").splits["train"]
    assert (row.images, row.answers) == ((content,), ("a card",))


def test_a_broken_datasets_set_is_an_error_of_ours(tmp_path: Path, caption_sets: ModuleType) -> None:
    source = caption_sets.datasets(tmp_path)
    (source / "train/dataset_info.json").write_text("[]")
    with pytest.raises(DataError, match="not what save_to_disk writes"):
        read(source)


FILES = ("captions_train2017.json", "dataset_coco.json", "Flickr8k.token.txt", "train/metadata.csv", "train/a.txt")
FILES = (*FILES, "metadata.jsonl", "metadata.parquet", "captions.txt")
STARTS = (
    b"",
    b'{"images": [{"id": 1, "file_name": "a.png"}], "annotations": [{"image_id": 1, "caption": ',
    b'{"images": [{"filename": "a.png", "split": "test", "sentences": [{"raw": "x"}, ',
    b'{"images": [{}], "annotations": [{"caption": "x"}], "sentences": [',
    b"a.png#0\t",
    b"file_name,text\na.png,",
    b"image,caption\n",
    b'{"file_name": "a.png", "text": ',
    b"PAR1",
)
ENDS = (b"", b"}]}", b'"}]}', b'"x"}]}', b"]}]}", b"null}", b"PAR1", b"\n")


@given(
    name=st.sampled_from(FILES),
    start=st.sampled_from(STARTS),
    middle=st.binary(max_size=60) | st.text(max_size=40).map(lambda text: json.dumps(text).encode()),
    end=st.sampled_from(ENDS),
    whole=st.booleans(),
)
def test_any_bytes_are_read_or_refused_by_one_of_our_errors(
    tmp_path_factory: pytest.TempPathFactory, name: str, start: bytes, middle: bytes, end: bytes, whole: bool
) -> None:
    folder = tmp_path_factory.mktemp("any")
    for picture in ("a.png", "train/a.png"):
        (folder / picture).parent.mkdir(exist_ok=True)
        (folder / picture).touch()
    (folder / name).write_bytes(start + middle + end)
    try:
        dataset = load(DataSettings(data=str(folder if whole else folder / name)))
    except SeesayError as error:
        assert "Traceback" not in str(error)
        return
    assert all(problem.where and problem.message for problem in dataset.problems)
    assert all(row.images and row.origin for rows in dataset.splits.values() for row in rows)


FIELDS = st.sampled_from("id file_name image_id caption raw split sentences filename imgid bytes path".split())
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8) | st.just("a.png")
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4), max_leaves=6
)


@given(images=st.lists(JSON, max_size=3), annotations=JSON, key=st.sampled_from(["caption", "sentences"]))
def test_any_json_in_the_place_of_pictures_and_captions_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, images: list[object], annotations: object, key: str
) -> None:
    folder = tmp_path_factory.mktemp("any")
    (folder / "a.png").touch()
    content = {"images": [{"id": 1, "file_name": "a.png", key: []}, *images], "annotations": annotations, key: []}
    (folder / "some.json").write_text(json.dumps(content))
    try:
        dataset = load(DataSettings(data=str(folder)))
    except SeesayError:
        return
    assert all(problem.where for problem in dataset.problems)
