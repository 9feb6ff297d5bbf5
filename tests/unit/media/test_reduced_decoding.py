"""JPEGs decoded no larger than needed: nearly the same pixels, the same digest, turned and colored as before."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy
import pytest
from PIL import Image

from seesay.data.opened import open_pictures
from seesay.errors import ImageTooLarge, ImageUnreadable
from seesay.media import ImageLimits, digest_image, open_image, probe_image
from seesay.media.thumbnail import thumbnail
from seesay.types import Example

SIZE = (1600, 1200)


def jpeg(mode: str = "RGB", orientation: int = 1, **options: object) -> bytes:
    """Hard edges and fine noise, as no encoder likes them."""
    rng = numpy.random.default_rng(3)
    y, x = numpy.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    values = 127 + 90 * numpy.sin(x / 90)[..., None] * numpy.cos(y / [70, 110, 130][0])[..., None] * [1, 0.5, -1]
    values[300:700, 200:900] = (250, 20, 40)
    values += rng.normal(scale=6, size=values.shape)
    buffer, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(numpy.clip(values, 0, 255).astype(numpy.uint8)).convert(mode)
    image.save(buffer, "JPEG", quality=92, exif=exif, **options)
    return buffer.getvalue()


def to(width: int, height: int) -> Callable[[int, int], tuple[int, int]]:
    return lambda _width, _height: (width, height)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("progressive", [False, True])
def test_what_is_scaled_from_it_is_nearly_the_same(mode: str, orientation: int, progressive: bool) -> None:
    data = jpeg(mode, orientation, progressive=progressive)
    whole = open_image(data)
    size = (192, 256) if orientation >= 5 else (256, 192)
    reduced = open_image(data, fits=to(*size))
    assert max(reduced.pixels.size) == SIZE[0] // 4
    assert reduced.pixels.mode == "RGB"
    assert reduced.sha256 == whole.sha256 == digest_image(data)
    one, other = (
        numpy.asarray(picture.pixels.resize(size, Image.Resampling.BICUBIC), float) for picture in (whole, reduced)
    )
    assert one.shape == other.shape
    assert numpy.abs(one - other).mean() < 1.0


def test_it_is_asked_with_the_upright_size() -> None:
    asked: list[tuple[int, int]] = []

    def fits(width: int, height: int) -> tuple[int, int]:
        asked.append((width, height))
        return 100, 120

    open_image(jpeg(orientation=6), fits=fits)
    assert asked == [(SIZE[1], SIZE[0])]


@pytest.mark.parametrize("target", [SIZE, (3000, 2000), (1100, 825), (0, 40)])
def test_it_is_never_smaller_than_half_as_large_again(target: tuple[int, int]) -> None:
    assert open_image(jpeg(), fits=to(*target)).pixels.size == SIZE


def test_every_size_leaves_its_margin() -> None:
    data = jpeg()
    for width in range(40, 1600, 130):
        height = width * 3 // 4
        found = open_image(data, fits=to(width, height)).pixels.size
        assert found == SIZE or (found[0] >= 1.5 * width and found[1] >= 1.5 * height)


def test_limits_hold_for_the_picture_as_it_is_in_the_file() -> None:
    with pytest.raises(ImageTooLarge):
        open_image(jpeg(), limits=ImageLimits(pixels=1_000_000), fits=to(64, 64))


def test_a_file_that_is_cut_short_is_found_all_the_same() -> None:
    with pytest.raises(ImageUnreadable):
        open_image(jpeg()[:20_000], fits=to(64, 64))


def test_other_kinds_are_decoded_whole(tmp_path: Path) -> None:
    Image.new("RGB", SIZE, "red").save(tmp_path / "red.png")
    assert open_image(tmp_path / "red.png", fits=to(64, 64)).pixels.size == SIZE


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_probe_tells_the_size_that_opening_gives(orientation: int) -> None:
    data = jpeg(orientation=orientation)
    for fits in (None, to(256, 192), to(10, 10), to(1600, 1600)):
        info, opened = probe_image(data, fits=fits), open_image(data, fits=fits).pixels
        assert (info.width, info.height) == opened.size


def test_a_thumbnail_is_that_of_the_whole_picture() -> None:
    data = jpeg(orientation=6)
    whole = open_image(data).pixels
    whole.thumbnail((200, 200))
    with Image.open(io.BytesIO(thumbnail(data, 200))) as small:
        assert small.size == whole.size
        assert (
            numpy.abs(numpy.asarray(small, float) - numpy.asarray(whole, float)).mean() < 3.0
        )  # it is a JPEG once more


def test_a_checked_picture_has_its_own_size() -> None:
    opened = open_pictures({"train": [Example((jpeg(),))]}, None)
    assert [found.size for found in opened.values()] == [SIZE]  # type: ignore[union-attr]
