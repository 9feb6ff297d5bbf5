"""What every caption metric must do, run over all that `discover()` finds. A new metric needs nothing here."""

import math
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seesay.metrics import CaptionMetric, caption_metrics, corpus_interval, interval

WORDS = "dog cat red it's t-shirt 3.5 café 강아지 해변을 달린다 狗 海 滩 犬 собака كلب हिन्दी".split()
WORD = st.sampled_from(WORDS)
CAPTION = st.lists(WORD, max_size=8).map(" ".join) | st.text(max_size=20)
PICTURES = st.lists(st.tuples(CAPTION, st.lists(CAPTION, min_size=1, max_size=4)), min_size=1, max_size=6)
ALL = pytest.mark.parametrize("name", sorted(caption_metrics()))
DESCRIPTIONS = [
    [
        "A brown dog is running along the beach.",
        "Two people ride a red bus in the city.",
        "A cat sleeps on the old sofa.",
    ],
    [
        "갈색 강아지가 해변을 따라 신나게 달린다.",
        "두 사람이 도시에서 빨간 버스를 탄다.",
        "고양이가 낡은 소파 위에서 잔다.",
    ],
    ["一只棕色的狗在海滩上奔跑。", "两个人在城里坐红色公共汽车。", "猫睡在旧沙发上。"],
]


def best(metric: CaptionMetric) -> float:
    return metric.bounds[1] if metric.greater_is_better else metric.bounds[0]


def columns(pictures: list[tuple[str, list[str]]]) -> tuple[list[str], list[list[str]]]:
    return [candidate for candidate, _ in pictures], [known for _, known in pictures]


@ALL
@given(pictures=PICTURES)
def test_values_are_finite_and_within_the_bounds_and_the_same_again(
    name: str, pictures: list[tuple[str, list[str]]]
) -> None:
    metric = caption_metrics()[name]()
    found = metric.score(*columns(pictures))
    assert len(found.captions) == len(pictures)
    low, high = metric.bounds
    for value in (found.corpus, *found.captions):
        assert math.isfinite(value)
        assert low <= value <= high + 1e-9
    assert metric.score(*columns(pictures)) == found
    assert interval(found.captions, range(len(pictures)), resamples=2).count == len(pictures)


@ALL
@given(pictures=PICTURES)
def test_the_corpus_follows_from_sums_over_pictures(name: str, pictures: list[tuple[str, list[str]]]) -> None:
    metric = caption_metrics()[name]()
    found = metric.score(*columns(pictures))
    rows = found.sums or [(value, 1.0) for value in found.captions]
    assert len(rows) == len(pictures)
    assert metric.of_sums([sum(column) for column in zip(*rows, strict=True)]) == pytest.approx(found.corpus)
    of = corpus_interval(metric, found, resamples=20)
    assert (of.mean, of.count, of.clusters) == (found.corpus, len(pictures), len(pictures))
    assert metric.bounds[0] <= of.low <= of.high <= metric.bounds[1] + 1e-9


@ALL
@given(pictures=PICTURES, data=st.data())
def test_the_order_of_pictures_and_of_references_says_nothing(
    name: str, pictures: list[tuple[str, list[str]]], data: st.DataObject
) -> None:
    metric = caption_metrics()[name]()
    order = data.draw(st.permutations(range(len(pictures))))
    moved = [(pictures[index][0], pictures[index][1][::-1]) for index in order]
    found, again = metric.score(*columns(pictures)), metric.score(*columns(moved))
    assert again.corpus == pytest.approx(found.corpus)
    assert again.captions == pytest.approx([found.captions[index] for index in order])


@ALL
@given(words=st.lists(WORD, unique=True, min_size=10))
def test_what_is_identical_scores_best(name: str, words: list[str]) -> None:
    metric = caption_metrics()[name]()
    captions = [" ".join(words[:5]), " ".join(words[5:])]
    found = metric.score(captions, [[caption] for caption in captions])
    assert [found.corpus, *found.captions] == pytest.approx([best(metric)] * 3, abs=1e-6)


@ALL
@pytest.mark.parametrize("captions", DESCRIPTIONS, ids=["English", "Korean", "Chinese"])
def test_in_any_script_what_is_identical_scores_best_and_what_is_another_does_not(
    name: str, captions: list[str]
) -> None:
    metric = caption_metrics()[name]()
    found = metric.score(captions, [[caption] for caption in captions])
    assert [found.corpus, *found.captions] == pytest.approx([best(metric)] * 4, abs=1e-6)
    other = metric.score(captions, [[caption] for caption in captions[1:] + captions[:1]])
    assert all(abs(value - best(metric)) > 0.4 for value in (other.corpus, *other.captions))


@ALL
def test_case_marks_and_composition_do_not_count(name: str) -> None:
    metric = caption_metrics()[name]()
    plain = ["a brown dog at the café", "강아지가 해변을 달린다"]
    written = [unicodedata.normalize("NFD", text.upper()) + "!" for text in plain]
    references = [["A dog by the café.", "a brown dog"], ["강아지가 달린다."]]
    assert metric.score(written, references) == metric.score(plain, references)


@ALL
@given(words=st.lists(WORD, min_size=1, max_size=8))
@pytest.mark.parametrize("nothing", ["", " \n", "...", "。"])
def test_a_caption_without_words_is_all_wrong(name: str, nothing: str, words: list[str]) -> None:
    metric = caption_metrics()[name]()
    found = metric.score([nothing, "a dog"], [[" ".join(words)], ["a dog"]])
    assert found.captions[0] == (0 if metric.greater_is_better else 1)


@ALL
def test_what_cannot_be_scored_is_refused(name: str) -> None:
    metric = caption_metrics()[name]()
    with pytest.raises(ValueError, match="no captions"):
        metric.score([], [])
    with pytest.raises(ValueError, match="2 captions, but references for 1 pictures"):
        metric.score(["a", "b"], [["a"]])
    with pytest.raises(ValueError, match="no references for picture 1"):
        metric.score(["a", "b"], [["a"], []])


def test_finding_metrics_imports_no_library() -> None:
    for metric in caption_metrics().values():
        assert not {"jiwer", "numpy"} & set(vars(sys.modules[metric.__module__]))
