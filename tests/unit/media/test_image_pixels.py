"""That odd but good pictures come out as the right pixels, told by their values."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy
import pytest
from PIL import Image, _imaging

from seesay.media import ImageInfo, open_image, probe_image

BLUE = (10, 120, 240)
WHITE, BLACK, MIDDLE = (255, 255, 255), (0, 0, 0), (128, 128, 128)
OPAQUE_HALF = [
    "alpha.png",
    "alpha.webp",
    "alpha.tiff",
    "gray_alpha.png",
    "palette_alpha.png",
    "palette_key.png",
    "palette_key.gif",
    "colour_key.png",
    "gray_key.png",
    "gray_2_bit_key.png",
    "gray_4_bit_key.png",
    "gray_16_bit_key.png",
    "colour_16_bit_key.png",
]
DEEP = [
    "deep.png",
    "deep.tiff",
    "deep_lzw.tiff",
    "deep_big_endian.tiff",
    "deep_white_is_zero.tiff",
    "deep_12_bit.tiff",
    "integers.tiff",
    "floats.tiff",
]
COLOURS = {
    "rgb.png": BLUE,
    "rgb.bmp": BLUE,
    "rgb.webp": BLUE,
    "rgb.avif": BLUE,
    "two_frames.gif": BLUE,
    "two_frames.webp": BLUE,
    "two_pages.tiff": BLUE,
    "two_pictures.mpo": BLUE,
    "palette.png": BLUE,
    "profile.jpg": BLUE,
    "broken_exif.jpg": BLUE,
    "endless_exif.jpg": BLUE,
    "orientation_9.jpg": BLUE,
    "gray.jpg": (77, 77, 77),
    # Cyan alone; magenta with a fifth of black: (255 - 255) * 0.8, 255 * 0.8.
    "cmyk.jpg": (0, 255, 255),
    "cmyk.tiff": (204, 0, 204),
    "lab.tiff": (200, 50, 100),
}


def _values(picture: Image.Image) -> numpy.ndarray:
    return numpy.asarray(picture).astype(int)


def test_every_odd_picture_is_listed_here(odd_pictures: dict[str, Path]) -> None:
    turned = {name for name in odd_pictures if name.startswith("orientation_") and name != "orientation_9.jpg"}
    assert set(odd_pictures) - turned == {*OPAQUE_HALF, *DEEP, *COLOURS, "one_bit.png"}


def test_every_odd_picture_becomes_rgb_without_metadata(odd_pictures: dict[str, Path]) -> None:
    for path in odd_pictures.values():
        pixels = open_image(path).pixels
        assert pixels.mode == "RGB"
        assert type(pixels) is Image.Image and pixels.info == {}
        assert not pixels.getexif()


@pytest.mark.parametrize("name", COLOURS)
def test_one_colour_comes_out_as_that_colour(name: str, odd_pictures: dict[str, Path]) -> None:
    pixels = open_image(odd_pictures[name]).pixels
    assert pixels.size == (32, 24)
    # Two levels are what the lossy kinds and the eight bits of LAB cost.
    assert numpy.abs(_values(pixels) - COLOURS[name]).max() <= 2


@pytest.mark.parametrize("name", OPAQUE_HALF)
def test_transparency_lies_on_white_and_hides_what_is_under_it(name: str, odd_pictures: dict[str, Path]) -> None:
    values = _values(open_image(odd_pictures[name]).pixels)
    assert values.shape == (24, 32, 3)
    assert (values[:, :16] == 255).all()
    assert (values[:, 16:] == 0).all()


@pytest.mark.parametrize("name", DEEP)
def test_deep_pictures_are_scaled_and_not_clipped(name: str, odd_pictures: dict[str, Path]) -> None:
    pixels = open_image(odd_pictures[name]).pixels
    assert [pixels.getpixel((x, 0)) for x in range(3)] == [BLACK, MIDDLE, WHITE]


def test_one_bit_is_black_and_white(odd_pictures: dict[str, Path]) -> None:
    values = _values(open_image(odd_pictures["one_bit.png"]).pixels)
    assert set(values[:100].ravel()) == {0}
    assert set(values[-100:].ravel()) == {255}


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "tiff", "avif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_each_orientation_is_turned_upright(
    orientation: int, kind: str, odd_pictures: dict[str, Path], picture_makers: ModuleType
) -> None:
    path = odd_pictures[f"orientation_{orientation}.{kind}"]
    pixels = open_image(path).pixels
    assert pixels.size == (48, 32)
    corners = [pixels.getpixel(at) for at in ((2, 2), (45, 2), (2, 29), (45, 29))]
    assert numpy.abs(numpy.array(corners) - picture_makers.CORNERS).max() <= 4
    info = probe_image(path)
    assert (info.width, info.height) == (48, 32)


def test_opening_the_pixels_again_does_not_turn_them_again(odd_pictures: dict[str, Path]) -> None:
    once = open_image(odd_pictures["orientation_6.jpg"])
    again = open_image(once.pixels)
    assert again.pixels.tobytes() == once.pixels.tobytes()
    assert again.pixels is not once.pixels


@pytest.mark.parametrize(
    ("values", "expected"),
    [([0, 128, 255], [0, 128, 255]), ([0, 32768, 65535], [0, 128, 255]), ([-300, 0, 300], [0, 128, 255])],
    ids=["8 bits", "16 bits", "stretched"],
)
def test_integers_are_read_by_their_range(values: list[int], expected: list[int]) -> None:
    image = Image.fromarray(numpy.array([values], dtype=numpy.int32))
    assert image.mode == "I"
    assert _values(open_image(image).pixels)[0, :, 0].tolist() == expected


def test_floats_are_stretched_and_one_value_throughout_is_black() -> None:
    image = Image.fromarray(numpy.array([[-5.0, 0.0, 5.0]], dtype=numpy.float32))
    assert _values(open_image(image).pixels)[0, :, 1].tolist() == [0, 128, 255]
    assert not _values(open_image(Image.new("F", (3, 2), 7.5)).pixels).any()
    assert not _values(open_image(Image.new("I", (3, 2), 99_999)).pixels).any()


@pytest.mark.parametrize("mode", ["I;16", "I;16L", "I;16B"])
def test_sixteen_bits_of_any_byte_order_are_scaled(mode: str) -> None:
    image = Image.new(mode, (2, 1), 32768)
    assert open_image(image).pixels.getpixel((1, 0)) == MIDDLE


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("1", 1, WHITE),
        ("L", 77, (77, 77, 77)),
        ("LA", (0, 128), (127, 127, 127)),
        ("La", (0, 128), (127, 127, 127)),
        ("RGBA", (0, 0, 0, 128), (127, 127, 127)),
        ("RGBa", (0, 0, 0, 128), (127, 127, 127)),
        ("RGBX", (*BLUE, 0), BLUE),
        ("CMYK", (0, 0, 0, 255), BLACK),
        ("YCbCr", (128, 128, 128), MIDDLE),
        ("HSV", (0, 255, 255), (255, 0, 0)),
        ("LAB", (255, 128, 128), WHITE),
    ],
)
def test_each_mode_of_a_pil_image_is_converted(
    mode: str, colour: int | tuple[int, ...], expected: tuple[int, int, int]
) -> None:
    pixels = open_image(Image.new(mode, (3, 2), colour)).pixels
    assert pixels.mode == "RGB" and pixels.size == (3, 2)
    assert numpy.abs(_values(pixels) - expected).max() <= 1


def test_a_palette_with_alpha_of_its_own_lies_on_white() -> None:
    image = Image.new("P", (2, 1), 0)
    image.putpalette([10, 20, 30, 0, 40, 50, 60, 255], "RGBA")
    image.putpixel((1, 0), 1)
    pixels = open_image(image).pixels
    assert [pixels.getpixel((x, 0)) for x in range(2)] == [WHITE, (40, 50, 60)]
    both = Image.new("PA", (1, 1))
    both.putpalette([10, 20, 30])
    both.putpixel((0, 0), (0, 0))
    assert open_image(both).pixels.getpixel((0, 0)) == WHITE


def test_the_header_tells_what_is_in_the_file(odd_pictures: dict[str, Path]) -> None:
    path = odd_pictures["deep.png"]
    assert probe_image(path) == ImageInfo("PNG", 3, 1, "I;16", path.stat().st_size)
    path = odd_pictures["two_pictures.mpo"]
    assert probe_image(path) == ImageInfo("MPO", 32, 24, "RGB", path.stat().st_size)


def test_probing_decodes_nothing(odd_pictures: dict[str, Path]) -> None:
    _imaging.reset_stats()
    for name in ("rgb.png", "orientation_6.png", "gray.jpg", "deep.tiff", "orientation_5.jpg", "two_frames.gif"):
        probe_image(odd_pictures[name])
    assert _imaging.get_stats()["new_count"] == 0
    open_image(odd_pictures["rgb.png"])
    assert _imaging.get_stats()["new_count"] > 0
