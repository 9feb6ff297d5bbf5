"""`seesay check hf:OWNER/NAME`: the real client of the Hub and `datasets` read captioned pictures from a Hub on this machine."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest

Check = Callable[[str, int], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def check(
    tmp_path_factory: pytest.TempPathFactory, caption_sets: ModuleType, hub_of_data: ModuleType
) -> Iterator[Check]:
    """Sets of `image` and `text`, as lambdalabs/pokemon-blip-captions has them: as files, and behind loading scripts."""
    import datasets

    folder = tmp_path_factory.mktemp("hub")
    features = datasets.Features({"image": datasets.Image(), "text": datasets.Value("string")})
    content = {}
    for split, pictures in caption_sets.CAPTIONS.items():
        drawn = [caption_sets.draw(folder / f"{color}.png").read_bytes() for color in pictures]
        captions = [said[0] for said in pictures.values()]
        rows = [{"image": {"bytes": b, "path": None}, "text": t} for b, t in zip(drawn, captions, strict=True)]
        datasets.Dataset.from_list(rows, features=features).to_parquet(folder / f"{split}.parquet")
        content[split] = (folder / f"{split}.parquet").read_bytes()
    files = {f"data/{split}-00000-of-00001.parquet": table for split, table in content.items()}
    converted = {f"default/{split}/0000.parquet": table for split, table in content.items()}
    repositories = {
        "jane/cards": {"main": {"README.md": b"---\nlicense: mit\n---\n", **files}},
        "jane/old": {"main": {"old.py": b"import datasets\n"}, "refs/convert/parquet": converted},
        "jane/lost": {"main": {"lost.py": b"import datasets\n"}},
    }
    with hub_of_data.HubOfData(repositories) as hub:
        environment = {**hub.environment(folder / "home"), "OMP_NUM_THREADS": "1"}

        def run(name: str, code: int) -> subprocess.CompletedProcess[str]:
            words = [sys.executable, "-m", "seesay", "check", f"hf:{name}", "--validation-fraction", "0.3", "--json"]
            done = subprocess.run(words, capture_output=True, text=True, env=environment, timeout=120, cwd=folder)
            assert done.returncode == code, done.stderr
            assert "Traceback" not in done.stderr
            assert str(folder) not in done.stderr
            return done

        yield run


@pytest.mark.parametrize("name", ["jane/cards", "jane/old"])
def test_captions_and_pictures_of_the_hub_are_read(name: str, check: Check) -> None:
    done = check(name, 0)
    assert done.stderr == ""
    report = json.loads(done.stdout)
    assert report["format"] == "datasets"
    counts = {split: (found["rows"], found["captions"]["captions"]) for split, found in report["splits"].items()}
    assert counts["test"] == (2, 2)
    assert sum(rows for rows, _ in counts.values()) == 6
    assert [problem for problem in report["problems"] if problem["fatal"]] == []


@pytest.mark.parametrize(
    ("name", "said"),
    [("jane/lost", "a loading script, which datasets no longer runs"), ("jane/nothing", "no such data set on the Hub")],
)
def test_what_cannot_be_read_is_told_with_what_to_do(name: str, said: str, check: Check) -> None:
    done = check(name, 3)
    assert said in done.stderr
    assert "hint: " in done.stderr
