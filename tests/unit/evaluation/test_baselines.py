"""What the questions alone give away."""

from hypothesis import given
from hypothesis import strategies as st

from seesay import DataSettings, Example
from seesay.data import load
from seesay.evaluation import Prior
from seesay.metrics import score
from seesay.metrics.normalize import english

ROWS = st.lists(
    st.tuples(st.lists(st.sampled_from(["is", "it", "red", "a"]), min_size=1, max_size=4), st.sampled_from("xyz")),
    min_size=1,
    max_size=12,
)


def fit(*rows: tuple[str, str]) -> Prior:
    return Prior.fit([Example((), question, (answer,)) for question, answer in rows], english)


def test_the_longest_known_beginning_decides() -> None:
    prior = fit(
        ("Is it red?", "no"), ("is it red", "no"), ("Is it big?", "yes"), ("is it big?", "yes"), ("Is it on?", "yes")
    )
    assert prior.answer("is it red?") == "no"
    assert prior.answer("Is it Big") == "yes"
    assert prior.answer("is it blue?") == "yes"
    assert prior.answer("What now?") == prior.majority == "yes"


@given(ROWS)
def test_stored_answers_are_those_of_a_naive_count(rows: list[tuple[list[str], str]]) -> None:
    prior = fit(*((" ".join(words), answer) for words, answer in rows))
    for words, _ in rows:
        same = [answer for other, answer in rows if other[: len(words)] == words]
        expected = min(set(same), key=lambda answer: (-same.count(answer), answer))
        assert prior.answer(" ".join(words)) == expected


@given(ROWS)
def test_a_saved_prior_is_the_same_prior(rows: list[tuple[list[str], str]]) -> None:
    prior = fit(*((" ".join(words), answer) for words, answer in rows))
    assert Prior.from_json(prior.to_json()) == Prior(dict(sorted(prior.answers.items())))


def test_easy_vqa_gives_away_two_thirds_by_its_questions() -> None:
    dataset = load(DataSettings(data="easy-vqa", validation_fraction=0))
    prior = Prior.fit(dataset.splits["train"], english)

    def accuracy(rows: list[Example]) -> float:
        return sum(score(row, prior.answer(row.question), normalize=english) for row in rows) / len(rows)

    test = list(dataset.splits["test"])
    assert abs(accuracy(test) - 0.670) < 0.003
    assert abs(accuracy([row for row in test if row.answer_type == "other"]) - 0.233) < 0.01
    assert len(prior.to_json()) < 10_000
