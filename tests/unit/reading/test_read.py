"""Reading pictures that are drawn here: fonts, places, directions, and pictures without text."""

import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy
import pytest
from PIL import Image, ImageDraw, ImageFont

import seesay
from seesay.errors import ImageError, UsageError

FONTS = [None, "DejaVuSans.ttf", "DejaVuSerif.ttf", "DejaVuSansMono.ttf"]
HOURS = ((60, 40, 44, "Opening hours"), (60, 140, 30, "Monday to Friday"), (60, 220, 30, "Call 555-0123 please"))


def font_of(name: str | None, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font, or one of those that matplotlib brings."""
    if name is None:
        return ImageFont.load_default(size)
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name), size)


def sign(
    items: tuple[tuple[int, int, int, str], ...],
    size: tuple[int, int] = (640, 400),
    *,
    ground: str = "white",
    ink: str = "black",
    font: str | None = None,
) -> Image.Image:
    """A sign with each text at (x, y) in its size."""
    picture = Image.new("RGB", size, ground)
    for x, y, letters, text in items:
        ImageDraw.Draw(picture).text((x, y), text, fill=ink, font=font_of(font, letters))
    return picture


@pytest.mark.parametrize("font", FONTS)
@pytest.mark.parametrize(("ground", "ink"), [("white", "black"), ("#1a4f8b", "white"), ("#ffd200", "#202020")])
def test_fonts_and_colours(font: str | None, ground: str, ink: str) -> None:
    reading = seesay.read(
        sign(((40, 60, 44, "Platform 9"), (40, 160, 44, "to London")), ground=ground, ink=ink, font=font)
    )
    assert reading.text == "Platform 9\nto London"


def test_a_line_says_where_it_stands_and_how_sure_it_is() -> None:
    picture = sign(((40, 20, 36, "Alpha"), (250, 180, 36, "Bravo"), (480, 340, 36, "Charlie")))
    reading = seesay.read(picture)
    assert [(line.text, line.where) for line in reading.lines] == [
        ("Alpha", "top left"),
        ("Bravo", "centre"),
        ("Charlie", "bottom right"),
    ]
    for line, corner in zip(reading.lines, ((40, 20), (250, 180), (480, 340)), strict=True):
        assert 0.9 < line.confidence <= 1
        assert line.box[0] == pytest.approx(corner, abs=15)
        assert line.box[0][0] < line.box[1][0]
        assert line.box[0][1] < line.box[3][1]
    assert reading.engine.startswith("rapidocr ")


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_turned_picture_is_read_in_order_and_its_boxes_begin_where_the_text_begins(degrees: int) -> None:
    reading = seesay.read(sign(HOURS).rotate(degrees, expand=True))
    assert [line.text for line in reading.lines] == [text for *_, text in HOURS]
    (x, y), (end_x, end_y), _, _ = reading.lines[0].box
    direction = {0: (1, 0), 90: (0, -1), 180: (-1, 0), 270: (0, 1)}[degrees]
    assert (end_x - x) * direction[0] + (end_y - y) * direction[1] > 250


def test_two_columns_are_read_one_after_the_other() -> None:
    left = ("The council met on", "Tuesday to decide on", "the new bridge over")
    right = ("Rain is expected all", "week, with some sun", "on Saturday evening")
    items = [(30, 120 + 32 * row, 22, text) for row, text in enumerate(left)]
    items += [(420, 120 + 32 * row, 22, text) for row, text in enumerate(right)]
    reading = seesay.read(sign(((260, 20, 44, "Daily News"), *items), (800, 400)))
    assert reading.text.splitlines() == ["Daily News", *left, *right]


def test_a_menu_is_read_row_by_row() -> None:
    items = ((30, 30, 28, "Coffee"), (380, 30, 28, "2.50"), (30, 90, 28, "Green tea"), (380, 90, 28, "1.90"))
    assert seesay.read(sign(items, (500, 300))).text.splitlines() == ["Coffee", "2.50", "Green tea", "1.90"]


@pytest.mark.parametrize("size", [(640, 480), (1, 1), (7, 3000), (30_000, 5), (50, 50)])
def test_a_blank_picture_has_no_lines(size: tuple[int, int]) -> None:
    reading = seesay.read(Image.new("RGB", size, "white"))
    assert (reading.lines, reading.text) == ((), "")


def test_a_small_picture() -> None:
    assert seesay.read(sign(((4, 2, 14, "EXIT"),), (50, 22))).text == "EXIT"


@pytest.mark.parametrize("size", [(200, 300), (1500, 2000)])
def test_a_lone_digit_of_any_size(size: tuple[int, int]) -> None:
    assert seesay.read(sign(((size[0] // 4, size[1] // 20, size[1] * 4 // 5, "5"),), size)).text == "5"


def test_a_large_picture_has_its_boxes_in_its_own_pixels() -> None:
    reading = seesay.read(sign(((2400, 2100, 150, "Lighthouse"),), (4000, 3000)))
    assert reading.text == "Lighthouse"
    assert reading.lines[0].box[0] == pytest.approx((2400, 2120), abs=50)
    assert reading.lines[0].where == "bottom right"


def test_lines_of_little_confidence_are_left_out() -> None:
    picture = sign(HOURS)
    lines = seesay.read(picture, min_confidence=0.0).lines
    middle = sorted(line.confidence for line in lines)[1]
    kept = seesay.read(picture, min_confidence=middle).lines
    assert kept == tuple(line for line in lines if line.confidence >= middle)
    with pytest.raises(UsageError, match="out of range"):
        seesay.read(picture, min_confidence=1.5)


def test_every_kind_of_source_gives_the_same_lines(tmp_path: Path) -> None:
    picture = sign(HOURS)
    path = tmp_path / "sign.png"
    picture.save(path)
    readings = [seesay.read(source) for source in (path, str(path), path.read_bytes(), picture, numpy.asarray(picture))]
    assert {reading.lines for reading in readings} == {readings[0].lines}
    assert len({reading.sha256 for reading in readings}) == 2


def test_hostile_pictures_are_refused(hostile_pictures: dict[str, Path]) -> None:
    for path in hostile_pictures.values():
        with pytest.raises(ImageError):
            seesay.read(path)


def test_odd_pictures_are_read(odd_pictures: dict[str, Path]) -> None:
    for path in odd_pictures.values():
        assert isinstance(seesay.read(path), seesay.Reading)


def test_reading_uses_no_network_and_leaves_logging_alone(tmp_path: Path) -> None:
    path = tmp_path / "sign.png"
    sign(HOURS).save(path)
    code = (
        "import logging, socket, sys\n"
        "def refuse(*_): raise AssertionError('the network was used')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "import seesay\n"
        f"print(seesay.read({str(path)!r}).lines[0].text)\n"
        "assert logging.getLogger().handlers == [] and logging.getLogger().level == logging.WARNING\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("Opening hours\n", "")
