"""`check` opens everything once and tells everything at once."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from seesay import DataSettings
from seesay.data import CheckReport, check, load
from seesay.errors import DataError

Rows = list[tuple[str, str, str]]


@pytest.fixture
def data(tmp_path: Path, photo: Callable[..., Path]) -> Callable[[Rows, Rows], CheckReport]:
    photo(tmp_path / "red.png", (60, 40), "red")
    photo(tmp_path / "blue.png", (40, 60), "blue")
    shutil.copy(tmp_path / "red.png", tmp_path / "copy.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")

    def make(train: Rows, validation: Rows) -> CheckReport:
        for name, rows in (("train", train), ("validation", validation)):
            lines = [json.dumps(dict(zip(("image", "question", "answer"), row, strict=True))) for row in rows]
            (tmp_path / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
        return check(load(DataSettings(data=str(tmp_path))), vocabulary_size=0, normalizer="english")

    return make


GOOD = [("red.png", "What color?", "red"), ("blue.png", "What color?", "Blue."), ("red.png", "Red?", "yes")]


def test_a_good_set_is_counted(data: Callable[[Rows, Rows], CheckReport]) -> None:
    report = data(GOOD, [("blue.png", "Blue?", "yes"), ("blue.png", "What?", "a square")])
    train, validation = report.splits
    assert (train.rows, train.pictures, train.annotators, train.yes_no) == (3, 2, (1, 1), pytest.approx(1 / 3))
    assert validation.coverage == 0.5
    assert report.answers == (("red", 1), ("blue", 1), ("yes", 1))
    assert report.fatal == ()
    report.raise_for_problems()
    json.dumps(report.to_dict())


def test_a_picture_in_two_splits_is_found_by_content_and_is_a_warning(
    data: Callable[[Rows, Rows], CheckReport],
) -> None:
    report = data(GOOD, [("copy.png", "What?", "red")])
    assert report.shared == ((("train", "train.jsonl:1"), ("validation", "validation.jsonl:1")),)
    [warning] = [problem for problem in report.problems if "more than one split" in problem.message]
    assert "validation.jsonl:1, which shows what train.jsonl:1 shows" in warning.message
    assert not warning.fatal


def test_a_broken_picture_is_told_once_with_its_first_row(data: Callable[[Rows, Rows], CheckReport]) -> None:
    report = data([*GOOD, ("broken.png", "What?", "red"), ("broken.png", "Why?", "red")], GOOD)
    [problem] = report.fatal
    assert (problem.where, problem.message.split(":")[0]) == ("train.jsonl:4", "broken.png")
    with pytest.raises(DataError, match=r"1 problem to mend[\s\S]*train.jsonl:4: broken.png"):
        report.raise_for_problems()


def test_one_answer_for_everything_cannot_be_learned(data: Callable[[Rows, Rows], CheckReport]) -> None:
    report = data([("red.png", "a?", "Yes"), ("blue.png", "b?", "yes.")], GOOD)
    assert [problem.message for problem in report.fatal] == ["1 distinct training answers"]


def test_little_coverage_and_repeated_rows_are_warnings(data: Callable[[Rows, Rows], CheckReport]) -> None:
    report = data([*GOOD, GOOD[0]], [("blue.png", "What?", "indigo")])
    told = {problem.message for problem in report.problems}
    assert "the vocabulary covers 0.0% of the validation answers" in told
    assert "1 rows of train stand there twice: train.jsonl:4 is train.jsonl:1" in told
    assert report.fatal == ()


def test_rows_of_one_shape_share_a_batch(data: Callable[[Rows, Rows], CheckReport], tmp_path: Path) -> None:
    report = data(GOOD, GOOD)
    dataset = load(DataSettings(data=str(tmp_path)))
    report = check(dataset, vocabulary_size=0, normalizer="english")
    wide, tall, also_wide = (report.shape(example) for example in dataset.splits["train"])
    assert wide == also_wide != tall


def test_progress_counts_distinct_pictures(color_data: Path) -> None:
    told: list[tuple[int, int]] = []
    check(
        load(DataSettings(data=str(color_data))),
        vocabulary_size=0,
        normalizer="english",
        progress=lambda done, total: told.append((done, total)),
    )
    assert told == [(done, 24) for done in range(1, 25)]


def test_the_command_exits_with_0_or_3_and_imports_no_torch(color_data: Path, tmp_path: Path) -> None:
    code = (
        "import sys\nfrom seesay.cli.main import main\n"
        "try:\n    main()\nfinally:\n    print('torch' in sys.modules, file=sys.stderr)"
    )
    words = [sys.executable, "-c", code, "check"]
    good = subprocess.run([*words, str(color_data)], capture_output=True, text=True)
    assert (good.returncode, good.stderr.strip()) == (0, "False")
    assert "ready to train" in good.stdout
    (tmp_path / "bad.jsonl").write_text("{}\n")
    bad = subprocess.run([*words, str(tmp_path / "bad.jsonl"), "--json"], capture_output=True, text=True)
    assert bad.returncode == 3
    assert json.loads(bad.stdout)["problems"][0]["where"] == "bad.jsonl:1"


@pytest.fixture
def captioned(tmp_path: Path, caption_sets: ModuleType) -> Callable[..., CheckReport]:
    """A check of captions by split and picture color."""

    def make(**splits: list[tuple[str, str]]) -> CheckReport:
        for name, rows in splits.items():
            lines = [
                {"image": caption_sets.draw(tmp_path / f"{color}.png").name, "caption": said} for color, said in rows
            ]
            (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        return check(load(DataSettings(data=str(tmp_path))), vocabulary_size=0, normalizer="english")

    return make


def test_captions_get_figures_of_their_own(captioned: Callable[..., CheckReport]) -> None:
    report = captioned(
        train=[("red", "a red card"), ("red", "red it is"), ("blue", "A red card!"), ("green", "a green one")],
        validation=[("white", "a white card"), ("black", "a night scene")],
    )
    train, validation = report.to_dict()["splits"].values()
    assert (train["rows"], train["pictures"], train["questions"], train["captions"]["captions"]) == (4, 3, 0, 4)
    assert train["captions"]["per_picture"] == {"least": 1, "median": 1, "most": 2}
    assert train["captions"]["frequent"] == [{"caption": "a red card", "times": 2}]
    assert train["captions"]["longest"][0] == {"caption": "a red card", "words": 3, "where": "train.jsonl:1"}
    assert (train["annotators"], train["yes_no"], train["coverage"]) == (None, None, None)
    assert validation["captions"]["known"] == 0.5
    assert (report.answers, report.distinct_answers, report.vocabulary_size) == ((), 0, 0)
    titles = [title for title, _, _ in report.tables()]
    assert titles[1:] == ["most frequent training captions", "longest captions"]
    said = "\n".join([*report.sentences(), *(" ".join(header) for _, header, _ in report.tables())])
    assert "vocabulary" not in said
    assert "annotators" not in said
    assert "training captions say 50.0% of the words in validation captions" in said
    assert report.fatal == ()
    json.dumps(report.to_dict())


def test_captions_that_teach_nothing_are_warnings(captioned: Callable[..., CheckReport]) -> None:
    report = captioned(train=[("red", "a card"), ("blue", "A card.")], validation=[("green", "...")])
    told = [problem.message for problem in report.problems]
    assert "all training captions are the same" in told
    assert "1 captions of validation hold no word, such as validation.jsonl:1" in told
    assert report.fatal == ()


def test_questions_and_captions_in_one_set_are_told_apart(
    data: Callable[[Rows, Rows], CheckReport], tmp_path: Path
) -> None:
    data(GOOD, GOOD[:1])
    with (tmp_path / "train.jsonl").open("a") as train:
        train.write(json.dumps({"image": "red.png", "caption": "a red card"}) + "\n")
    report = check(load(DataSettings(data=str(tmp_path))), vocabulary_size=0, normalizer="english")
    train_report, validation = report.splits
    assert (train_report.rows, train_report.questions, validation.captions) == (4, 3, None)
    assert train_report.annotators == (1, 1)
    assert report.answers == (("red", 1), ("blue", 1), ("yes", 1))
    assert [title.partition(" (")[0] for title, _, _ in report.tables()] == [
        str(tmp_path),
        f"captions of {tmp_path}",
        "most frequent training answers",
        "longest captions",
    ]
    assert any("4 rows ask a question and 1 describe" in sentence for sentence in report.sentences())


def test_training_wants_rows_to_validate_with(captioned: Callable[..., CheckReport], tmp_path: Path) -> None:
    captioned(train=[("red", "a card")])
    dataset = load(DataSettings(data=str(tmp_path)), training=True)
    assert check(dataset, vocabulary_size=0, normalizer="english").fatal == ()
    [problem] = check(dataset, vocabulary_size=0, normalizer="english", training=True).fatal
    assert problem.message == "no validation rows"
    assert "--validation-fraction" in problem.hint


def test_the_same_row_with_a_copy_of_the_picture_stands_there_twice(
    captioned: Callable[..., CheckReport], tmp_path: Path
) -> None:
    captioned(train=[("red", "a card"), ("red", "another")], validation=[("blue", "a card")])
    shutil.copy(tmp_path / "red.png", tmp_path / "copy.png")
    with (tmp_path / "train.jsonl").open("a") as rows:
        rows.write(json.dumps({"image": "copy.png", "caption": "a card"}) + "\n")
    report = check(load(DataSettings(data=str(tmp_path))), vocabulary_size=0, normalizer="english")
    assert [problem.message for problem in report.problems] == [
        "1 rows of train stand there twice: train.jsonl:3 is train.jsonl:1"
    ]
