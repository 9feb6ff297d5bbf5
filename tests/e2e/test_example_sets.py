"""The caption sets under examples/: the loader of Tux Paint's stamps on a made package, and the clip art that is committed.

The clip art is held to what its README says: pictures that open, clean sentences, a licence, no more than 4 MB, several
pictures of a thing. Whether a sentence is true was looked at by people; no test here knows.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

ROOT = Path(__file__).parents[2]
CLIPART = ROOT / "examples/clipart"
LOADER = ROOT / "examples/tuxpaint_captions.py"
ENVIRONMENT = {**os.environ, "PYTHONWARNINGS": "error", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
SENTENCE = re.compile(r"A (black and white )?drawing of (a|an|the|some|half|two|three) [A-Za-z0-9' -]+\.")


def run(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, words)], capture_output=True, text=True, env=ENVIRONMENT, timeout=200
    )


def stamp(root: Path, name: str, text: str, ending: str = ".png") -> None:
    """A stamp as the package has it: a picture with transparency, a text in many languages, what the program must not do."""
    picture = root / f"{name}{ending}"
    picture.parent.mkdir(parents=True, exist_ok=True)
    if ending == ".svg":
        box = '<rect x="20" y="5" width="30" height="15" fill="#00f"/>'
        # Lengths in points, as most of the package's vector art has them.
        picture.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" width="75pt" height="60pt">{box}</svg>')
    else:
        image = Image.new("RGBA", (900, 500), (0, 0, 0, 0))
        ImageDraw.Draw(image).ellipse((100, 100, 799, 399), fill=(255, 0, 0, 255))
        image.save(picture)
    picture.with_suffix(".txt").write_text(f"{text}\nde.utf8=Ein Ding.\nnl.utf8=Een ding.\n", encoding="utf-8")
    picture.with_suffix(".dat").write_text("noflip\n")


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `dpkg -x` makes of a small package of stamps."""
    folder = tmp_path_factory.mktemp("unpacked")
    root = folder / "usr/share/tuxpaint/stamps"
    stamp(root, "food/apple", "A  red\tapple. ")
    stamp(root, "animals/train/birds/crow", "\ufeffA crow.")
    stamp(root, "town/silent", "")
    Image.new("RGBA", (20, 20), "red").save(root / "food/apple_mirror.png")
    (root / "food/gift.txt").write_text("A gift.\n")
    for number in range(140):
        stamp(root, f"symbols/letters/{number:03}", f"The letter {number}.")
    return folder


def test_stamps_become_an_image_folder(unpacked: Path, tmp_path: Path) -> None:
    done = run(LOADER, "--stamps", unpacked, "--output", tmp_path / "set")
    assert (done.returncode, done.stderr) == (0, "")
    rows = [json.loads(line) for line in (tmp_path / "set/metadata.jsonl").read_text().splitlines()]
    assert [(row["stamp"], row["text"]) for row in rows[:2]] == [
        ("animals/train/birds/crow", "A crow."),
        ("food/apple", "A red apple."),
    ]
    assert [row["stamp"] for row in rows[2:]] == [f"symbols/letters/{number:03}" for number in range(132)]
    assert "134 pictures" in done.stdout
    # A name such as "train" in a path makes a split of it in other readers.
    assert all(re.fullmatch(r"\d+\.png", row["file_name"]) for row in rows)


def test_stamps_stand_on_white_cut_to_what_is_drawn(unpacked: Path, tmp_path: Path) -> None:
    # The folder of stamps itself serves as well as the one that the package was unpacked into.
    assert run(LOADER, "--stamps", unpacked / "usr/share/tuxpaint/stamps", "--output", tmp_path).returncode == 0
    with Image.open(tmp_path / "0002.png") as image:
        assert image.mode == "RGB"
        assert image.size == (384, 174)
        assert image.getpixel((0, 0)) == (255, 255, 255)
        assert image.getpixel((192, 87)) == (255, 0, 0)


def test_vector_art_is_drawn_large(tmp_path: Path) -> None:
    pytest.importorskip("resvg_py")
    # Where there are both, the vector art is taken: bitmaps beside it are small.
    stamp(tmp_path / "in", "shapes/box", "A box.")
    stamp(tmp_path / "in", "shapes/box", "A box.", ending=".svg")
    done = run(LOADER, "--stamps", tmp_path / "in", "--output", tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, "")
    with Image.open(tmp_path / "out/0001.png") as image:
        # 768 x 614 for the page of 75 x 60 points; the box is 0.3 of it wide.
        assert 240 <= image.width <= 250
        assert image.getpixel((image.width // 2, image.height // 2)) == (0, 0, 255)


def test_training_reads_the_stamps(unpacked: Path, tmp_path: Path) -> None:
    assert run(LOADER, "--stamps", unpacked, "--output", tmp_path / "set").returncode == 0
    done = run("-m", "seesay", "check", tmp_path / "set", "--json")
    assert "error" not in done.stderr.lower()
    report = json.loads(done.stdout)
    assert sum(split["rows"] for split in report["splits"].values()) == 134


@pytest.mark.parametrize("made", [True, False])
def test_without_stamps_it_says_how_to_get_them(tmp_path: Path, made: bool) -> None:
    folder = tmp_path / "stamps"
    if made:
        folder.mkdir()
    done = run(LOADER, "--stamps", folder, "--output", tmp_path / "set")
    assert done.returncode == 1
    assert str(folder) in done.stderr
    assert "sudo apt-get install tuxpaint-stamps-default" in done.stderr
    assert "apt-get download tuxpaint-stamps-default && dpkg -x" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "set").exists()


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (CLIPART / "metadata.jsonl").read_text(encoding="utf-8").splitlines()]


def test_every_picture_of_the_clip_art_opens_and_none_is_there_twice(rows: list[dict[str, Any]]) -> None:
    names = [str(row["file_name"]) for row in rows]
    assert sorted(names) == sorted(path.relative_to(CLIPART).as_posix() for path in (CLIPART / "pictures").iterdir())
    seen = set()
    for name in names:
        with Image.open(CLIPART / name) as image:
            assert max(image.size) <= 192
            assert min(image.size) >= 16
            assert image.convert("RGB").getpixel((0, 0)) == (255, 255, 255)
            seen.add(hashlib.sha256(image.convert("RGB").tobytes()).digest())
    assert len(seen) == len(names)


def test_every_caption_of_the_clip_art_is_a_clean_sentence(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        captions = row["text"]
        assert isinstance(captions, list)
        assert 1 <= len(captions) == len(set(captions)) <= 3
        for caption in captions:
            assert SENTENCE.fullmatch(caption), caption
            assert 4 <= len(caption.split()) <= 16, caption
            assert not re.search(r"\ba (?:[aeio]|hour)|\ban [^aeioh]|  | \.", caption), caption
        # What follows the first says less, in words that stand there already; the kind of thing, if any, comes last.
        first, *others = [set(caption.rstrip(".").split()) - {"a", "an"} for caption in captions]
        assert all(words <= first for words in others[:-1])


def test_the_clip_art_has_several_pictures_of_a_thing(rows: list[dict[str, Any]]) -> None:
    lines = (CLIPART / "drawings.list").read_text(encoding="utf-8").splitlines()[1:]
    things = Counter(line.split("\t")[1].partition(" / ")[0].replace("{} ", "") for line in lines)
    assert [line.split("\t")[0] for line in lines] == [row["drawing"] for row in rows]
    assert min(things.values()) >= 2
    assert len(rows) / len(things) >= 3


def test_the_clip_art_is_small_and_free(rows: list[dict[str, Any]]) -> None:
    assert sum(path.stat().st_size for path in CLIPART.rglob("*") if path.is_file()) < 4_000_000
    readme = (CLIPART / "README.md").read_text(encoding="utf-8")
    assert "public domain" in readme
    assert "openclipart-svg" in readme
    assert f"{len(rows)} pictures" in readme
    assert f"{sum(len(row['text']) for row in rows):,} captions" in readme
    assert all(row["drawing"] for row in rows)
    assert not any("@" in str(row["author"]) for row in rows)


def test_training_reads_the_clip_art(rows: list[dict[str, Any]]) -> None:
    done = run("-m", "seesay", "check", CLIPART, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert sum(split["rows"] for split in report["splits"].values()) == len(rows)
    assert sum(split["pictures"] for split in report["splits"].values()) == len(rows)
    assert report["shared_pictures"] == 0


def test_a_color_is_said_where_one_is_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("resvg_py")
    monkeypatch.syspath_prepend(str(ROOT))
    from examples.clipart import build

    def square(*colors: str) -> Image.Image:
        image = Image.new("RGBA", (60, 20 * len(colors)), (0, 0, 0, 0))
        for place, color in enumerate(colors):
            ImageDraw.Draw(image).rectangle((0, 20 * place, 59, 20 * place + 19), fill=color)
        return image

    assert build.captions("a {} owl / on a branch", "a bird", square("#77b255")) == [
        "A drawing of a green owl on a branch.",
        "A drawing of an owl.",
        "A drawing of a bird.",
    ]
    assert build.captions("a {} owl", "", square("black", "white")) == [
        "A black and white drawing of an owl.",
        "A drawing of an owl.",
    ]
    assert build.captions("some {} leaves", "", square("red", "blue")) == ["A drawing of some leaves."]
    assert build.captions("a hat", "", square("red")) == ["A drawing of a hat."]


def test_a_drawing_is_taken_only_where_its_metadata_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("resvg_py")
    monkeypatch.syspath_prepend(str(ROOT))
    from examples.clipart import build

    art = """<svg><metadata><rdf:RDF><cc:Work><dc:title>Gatto &amp; cane</dc:title>
        <dc:subject><rdf:Bag><rdf:li>pets</rdf:li></rdf:Bag></dc:subject>
        <dc:creator><cc:Agent><dc:title>Ann Example (ann@example.org)</dc:title></cc:Agent></dc:creator>
        <cc:license rdf:resource="http://web.resource.org/cc/PublicDomain"/></cc:Work></rdf:RDF></metadata></svg>"""
    about = build.metadata(art)
    assert about == {
        "title": "Gatto & cane",
        "keywords": ["pets"],
        "author": "Ann Example",
        "licences": ["http://web.resource.org/cc/PublicDomain"],
    }
    assert build.agrees("a {} pet", "animals/x_01", about)
    assert build.agrees("two {} leaves", "plants/leaf_01", about)
    assert build.agrees("a {} frog", "animals/rana_01", about), "Italian names count"
    assert not build.agrees("a {} hat / with a feather", "animals/x_01", about)
