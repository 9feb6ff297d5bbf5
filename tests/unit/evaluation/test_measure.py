"""Figures by hand on small sets, and the files that show them."""

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from seesay import Answer, Candidate, Example, Provenance, ResourceError
from seesay.evaluation import Prior, VqaReport, measure, training_page, write
from seesay.metrics.normalize import english

PageReader = Callable[[Path], Any]


def example(question: str, *answers: str, picture: bytes = b"", **fields: str) -> Example:
    return Example((picture,), question, answers, **fields)


def answer(text: str, picture: str, score: float = 0.5) -> Answer:
    provenance = Provenance("runs/x", "abcdef0123456789", "vilt", "torch 2", "cpu", "float32", (picture,), 0.01)
    return Answer(text, score, (Candidate(text, score),), provenance)


@pytest.fixture
def report() -> VqaReport:
    examples = [
        example("What color?", *["red"] * 4, *["pink"] * 3, *["a rose"] * 3, question_type="color"),
        example("What color?", "blue", question_type="color"),
        example("Is it <script>big</script>?", "yes"),
        example("How many?", "2"),
    ]
    answers = [answer("red", "p1"), answer("green", "p2", 0.9), answer("No", "p1", 0.7), answer("two", "p3")]
    prior = Prior.fit([example("What color?", "red"), *[example("Is it big?", "yes")] * 2], english)
    return measure(examples, answers, prior=prior, normalize=english, vocabulary=("red", "yes", "2"))


def test_the_figures_are_those_by_hand(report: VqaReport) -> None:
    # red of ten annotators: 1.0; green: 0; "No" for yes: 0; "two" for 2: a lone annotator, all agree: by its letters.
    assert report.accuracy.mean == pytest.approx((1 + 0 + 0 + 1) / 4)
    assert (report.accuracy.count, report.accuracy.clusters) == (4, 3)
    assert report.question_only is not None
    assert report.question_only.mean == pytest.approx((1 + 0 + 1 + 0) / 4)
    assert report.above_question_only is not None
    assert report.above_question_only.mean == pytest.approx(0)
    assert report.coverage == pytest.approx((1 + 0 + 1 + 1) / 4)
    assert report.annotators == (1, 10)


def test_groups_have_names_counts_and_their_own_accuracy(report: VqaReport) -> None:
    types = {row.name: (row.accuracy.count, row.accuracy.mean) for row in report.question_types}
    assert types == {"color": (2, 0.5), "is it": (1, 0.0), "how many?": (1, 1.0)}
    kinds = {row.name: row.accuracy.count for row in report.answer_types}
    assert kinds == {"other": 2, "yes/no": 1, "number": 1}


def test_rare_types_become_one_group() -> None:
    rows = [example(f"word{index} is", "a", question_type=str(index)) for index in range(150)]
    rows += [example("x", "a", question_type="common")] * 50
    found = measure(rows, [answer("a", str(i)) for i in range(200)], prior=None, normalize=english)
    assert {row.name for row in found.question_types} == {"common", "(other)"}


def test_the_surest_mistakes_come_first_and_one_a_picture(report: VqaReport) -> None:
    assert [(mistake.answer.text, mistake.expected) for mistake in report.mistakes] == [
        ("green", ("blue",)),
        ("No", ("yes",)),
    ]


def test_without_training_rows_there_are_no_baselines_and_it_is_said() -> None:
    found = measure([example("a?", "b")], [answer("b", "p")], prior=None, normalize=english)
    assert found.question_only is None
    assert "no baselines" in " ".join(found.sentences())
    assert "a lone answer counts in full" in " ".join(found.sentences())


def test_report_files_are_whole_self_contained_and_escaped(
    report: VqaReport, tmp_path: Path, read_page: PageReader
) -> None:
    write(report, tmp_path / "out")
    read_page(tmp_path / "out/report.html")
    figures = json.loads((tmp_path / "out/report.json").read_text())
    assert figures["accuracy"]["mean"] == 0.5
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["report.html", "report.json"]


def test_a_place_that_cannot_be_written_is_told(report: VqaReport, tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(ResourceError, match="cannot be written"):
        write(report, tmp_path / "out")


def test_the_page_of_a_run_shows_curves_and_settings(report: VqaReport, tmp_path: Path, read_page: PageReader) -> None:
    history = [{"step": step, "loss": 9 / step} for step in (1, 2, 3)]
    history += [{"step": 3, "eval_loss": 3.0, "eval_vqa_accuracy": 0.5}]
    training_page(history, 'learning_rate = "<b>"', tmp_path, evaluation=report)
    page = read_page(tmp_path / "report.html")
    assert page.tags.count("img") >= 2
    assert "b" not in page.tags
    for name in ("loss.png", "accuracy.png"):
        assert Image.open(BytesIO((tmp_path / name).read_bytes())).size == (960, 432)
