"""833 pictures with a sentence each, made from Tux Paint's stamps: a caption set of the size of the guide's own.

    pip install seesay resvg-py
    apt-get download tuxpaint-stamps-default && dpkg -x tuxpaint-stamps-default_*.deb stamps       # no root needed
    python examples/tuxpaint_captions.py --stamps stamps --output data/tuxpaint
    seesay train caption --data data/tuxpaint --test-fraction 0.1

All stamps that are not symbols (701 in version 2022.06.04) and the first 132 symbols in the order of their paths. The package is
under the GPL, single stamps under the GFDL or CC BY-SA: it is read where it is installed, and what this writes is yours to use
at home, not part of seesay. The sentences are the package's: some say more than the picture shows, and twins share a sentence.
"""

import argparse
import io
import json
import sys
from pathlib import Path

from PIL import Image

from seesay.files import write_whole

SYMBOLS = 132
SIDE = 384
"""Longest side in pixels; bitmaps that are smaller stay as they are."""
MARGIN = 8
"""White pixels around what is drawn."""
INSTALLED = Path("usr/share/tuxpaint/stamps")
HOW_TO_GET = f"""the stamps are in Debian's package tuxpaint-stamps-default (161 MB). Either
    sudo apt-get install tuxpaint-stamps-default                        # then they are in /{INSTALLED}
or, without root,
    apt-get download tuxpaint-stamps-default && dpkg -x tuxpaint-stamps-default_*.deb stamps       # then give --stamps stamps"""


def stamps_in(folder: Path) -> dict[str, tuple[Path, str]]:
    """The picture and the English sentence of each stamp of the set, by its path: things first, then symbols, each in order.

    `folder` is the folder of stamps, or the one that the package was unpacked into. Mirrored twins have no text file of
    their own and are left out, as are texts without a picture. Where a stamp has both, the vector art is taken.
    """
    root = folder / INSTALLED if (folder / INSTALLED).is_dir() else folder
    found = {}
    for text in root.rglob("*.txt"):
        picture = next((path for ending in (".svg", ".png") if (path := text.with_suffix(ending)).is_file()), None)
        sentence = english(text)
        if picture is not None and sentence:
            found[text.relative_to(root).with_suffix("").as_posix()] = picture, sentence
    names = sorted(found)
    symbols = [name for name in names if name.startswith("symbols/")]
    return {name: found[name] for name in [*(name for name in names if name not in symbols), *symbols[:SYMBOLS]]}


def english(text: Path) -> str:
    """The sentence of a stamp: what stands before the first translation (`nl.utf8=Een appel.`)."""
    words: list[str] = []
    for line in text.read_text(encoding="utf-8-sig", errors="replace").splitlines():
        if ".utf8=" in line:
            break
        words += line.split()
    return " ".join(words)


def on_white(picture: Path) -> Image.Image:
    """The picture as RGB on white, cut to what is drawn, its longest side at most `SIDE`."""
    if picture.suffix == ".svg":
        image = rendered(picture)
    else:
        with Image.open(picture) as opened:
            image = opened.convert("RGBA")
    image = image.crop(image.getchannel("A").point(lambda alpha: 255 * (alpha > 8)).getbbox() or (0, 0, *image.size))
    image.thumbnail((SIDE - 2 * MARGIN, SIDE - 2 * MARGIN), Image.Resampling.LANCZOS)
    canvas = Image.new("RGB", (image.width + 2 * MARGIN, image.height + 2 * MARGIN), "white")
    canvas.paste(image, (MARGIN, MARGIN), image)
    return canvas


def rendered(picture: Path) -> Image.Image:
    """Vector art at twice the size of the set, whatever size it names itself. Without `dpi`, lengths in points are nothing."""
    try:
        import resvg_py
    except ImportError:
        sys.exit("error: some stamps are vector art, which resvg-py draws; pip install resvg-py")
    own = Image.open(io.BytesIO(resvg_py.svg_to_bytes(svg_path=str(picture), dpi=96)))
    longest = "width" if own.width >= own.height else "height"
    art = resvg_py.svg_to_bytes(svg_path=str(picture), dpi=96, **{longest: 2 * SIDE})
    return Image.open(io.BytesIO(art)).convert("RGBA")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stamps", type=Path, default=Path("/", INSTALLED), help="where the package's stamps are")
    parser.add_argument("--output", type=Path, default=Path("data/tuxpaint"), help="a folder that is made")
    arguments = parser.parse_args()
    stamps = stamps_in(arguments.stamps)
    if not stamps:
        sys.exit(f"error: no stamps in {str(arguments.stamps)!r}; {HOW_TO_GET}")
    arguments.output.mkdir(parents=True, exist_ok=True)
    rows = []
    # Numbers, because readers of image folders take words such as "train" in a file's name for a split.
    for number, (stamp, (picture, sentence)) in enumerate(stamps.items(), start=1):
        name = f"{number:04}.png"
        on_white(picture).save(arguments.output / name)
        rows.append({"file_name": name, "text": sentence, "stamp": stamp})
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    write_whole(arguments.output / "metadata.jsonl", text)
    print(f"{len(rows)} pictures with a sentence each in {arguments.output}")


if __name__ == "__main__":
    main()
