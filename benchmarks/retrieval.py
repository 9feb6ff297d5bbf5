"""Finding pictures by a question: 5,000 composed pictures with known contents, in a style that no weight saw.

    SEESAY_CORPUS=runs/corpus/data SEESAY_CORPUS_RUN=runs/corpus/mini python -m benchmarks retrieval

The pictures are the test split of the corpus (`python -m corpus pictures`), the questions "is there a ...?" for 30 names drawn
at random of those in at least 8 pictures, and 6 categories. A picture is right where it shows the thing or a kind of it.
Intervals are 95 %, over questions.
"""

import json
import os
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy

from seesay.metrics.bootstrap import interval
from seesay.models import load
from seesay.models.mini.words import a
from seesay.search import Store, rarity, refresh
from seesay.search.find import MORE_LIKELY_THAN_NOT, Judge
from seesay.search.shortlist import shortlist
from seesay.settings import ModelSettings
from seesay.types import Example

CORPUS = Path(os.environ.get("SEESAY_CORPUS", "runs/corpus/data"))
RUN = Path(os.environ.get("SEESAY_CORPUS_RUN", "runs/corpus/mini"))
PICTURES, NAMES, CATEGORIES = 5_000, 30, 6
SHORTLIST = (500, 1_000)
FROM_FILES, ASKED_OF_FILES = 200, 3
"""Pictures that are asked about from their files too, and how many questions."""
WANTED = (0.5, 0.7, 0.9)
Array = numpy.ndarray[Any, Any]


def measure() -> dict[str, object]:
    rows = [json.loads(line) for line in (CORPUS / "test.objects.jsonl").open()]
    chosen = numpy.sort(numpy.random.default_rng(5).permutation(len(rows))[:PICTURES])
    rows = [rows[index] for index in chosen]
    facts = json.loads((RUN / "concepts.json").read_text())
    shown = [
        set().union(*({o["name"], o["category"], *facts[o["name"]]["kinds"]} for o in row["objects"])) for row in rows
    ]
    names = _names(shown, facts)
    family = load(ModelSettings())
    with tempfile.TemporaryDirectory() as kept:
        manifest = Path(kept) / "pictures.txt"
        manifest.write_text("".join(f"{(CORPUS / row['image']).resolve()}\n" for row in rows))
        store = Store(Path(kept) / "photos.seesay", create=True)
        timed = _Clock()
        refresh(store, family, [manifest], 16, lambda done, total: None)
        encoding = timed.stop()
        size = (Path(kept) / "photos.seesay").stat().st_size
        pictures, paths = store.pictures(), store.paths_of(store.pictures())
        place = {str((CORPUS / row["image"]).resolve()): index for index, row in enumerate(rows)}
        truth = [shown[place[paths[picture][0]]] for picture in pictures]
        files = _against_files(store, pictures, [paths[picture][0] for picture in pictures], names)
        found = _search(store, pictures, truth, names)
        store.close()
    return {
        "pictures": len(pictures),
        "questions": len(names),
        "index": {"seconds": encoding[0], "cpu_seconds": encoding[1], "bytes_a_picture": round(size / len(pictures))},
        **files,
        **found,
    }


def _names(shown: Sequence[set[str]], facts: dict[str, Any]) -> list[str]:
    count = Counter(name for there in shown for name in there)
    categories = [c for c in dict.fromkeys(fact["category"] for fact in facts.values()) if c and count[c] > 50]
    known = sorted(
        name
        for name, fact in facts.items()
        if fact["concrete"] and not fact["held_out"] and count[name] >= 8 and name not in categories
    )
    drawn = numpy.random.default_rng(11).choice(known, NAMES, replace=False)
    return [*map(str, drawn), *categories[:CATEGORIES]]


def _search(store: Store, pictures: list[int], truth: Sequence[set[str]], names: Sequence[str]) -> dict[str, object]:
    family = load(ModelSettings())
    seen = _seen(family, store, pictures)
    vectors = store.vectors()
    rows: list[dict[str, Any]] = []
    for name in names:
        right = numpy.array([name in there for there in truth])
        judge = Judge(store, family, f"is there {a(name)}?", 64, lambda done: None)
        timed = _Clock()
        odds = judge.ask(pictures)
        seconds, cpu = timed.stop()
        row: dict[str, Any] = {"name": name, "pictures": int(right.sum()), "seconds": seconds, "cpu_seconds": cpu}
        row["embedding"] = _average_precision(numpy.array([_hinted(family, name, one) for one in seen]), right)
        row["all"] = _average_precision(odds, right)
        chances = rarity.probabilities(numpy.array(family.likelihood_ratios(odds.tolist())), len(odds))
        for label, limit in (("default", MORE_LIKELY_THAN_NOT), *((w, rarity.threshold(chances, w)) for w in WANTED)):
            row[f"at {label}"] = _at(chances >= limit, right)
        row["any yes"] = _at(odds > 0, right)
        for budget in SHORTLIST:
            asked = numpy.zeros(len(odds), bool)

            def ask(chosen: Array, asked: Array = asked, odds: Array = odds) -> Array:
                asked[chosen] = True
                return odds[chosen]

            shortlist(vectors, budget, ask)
            ratios = numpy.array(family.likelihood_ratios(odds[asked].tolist()))
            few = numpy.zeros(len(odds))
            few[asked] = rarity.probabilities(ratios, len(odds))
            row[f"shortlist {budget}"] = {
                "average_precision": _average_precision(numpy.where(asked, odds, -99.0), right),
                "of all that shows it": float(right[asked].sum() / right.sum()),
                **_at(few >= MORE_LIKELY_THAN_NOT, right),
            }
        rows.append(row)
        print(json.dumps(row), flush=True)
    return _summary(rows)


def _summary(rows: list[dict[str, Any]]) -> dict[str, object]:
    def mean(values: Sequence[float | None]) -> object:
        known = [value for value in values if value is not None]
        if not known:
            return None
        found = interval(known, list(range(len(known))))
        return {
            "mean": round(found.mean, 4),
            "low": round(found.low, 4),
            "high": round(found.high, 4),
            "questions": len(known),
        }

    thresholds = ["any yes", "at default", *(f"at {wanted}" for wanted in WANTED)]
    return {
        "second_question": {
            "seconds_median": round(statistics.median(row["seconds"] for row in rows), 2),
            "cpu_seconds_median": round(statistics.median(row["cpu_seconds"] for row in rows), 2),
        },
        "average_precision": {
            "embedding only": mean([row["embedding"] for row in rows]),
            "asking every picture": mean([row["all"] for row in rows]),
            **{
                f"shortlist of {b}": mean([row[f"shortlist {b}"]["average_precision"] for row in rows])
                for b in SHORTLIST
            },
        },
        "shortlist_finds": {
            str(b): mean([row[f"shortlist {b}"]["of all that shows it"] for row in rows]) for b in SHORTLIST
        },
        **{
            kind: {
                **{label: mean([row[label][kind] for row in rows]) for label in thresholds},
                **{
                    f"shortlist of {b}, default": mean([row[f"shortlist {b}"][kind] for row in rows]) for b in SHORTLIST
                },
            }
            for kind in ("precision", "recall")
        },
        "of_all_hits_right": {
            label: round(sum(row[label]["right"] for row in rows) / max(1, sum(row[label]["hits"] for row in rows)), 4)
            for label in thresholds
        },
        "by_question": rows,
    }


def _at(taken: Array, right: Array) -> dict[str, Any]:
    hits = int(taken.sum())
    return {
        "hits": hits,
        "right": int((taken & right).sum()),
        "precision": float(right[taken].mean()) if hits else None,
        "recall": float((taken & right).sum() / right.sum()),
    }


def _average_precision(scores: Array, right: Array) -> float:
    """Mean over the right pictures of the precision down to each of them."""
    ranked = right[numpy.argsort(-scores, kind="stable")]
    return float((numpy.cumsum(ranked) / numpy.arange(1, len(ranked) + 1))[ranked].mean())


def _seen(family: Any, store: Store, pictures: list[int]) -> list[list[tuple[str, float]]]:
    """What the encoder sees in each picture by itself, without a question."""
    found = []
    for start in range(0, len(pictures), 64):
        tensors = family.prepare_encoded(
            store.encoded(pictures[start : start + 64]), ["is there a dog?"] * len(pictures[start : start + 64])
        ).tensors
        for names, chances in zip(tensors["hints"].tolist(), tensors["chances"].tolist(), strict=True):
            found.append([(family.tokenizer.tokens[n], chance) for n, chance in zip(names, chances, strict=True)])
    return found


def _hinted(family: Any, name: str, seen: Sequence[tuple[str, float]]) -> float:
    return sum(chance for other, chance in seen if name in family.expert._kinds.get(other, ()))


def _against_files(store: Store, pictures: list[int], paths: list[str], names: Sequence[str]) -> dict[str, object]:
    """The same questions over the index and from the files: how long, and whether the answers are the same."""
    some = numpy.random.default_rng(2).choice(len(pictures), FROM_FILES, replace=False).tolist()
    kept, opened = load(ModelSettings()), load(ModelSettings())
    times: dict[str, list[tuple[float, float]]] = {"index": [], "files": []}
    worst, other, questions = 0.0, 0, []
    for name in names[:ASKED_OF_FILES]:
        question = f"is there {a(name)}?"
        timed = _Clock()
        from_index = Judge(store, kept, question, 64, lambda done: None).ask([pictures[i] for i in some])
        times["index"].append(timed.stop())
        timed = _Clock()
        from_files: list[float] = []
        for start in range(0, len(some), 16):
            examples = [Example((paths[i],), question) for i in some[start : start + 16]]
            from_files += opened.log_odds(opened.prepare(examples), "yes", "no")
        times["files"].append(timed.stop())
        differences = numpy.abs(_sigmoid(from_index) - _sigmoid(numpy.array(from_files)))
        worst, other = (
            max(worst, float(differences.max())),
            other + int(((from_index > 0) != (numpy.array(from_files) > 0)).sum()),
        )
        questions.append(question)
    wall = {way: statistics.median(t[0] for t in each) for way, each in times.items()}
    cpu = {way: statistics.median(t[1] for t in each) for way, each in times.items()}
    return {
        "against_files": {
            "pictures": FROM_FILES,
            "questions": questions,
            "ms_a_picture": {way: round(value / FROM_FILES * 1000, 2) for way, value in wall.items()},
            "cpu_ms_a_picture": {way: round(value / FROM_FILES * 1000, 2) for way, value in cpu.items()},
            "times_faster": round(wall["files"] / wall["index"], 1),
            "times_less_cpu": round(cpu["files"] / cpu["index"], 1),
            "other_answers": other,
            "largest_difference_of_a_score": worst,
        }
    }


def _sigmoid(odds: Array) -> Array:
    return 1 / (1 + numpy.exp(-odds))


class _Clock:
    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def stop(self) -> tuple[float, float]:
        """Seconds, and seconds of the processor."""
        return time.perf_counter() - self._wall, time.process_time() - self._cpu
