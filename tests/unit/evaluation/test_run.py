"""Which rows are measured, and beside which training rows, by the embedded model."""

import shutil
from pathlib import Path

import pytest

from seesay import EvaluateVqaSettings, evaluate_vqa


def test_a_file_that_is_called_after_a_split_is_measured_whole(color_data: Path, tmp_path: Path) -> None:
    shutil.copytree(color_data, tmp_path / "colors")
    rows = (tmp_path / "colors/train.jsonl").rename(tmp_path / "colors/test.jsonl")
    whole = evaluate_vqa(EvaluateVqaSettings(data=str(rows)))
    assert (whole.accuracy.count, whole.question_only) == (36, None)
    part = evaluate_vqa(EvaluateVqaSettings(data=str(rows.rename(rows.with_name("mine.jsonl")))))
    assert part.accuracy.count < 36
    assert part.question_only is not None


@pytest.mark.parametrize(("split", "count", "has_baselines"), [("validation", 12, True), ("train", 36, False)])
def test_a_split_that_is_asked_for_is_held_against_the_training_rows(
    split: str, count: int, has_baselines: bool, color_data: Path
) -> None:
    report = evaluate_vqa(EvaluateVqaSettings(data=str(color_data), split=split))
    assert report.accuracy.count == count
    assert (report.question_only is not None) == has_baselines
