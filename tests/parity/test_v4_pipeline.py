"""`seesay.pipeline` against what transformers 4.57.6 answered for the same weights and pictures (recorded in v4_pipeline.json)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import seesay

RECORDED = json.loads(Path(__file__).with_name("v4_pipeline.json").read_text(encoding="utf-8"))
FIRST, SECOND = QUESTIONS = ["What is the color of this picture?", "How many are there?"]


@pytest.fixture(scope="module")
def oracle(vilt_checkpoint: Path) -> Any:
    return seesay.pipeline("visual-question-answering", model=str(vilt_checkpoint))


def same(found: Any, recorded: Any) -> bool:
    if isinstance(recorded, list):
        return len(found) == len(recorded) and all(same(a, b) for a, b in zip(found, recorded, strict=True))
    return found["answer"] == recorded["answer"] and found["score"] == pytest.approx(recorded["score"], abs=1e-5)


def test_every_shape_of_call_gives_what_v4_gave(oracle: Any, vilt_pictures: list[Path]) -> None:
    files = [str(path) for path in vilt_pictures]
    calls: dict[str, Any] = {
        "keywords": lambda: oracle(image=files[0], question=FIRST),
        "positional": lambda: oracle(files[0], FIRST),
        "top_k": lambda: oracle(files[0], FIRST, top_k=1),
        "top_k_beyond_vocabulary": lambda: oracle(files[0], FIRST, top_k=100),
        "pil": lambda: oracle(Image.open(files[1]), SECOND),
        "dict": lambda: oracle({"image": files[0], "question": FIRST}),
        "list_of_dicts": lambda: oracle([{"image": file, "question": SECOND} for file in files], top_k=2),
        "pictures_one_question": lambda: oracle(files, FIRST, top_k=2),
        "one_picture_questions": lambda: oracle(files[2], QUESTIONS, top_k=2),
        "pictures_and_questions": lambda: oracle(files, QUESTIONS, top_k=2),
        "generator": lambda: list(oracle(({"image": file, "question": FIRST} for file in files), top_k=3)),
        "list_of_one": lambda: oracle([{"image": files[0], "question": FIRST}], top_k=2),
        "batch_size": lambda: oracle(
            [{"image": files[0], "question": q} for q in (FIRST, FIRST)], top_k=2, batch_size=2
        ),
    }
    assert set(calls) == set(RECORDED)
    for name, call in calls.items():
        assert same(call(), RECORDED[name]), name


def test_a_generator_is_answered_lazily(oracle: Any, vilt_pictures: list[Path]) -> None:
    taken = []

    def rows() -> Iterator[dict[str, str]]:
        for path in vilt_pictures:
            taken.append(path)
            yield {"image": str(path), "question": FIRST}

    answers = oracle(rows())
    assert taken == []
    next(iter(answers))
    assert len(taken) == 1


def test_the_short_name_and_a_loaded_model_work(vilt_checkpoint: Path, vilt_pictures: list[Path]) -> None:
    oracle = seesay.pipeline("vqa", model=seesay.load(str(vilt_checkpoint)))
    assert same(oracle(str(vilt_pictures[0]), FIRST), RECORDED["keywords"])


def test_another_task_and_a_missing_question_are_told(vilt_checkpoint: Path, oracle: Any) -> None:
    with pytest.raises(seesay.UsageError, match=r"unknown task 'image-to-soup'[\s\S]*known: visual-question-answering"):
        seesay.pipeline("image-to-soup", model=str(vilt_checkpoint))  # type: ignore[arg-type]
    with pytest.raises(seesay.UsageError, match=r"no question in an input[\s\S]*keys here: image"):
        oracle({"image": "a.png"})
    with pytest.raises(seesay.UsageError, match="a picture without a question"):
        oracle("a.png")
