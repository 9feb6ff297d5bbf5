"""What callers hold: one question, many, pairs; and the mistakes they make."""

from pathlib import Path

import numpy
import pytest
from PIL import Image

import seesay


@pytest.fixture(scope="module")
def model(vilt_checkpoint: Path) -> seesay.Model:
    return seesay.load(str(vilt_checkpoint))


def test_every_kind_of_picture_gives_the_same_answer(model: seesay.Model, vilt_pictures: list[Path]) -> None:
    import base64

    path = vilt_pictures[0]
    url = "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()
    image = Image.open(path)
    sources = [path, str(path), path.read_bytes(), url, image, numpy.asarray(image)]
    answers = model.ask(sources, "How many?", top_k=3)
    # Equal to the last bits but one: ViLT draws the order of the patches of each row.
    for answer in answers[1:]:
        for one, other in zip(answers[0].alternatives, answer.alternatives, strict=True):
            assert (one.text, pytest.approx(one.score, abs=1e-6)) == (other.text, other.score)


def test_one_question_gives_one_answer_and_lists_give_lists(model: seesay.Model, vilt_pictures: list[Path]) -> None:
    one = model.ask(vilt_pictures[0], "How many?", top_k=2)
    assert isinstance(one, seesay.Answer)
    assert model.ask([vilt_pictures[0]], "How many?", top_k=2)[0].alternatives == one.alternatives
    several = model.ask(vilt_pictures[0], ["How many?", "What color?"])
    assert [answer.id for answer in several] == ["0", "1"]
    pairs = model.ask([*vilt_pictures[:2]], ["How many?", "What color?"])
    digests = [answer.provenance.inputs for answer in pairs]
    assert digests[0] == one.provenance.inputs
    assert digests[0] != digests[1]
    assert model.ask([], "How many?") == []


def test_lists_that_cannot_be_paired_are_refused(model: seesay.Model, vilt_pictures: list[Path]) -> None:
    with pytest.raises(seesay.UsageError, match="2 pictures and 3 questions cannot be paired"):
        model.ask([*vilt_pictures[:2]], ["a?", "b?", "c?"])


def test_a_broken_picture_in_a_long_list_keeps_the_answers_before_it(
    model: seesay.Model, vilt_pictures: list[Path]
) -> None:
    rows = [seesay.Example((source,), "How many?") for source in (*vilt_pictures, b"broken")]
    answers = model.answer(iter(rows), batch_size=1)
    assert [next(answers).text in model.vocabulary for _ in vilt_pictures] == [True] * len(vilt_pictures)
    with pytest.raises(seesay.ImageUnreadable):
        next(answers)


def test_unknown_keywords_and_values_of_load_are_told(vilt_checkpoint: Path) -> None:
    with pytest.raises(seesay.UsageError, match=r"unknown setting 'dvice'[\s\S]*did you mean device"):
        seesay.load(str(vilt_checkpoint), dvice="cpu")  # type: ignore[call-arg]
    with pytest.raises(seesay.UsageError, match="'float8' is not one of"):
        seesay.load(str(vilt_checkpoint), dtype="float8")  # type: ignore[arg-type]


def test_bfloat16_answers_nearly_as_float32(vilt_checkpoint: Path, vilt_pictures: list[Path]) -> None:
    scores = {}
    for dtype in ("float32", "bfloat16"):
        model = seesay.load(str(vilt_checkpoint), dtype=dtype)  # type: ignore[arg-type]
        answer = model.ask(vilt_pictures[0], "How many?", top_k=7)
        assert answer.provenance.dtype == dtype
        scores[dtype] = {candidate.text: candidate.score for candidate in answer.alternatives}
    for text, score in scores["float32"].items():
        assert scores["bfloat16"][text] == pytest.approx(score, abs=0.05)


def test_choices_restrict_a_classifier_to_some_of_its_answers(model: seesay.Model, vilt_pictures: list[Path]) -> None:
    everything = model.ask(vilt_pictures[0], "How many?", top_k=100).alternatives
    choices = [everything[-1].text, everything[2].text]
    answer = model.ask(vilt_pictures[0], "How many?", choices=choices)
    assert answer.text == everything[2].text
    scores = {candidate.text: candidate.score for candidate in everything}
    share = scores[choices[1]] / (scores[choices[0]] + scores[choices[1]])
    assert answer.score == pytest.approx(share, abs=1e-6)


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        (["yes"], "at least two different choices"),
        (["yes", "yes"], "at least two different choices"),
        (["yes", " "], "the text is empty"),
        (["yes", "zeppelin"], "never answers 'zeppelin'"),
    ],
)
def test_choices_that_cannot_be_meant_are_refused(
    model: seesay.Model, vilt_pictures: list[Path], choices: list[str], message: str
) -> None:
    with pytest.raises(seesay.SeesayError, match=message):
        model.ask(vilt_pictures[0], "How many?", choices=choices)


def test_choices_stand_above_abstaining_and_the_reader(vilt_pictures: list[Path]) -> None:
    mini = seesay.load()
    for question in ("Is there a dog?", "What does the sign say?"):
        answer = mini.ask(vilt_pictures[0], question, choices=["yes", "no"])
        assert answer.text in ("yes", "no")
        assert sum(candidate.score for candidate in answer.alternatives) == pytest.approx(1)
