"""`check` opens everything once and tells everything at once."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

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
    assert report.shared_pictures == 1
    assert [problem.fatal for problem in report.problems if "another split" in problem.message] == [False]


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
    assert "1 rows of train stand there twice" in told
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
