"""`python -m corpus`: from nothing to the weights that the package carries, one step after another.

    python -m corpus all --minutes 40        # about two hours on two cores
    python -m corpus fetch | pictures | rows | features | words | train | export | measure

Steps that are done are not done again; `train` goes on from its last checkpoint. See corpus/README.md.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import click

from . import build, concepts, sources, wordnet


@click.group()
@click.option(
    "--cache", type=Path, default=Path("runs/corpus/packages"), help="Fetched packages and rendered drawings."
)
@click.option("--folder", type=Path, default=Path("runs/corpus/data"), help="The corpus.")
@click.option("--run", type=Path, default=Path("runs/corpus/mini"), help="The run that is trained.")
@click.option("--seed", default=7)
@click.option("--processes", default=2)
@click.pass_context
def main(context: click.Context, **given: object) -> None:
    """Build the corpus, train and measure `seesay-mini`."""
    context.obj = given
    for name in ("cache", "folder", "run"):
        Path(str(given[name])).mkdir(parents=True, exist_ok=True)


@main.command()
@click.pass_obj
def fetch(given: dict) -> None:
    """Packages from public registries."""
    sources.fetch(given["cache"])


@main.command()
@click.pass_obj
def pictures(given: dict) -> None:
    """Render the art and compose the pictures."""
    _watch("pictures", build.build(given["cache"], given["folder"], build.FULL, given["seed"], given["processes"]))


@main.command()
@click.pass_obj
def rows(given: dict) -> None:
    """Questions and answers."""
    for split in build.SPLITS:
        print(split, build.ask(given["cache"], given["folder"], split, given["seed"]), "rows", flush=True)


@main.command()
@click.pass_obj
def words(given: dict) -> None:
    """The tokenizer and the encoder's class names."""
    from seesay.models.mini.tokenizer import Tokenizer

    from .questions import BEYOND

    tree = wordnet.hierarchy(given["cache"])
    classes = tree.classes()
    known = concepts.load(given["cache"])
    names = sorted({*known, *(c.name for c in classes)})
    texts = list(BEYOND)
    for split in ("train", "validation"):
        with (given["folder"] / f"{split}.jsonl").open() as lines:
            texts += {
                text
                for line in lines
                for row in [json.loads(line)]
                for text in (row.get("question", ""), row.get("answer", ""), row.get("caption", ""))
            }
    tokenizer = Tokenizer.build(names, texts, tree.synonyms())
    tokenizer.save(given["run"] / "tokenizer.json")
    (given["run"] / "classes.json").write_text(json.dumps([asdict(c) for c in classes]), encoding="utf-8")
    (given["run"] / "concepts.json").write_text(json.dumps(wordnet.facts(given["cache"]), indent=0), encoding="utf-8")
    print(len(tokenizer), "tokens,", len(names), "names,", len(tokenizer.words), "words")


@main.command()
@click.pass_obj
def features(given: dict) -> None:
    """Features of all pictures under the frozen encoder."""
    from . import export
    from . import features as feature_files

    encoder = export.encoder(given["run"])
    _watch("features", feature_files.compute(given["folder"], encoder, list(build.SPLITS), given["processes"]))


@main.command()
@click.option("--minutes", default=40.0)
@click.pass_obj
def train(given: dict, minutes: float) -> None:
    """Train the decoder."""
    from . import export
    from . import train as training

    settings = training.Settings(minutes=minutes, seed=given["seed"], threads=given["processes"])
    training.train(given["folder"], given["run"], export.encoder_weights(), settings)


@main.command(name="all")
@click.option("--minutes", default=75.0)
@click.pass_context
def everything(context: click.Context, minutes: float) -> None:
    """All steps up to what the package carries; those that are done are skipped."""
    run, folder = context.obj["run"], context.obj["folder"]
    steps = ((fetch, None), (pictures, folder / "new.objects.jsonl"), (rows, folder / "new.jsonl"),
             (words, run / "concepts.json"), (features, folder / "train.features"))  # fmt: skip
    for step, made in steps:
        if made is None or not made.exists():
            context.invoke(step)
    context.invoke(train, minutes=minutes)
    context.invoke(export)


PACKAGE = Path(__file__).parent.parent / "src/seesay/models/mini/data"


@main.command()
@click.option("--rows", default=6000)
@click.pass_obj
def export(given: dict, rows: int) -> None:
    """Write what the package carries, and fit its calibration."""
    from . import export as exporting
    from . import measure as measuring

    exporting.runtime(given["run"], PACKAGE)
    print(json.dumps(measuring.calibrate(given["folder"], PACKAGE, rows)))
    _presence(given)


@main.command()
@click.pass_obj
def presence(given: dict) -> None:
    """Fit what a yes means among many pictures, beside the calibration."""
    _presence(given)


def _presence(given: dict) -> None:
    from . import presence as measuring

    told = time.monotonic()

    def tell(what: str) -> None:
        nonlocal told
        if time.monotonic() - told > 20:
            told = time.monotonic()
            print(f"presence: {what}", flush=True)

    facts = wordnet.facts(given["cache"])
    print(json.dumps(measuring.calibrate(given["folder"], PACKAGE, facts, given["processes"], tell)))


@main.command()
@click.option("--model", default="seesay-mini")
@click.option("--rows", default=0, help="Questions of the test split; 0 asks all.")
@click.option(
    "--stamps", type=Path, default=None, help="Folder of Tux Paint's stamps (Debian: tuxpaint-stamps-default)."
)
@click.option("--output", type=Path, default=Path("benchmarks/results/mini.json"))
@click.pass_obj
def measure(given: dict, model: str, rows: int, stamps: Path | None, output: Path) -> None:
    """Measure on the style never seen, on concepts never seen, and on photographs."""
    from . import measure as measuring

    facts = json.loads((given["run"] / "concepts.json").read_text())
    found = {split: measuring.test(given["folder"], model, split, rows, facts) for split in ("test", "new")}
    if stamps is not None:
        found["photographs"] = measuring.photographs(stamps, model, wordnet.hierarchy(given["cache"]))
    output.write_text(
        json.dumps({"commit": measuring.commit(), "command": "python -m corpus measure", **found}, indent=1)
    )
    print(json.dumps(found, indent=1))


def _watch(what: str, steps: Iterable[tuple[int, int]]) -> None:
    started = told = time.monotonic()
    for done, total in steps:
        if time.monotonic() - told > 20 or done == total:
            told = time.monotonic()
            left = (told - started) / done * (total - done)
            print(f"{what}: {done:,} of {total:,}, {left / 60:.1f} min left", flush=True)


if __name__ == "__main__":
    main()
