"""Makes this folder's pictures and captions again, from Debian's package of openclipart.org's drawings.

    pip install --constraint constraints.txt --editable ".[corpus]"
    apt-get download openclipart-svg && dpkg -x openclipart-svg_*.deb openclipart        # no root needed
    python -m examples.clipart.build --openclipart openclipart

`drawings.list` is the choice: people looked at the drawings of the package and wrote down what those that were kept show. A drawing
is taken only where its own metadata dedicates it to the public domain, and where its title, keywords, name or folder say the
thing, too. Colors are not written down: they are measured from the pixels, as for seesay-mini (`corpus/sprites.py`), and said
where one color is clear.

A line of `drawings.list`: the drawing, what it shows, what kind of thing that is (may be empty). `{}` is where a color may
stand, ` / ` is before what is said in the longest caption only: `a {} bird / on a branch`.
"""

import argparse
import csv
import hashlib
import html
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy
import resvg_py
from corpus.sprites import clear_color, color_shares
from PIL import Image

from seesay.files import write_whole

HERE = Path(__file__).parent
SIDE, MARGIN, COLORS = 192, 6, 96
INSTALLED = Path("usr/share/openclipart/svg")
PUBLIC_DOMAIN = {"http://web.resource.org/cc/PublicDomain", "http://creativecommons.org/licenses/publicdomain/"}
UNCOLORED, GRAY, CHROMA = 0.98, 0.2, 12
"""A drawing is black and white where the first share of its pixels have channels that differ by `CHROMA` at most (of 255), and
gray covers at most the second share of it."""
WORDS = {
    "aircraft": "airplane", "anatra": "duck", "antilope": "antelope", "ape": "bees", "arbre": "tree",
    "asse": "ironing", "automobiles": "car", "baloon": "balloon", "bambina": "girl", "betoniera": "concrete",
    "biberon": "baby bottle", "bicicletta": "bicycle", "binocolo": "binoculars", "blocco": "block", "borsa": "bag",
    "borsetta": "handbag", "bottled": "bottle", "bussola": "compass", "calamita": "magnet",
    "calcolatrice": "calculator", "calzettoni": "socks", "camicia": "shirt", "cammello": "camel", "candela": "candle",
    "candy": "lollipop", "canguro": "kangaroo", "carpentiere": "carpenter", "carretta": "wheelbarrow",
    "carta": "paper", "cartella": "folder", "cassa": "cash register", "cdrom": "cd", "cestino": "wastebasket",
    "cesto": "basket", "chateau": "castle", "chevrolet": "car", "chiave": "key", "cinepresa": "movie camera",
    "ciuccio": "pacifier", "clessidra": "hourglass", "cloudy": "cloud", "cog": "gear", "colombo": "pigeon",
    "colori": "colored pencils", "compact": "cd", "condominio": "building", "coniglio": "rabbit",
    "cornetto": "croissant", "couronne": "crown", "crayon": "pencil", "croche": "musical note",
    "cronometro": "stopwatch", "dente": "tooth", "dice": "die", "dodge": "car", "donna": "woman", "dossier": "folder",
    "elefante": "elephant", "elefantone": "elephant", "engrenagem": "gears", "erlenmeyer": "flask",
    "fabbrica": "factory", "fata": "fairy", "fattoria": "farm", "ferro": "iron", "filmphoto": "film",
    "fiocco": "ribbon", "foglie": "leaves", "fotografica": "camera", "gabbiano": "seagull", "gateau": "cake",
    "gauffre": "waffle", "gelato": "ice cream", "giardinaggio": "plant", "glace": "ice cream",
    "handphone": "cell phone", "icecube": "ice cube", "imbianchino": "painter", "istogramma": "chart",
    "keyring": "keys", "knitting": "wool", "lampada": "lamp", "lana": "wool", "laserprinter": "printer",
    "lente": "magnifying glass", "leone": "lion", "lettera": "envelope", "lightbulb": "light bulb",
    "livella": "spirit level", "lock": "padlock", "lucchetto": "padlock", "lucertola": "lizard",
    "lucertolona": "lizard", "lucertolone": "lizard", "lumaca": "snail", "magnificator": "magnifying glass",
    "manuscriot": "scroll", "martellare": "hammer", "mattone": "brick", "meatgrinder": "meat grinder", "menu": "meal",
    "microscopio": "microscope", "mondo": "earth", "montacarichi": "forklift", "motosega": "chainsaw", "mucca": "cow",
    "nonno": "old man", "olifant": "elephant", "olivier": "olive", "palloncini": "balloons", "pallone": "balloon",
    "pannocchia": "corn", "pansement": "bandage", "papera": "duck", "paperbag": "paper bag",
    "paperclip": "paper clip", "parchment": "scroll", "parking": "sign", "pasteque": "watermelon",
    "pattinatrice": "ice skater", "pattinatrici": "ice skaters", "pattino": "ice skate", "pecora": "sheep",
    "pecorella": "sheep", "pennello": "brush", "pennuto": "bird", "people": "person man woman head",
    "pescetto": "fish", "phone": "telephone", "piggybank": "piggy bank", "pillole": "pills", "pinguino": "penguin",
    "pinzatrice": "stapler", "pittura": "paint", "plane": "airplane", "poltrona": "chair", "pomodori": "tomatoes",
    "portafoglio": "wallet", "principessa": "princess", "print": "footprint handprint", "proiettore": "projector",
    "provetta": "test tube", "puntine": "pins", "quaver": "musical note", "ragazza": "girl", "ragazzo": "boy",
    "ragnetto": "spider", "ramarro": "lizard", "rana": "frog", "ravanello": "radishes", "regalo": "gift",
    "rollerblades": "roller skate", "rosa": "rose", "ruota": "gear", "sand": "hourglass", "sandglass": "hourglass",
    "sapone": "soap", "scala": "ladder", "scatolone": "box", "scodella": "bowl", "scotch": "tape",
    "secchio": "bucket", "sedia": "chairs", "sega": "saw", "serratura": "lock", "shamrock": "clover",
    "signore": "man", "signorina": "woman", "signorinacappello": "woman hat", "signorinafoulard": "woman scarf",
    "siringa": "syringe", "snow": "snowflake", "sole": "sun", "spaventapasseri": "scarecrow", "sportcar": "car",
    "stacco": "lifting", "stampante": "printer", "stappler": "stapler", "stetoscopio": "stethoscope",
    "stickmen": "stick man", "struzzo": "ostrich", "sub": "diver", "tacchino": "turkey", "tavola": "chart",
    "tavolo": "table", "tavolozza": "palette", "tazza": "cup", "teiera": "teapot", "telecamera": "video camera",
    "televisore": "television", "tenda": "tent", "thongs": "sandals", "thumbs": "hand", "tigre": "tiger",
    "toadstool": "mushroom", "topo": "mouse", "toque": "hat", "torta": "cake", "tramezzino": "sandwich",
    "traslocatore": "mover", "trattore": "tractor", "trekking": "hiker", "tv": "television", "uovo": "egg",
    "vacca": "cow", "vestito": "dress", "viti": "screws", "zaino": "backpack", "zucca": "pumpkin",
}  # fmt: skip
"""Words of the metadata that are not English, or misspelled, or wider, and what they stand for."""
SMALL = set(
    "a an and at behind from full half head in into of on one out over piece slice some the three two up with".split()
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--openclipart", type=Path, default=Path("/"), help="where the package openclipart-svg is")
    parser.add_argument("--output", type=Path, default=HERE)
    arguments = parser.parse_args()
    source = arguments.openclipart / INSTALLED
    if not source.is_dir():
        raise SystemExit(f"no {source}: apt-get download openclipart-svg && dpkg -x openclipart-svg_*.deb openclipart")
    (arguments.output / "pictures").mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    seen: dict[str, str] = {}
    for drawing, phrase, kind in chosen():
        art = (source / f"{drawing}.svg").read_text(encoding="utf-8", errors="replace")
        about = metadata(art)
        if not PUBLIC_DOMAIN.issuperset(about["licences"]) or not about["licences"]:
            raise SystemExit(f"{drawing}: {about['licences']} is not the public domain")
        if not agrees(f"{phrase} {kind}", drawing, about):
            raise SystemExit(f"{drawing}: neither name, folder, title nor keywords say {phrase!r}: {about}")
        image = render(source / f"{drawing}.svg")
        content = hashlib.sha256(on_white(image).tobytes()).hexdigest()
        if content in seen:
            raise SystemExit(f"{drawing}: the same picture as {seen[content]}")
        seen[content] = drawing
        name = f"pictures/{len(rows) + 1:04}.webp"
        # Few colors without loss are smaller than lossy WebP, whose colors run over the edges of drawings.
        palette = on_white(image).quantize(COLORS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        palette.convert("RGB").save(arguments.output / name, lossless=True)
        text = captions(phrase, kind, image)
        rows.append({"file_name": name, "text": text, "drawing": drawing, "author": about["author"]})
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    write_whole(arguments.output / "metadata.jsonl", lines)
    print(f"{len(rows)} pictures, {sum(len(row['text']) for row in rows)} captions in {arguments.output}")


def chosen() -> list[tuple[str, str, str]]:
    """The lines of `drawings.list`: drawing, phrase, kind."""
    with (HERE / "drawings.list").open(encoding="utf-8", newline="") as file:
        return [(row["drawing"], row["shows"], row["kind"]) for row in csv.DictReader(file, delimiter="\t")]


def metadata(art: str) -> dict[str, Any]:
    """What the RDF in a drawing says about it: `title`, `keywords`, `author`, `licences`."""
    found = re.search(r"<(?:rdf:)?RDF.*?</(?:rdf:)?RDF>", art, re.DOTALL)
    about = found.group() if found else ""

    def texts(pattern: str) -> list[str]:
        inner = [re.sub(r"<[^>]*>", " ", text) for text in re.findall(pattern, about, re.DOTALL)]
        return [" ".join(html.unescape(text).split()) for text in inner]

    subject = re.search(r"<dc:subject.*?</dc:subject>", about, re.DOTALL)
    return {
        "title": next(iter(texts(r"<dc:title[^>]*>(.*?)</dc:title>")), ""),
        "keywords": re.findall(r"<rdf:li[^>]*>\s*([^<]*?)\s*</rdf:li>", subject.group() if subject else ""),
        # Without the mail addresses that many wrote beside their names, and what a script left in place of some names.
        "author": re.sub(r"\W*\S+@\S+|HASH\(\w+\)", "", next(iter(texts(r"<dc:creator[^>]*>(.*?)</dc:creator>")), "")),
        "licences": re.findall(r'<(?:cc:)?license\s+rdf:resource="([^"]*)"', about),
    }


def agrees(phrase: str, drawing: str, about: dict[str, Any]) -> bool:
    """Whether the drawing's name, folder, title or keywords say a word of what it is said to show."""
    known = words_in(" ".join([drawing, about["title"], *about["keywords"]]))
    known |= {word for other in known & WORDS.keys() for word in words_in(WORDS[other])}
    return not {stem(word) for word in known}.isdisjoint(map(stem, words_in(phrase) - SMALL))


def words_in(text: str) -> set[str]:
    return set(re.findall("[a-z]+", text.lower()))


def stem(word: str) -> str:
    """A word without the ending of its plural, roughly."""
    return re.sub(r"(?<=..)(?:ves|fe?|ies|y|e?s|e)$", "", word)


def render(drawing: Path) -> Image.Image:
    """The drawing as RGBA, cut to what is drawn, longest side `SIDE` less the margins.

    Pages are often much larger than what is drawn on them, so a drawing that came out small is drawn again, larger.
    Lengths in points need `dpi`: without it they are nothing.
    """
    width, wanted = 2 * SIDE, 1.5 * SIDE
    image, box = drawn(drawing, width)
    longest = max(box[2] - box[0], box[3] - box[1])
    if longest < wanted:
        image, box = drawn(drawing, min(3000, int(width * 2 * SIDE / longest)))
    image = image.crop(box)
    image.thumbnail((SIDE - 2 * MARGIN, SIDE - 2 * MARGIN), Image.Resampling.LANCZOS)
    return image


def drawn(drawing: Path, width: int) -> tuple[Image.Image, tuple[int, int, int, int]]:
    image = Image.open(io.BytesIO(resvg_py.svg_to_bytes(svg_path=str(drawing), width=width, dpi=96))).convert("RGBA")
    box = image.getchannel("A").point(lambda alpha: 255 * (alpha > 8)).getbbox()
    if box is None:
        raise SystemExit(f"{drawing}: nothing is drawn")
    return image, box


def on_white(image: Image.Image) -> Image.Image:
    canvas = Image.new("RGB", (image.width + 2 * MARGIN, image.height + 2 * MARGIN), "white")
    canvas.paste(image, (MARGIN, MARGIN), image)
    return canvas


def captions(phrase: str, kind: str, image: Image.Image) -> list[str]:
    """One to three sentences, the longest first: with color and detail, the thing alone, its kind."""
    pixels = numpy.asarray(image)
    shares = color_shares(pixels[..., :3], pixels[..., 3])
    gray = shares.get("gray", 0.0)
    opaque = pixels[pixels[..., 3] > 128][:, :3].astype(int)
    colorful = float((numpy.ptp(opaque, axis=1) > CHROMA).mean())
    uncolored = gray <= GRAY and colorful <= 1 - UNCOLORED
    color = "" if uncolored else clear_color(shares)
    style = "black and white drawing" if uncolored else "drawing"
    thing, _, detail = phrase.partition(" / ")
    sentences = [f"A {style} of {with_color(thing, color)}{' ' * bool(detail)}{detail}."]
    sentences += [f"A drawing of {what}." for what in (with_color(thing, ""), kind) if what]
    return list(dict.fromkeys(sentences))


def with_color(thing: str, color: str) -> str:
    """The color in the place of `{}`, and "a" or "an" as the next word wants it."""
    text = " ".join(thing.format(color).split())
    article, _, rest = text.partition(" ")
    vowel = rest.startswith(("a", "e", "i", "o", "u", "hour")) and not rest.startswith("uni")
    return f"{'an' if vowel else 'a'} {rest}" if article in ("a", "an") else text


if __name__ == "__main__":
    main()
