"""Intervals cover what they should, and are wider where answers hang together."""

import numpy
import pytest

from seesay.metrics import caption_metrics, corpus_interval, interval


def clustered(seed: int, clusters: int = 60, each: int = 8) -> tuple[list[float], list[int]]:
    """Right and wrong answers whose chance differs from picture to picture; 0.5 on average."""
    chance = numpy.random.default_rng(seed)
    easy = chance.uniform(0, 1, clusters)
    return (
        [float(chance.random() < share) for share in easy for _ in range(each)],
        [cluster for cluster in range(clusters) for _ in range(each)],
    )


def test_about_95_percent_of_the_intervals_hold_the_truth() -> None:
    held = sum(found.low <= 0.5 <= found.high for found in (interval(*clustered(seed)) for seed in range(200)))
    assert 175 <= held <= 199


def test_ignoring_the_clusters_would_promise_too_much() -> None:
    values, clusters = clustered(1)
    apart, together = interval(values, range(len(values))), interval(values, clusters)
    assert apart.high - apart.low < 0.8 * (together.high - together.low)
    assert (together.count, together.clusters, apart.clusters) == (480, 60, 480)


def test_clusters_of_unequal_size_keep_the_plain_mean() -> None:
    found = interval([1, 1, 1, 0], ["a", "a", "a", "b"])
    assert found.mean == 0.75
    assert (found.low, found.high) == (0, 1)


def test_the_same_seed_gives_the_same_interval_and_one_cluster_a_point() -> None:
    values, clusters = clustered(2)
    assert interval(values, clusters) == interval(values, clusters)
    one = interval([0.0, 1.0], ["a", "a"])
    assert one.low == one.mean == one.high == 0.5


def test_no_values_is_an_error() -> None:
    with pytest.raises(ValueError, match="no values"):
        interval([], [])


CAPTIONS = ["a dog", "a red bus on the street", "two cats", "a small boat"]
REFERENCES = [
    ["a brown dog", "the dog"],
    ["a red bus in the street"],
    ["two cats", "cats"],
    ["one man on a large boat at sea"],
]


@pytest.mark.parametrize("name", ["bleu-2", "wer"])
def test_counts_that_are_added_up_are_drawn_with_their_pictures(name: str) -> None:
    """As scoring each resample anew would give."""
    metric = caption_metrics()[name]()
    found = corpus_interval(metric, metric.score(CAPTIONS, REFERENCES), resamples=50)
    draws = numpy.random.default_rng(0).multinomial(4, numpy.full(4, 1 / 4), size=50)
    again = []
    for draw in draws.tolist():
        rows = [index for index, times in enumerate(draw) for _ in range(times)]
        again.append(metric.score([CAPTIONS[row] for row in rows], [REFERENCES[row] for row in rows]).corpus)
    assert (found.low, found.high) == pytest.approx(tuple(numpy.quantile(again, [0.025, 0.975])))
    assert found.low < found.mean < found.high


def test_of_a_metric_that_is_a_mean_it_is_the_interval_of_the_mean() -> None:
    metric = caption_metrics()["cider-d"]()
    scores = metric.score(CAPTIONS, REFERENCES)
    known, found = interval(scores.captions, range(4)), corpus_interval(metric, scores)
    assert (found.mean, found.low, found.high) == pytest.approx((known.mean, known.low, known.high))
