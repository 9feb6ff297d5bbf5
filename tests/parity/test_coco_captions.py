"""Caption metrics against what pycocoevalcap says of the same raw captions (recorded in coco_captions.json), and against jiwer.

record_coco_captions.py made the record: words by the Java tokenizer, scores by the package's own scorers.
"""

import json
from pathlib import Path
from typing import Any

import jiwer
import pytest

from seesay.metrics import caption_metrics
from seesay.metrics.tokenize import tokenize

RECORDED = json.loads(Path(__file__).with_name("coco_captions.json").read_text(encoding="utf-8"))
SETS = {len(made["candidates"]): made for made in RECORDED["sets"]}
TOLERANCE = 1e-6


def test_the_record_holds_what_the_documentation_says() -> None:
    assert RECORDED["package"] == "pycocoevalcap 1.2"
    assert sum(SETS) == 200
    assert {len(known) for made in SETS.values() for known in made["references"]} == {1, 2, 3, 4, 5}


@pytest.mark.parametrize("name", ["bleu-1", "bleu-2", "bleu-3", "bleu-4", "cider-d", "rouge-l"])
@pytest.mark.parametrize("made", SETS.values(), ids=map(str, SETS))
def test_scores_are_those_of_the_published_code(made: dict[str, Any], name: str) -> None:
    found = caption_metrics()[name]().score(made["candidates"], made["references"])
    assert found.corpus == pytest.approx(made["scores"][name]["corpus"], abs=TOLERANCE, rel=0)
    assert found.captions == pytest.approx(made["scores"][name]["captions"], abs=TOLERANCE, rel=0)


@pytest.mark.parametrize(("raw", "words"), RECORDED["tokens"].items())
def test_words_are_those_of_the_java_tokenizer(raw: str, words: list[str]) -> None:
    assert list(tokenize(raw)) == words


@pytest.mark.parametrize("made", SETS.values(), ids=map(str, SETS))
def test_word_error_rate_is_that_of_jiwer(made: dict[str, Any]) -> None:
    candidates = [" ".join(tokenize(text)) for text in made["candidates"]]
    references = [[" ".join(tokenize(text)) for text in known] for known in made["references"]]
    found = caption_metrics()["wer"]().score(made["candidates"], made["references"])
    rates = [
        min(jiwer.wer(reference, candidate) for reference in known)
        for candidate, known in zip(candidates, references, strict=True)
    ]
    assert found.captions == pytest.approx(rates, abs=TOLERANCE, rel=0)
    first = caption_metrics()["wer"]().score(made["candidates"], [known[:1] for known in made["references"]])
    whole = jiwer.process_words([known[0] for known in references], candidates)
    assert first.corpus == pytest.approx(whole.wer, abs=TOLERANCE, rel=0)
    counted = (first.counts["insertions"], first.counts["deletions"], first.counts["substitutions"])
    assert counted == (whole.insertions, whole.deletions, whole.substitutions)
