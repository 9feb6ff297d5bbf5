"""Evidence: hidden parts, curves and their drawing."""

import io

import numpy
import pytest
from PIL import Image, ImageDraw

from seesay import Example
from seesay.answering.draw import WIDTH, draw_evidence
from seesay.answering.evidence import GRID, evidence
from seesay.models import Family, load
from seesay.settings import ModelSettings
from seesay.types import Evidence


@pytest.fixture(scope="module")
def family() -> Family:
    return load(ModelSettings(model="seesay-mini"))


@pytest.fixture(scope="module")
def drawing() -> Image.Image:
    """A big red ball in the top left corner of a white page."""
    page = Image.new("RGB", (320, 240), "white")
    ImageDraw.Draw(page).ellipse((10, 10, 130, 130), fill="red", outline="black", width=3)
    return page


@pytest.fixture(scope="module")
def found(family: Family, drawing: Image.Image) -> Evidence:
    return evidence(family, Example((drawing,), "What color is it?"), "red")


def test_every_part_has_a_drop_and_every_figure_is_a_share(found: Evidence) -> None:
    assert found.answer == "red"
    assert found.drops.shape == (GRID, GRID) == (7, 7)
    assert numpy.isfinite(found.drops).all()
    assert 0 <= found.score <= 1
    # No part can take away more than there was.
    assert found.drops.max() <= found.score + 1e-9
    for share in (found.deletion, found.insertion, found.chance):
        assert 0 <= share <= 1


def test_the_same_question_has_the_same_evidence(family: Family, drawing: Image.Image, found: Evidence) -> None:
    again = evidence(family, Example((drawing,), "What color is it?"), "red")
    assert numpy.array_equal(again.drops, found.drops)
    assert (again.score, again.deletion, again.insertion, again.chance) == (
        found.score,
        found.deletion,
        found.insertion,
        found.chance,
    )


def test_the_callers_picture_is_left_as_it_was(family: Family, drawing: Image.Image) -> None:
    large = drawing.resize((800, 600))
    before = large.tobytes()
    evidence(family, Example((large,), "What is this?"), "ball")
    assert (large.size, large.tobytes()) == ((800, 600), before)


def test_a_picture_of_one_color_hangs_on_no_part(family: Family) -> None:
    """Hiding shows a blurred picture: of one color that is the same picture, so nothing is lost and nothing is trusted."""
    found = evidence(family, Example((Image.new("RGB", (90, 90), "red"),), "What color is it?"), "red")
    assert numpy.abs(found.drops).max() < 1e-3
    assert not found.trusted


def test_a_caption_has_evidence_too(family: Family, drawing: Image.Image) -> None:
    (given,) = family.predict(family.prepare([Example((drawing,))]), 1)
    found = evidence(family, Example((drawing,)), given[0].text)
    assert found.drops.shape == (GRID, GRID)


def test_trust_is_deletion_well_below_chance() -> None:
    drops = numpy.zeros((GRID, GRID))
    assert Evidence("a", 0.9, drops, deletion=0.2, insertion=0.9, chance=0.6).trusted
    assert not Evidence("a", 0.9, drops, deletion=0.5, insertion=0.9, chance=0.6).trusted


@pytest.mark.parametrize("size", [(320, 240), (64, 48), (2000, 300), (50, 400), (3, 1)])
def test_the_drawing_is_a_png_of_one_width_for_any_picture(size: tuple[int, int]) -> None:
    drops = numpy.linspace(-0.1, 0.8, GRID * GRID).reshape(GRID, GRID)
    found = Evidence("red", 0.9, drops, 0.2, 0.8, 0.6)
    data = draw_evidence(Image.new("RGB", size, "green"), "What color is it?", found)
    assert data.startswith(b"\x89PNG")
    with Image.open(io.BytesIO(data)) as page:
        page.load()
        assert (page.format, page.mode, page.width) == ("PNG", "RGB", WIDTH)
        assert page.height > size[1] * WIDTH / size[0]


def test_the_drawing_shows_orange_where_the_answer_hangs_and_only_there() -> None:
    drops = numpy.zeros((GRID, GRID))
    drops[0, 0] = 0.7
    found = Evidence("red", 0.9, drops, 0.2, 0.8, 0.6)
    data = draw_evidence(Image.new("RGB", (350, 350), "gray"), "What is this?", found)
    pixels = numpy.asarray(Image.open(io.BytesIO(data)), numpy.int64)
    assert pixels[30, 30, 0] - pixels[30, 30, 2] > 80
    assert abs(pixels[600, 600, 0] - pixels[600, 600, 2]) < 5


@pytest.mark.parametrize("drops", [numpy.zeros((GRID, GRID)), numpy.full((GRID, GRID), -0.3)])
def test_evidence_that_shows_nothing_is_drawn_without_color(drops: numpy.ndarray) -> None:
    data = draw_evidence(Image.new("RGB", (70, 70), "gray"), "", Evidence("red", 0.1, drops, 1.0, 1.0, 1.0))
    pixels = numpy.asarray(Image.open(io.BytesIO(data)), numpy.int64)[:640]
    assert (numpy.ptp(pixels, axis=2) < 5).all()


def test_a_question_of_any_length_and_script_is_drawn(drawing: Image.Image, found: Evidence) -> None:
    for question in ("x" * 2000, "what is this " * 150, "나무 🌳 ?", ""):
        assert draw_evidence(drawing, question, found)
