"""`seesay check` on captioned pictures, as a user runs it: every format, every kind of bad row, splits held out."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ENVIRONMENT = {**os.environ, "PYTHONWARNINGS": "error", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
FORMATS = (
    "image-folder",
    "sidecar",
    "coco-captions",
    "karpathy",
    "flickr-tokens",
    "jsonl",
    "csv",
    "parquet",
    "datasets",
)


def seesay(*arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "seesay", *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True, env=ENVIRONMENT, timeout=120)
    assert done.returncode == code, done.stderr + done.stdout
    assert "Traceback" not in done.stderr + done.stdout
    return done


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_read_and_counted(name: str, tmp_path: Path, caption_sets: ModuleType) -> None:
    source = caption_sets.MAKERS[name](tmp_path)
    report = json.loads(seesay("check", source, "--validation-fraction", "0.3", "--json").stdout)
    assert report["format"] == name
    assert not any(problem["fatal"] for problem in report["problems"])
    assert set(report["splits"]) == {"train", "validation", "test"}
    captions = [split["captions"] for split in report["splits"].values()]
    assert sum(split["captions"] for split in captions) == 12
    assert all(split["per_picture"] == {"least": 2, "median": 2, "most": 2} for split in captions)
    assert report["splits"]["test"]["captions"]["known"] is not None


def test_the_report_for_people(tmp_path: Path, caption_sets: ModuleType) -> None:
    shown = seesay("check", caption_sets.sidecar(tmp_path), "--validation-fraction", "0.3").stdout
    for said in (
        "(sidecar)",
        "captions",
        "words in one",
        "longest captions",
        "nothing, or the night",
        "ready to train",
    ):
        assert said in shown
    for silent in ("annotators", "yes/no", "vocabulary", "training answers"):
        assert silent not in shown


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory: pytest.TempPathFactory, caption_sets: ModuleType) -> Path:
    """An image folder with one of everything that can be wrong with a row."""
    folder = tmp_path_factory.mktemp("spoiled")
    for color in ("red", "green", "blue", "white"):
        caption_sets.draw(folder / f"{color}.png")
    (folder / "broken.png").write_bytes((folder / "red.png").read_bytes()[:60])
    (folder / "words.png").write_text("not a picture")
    (folder / "nothing.png").touch()
    shutil.copy(folder / "red.png", folder / "copy.png")
    rows = [
        {"file_name": "red.png", "text": "a red card"},
        {"file_name": "green.png", "text": ""},
        {"file_name": "green.png", "text": "\n"},
        {"file_name": "green.png", "text": "word " * 5_000},
        {"file_name": "green.png", "text": 7},
        {"file_name": "green.png", "text": ["fine", None]},
        {"file_name": "gren.png", "text": "missing"},
        {"file_name": "../red.png", "text": "outside"},
        {"text": "no picture"},
        {"file_name": "green.png"},
        {"file_name": "broken.png", "text": "cut short"},
        {"file_name": "words.png", "text": "text"},
        {"file_name": "nothing.png", "text": "empty"},
        {"file_name": "blue.png", "text": "a bell\u0007"},
        {"file_name": "blue.png", "text": "half \ud83d"},
        {"file_name": "copy.png", "text": "a red card"},
    ]
    lines = [json.dumps(row).encode() for row in rows]
    lines += [b"{", b'{"file_name": "red.png", "text": "\xff"}', b"[]", b'{"file_name": ' + b"[" * 2_000]
    (folder / "metadata.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    return folder


def test_everything_that_is_wrong_is_told_at_once_with_its_place_and_remedy(spoiled: Path) -> None:
    report = json.loads(seesay("check", spoiled, "--validation-fraction", "0.4", "--json", code=3).stdout)
    fatal = {problem["where"]: problem for problem in report["problems"] if problem["fatal"]}
    lines = [*range(2, 16), *range(17, 21)]
    assert sorted(fatal) == sorted(f"metadata.jsonl:{line}" for line in lines)
    assert all(problem["hint"] for problem in report["problems"])
    for line, said in (
        (2, "the field 'text' is empty"),
        (4, "24,999 characters are more than the limit of 2,000"),
        (6, "the field 'text', entry 2 holds None"),
        (7, "no picture 'gren.png'"),
        (8, "lies outside the data's folder"),
        (11, "broken.png: a broken or cut-short PNG picture"),
        (13, "nothing.png: empty, 0 bytes"),
        (14, "a control character (U+0007)"),
        (18, "is not UTF-8"),
    ):
        assert said in fatal[f"metadata.jsonl:{line}"]["message"]
    assert fatal["metadata.jsonl:7"]["hint"] == "did you mean green.png?"
    warnings = [problem["message"] for problem in report["problems"] if not problem["fatal"]]
    assert any("stand there twice: metadata.jsonl:16 is metadata.jsonl:1" in message for message in warnings)


def test_people_see_twenty_problems_and_how_many_more(spoiled: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(spoiled, folder)
    with (folder / "metadata.jsonl").open("ab") as rows:
        rows.write(b"{\n" * 30)
    shown = seesay("check", folder, code=3).stdout
    assert shown.count("error: ") == 20
    assert "more problems (--json lists all)" in shown
    assert "errors: training would not start" in shown


def test_training_stops_at_the_same_rows_before_anything_is_written(spoiled: Path, tmp_path: Path) -> None:
    done = seesay("train", "caption", "--data", spoiled, "--output", tmp_path / "run", code=3)
    assert "metadata.jsonl:4" in done.stderr
    assert done.stderr.count("hint: ") <= 21
    assert not (tmp_path / "run").exists()


def test_what_check_holds_out_for_a_test_is_what_the_settings_say(tmp_path: Path, caption_sets: ModuleType) -> None:
    colors = ("red", "green", "blue", "white", "black", "yellow", "gray", "pink", "brown", "orange", "navy", "gold")
    for color in colors:
        caption_sets.draw(tmp_path / f"{color}.png").with_suffix(".txt").write_text(f"a {color} card")
    splits = [
        json.loads(seesay("check", tmp_path, "--seed", "2", *fractions, "--json").stdout)["splits"]
        for fractions in ([], ["--test-fraction", "0.3"], ["--test-fraction", "0.3", "--validation-fraction", "0.3"])
    ]
    assert [set(found) for found in splits] == [{"train", "validation"}, *[{"train", "validation", "test"}] * 2]
    assert all(sum(split["rows"] for split in found.values()) == 12 for found in splits)
    assert splits[1]["test"]["captions"]["longest"] == splits[2]["test"]["captions"]["longest"]
    refused = seesay("check", tmp_path, "--test-fraction", "0.5", "--validation-fraction", "0.5", code=2)
    assert "leave nothing to train on" in refused.stderr


def test_evaluation_measures_on_the_pictures_that_check_holds_out(tmp_path: Path, caption_sets: ModuleType) -> None:
    rows = []
    for color in (
        "red",
        "green",
        "blue",
        "white",
        "black",
        "yellow",
        "gray",
        "pink",
        "brown",
        "orange",
        "navy",
        "gold",
    ):
        picture = caption_sets.draw(tmp_path / f"{color}.png").name
        rows += [{"image": picture, "question": f"What color{mark}", "answer": color} for mark in ("?", " is it?")]
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    drawn = ["--test-fraction", "0.4", "--validation-fraction", "0.3", "--seed", "2", "--json"]
    checked = json.loads(seesay("check", file, *drawn).stdout)["splits"]["test"]
    measured = json.loads(seesay("evaluate", "vqa", "--data", file, *drawn).stdout)["accuracy"]
    assert (measured["count"], measured["clusters"]) == (checked["rows"], checked["pictures"])
    assert 0 < checked["pictures"] < 12
