"""Finding pictures by a question: 5,000 composed pictures with known contents, in a style that no weight saw.

    python -m corpus --cache runs/corpus/packages fetch      # once: the art
    python -m benchmarks retrieval                           # or with SEESAY_CORPUS_CACHE=folder of the art

Pictures are those of the test split of the corpus; where they are not there (SEESAY_CORPUS names their folder) they are composed
first, the same ones from the same seed. The index stays beside them, so that a run that was stopped goes on.

The questions are "is there a ...?" for 60 names drawn at random of those that at least 8 pictures show, that were not asked for
when scores were calibrated (corpus/presence.py has the other half of the names, and other pictures), and that nobody looked
at while the ranking was made. A picture is right where it shows the thing or a kind of it.
Intervals are 95 %, over questions. Categories are given apart: they are few, and were looked at.
"""

import json
import os
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy
from corpus import build, presence, wordnet

from seesay.metrics.bootstrap import interval
from seesay.models import load
from seesay.models.mini.words import a
from seesay.search import Store, rarity, refresh
from seesay.search.find import MORE_LIKELY_THAN_NOT, Judge
from seesay.search.shortlist import shortlist
from seesay.settings import FindSettings, ModelSettings
from seesay.types import Example

CACHE = Path(os.environ.get("SEESAY_CORPUS_CACHE", "runs/corpus/packages"))
CORPUS = Path(os.environ.get("SEESAY_CORPUS", "runs/corpus/data"))
SEED = 7
PICTURES, NAMES, CATEGORIES, LEAST = 5_000, 60, 6, 8
SHORTLIST = (500, 1_000)
GROUP, GROUPS, ASKED_OF_FILES = 64, 4, 4
"""Pictures that are asked about over the index and then from their files, how often in turn, and how many questions; the first
question is not counted."""
WANTED = (0.3, 0.4, 0.5, 0.6)
LOOKED_AT = frozenset(
    """sun,piano keyboard,baguette,saxophone,green apple,plunger,camping,falafel,game controller,diving mask,bouquet,soap,shark,
    red apple,tulip,fan,ice hockey stick,hammer and pick,nest with eggs,chain,olive,crossed swords,horse,bikini,moon with a face,
    coin,banana,pine decoration,window,castle,scarf,sari,blackbird,roller skate,gravestone,lion""".replace(
        "\n    ", ""
    ).split(",")
)
"""Names that were asked for while the ranking was made."""
Array = numpy.ndarray[Any, Any]


def measure(pictures: int = PICTURES, names: int = NAMES) -> dict[str, object]:
    started = time.perf_counter()
    facts = wordnet.facts(CACHE)
    if not (CORPUS / "test.objects.jsonl").exists():
        for _ in build.build(CACHE, CORPUS, {"test": build.FULL["test"]}, SEED, os.cpu_count() or 1):
            pass
    composed = time.perf_counter() - started
    rows = [json.loads(line) for line in (CORPUS / "test.objects.jsonl").open()]
    rows = [rows[place] for place in numpy.sort(numpy.random.default_rng(5).permutation(len(rows))[:pictures])]
    shown = {str((CORPUS / row["image"]).resolve()): presence.shown(row, facts) for row in rows}
    # Kept beside the pictures: a run that was stopped goes on where it was.
    manifest, path = CORPUS / "retrieval.txt", CORPUS / "retrieval.seesay"
    manifest.write_text("".join(f"{picture}\n" for picture in shown))
    store = Store(path, create=True)
    timed = _Clock()
    report = refresh(store, load(ModelSettings()), [manifest], 16, lambda done, total: None)
    encoding = timed.stop()
    ids, paths = store.pictures(), store.paths_of(store.pictures())
    first = [paths[picture][0] for picture in ids]
    truth = [shown[picture] for picture in first]
    drawn, categories = _names(truth, facts, names)
    files = _against_files(store, ids, first, drawn)
    found = _search(store, ids, truth, drawn)
    of_categories = _search(store, ids, truth, categories)
    store.close()
    return {
        "pictures": len(ids),
        "questions": len(drawn),
        "seconds": round(time.perf_counter() - started),
        "composing": {"seconds": round(composed)},
        "index": {
            "encoded_in_this_run": report.encoded,
            "seconds": round(encoding[0], 1),
            "cpu_seconds": round(encoding[1], 1),
            "bytes_a_picture": round(path.stat().st_size / len(ids)),
        },
        **files,
        **found,
        "categories": of_categories,
    }


def _names(shown: Sequence[set[str]], facts: dict[str, Any], names: int) -> tuple[list[str], list[str]]:
    count = Counter(name for there in shown for name in there)
    categories = [c for c in dict.fromkeys(fact["category"] for fact in facts.values()) if c and count[c] > 50]
    known = [
        name
        for name in presence.names_of(shown, facts, LEAST)
        if not presence.first_half(name) and name not in LOOKED_AT
    ]
    drawn = numpy.random.default_rng(21).choice(known, min(names, len(known)), replace=False)
    return list(map(str, drawn)), categories[:CATEGORIES]


def _search(store: Store, pictures: list[int], truth: Sequence[set[str]], names: Sequence[str]) -> dict[str, object]:
    family = load(ModelSettings())
    seen = _seen(family, store, pictures)
    vectors = store.vectors()
    rows: list[dict[str, Any]] = []
    for name in names:
        right = numpy.array([name in there for there in truth])
        judge = Judge(store, family, f"is there {a(name)}?", FindSettings().batch_size, lambda done: None)
        timed = _Clock()
        odds = judge.ask(pictures)
        seconds, cpu = timed.stop()
        row: dict[str, Any] = {"name": name, "pictures": int(right.sum()), "seconds": seconds, "cpu_seconds": cpu}
        row["embedding"] = _average_precision(numpy.array([_hinted(family, name, one) for one in seen]), right)
        row["all"] = _average_precision(odds, right)
        chances = rarity.probabilities(numpy.array(family.likelihood_ratios(odds.tolist())), len(odds))
        row["at default"] = _at(chances >= MORE_LIKELY_THAN_NOT, right)
        for wanted in WANTED:
            limit = rarity.threshold(chances, family.demand(wanted))
            row[f"at {wanted}"] = _at(chances >= limit, right)
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
    """The same questions over the index and from the files, in turns: how long, and whether the answers are the same."""
    some = numpy.random.default_rng(2).permutation(len(pictures))[: GROUP * GROUPS].tolist()
    kept, opened = load(ModelSettings()), load(ModelSettings())
    times: dict[str, list[tuple[float, float]]] = {"index": [], "files": []}
    differences: list[float] = []
    other = 0
    questions = [f"is there {a(name)}?" for name in names[:ASKED_OF_FILES]]
    for question in questions:
        for start in range(0, len(some), GROUP):
            group = some[start : start + GROUP]
            timed = _Clock()
            from_index = Judge(store, kept, question, GROUP, lambda done: None).ask([pictures[i] for i in group])
            over_index = timed.stop()
            timed = _Clock()
            from_files: list[float] = []
            for part in range(0, len(group), 16):
                examples = [Example((paths[i],), question) for i in group[part : part + 16]]
                from_files += opened.log_odds(opened.prepare(examples), "yes", "no")
            over_files = timed.stop()
            if question != questions[0]:
                times["index"].append(over_index)
                times["files"].append(over_files)
            differences += numpy.abs(_sigmoid(from_index) - _sigmoid(numpy.array(from_files))).tolist()
            other += int(((from_index > 0) != (numpy.array(from_files) > 0)).sum())
    wall, cpu = (
        {way: 1e3 * statistics.median(one[kind] for one in each) / GROUP for way, each in times.items()}
        for kind in (0, 1)
    )
    return {
        "against_files": {
            "pictures": len(some),
            "questions": questions,
            "turns": len(times["index"]),
            "ms_a_picture": {way: round(value, 3) for way, value in wall.items()},
            "cpu_ms_a_picture": {way: round(value, 3) for way, value in cpu.items()},
            "times_faster": round(wall["files"] / wall["index"], 1),
            "times_less_cpu": round(cpu["files"] / cpu["index"], 1),
            "other_answers": other,
            "largest_difference_of_a_score": max(differences),
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
