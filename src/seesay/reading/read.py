"""Reads the text in a picture: every line with its confidence and its place, in reading order.

The engine is rapidocr (PaddleOCR's networks, computed by onnxruntime); its models lie in its package and nothing is ever
downloaded. Its three steps are called one by one (find lines, tell which way up each stands, read them), because its
all-in-one call keeps the second step's result to itself. This module knows nothing about questions.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..media import open_image
from ..media.ahead import cores
from ..types import ImageSource, Line, Reading
from .order import Box, reading_order

if TYPE_CHECKING:
    import numpy
    import PIL.Image

LONG_SIDES = (1600, 320)
"""Larger pictures are scaled down to this many pixels along the longer side. Where nothing is found, to the second: the
network overlooks letters of several hundred pixels. Enlarging was measured and does not help (docs/log.md)."""
MARGIN = 32
"""Pixels by which the edge of a picture is drawn out: lines that touch the edge are then found."""
SURER = 0.02
"""By so much more confidence (0 to 1) a line must read when turned, or it is taken as it stands: 6 and 9 read both ways."""
STEP = 32
"""Both sides must be a multiple of this for the network that finds lines."""

_WHERE = (("top left", "top", "top right"), ("left", "centre", "right"), ("bottom left", "bottom", "bottom right"))


@dataclass(frozen=True, slots=True)
class _Held:
    """A line cut out and held one way: upright pixels if that way is right, and the corners as they are then read."""

    line: int
    pixels: Any
    box: Box


def read(source: ImageSource, *, min_confidence: float = 0.5) -> Reading:
    """Read the text in a picture; one without text gives a reading without lines.

    Args:
        source: a path, a data URL, encoded bytes, a PIL image or an array.
        min_confidence: lines of less confidence (0 to 1) are left out.

    Raises:
        ImageError: the picture cannot be used.
    """
    from importlib.metadata import version

    picture = open_image(source)
    engine = _engine()
    lines = [line for line in _all_lines(engine, picture.pixels) if line.confidence >= min_confidence]
    ordered = tuple(lines[index] for index in reading_order([line.box for line in lines]))
    return Reading(ordered, picture.sha256, f"rapidocr {version('rapidocr')}, onnxruntime {version('onnxruntime')}")


@cache
def _engine() -> Any:
    """The engine, made once a process; each of its networks is loaded when it is first used."""
    import rapidocr

    # Models named by path are never looked for on the network.
    models = Path(rapidocr.__file__).with_name("models")
    settings = {
        "Global.log_level": "critical",
        "Det.model_path": str(models / "PP-OCRv6_det_small.onnx"),
        "Cls.model_path": str(models / "ch_ppocr_mobile_v2.0_cls_mobile.onnx"),
        "Rec.model_path": str(models / "PP-OCRv6_rec_small.onnx"),
        # The canvas is already of a size that the network takes.
        "Det.limit_type": "max",
        "Det.limit_side_len": LONG_SIDES[0] + 2 * MARGIN + STEP,
        "Global.use_vertical_padding": False,
        # Threads beyond the cores would wait for one another.
        "EngineConfig.onnxruntime.intra_op_num_threads": min(2, cores()),
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    }
    return rapidocr.RapidOCR(params=settings)


def _all_lines(engine: Any, pixels: PIL.Image.Image) -> list[Line]:
    """Every line of the picture, however sure, in no particular order."""
    lines: list[Line] = []
    longest = max(pixels.size)
    for long_side in sorted({min(longest, side) for side in LONG_SIDES}, reverse=True):
        scale = long_side / longest
        for text, confidence, corners in _lines(engine, _canvas(pixels, scale)):
            if text.strip():
                box = _in_picture(corners, scale, pixels.size)
                lines.append(Line(text.strip(), confidence, box, _where(box, pixels.size)))
        if lines:
            break
    return lines


def _canvas(pixels: PIL.Image.Image, scale: float) -> numpy.ndarray[Any, Any]:
    """The picture as the engine takes it: scaled (0 to 1), array (H, W, 3) uint8 in BGR, with a margin."""
    import numpy
    from PIL import Image

    if scale < 1:
        width, height = (max(1, round(side * scale)) for side in pixels.size)
        pixels = pixels.resize((width, height), Image.Resampling.BICUBIC)
    array = numpy.asarray(pixels)[:, :, ::-1]
    below, right = (MARGIN + -(side + 2 * MARGIN) % STEP for side in array.shape[:2])
    return numpy.pad(array, ((MARGIN, below), (MARGIN, right), (0, 0)), mode="edge")


def _lines(engine: Any, canvas: numpy.ndarray[Any, Any]) -> list[tuple[str, float, Box]]:
    """Text, confidence and corners (on the canvas) of every line, held the way in which it reads best."""
    from rapidocr.main import RapidOCRError

    try:
        crops, found = engine.detect_and_crop(canvas, {})
    except RapidOCRError:
        return []
    turns = engine.cls_and_rotate(crops)[1].cls_res
    held = [
        way
        for line, (crop, box, turn) in enumerate(zip(crops, found.boxes.tolist(), turns, strict=True))
        for way in _ways(line, crop, box, upside_down=turn[0] == "180")
    ]
    heard = engine.recognize_txt([way.pixels for way in held])
    best: dict[int, tuple[str, float, Box]] = {}
    for way, text, confidence in zip(held, heard.txts, heard.scores, strict=True):
        if way.line not in best or confidence > best[way.line][1] + SURER:
            best[way.line] = (text, float(confidence), way.box)
    return list(best.values())


def _ways(line: int, crop: numpy.ndarray[Any, Any], box: list[list[float]], *, upside_down: bool) -> Iterator[_Held]:
    """The ways worth trying to hold a line: as it was cut out, and others where that is in doubt.

    The engine turns what is tall a quarter to the left, which is wrong for a lone digit, and its guess of what stands
    upside down is wrong now and then for short words. Text held the wrong way reads with little confidence.
    """
    import numpy

    turned = math.dist(box[0], box[3]) > math.dist(box[0], box[1]) and crop.shape[1] > crop.shape[0]
    quarters = 1 if turned else 0
    yield _Held(line, crop, _corners(box, quarters))
    if upside_down:
        yield _Held(line, numpy.ascontiguousarray(crop[::-1, ::-1]), _corners(box, quarters + 2))
    if turned:
        yield _Held(line, numpy.ascontiguousarray(numpy.rot90(crop, -1)), _corners(box, 0))


def _corners(box: list[list[float]], first: int) -> Box:
    """The corners beginning with that one, clockwise as before."""
    one, two, three, four = ((x, y) for x, y in (*box[first:], *box[:first]))
    return one, two, three, four


def _in_picture(box: Box, scale: float, size: tuple[int, int]) -> Box:
    """Corners on the canvas as pixels of the picture."""
    width, height = size
    first, second, third, fourth = (
        (min(max((x - MARGIN) / scale, 0.0), float(width)), min(max((y - MARGIN) / scale, 0.0), float(height)))
        for x, y in box
    )
    return first, second, third, fourth


def _where(box: Box, size: tuple[int, int]) -> str:
    """Which ninth of the picture the middle of a box lies in."""
    column, row = (min(2, int(3 * sum(point[axis] for point in box) / 4 / size[axis])) for axis in (0, 1))
    return _WHERE[row][column]
