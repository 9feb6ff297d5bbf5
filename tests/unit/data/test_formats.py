"""Every format is found by its content and read into the same kind of examples; what is wrong is told with its place."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seesay import DataSettings, Example, Problem, SeesayError, UsageError
from seesay.data import Format, Source, load
from seesay.errors import DataError
from seesay.registry import discover

Maker = Callable[[Path, Callable[..., Path]], Path]
TEN = ["red"] * 6 + ["dark red"] * 4


def jsonl(folder: Path, photo: Callable[..., Path]) -> Path:
    photo(folder / "images/a.png")
    row = {"image": "images/a.png", "question": "What color?", "answers": TEN, "id": "7", "question_type": "what"}
    (folder / "train.jsonl").write_text("\ufeff" + json.dumps(row) + "\r\n\r\n", encoding="utf-8")
    return folder


def csv(folder: Path, photo: Callable[..., Path]) -> Path:
    photo(folder / "images/a.png")
    answers = json.dumps(TEN).replace('"', '""')
    text = f'Image;Question;answers;id;question_type\nimages/a.png;"What color?";"{answers}";7;what\n'
    (folder / "rows.csv").write_text(text)
    return folder / "rows.csv"


def parquet(folder: Path, photo: Callable[..., Path]) -> Path:
    import pyarrow
    from pyarrow import parquet as files

    image = {"bytes": photo(folder / "a.png").read_bytes(), "path": "a.png"}
    row = {"image": image, "question": "What color?", "answers": TEN, "id": "7", "question_type": "what"}
    files.write_table(pyarrow.Table.from_pylist([row]), folder / "train-00000-of-00001.parquet")
    return folder


def vqa_v2(folder: Path, photo: Callable[..., Path]) -> Path:
    photo(folder / "train2014/COCO_train2014_000000000009.jpg")
    question = {"image_id": 9, "question": "What color?", "question_id": 7}
    answers = [{"answer": text, "answer_confidence": "yes", "answer_id": i} for i, text in enumerate(TEN, start=1)]
    note = {"question_id": 7, "image_id": 9, "question_type": "what", "answer_type": "other", "answers": answers}
    head = {"info": {}, "data_type": "mscoco", "data_subtype": "train2014"}
    (folder / "v2_OpenEnded_mscoco_train2014_questions.json").write_text(json.dumps({**head, "questions": [question]}))
    (folder / "v2_mscoco_train2014_annotations.json").write_text(json.dumps({**head, "annotations": [note]}))
    return folder


def vizwiz(folder: Path, photo: Callable[..., Path]) -> Path:
    photo(folder / "train/VizWiz_train_00000000.jpg")
    answers = [{"answer": text, "answer_confidence": "yes"} for text in TEN]
    row = {"image": "VizWiz_train_00000000.jpg", "question": "What color?", "answers": answers, "id": "7"}
    row |= {"answer_type": "other", "answerable": 1, "question_type": "what"}
    (folder / "train.json").write_text(json.dumps([row]))
    return folder


def datasets(folder: Path, photo: Callable[..., Path]) -> Path:
    import datasets as hub

    photo(folder / "pictures/a.png")
    row = {"image_id": "pictures/a.png", "question": "What color?", "answers": TEN, "question_id": 7}
    hub.Dataset.from_list([{**row, "question_type": "what"}]).save_to_disk(folder / "set")
    (folder / "pictures").rename(folder / "set/pictures")
    return folder / "set"


MAKERS: dict[str, Maker] = {
    "jsonl": jsonl, "csv": csv, "parquet": parquet, "vqa-v2": vqa_v2, "vizwiz": vizwiz, "datasets": datasets,
}  # fmt: skip


def read(source: Path) -> list[tuple[str, Example | Problem]]:
    found = [
        form for form in discover("seesay.data.formats", Format).values() if form().recognises(Source(str(source)))
    ]
    assert len(found) == 1
    return list(found[0]().read(Source(str(source))))


@pytest.fixture(params=sorted(discover("seesay.data.formats", Format)))
def made(
    request: pytest.FixtureRequest, tmp_path: Path, photo: Callable[..., Path], caption_sets: ModuleType
) -> tuple[str, Path]:
    if request.param == "easy-vqa":
        return request.param, Path("easy-vqa")
    if request.param in MAKERS:
        return request.param, MAKERS[request.param](tmp_path, photo)
    return request.param, caption_sets.MAKERS[request.param](tmp_path)


def test_each_format_is_recognised_by_itself_alone(made: tuple[str, Path]) -> None:
    name, source = made
    forms = discover("seesay.data.formats", Format)
    assert [other for other, form in forms.items() if form().recognises(Source(str(source)))] == [name]


@pytest.mark.parametrize("name", MAKERS)
def test_the_same_question_is_the_same_example_in_every_format(
    name: str, tmp_path: Path, photo: Callable[..., Path]
) -> None:
    from seesay.media import open_image

    [(split, example)] = read(MAKERS[name](tmp_path, photo))
    assert isinstance(example, Example), example
    assert split == "train"
    row = (example.question, example.answers, example.id, example.question_type)
    assert row == ("What color?", tuple(TEN), "7", "what")
    assert open_image(example.images[0]).pixels.size == (64, 48)
    assert ":" in example.origin


def test_reading_twice_gives_the_same_rows(made: tuple[str, Path]) -> None:
    assert read(made[1]) == read(made[1])


def test_easy_vqa_has_its_published_counts_and_validation_never_comes_from_test() -> None:
    dataset = load(DataSettings(data="easy-vqa", validation_fraction=0))
    assert {name: len(rows) for name, rows in dataset.splits.items()} == {"train": 38_575, "test": 9_673}
    held = load(DataSettings(data="easy-vqa"))
    assert held.splits["test"] == dataset.splits["test"]
    pictures = {split: {str(row.images[0]) for row in held.splits[split]} for split in ("train", "validation")}
    assert not pictures["train"] & pictures["validation"]
    assert 0.08 < len(pictures["validation"]) / 4_000 < 0.12
    assert load(DataSettings(data="easy-vqa")) == held


def test_graphcores_label_and_a_dictionary_of_splits_are_read(tmp_path: Path, photo: Callable[..., Path]) -> None:
    import datasets as hub

    images = tmp_path / "val2014"
    photo(images / "COCO_val2014_1.jpg")
    row = {"image_id": str(images / "COCO_val2014_1.jpg"), "question": "Where?", "question_id": 3}
    row |= {"question_type": "none of the above", "answer_type": "other"}
    label = {"ids": ["net", "at table"], "weights": [1.0, 0.3]}
    splits = {
        "train": hub.Dataset.from_list([{**row, "label": label}]),
        "val": hub.Dataset.from_list([{**row, "label": label}]),
    }
    hub.DatasetDict(splits).save_to_disk(tmp_path / "set")
    dataset = load(DataSettings(data=str(tmp_path / "set"), images=images))
    [example] = dataset.splits["validation"]
    assert (example.answers, example.weights) == (("net", "at table"), (1.0, 0.3))
    assert dataset.problems == ()


def test_pictures_of_datasets_stay_encoded(tmp_path: Path, photo: Callable[..., Path]) -> None:
    import datasets as hub

    rows = hub.Dataset.from_list([{"image": str(photo(tmp_path / "a.png")), "question": "What?", "answer": "red"}])
    rows.cast_column("image", hub.Image()).save_to_disk(tmp_path / "set")
    [(_, example)] = read(tmp_path / "set")
    assert isinstance(example, Example)
    assert example.images[0] == (tmp_path / "a.png").read_bytes()


GOOD = {"image": "a.png", "question": "What?", "answer": "red"}


@pytest.mark.parametrize(
    ("row", "message", "hint"),
    [
        ({"img": "a.png", "q": "?", "a": "b"}, "no answer", "fields here: img, q, a"),
        ({"img": "a.png", "question": "?", "answer": "b"}, "no 'image' field", "fields here: img, question, answer"),
        ({**GOOD, "image": "b.png"}, "no picture 'b.png'", ""),
        ({**GOOD, "image": "a.pgn"}, "no picture 'a.pgn'", "did you mean a.png?"),
        ({**GOOD, "image": "../secret.png"}, "'../secret.png' lies outside the data's folder", "--images"),
        ({**GOOD, "image": "/etc/passwd"}, "'/etc/passwd' lies outside", "--images"),
        ({**GOOD, "image": "link.png"}, "'link.png' is a link to outside", "copy it there"),
        ({**GOOD, "image": 3}, "holds 3, not the path", ""),
        ({**GOOD, "image": []}, "the field 'image' is empty", "name one picture"),
        ({"image": "a.png", "answer": "b"}, "no 'question' field", "fields here: image, answer"),
        ({**GOOD, "question": "  "}, "the field 'question': the text is empty", ""),
        ({**GOOD, "question": "x" * 2_001}, "more than the limit of 2,000", ""),
        ({**GOOD, "question": "a\u0007"}, "a control character (U+0007)", "remove it"),
        ({**GOOD, "answer": 3}, "the answer 3 is not text", 'write it as text: "3"'),
        ({**GOOD, "answers": "red"}, "holds 'red', not a list", "use 'answer'"),
        ({**GOOD, "answers": [True]}, "the answer True is not text", ""),
        ({**GOOD, "label": {"ids": ["a"], "weights": []}}, "1 ids and 0 weights", "one weight for each"),
        ({**GOOD, "label": {"ids": ["a"], "weights": [1.5]}}, "the weight 1.5", "from 0 to 1"),
        ({"image": "a.png", "question": "What?"}, "no answer", "needed: answer, answers or label"),
    ],
)
def test_a_bad_row_is_told_with_its_line_and_what_to_do(
    row: object, message: str, hint: str, tmp_path: Path, photo: Callable[..., Path]
) -> None:
    photo(tmp_path / "secret.png")
    photo(tmp_path / "data/a.png")
    (tmp_path / "data/link.png").symlink_to(tmp_path / "secret.png")
    file = tmp_path / "data/my.jsonl"
    file.write_text(json.dumps(GOOD) + "\n" + json.dumps(row) + "\n")
    (_, first), (_, problem) = read(file)
    assert isinstance(first, Example)
    assert isinstance(problem, Problem)
    assert problem.where == "my.jsonl:2"
    assert message in problem.message
    assert hint in problem.hint
    assert problem.fatal


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{", "not JSON"),
        (b'{"a": \xff}', "is not UTF-8"),
        (b"[1]", "holds list"),
        (b"[" * 5_000, "not JSON"),
        (b'{"a": "' + b"x" * 1_000_001 + b'"}', "more than 1,000,000 bytes"),
    ],
)
def test_a_line_that_is_no_object_is_told(
    line: bytes, message: str, tmp_path: Path, photo: Callable[..., Path]
) -> None:
    photo(tmp_path / "a.png")
    file = tmp_path / "my.jsonl"
    file.write_bytes(json.dumps(GOOD).encode() + b"\n" + line + b"\n")
    (_, first), (_, problem) = read(file)
    assert isinstance(first, Example)
    assert isinstance(problem, Problem)
    assert (problem.where, message in problem.message) == ("my.jsonl:2", True)


def test_csv_of_many_kinds(tmp_path: Path, photo: Callable[..., Path]) -> None:
    photo(tmp_path / "a.png")
    for delimiter in (",", ";", "\t"):
        text = (
            delimiter.join(["image", "question", "answer"])
            + "\na.png"
            + delimiter
            + '"What\nis it?"'
            + delimiter
            + "red\n"
        )
        (tmp_path / "my.csv").write_text(text + delimiter.join(["a.png", "Why?", "b", "c"]) + "\n")
        (_, first), (_, problem) = read(tmp_path / "my.csv")
        assert isinstance(first, Example)
        assert (first.question, first.origin) == ("What\nis it?", "my.csv:3")
        assert isinstance(problem, Problem)
        assert problem.message == "4 fields where the header names 3"


def test_missing_pictures_of_vqa_v2_say_where_they_were_looked_for(tmp_path: Path, photo: Callable[..., Path]) -> None:
    folder = vqa_v2(tmp_path, photo)
    next(folder.glob("train2014/*")).unlink()
    [(_, problem)] = read(folder)
    assert isinstance(problem, Problem)
    assert "image_id 9" in problem.message
    assert "train2014/COCO_train2014_000000000009.jpg" in problem.hint


@given(content=st.binary(max_size=300), name=st.sampled_from(["a.jsonl", "a.json", "a.csv", "a.parquet", "a.txt"]))
def test_any_bytes_are_read_or_refused_by_one_of_our_errors(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str
) -> None:
    file = tmp_path_factory.mktemp("any") / name
    file.write_bytes(content)
    try:
        dataset = load(DataSettings(data=str(file)))
    except SeesayError:
        return
    assert all(problem.where for problem in dataset.problems)


TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1).filter(lambda text: text.strip())


@given(rows=st.lists(st.tuples(TEXT, st.lists(TEXT, min_size=1, max_size=4)), min_size=1, max_size=5))
def test_any_question_and_answers_survive_jsonl_and_csv(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, list[str]]]
) -> None:
    import csv as writer
    import unicodedata

    folder = tmp_path_factory.mktemp("rows")
    (folder / "a.png").touch()
    with (
        (folder / "a.jsonl").open("w", encoding="utf-8") as lines,
        (folder / "a.csv").open("w", encoding="utf-8", newline="") as table,
    ):
        out = writer.writer(table)
        out.writerow(["image", "question", "answers"])
        for question, answers in rows:
            lines.write(json.dumps({"image": "a.png", "question": question, "answers": answers}) + "\n")
            out.writerow(["a.png", question, json.dumps(answers)])

    def clean(text: str) -> str:
        return unicodedata.normalize("NFC", text).strip()

    expected = [(clean(question), tuple(map(clean, answers))) for question, answers in rows]
    for file in ("a.jsonl", "a.csv"):
        found = [row for _, row in read(folder / file)]
        assert [(row.question, row.answers) for row in found if isinstance(row, Example)] == expected, file


def both(folder: Path, photo: Callable[..., Path]) -> Iterator[Path]:
    yield jsonl(folder, photo)
    yield csv(folder, photo)


def test_a_folder_of_two_formats_is_refused_by_both_names(tmp_path: Path, photo: Callable[..., Path]) -> None:
    list(both(tmp_path, photo))
    (tmp_path / "rows.csv").rename(tmp_path / "train.csv")
    with pytest.raises(DataError, match=r"could be (csv and jsonl|jsonl and csv)"):
        load(DataSettings(data=str(tmp_path)))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nothing", "no such file or folder"),
        ("nothing.jsonl", "no such file or folder"),
        (".", "no format recognises it: a folder with"),
    ],
)
def test_what_no_format_knows_is_told_with_the_formats_there_are(name: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"{said}[\s\S]*vqa-v2"):
        load(DataSettings(data=str(tmp_path / name)))


def test_splits_are_selected_as_the_hub_writes_them(color_data: Path) -> None:
    data = str(color_data)
    assert len(load(DataSettings(data=data, split="validation")).evaluation) == 12
    assert len(load(DataSettings(data=data, split="val[:5]")).evaluation) == 5
    assert len(load(DataSettings(data=data, split="train[10:12]")).splits["train"]) == 2
    with pytest.raises(UsageError, match=r"no split 'test'[\s\S]*splits here: train, validation"):
        load(DataSettings(data=data, split="test"))
    with pytest.raises(UsageError, match="is not a split"):
        load(DataSettings(data=data, split="train[::2]"))


def test_a_single_split_becomes_training_rows_where_it_is_trained_on(color_data: Path) -> None:
    dataset = load(DataSettings(data=str(color_data), split="validation"), training=True)
    assert set(dataset.splits) <= {"train", "validation"}
    assert sum(map(len, dataset.splits.values())) == 12


def test_the_fingerprint_follows_rows_and_pictures(tmp_path: Path, photo: Callable[..., Path]) -> None:
    folder = jsonl(tmp_path, photo)
    settings = DataSettings(data=str(folder))
    first = load(settings).fingerprint
    assert load(settings).fingerprint == first
    photo(folder / "images/a.png", (65, 48))
    second = load(settings).fingerprint
    (folder / "train.jsonl").write_text((folder / "train.jsonl").read_text().replace("dark red", "pink"))
    assert len({first, second, load(settings).fingerprint}) == 3
