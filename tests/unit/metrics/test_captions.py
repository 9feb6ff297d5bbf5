"""Caption metrics on examples that the papers give or that can be counted by hand."""

import math

import pytest

from seesay.errors import MissingExtra
from seesay.metrics import caption_metrics, diversity, wer
from seesay.metrics.caption import CaptionScores


def score(name: str, candidate: str, *references: str) -> float:
    """Of one caption alone."""
    return caption_metrics()[name]().score([candidate], [references]).captions[0]


def test_the_metrics_are_these() -> None:
    named = ["bleu-1", "bleu-2", "bleu-3", "bleu-4", "cider-d", "exact-match", "rouge-l", "wer"]
    assert list(caption_metrics()) == named


def test_bleu_clips_repeated_words_as_papineni_has_it() -> None:
    references = ("The cat is on the mat.", "There is a cat on the mat.")
    assert score("bleu-1", "the the the the the the the", *references) == pytest.approx(2 / 7)


def test_bleu_takes_the_closest_length_and_the_shorter_of_two() -> None:
    assert score("bleu-1", "a dog runs", "a dog", "a dog runs here") == pytest.approx(1)
    assert score("bleu-1", "a dog", "a dog runs here") == pytest.approx(math.exp(1 - 4 / 2))


def test_corpus_bleu_adds_up_counts_and_says_the_lengths() -> None:
    found = caption_metrics()["bleu-1"]().score(["a dog", "x y z w"], [["a dog"], ["a b c d"]])
    assert found.corpus == pytest.approx(2 / 6)
    assert found.captions == pytest.approx([1, 0], abs=1e-6)
    assert found.counts == {"words": 6, "closest reference words": 6}


def test_a_short_caption_has_next_to_no_bleu_4_even_where_it_is_right() -> None:
    assert score("bleu-4", "a dog runs", "a dog runs") == pytest.approx(1e-6**0.25, rel=1e-3)


@pytest.mark.parametrize(("candidate", "expected"), [("police kill the gunman", 0.75), ("the gunman kill police", 0.5)])
def test_rouge_l_on_the_example_of_lin(candidate: str, expected: float) -> None:
    assert score("rouge-l", candidate, "police killed the gunman") == pytest.approx(expected)


def test_rouge_l_takes_precision_and_recall_each_from_its_best_reference() -> None:
    # Precision 1 from the long reference, recall 1 from the short one.
    assert score("rouge-l", "a b", "a", "a b c d") == pytest.approx(1)


def test_cider_of_one_picture_says_nothing() -> None:
    assert score("cider-d", "a dog runs here", "a dog runs here") == 0


def test_cider_weighs_what_is_special_clips_and_punishes_length() -> None:
    def first(candidate: str) -> float:
        references = [["the dog"], ["the cat"]]
        return caption_metrics()["cider-d"]().score([candidate, "the cat"], references).captions[0]

    # Words and pairs of two words; "the" stands in both pictures and weighs nothing.
    assert first("the dog") == pytest.approx(5)
    assert first("the") == 0
    assert first("dog") == pytest.approx(2.5 * math.exp(-1 / 72))
    # The vector of "dog dog dog" points where that of "dog" does; clipping leaves a third of it. Two pairs against one.
    assert first("dog dog dog") == pytest.approx(2.5 / 3 * math.exp(-1 / 72))


def test_exact_match_asks_for_every_word() -> None:
    assert score("exact-match", "A dog!", "a cat", "a dog") == 1
    assert score("exact-match", "a dog", "a dog runs") == 0


def test_word_error_rate_says_which_errors() -> None:
    found = caption_metrics()["wer"]().score(["a big dog runs", "cat"], [["a dog ran", "x y"], ["the cat"]])
    assert found.captions == pytest.approx([2 / 3, 1 / 2])
    assert found.counts == {"insertions": 1, "deletions": 1, "substitutions": 1, "reference words": 5}
    assert found.corpus == pytest.approx(3 / 5)


def test_word_error_rate_has_no_upper_bound_and_counts_words_where_the_reference_has_none() -> None:
    assert score("wer", "a a a a", "dog") == 4
    assert score("wer", "a dog", "...") == 2
    assert score("wer", "...", "") == 0


def test_of_references_with_one_rate_the_one_with_the_most_words_counts_in_any_order() -> None:
    metric = caption_metrics()["wer"]()
    for known in (["a b", "a x c y"], ["a x c y", "a b"]):
        assert metric.score(["a c"], [known]).counts["reference words"] == 4


def test_word_error_rate_without_jiwer_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wer, "find_spec", lambda _: None)
    with pytest.raises(MissingExtra, match=r"pip install \"seesay\[models\]\""):
        score("wer", "a", "a")


def test_diversity_of_captions() -> None:
    found = diversity(["A dog.", "a dog", "a cat runs", "고양이"], training=["A dog", "a bird"])
    assert found.length == CaptionScores(2, (2, 2, 3, 1))
    assert found.in_training == CaptionScores(0.5, (1, 1, 0, 0))
    assert (found.unique, found.vocabulary) == (0.75, 5)
    assert (found.distinct_1, found.distinct_2) == (5 / 8, 3 / 8)


def test_diversity_of_nothing_said_and_of_nothing() -> None:
    silent = diversity(["", "."], training=[])
    assert (silent.length.corpus, silent.vocabulary, silent.distinct_1, silent.distinct_2) == (0, 0, 0, 0)
    assert silent.unique == 0.5
    with pytest.raises(ValueError, match="no captions"):
        diversity([], training=[])
