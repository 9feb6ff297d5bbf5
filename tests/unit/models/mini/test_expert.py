"""When the encoder is heard beside the decoder."""

import json
from pathlib import Path

import numpy
import pytest

from seesay.models.mini.expert import AGREED, SAY, Expert
from seesay.models.mini.tokenizer import ANSWER, ASK, CAPTION, Tokenizer
from seesay.types import Candidate

NAMES = ("bird", "cat", "dog", "owl", "rocket")
WORDS = ("a", "animal", "color", "is", "it", "left", "no", "of", "red", "the", "there", "this", "to", "what", "yes")
CLASSES = [
    {"name": "cat", "own_name": "tabby", "category": "animal", "kinds": []},
    {"name": "owl", "own_name": "owl", "category": "animal", "kinds": ["bird"]},
    {"name": "rocket", "own_name": "missile", "category": "", "kinds": []},
]


@pytest.fixture
def tokenizer() -> Tokenizer:
    return Tokenizer(NAMES, WORDS, {})


@pytest.fixture
def expert(tokenizer: Tokenizer, tmp_path: Path) -> Expert:
    (tmp_path / "classes.json").write_text(json.dumps(CLASSES))
    return Expert(tmp_path / "classes.json", tokenizer)


def heard(
    expert: Expert, question: str, given: list[tuple[str, float]], probability: float, seen: list[tuple[str, float]]
) -> list[tuple[str, float]]:
    ids = expert.tokenizer.ids
    prompt = [ids[ASK], *expert.tokenizer.encode(question), ids[ANSWER]] if question else [ids[CAPTION]]
    found = expert.heard(prompt, tuple(Candidate(*one) for one in given), probability, seen)
    return [(one.text, round(one.score, 6)) for one in found]


def test_a_name_that_both_say_is_nearly_certain(expert: Expert) -> None:
    assert heard(expert, "what is this?", [("cat", 0.4), ("dog", 0.3)], 0.4, [("cat", 0.2)]) == [
        ("cat", AGREED),
        ("dog", 0.05),
    ]
    assert heard(expert, "what is this?", [("bird", 0.4)], 0.4, [("owl", 0.2)])[0] == ("bird", AGREED)


def test_a_decoder_with_an_answer_is_not_overruled(expert: Expert) -> None:
    given = [("dog", 0.4), ("cat", 0.3), ("bird", 0.01)]
    found = heard(expert, "what is this?", given, 0.5, [("rocket", 0.9), ("owl", 0.05)])
    # What the encoder alone says stands among the alternatives.
    assert found == [("dog", 0.4), ("cat", 0.3), ("rocket", 0.225), ("bird", 0.01)]


def test_a_decoder_without_an_idea_leaves_it_to_the_encoder(expert: Expert) -> None:
    assert heard(expert, "what is this?", [("dog", 0.05), ("cat", 0.02)], 0.05, [("rocket", 0.7)]) == [
        ("rocket", 0.7),
        ("dog", 0.05),
        ("cat", 0.02),
    ]
    # It says what is in the picture, not what is left of something.
    given = [("dog", 0.05)]
    assert heard(expert, "what is to the left of the cat?", given, 0.05, [("rocket", 0.7)]) == given


@pytest.mark.parametrize("question", ["is there a bird?", "is there an owl?", "is this an animal?"])
def test_what_the_encoder_is_sure_of_is_there(expert: Expert, question: str) -> None:
    found = heard(expert, question, [("no", 0.7), ("yes", 0.3)], 0.7, [("owl", 0.85), ("cat", 0.1)])
    assert found[0][0] == "yes"
    assert found[0][1] >= 0.85
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)


def test_what_it_is_not_sure_of_or_not_asked_about_stays(expert: Expert) -> None:
    given = [("no", 0.7), ("yes", 0.3)]
    assert heard(expert, "is there a dog?", given, 0.7, [("owl", 0.9)]) == given
    assert heard(expert, "is there an owl?", given, 0.7, [("owl", 0.4)]) == given
    assert heard(expert, "is the owl red?", given, 0.7, [("owl", 0.9)]) == given


def test_a_doubtful_caption_gives_way_to_a_sure_name(expert: Expert) -> None:
    assert heard(expert, "", [("a red dog", 0.3)], 0.3, [("owl", 0.6)])[0] == ("an owl", 0.6)
    assert heard(expert, "", [("a red dog", 0.6)], 0.6, [("owl", 0.9)])[0] == ("a red dog", 0.6)


def test_in_a_caption_the_encoder_has_a_say_among_names_and_in_nothing_else(
    expert: Expert, tokenizer: Tokenizer
) -> None:
    random = numpy.random.default_rng(0)
    chances = random.dirichlet(numpy.ones(len(tokenizer)), 3)
    names = sorted(tokenizer.ids[name] for name in tokenizer.names_set)
    hints, seen = numpy.array(names[:2]), numpy.array([0.7, 0.2])
    heard = numpy.exp(expert.name(numpy.log(chances), hints, seen))
    assert heard.sum(1) == pytest.approx(chances.sum(1))
    others = [index for index in range(len(tokenizer)) if index not in names]
    assert heard[:, others] == pytest.approx(chances[:, others])
    named = chances[:, names].sum(1)
    assert heard[:, hints[0]] == pytest.approx(chances[:, hints[0]] * (1 - SAY * 0.9) + SAY * 0.7 * named)
    nothing = numpy.exp(expert.name(numpy.log(chances), hints, numpy.zeros(2)))
    assert nothing == pytest.approx(chances)


def test_against_a_clear_no_the_encoder_must_be_very_sure(expert: Expert) -> None:
    ids = expert.tokenizer.ids
    prompt = [ids[ASK], *expert.tokenizer.encode("is there a bird?"), ids[ANSWER]]
    hints = numpy.array([[ids["owl"], ids["cat"]]] * 5)
    chances = numpy.array([[0.6, 0.1], [0.6, 0.1], [0.9, 0.05], [0.4, 0.5], [0.05, 0.9]])
    log_odds = numpy.array([-1.0, -8.0, -8.0, 5.0, 5.0])
    assert expert.sees(prompt, hints, chances, log_odds).tolist() == [True, False, True, False, False]
    other = [ids[ASK], *expert.tokenizer.encode("is the cat left of the bird?"), ids[ANSWER]]
    assert not expert.sees(other, hints, chances, log_odds).any()
