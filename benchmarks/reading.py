"""Reading rendered signs: how many characters are right, and how long a picture takes on one core.

Fifty signs in three fonts (DejaVu Sans, DejaVu Serif, DejaVu Sans Mono, which come with matplotlib), of varied sizes,
colours and backgrounds, a little turned, seen at an angle and noisy, all by a fixed seed. They are drawn, so they say
nothing about photographs of faded or curved lettering.

Accuracy is 1 - edit distance / length, over all signs together, spaces and line breaks included.
"""

import json
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import matplotlib
import numpy
from PIL import Image, ImageDraw, ImageFont

SEED = 7
SIGNS = 50
COLD_ROUNDS = 5
FONTS = ("DejaVuSans.ttf", "DejaVuSerif.ttf", "DejaVuSansMono.ttf")
TEXTS = (
    "EMERGENCY EXIT",
    "Opening hours\nMon - Fri 9:00 - 17:30\nSat 10:00 - 14:00",
    "No parking\nbetween 8 am and 6 pm",
    "Best before\n12/05/2027",
    "Call us: (555) 201-4478",
    "Fresh bread\n$3.50 a loaf",
    "Platform 9\nTrains to Bristol",
    "Take one tablet twice a day\nwith a glass of water",
    "info@northwind-books.org",
    "www.harbour-museum.org",
    "PUSH",
    "Room 214",
    "Caution: wet floor",
    "Total 48.95 EUR\nThank you for your visit",
    "Ingredients: sugar, cocoa butter,\nmilk powder, salt",
    "Flight BA 2490\nGate closes 18:45",
    "Please keep off the grass",
)
COLOURS = (
    ("white", "black"),
    ("#1a4f8b", "white"),
    ("#ffd200", "#202020"),
    ("#0b6b3a", "#f4f4e8"),
    ("#b3261e", "white"),
    ("#d9d4c7", "#3a2f28"),
    ("#7a7a7a", "#f0f0f0"),
)


def measure() -> dict[str, object]:
    """Runs in a process of its own that may use one core only, so that the figures are those of one core."""
    words = [sys.executable, "-c", "from benchmarks.reading import measure_here; measure_here()"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    result: dict[str, object] = json.loads(done.stdout)
    return {**result, "cold": _cold()}


def measure_here() -> None:
    """Accuracy and the seconds of a warm engine, printed as JSON."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    import seesay

    signs = [sign(index) for index in range(SIGNS)]
    seesay.read(signs[0][0])
    rows = []
    for picture, text, font in signs:
        started, busy = time.perf_counter(), time.process_time()
        read = seesay.read(picture).text
        seconds = (time.perf_counter() - started, time.process_time() - busy)
        rows.append((font, len(text), edit_distance(text, read), *seconds, text, read))
    of_font = {font: _accuracy([row for row in rows if row[0] == font]) for font in FONTS}
    result = {
        "signs": SIGNS,
        "characters": sum(row[1] for row in rows),
        "character_accuracy": _accuracy(rows),
        "of_font": of_font,
        "signs_without_error": sum(row[2] == 0 for row in rows),
        "errors": [{"text": row[5], "read": row[6]} for row in rows if row[2]],
        "warm_seconds_median": round(statistics.median(row[3] for row in rows), 3),
        "warm_seconds_max": round(max(row[3] for row in rows), 3),
        "warm_cpu_seconds_median": round(statistics.median(row[4] for row in rows), 3),
    }
    print(json.dumps(result))


def _cold() -> dict[str, float]:
    """`seesay read` of one sign as a whole process on one core: Python, imports, networks and the reading."""
    path = Path(__file__).with_name("results") / "sign.png"
    sign(1)[0].save(path)
    core = min(os.sched_getaffinity(0))
    code = f"import os; os.sched_setaffinity(0, {{{core}}}); from seesay.cli.main import main; main()"
    taken = []
    try:
        for _ in range(COLD_ROUNDS):
            before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
            subprocess.run([sys.executable, "-c", code, "read", str(path)], stdout=subprocess.DEVNULL, check=True)
            wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
            taken.append((wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime))
    finally:
        path.unlink()
    return {
        "seconds_median": round(statistics.median(wall for wall, _ in taken), 3),
        "seconds_max": round(max(wall for wall, _ in taken), 3),
        "cpu_seconds_median": round(statistics.median(cpu for _, cpu in taken), 3),
    }


def sign(index: int) -> tuple[Image.Image, str, str]:
    """The sign of that number: the picture, the text on it and the font."""
    chance = random.Random(f"{SEED} {index}")
    text, font_name = TEXTS[index % len(TEXTS)], FONTS[index % len(FONTS)]
    ground, ink = chance.choice(COLOURS)
    size = chance.choice((18, 24, 32, 44, 60))
    font = ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / font_name), size)
    left, top, right, bottom = ImageDraw.Draw(Image.new("L", (1, 1))).multiline_textbbox(
        (0, 0), text, font=font, spacing=size // 2
    )
    width, height = int(right - left) + 4 * size, int(bottom - top) + 4 * size
    picture = Image.new("RGB", (width, height), ground)
    ImageDraw.Draw(picture).multiline_text(
        (2 * size - left, 2 * size - top), text, fill=ink, font=font, spacing=size // 2
    )
    return _seen(picture, ground, chance), text, font_name


def _seen(picture: Image.Image, ground: str, chance: random.Random) -> Image.Image:
    """The sign as if photographed: at an angle, a little turned, with noise."""
    width, height = picture.size
    shift = [chance.uniform(0, 0.03) * side for side in (width, height) * 4]
    corners = (
        -shift[0], -shift[1], -shift[2], height + shift[3], width + shift[4], height + shift[5], width + shift[6], -shift[7],
    )  # fmt: skip
    picture = picture.transform(picture.size, Image.Transform.QUAD, corners, Image.Resampling.BICUBIC, fillcolor=ground)
    picture = picture.rotate(chance.uniform(-4, 4), Image.Resampling.BICUBIC, fillcolor=ground)
    noise = numpy.random.default_rng(chance.getrandbits(32)).normal(0, chance.uniform(0, 12), (height, width, 3))
    return Image.fromarray(numpy.clip(numpy.asarray(picture) + noise, 0, 255).astype(numpy.uint8))


def _accuracy(rows: list[tuple[str, int, int, float, float, str, str]]) -> float:
    return round(1 - sum(row[2] for row in rows) / sum(row[1] for row in rows), 4)


def edit_distance(one: str, other: str) -> int:
    """Insertions, deletions and replacements that make the one text the other (Levenshtein)."""
    row = list(range(len(other) + 1))
    for count, letter in enumerate(one, 1):
        before, row[0] = row[0], count
        for index, wanted in enumerate(other, 1):
            before, row[index] = row[index], min(row[index] + 1, row[index - 1] + 1, before + (letter != wanted))
    return row[-1]
