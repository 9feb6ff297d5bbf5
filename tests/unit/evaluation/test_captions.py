"""Figures of a caption report: those that the metrics give by hand, in words, as JSON and as a page."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from seesay import Answer, Candidate, Example, Provenance
from seesay.errors import MissingExtra
from seesay.evaluation import Baselines, CaptionReport, measure_captions, training_page, write
from seesay.metrics import caption_metrics, corpus_interval, diversity, interval
from seesay.metrics.wer import WordErrorRate

PageReader = Callable[[Path], Any]
SAID = ["a red ball on the grass", "two dogs", "a <b>man</b> rides a horse", ""]
WROTE = [
    ("a red ball in the grass", "a ball"),
    ("two brown dogs run on the beach",),
    ("a man rides a horse", "a rider", "a man on a brown horse", "somebody on a horse"),
    ("a boat on the sea",),
]
NEAREST = ("a red ball", "a cat", "a man rides a horse", "a ship at sea")


def answer(text: str | None, picture: str) -> Answer:
    provenance = Provenance("runs/x", "abcdef0123456789", "git", "torch 2", "cpu", "float32", (picture,), 0.25)
    return Answer(text or None, 0.5, (Candidate(text or "", 0.5),), provenance)


def examples(folder: Path, count: int = 4) -> list[Example]:
    made = []
    for index in range(count):
        path = folder / f"{index}.png"
        Image.new("RGB", (40, 30), (index * 9 % 256, 80, 120)).save(path)
        made.append(Example((path,), answers=WROTE[index % 4], id=f"row {index}"))
    return made


def baselines(nearest: tuple[str, ...] | None = NEAREST, **changes: Any) -> Baselines:
    values: dict[str, Any] = {"training_pictures": 9, "looked_at": 9, "known": 0, **changes}
    return Baselines("a man on a horse", nearest, ("a red ball", "two dogs", "a man on a horse"), **values)


@pytest.fixture
def report(tmp_path: Path) -> CaptionReport:
    answers = [answer(text, f"{index:064}") for index, text in enumerate(SAID)]
    return measure_captions(examples(tmp_path), answers, baselines=baselines(), out_of=10, seed=7)


def test_every_figure_is_the_metrics_own(report: CaptionReport) -> None:
    assert set(report.figures) == set(caption_metrics())
    for name, kind in caption_metrics().items():
        metric, figure = kind(), report.figures[name]
        for found, captions in (
            (figure.model, SAID),
            (figure.nearest, NEAREST),
            (figure.commonest, ["a man on a horse"] * 4),
        ):
            assert found == corpus_interval(metric, metric.score(captions, WROTE))
        each = metric.score(SAID, WROTE).captions
        assert [one.scores[name] for one in report.pictures] == list(each)


def test_differences_are_taken_picture_by_picture(report: CaptionReport) -> None:
    metric = caption_metrics()["cider-d"]()
    ours, theirs = metric.score(SAID, WROTE).captions, metric.score(NEAREST, WROTE).captions
    assert report.above_nearest == interval([a - b for a, b in zip(ours, theirs, strict=True)], range(4))
    assert report.above_nearest is not None
    assert report.above_nearest.mean == pytest.approx(
        report.figures["cider-d"].model.mean - report.figures["cider-d"].nearest.mean
    )


def test_variety_is_that_of_the_model_beside_people_and_the_nearest(report: CaptionReport) -> None:
    assert list(report.variety) == ["model", "people", "nearest"]
    training = ["a red ball", "two dogs", "a man on a horse"]
    for name, captions in (("model", SAID), ("people", [known[0] for known in WROTE]), ("nearest", NEAREST)):
        found, known = report.variety[name], diversity(captions, training)
        assert (found.vocabulary, found.unique) == (known.vocabulary, known.unique)
        assert (found.distinct_1, found.distinct_2) == (known.distinct_1, known.distinct_2)
        assert found.words.mean == known.length.corpus
        assert found.in_training is not None
        assert found.in_training.mean == known.in_training.corpus
    assert report.variety["model"].in_training.mean == 0.25


def test_the_sentences_say_how_it_was_measured(report: CaptionReport) -> None:
    said = report.sentences()
    value = report.figures["cider-d"].model
    assert said[0].startswith(f"CIDEr-D {value.mean:.3f} ({value.low:.3f} to {value.high:.3f}) on 4 pictures")
    assert "1 to 4 references each" in said[0]
    assert any("nearest of 9 training pictures" in sentence for sentence in said)
    assert any("the most frequent training caption" in sentence for sentence in said)
    assert "4 of 10 pictures, drawn by the seed 7" in said
    assert any("1 of the captions is empty" in sentence for sentence in said)
    assert report.headline() == ("CIDEr-D", value)
    assert report.compared()[0] == ("CIDEr-D", f"{value.mean:.3f} ({value.low:.3f} to {value.high:.3f})")
    assert len(report.compared()) == 3 + len(report.figures) - 1


def test_what_there_is_no_baseline_for_is_said(tmp_path: Path) -> None:
    rows, answers = examples(tmp_path), [answer(text, str(index)) for index, text in enumerate(SAID)]
    without = measure_captions(rows, answers, baselines=None)
    assert any("no baselines" in sentence for sentence in without.sentences())
    assert without.variety["model"].in_training is None
    assert without.tables()[0][1] == ["metric", "model"]
    part = measure_captions(rows, answers, baselines=baselines(None, known=2))
    said = " ".join(part.sentences())
    assert "another version of seesay" in said
    assert "2 of these pictures stand in training" in said
    assert part.above_nearest is None
    assert part.above_commonest is not None
    assert part.tables()[0][1] == ["metric", "model", "most frequent caption"]
    some = measure_captions(rows, answers, baselines=baselines(training_pictures=20_000, looked_at=8192))
    assert any("nearest of 8,192 of 20,000 training pictures" in sentence for sentence in some.sentences())


def test_a_metric_whose_package_is_missing_is_left_out_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> None:
        raise MissingExtra("the word error rate", "seesay[models]")

    monkeypatch.setattr(WordErrorRate, "score_words", missing)
    answers = [answer(text, str(index)) for index, text in enumerate(SAID)]
    report = measure_captions(examples(tmp_path), answers, baselines=baselines())
    assert set(report.figures) == set(caption_metrics()) - {"wer"}
    assert any("wer was left out" in sentence and "seesay[models]" in sentence for sentence in report.sentences())
    write(report, tmp_path / "out")


def test_tables_have_a_row_a_metric_and_a_column_a_writer(report: CaptionReport) -> None:
    (_, header, rows), (_, writers, variety) = report.tables()
    assert header == ["metric", "model", "nearest training picture", "most frequent caption"]
    assert [row[0].split(" (")[0] for row in rows] == sorted(caption_metrics())
    assert "wer (lower is better)" in [row[0] for row in rows]
    assert writers == ["measure", "model", "people", "nearest training picture"]
    assert all(len(row) == 4 for row in [*rows, *variety])


def test_the_json_holds_all_that_is_needed_to_compute_it_again(report: CaptionReport, tmp_path: Path) -> None:
    write(report, tmp_path / "out")
    found = json.loads((tmp_path / "out/report.json").read_text(encoding="utf-8"))
    assert found["task"] == "caption"
    assert (found["pictures"], found["out_of"], found["seed"]) == (4, 10, 7)
    captions = [row["caption"] or "" for row in found["captions"]]
    references = [row["references"] for row in found["captions"]]
    for name, kind in caption_metrics().items():
        metric = kind()
        scores = metric.score(captions, references)
        figure = found["figures"][name]
        assert figure["model"]["mean"] == scores.corpus
        assert figure["bounds"] == [bound if bound != float("inf") else None for bound in metric.bounds]
        assert [row["scores"][name] for row in found["captions"]] == list(scores.captions)
    assert found["figures"]["wer"]["counts"]["reference words"] > 0
    assert [row["nearest"] for row in found["captions"]] == list(NEAREST)
    assert [row["picture"] for row in found["captions"]] == [f"{index:064}" for index in range(4)]


def test_the_page_shows_pictures_references_and_captions(
    report: CaptionReport, tmp_path: Path, read_page: PageReader
) -> None:
    write(report, tmp_path / "out")
    page = read_page(tmp_path / "out/report.html")
    assert sorted(page.alternatives) == sorted(known[0] for known in WROTE)
    assert "b" not in page.tags
    for text in [*filter(None, SAID), *(known[0] for known in WROTE), *NEAREST]:
        assert text in page.text
    assert "and 1 more" in page.text
    assert "nothing" in page.text
    for name in caption_metrics():
        assert name in page.text


def test_of_many_pictures_it_shows_some_at_random_the_best_and_the_worst(tmp_path: Path, read_page: PageReader) -> None:
    count = 40
    rows = examples(tmp_path, count)
    answers = [answer(WROTE[index % 4][0] if index < 20 else f"xyz{index}", str(index)) for index in range(count)]
    report = measure_captions(rows, answers, baselines=None, seed=3)
    write(report, tmp_path / "out")
    page = read_page(tmp_path / "out/report.html")
    assert page.tags.count("img") == 24
    at_random, rest = page.text.split("At random")[1].split("The best")
    best, worst = rest.split("The worst")
    assert "xyz" not in best
    assert worst.count("xyz") == 8
    assert at_random.count("CIDEr-D") == 8
    scores = [one.score for one in report.best_first]
    assert scores == sorted(scores, reverse=True)


def test_a_long_caption_is_shown_in_part_and_kept_whole(tmp_path: Path, read_page: PageReader) -> None:
    long = "word " * 400
    (row,) = examples(tmp_path, 1)
    report = measure_captions([row], [answer(long, "0")], baselines=None)
    write(report, tmp_path / "out")
    assert len(read_page(tmp_path / "out/report.html").text) < 8000
    assert json.loads((tmp_path / "out/report.json").read_text())["captions"][0]["caption"] == long
    assert any("one picture" in sentence for sentence in report.sentences())


def test_the_page_of_a_run_has_the_loss_and_what_captions_are_worth(
    report: CaptionReport, tmp_path: Path, read_page: PageReader
) -> None:
    history = [{"step": step, "loss": 9 / step} for step in (1, 2, 3)] + [
        {"step": 3, "eval_loss": 3.0, "eval_cider_d": 0.7}
    ]
    training_page(history, 'learning_rate = "<b>"', tmp_path / "run", evaluation=report)
    page = read_page(tmp_path / "run/report.html")
    assert page.tags.count("img") == 2 + 4
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["cider.png", "loss.png", "report.html"]
    assert "CIDEr-D" in page.text
