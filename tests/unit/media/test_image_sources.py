"""What a picture may come as: paths, data URLs, bytes, PIL images and arrays; and what it costs to say no."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy
import pytest
from PIL import Image

from seesay.errors import ImageTooLarge, ImageUnreadable
from seesay.media import ImageInfo, ImageLimits, digest_image, image_name, open_image, probe_image


@pytest.fixture
def encoded(odd_pictures: dict[str, Path]) -> bytes:
    return odd_pictures["rgb.png"].read_bytes()


def _data_url(data: bytes, head: str = "data:image/png;base64,") -> str:
    return head + base64.b64encode(data).decode("ascii")


def test_a_picture_is_the_same_however_it_comes(
    odd_pictures: dict[str, Path], encoded: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = odd_pictures["rgb.png"]
    monkeypatch.setenv("HOME", str(path.parent))
    with os.scandir(path.parent) as entries:
        entry = next(entry for entry in entries if entry.name == path.name)
    sources: list[Any] = [
        path,
        str(path),
        "~/rgb.png",
        entry,
        encoded,
        bytearray(encoded),
        memoryview(encoded),
        _data_url(encoded),
    ]
    pictures = [open_image(source) for source in sources]
    assert {picture.pixels.tobytes() for picture in pictures} == {Image.open(path).tobytes()}
    assert {picture.sha256 for picture in pictures} == {hashlib.sha256(encoded).hexdigest()}
    assert [picture.name for picture in pictures] == [
        str(path),
        str(path),
        "~/rgb.png",
        str(path),
        *[f"image of {len(encoded):,} bytes"] * 3,
        "data URL",
    ]


def test_decoded_pictures_are_named_by_what_they_are_and_hashed_by_their_pixels() -> None:
    values = numpy.zeros((64, 32, 3), dtype=numpy.uint8)
    array, image = open_image(values), open_image(Image.fromarray(values))
    assert (array.name, image.name) == ("array (64, 32, 3)", "RGB image of 32 x 64 pixels")
    assert array.sha256 == image.sha256
    assert open_image(values.reshape(32, 64, 3)).sha256 != array.sha256
    assert open_image(values + numpy.uint8(1)).sha256 != array.sha256


def test_a_name_of_something_else_is_its_type_without_an_address() -> None:
    assert image_name(object()) == "value of type object"
    assert image_name("x" * 5_000) == "x" * 100 + "..." + "x" * 100


@pytest.mark.parametrize("source", [None, 3, ["cat.jpg"], object()], ids=["None", "number", "list", "object"])
def test_what_is_no_source_of_a_picture_is_refused(source: Any) -> None:
    for door in (open_image, probe_image):
        with pytest.raises(ImageUnreadable, match="not a picture") as caught:
            door(source)
        assert "a path, a data: URL, bytes, a PIL image or a numpy array" in caught.value.hint
        assert "0x" not in str(caught.value)


@pytest.mark.parametrize("head", ["DATA:;base64,", "data:image/jpeg;charset=utf-8;BASE64,", "data:text/plain;base64,"])
def test_the_content_of_a_data_url_decides_not_its_head(head: str, encoded: bytes) -> None:
    assert open_image(_data_url(encoded, head)).pixels.size == (32, 24)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("data:image/png,%89PNG", "which is not base64 text with a head"),
        ("data:image/png;base64", "which is not base64 text with a head"),
        ("data:image/png;base64,", "empty, 0 bytes"),
        ("data:image/png;base64,iVBO Rw0K", "character 5 of its text is ' '"),
        ("data:image/png;base64,iVBO\nRw0K", r"character 5 of its text is '\\n'"),
        ("data:image/png;base64,iVBORw0K%3D", "character 9 of its text is '%'"),
        ("data:image/png;base64,iVB_Rw0K", "character 4 of its text is '_'"),
        ("data:image/png;base64,iVBé", "character 4 of its text is 'é'"),
        ("data:image/png;base64,iVBORw0", "cut short or wrongly padded"),
        ("data:image/png;base64,iVBO=Rw0", "cut short or wrongly padded"),
    ],
)
def test_a_data_url_that_is_not_clean_base64_is_refused(text: str, message: str) -> None:
    with pytest.raises(ImageUnreadable, match=message) as caught:
        open_image(text)
    assert caught.value.where == "data URL"


def test_a_data_url_is_measured_before_it_is_decoded(encoded: bytes) -> None:
    size = len(encoded)
    assert open_image(_data_url(encoded), limits=ImageLimits(bytes=size)).pixels.size == (32, 24)
    with pytest.raises(ImageTooLarge, match=f"{size} bytes; the limit is {size - 1} bytes"):
        open_image(_data_url(encoded), limits=ImageLimits(bytes=size - 1))
    with pytest.raises(ImageTooLarge):
        # Not base64 at all, which decoding would have found first.
        open_image("data:;base64," + "%" * 1000, limits=ImageLimits(bytes=100))


def test_bytes_over_the_limit_are_refused(encoded: bytes) -> None:
    with pytest.raises(ImageTooLarge, match=f"image of {len(encoded)} bytes: {len(encoded)} bytes; the limit is 10"):
        open_image(encoded, limits=ImageLimits(bytes=10))
    with pytest.raises(ImageUnreadable, match="image of 0 bytes: empty"):
        open_image(b"")


def test_a_pil_image_is_turned_and_converted_and_itself_left_alone(odd_pictures: dict[str, Path]) -> None:
    image = Image.open(odd_pictures["orientation_6.jpg"])
    image.load()
    before, info = image.tobytes(), dict(image.info)
    picture = open_image(image)
    assert picture.pixels.size == (48, 32)
    assert (image.size, image.mode, image.tobytes(), image.info) == ((32, 48), "RGB", before, info)
    assert probe_image(image) == ImageInfo("", 48, 32, "RGB", 0)
    transparent = Image.open(odd_pictures["palette_alpha.png"])
    assert open_image(transparent).pixels.getpixel((0, 0)) == (255, 255, 255)
    assert transparent.mode == "P" and "transparency" in transparent.info


def test_changing_the_pixels_does_not_change_the_callers_image() -> None:
    image = Image.new("RGB", (4, 4), "red")
    open_image(image).pixels.putpixel((0, 0), (0, 0, 255))
    assert image.getpixel((0, 0)) == (255, 0, 0)


def test_a_pil_image_that_stands_at_a_frame_is_taken_at_that_frame(odd_pictures: dict[str, Path]) -> None:
    with Image.open(odd_pictures["two_pages.tiff"]) as image:
        image.seek(1)
        assert open_image(image).pixels.getpixel((0, 0)) == (240, 120, 10)


def test_a_pil_image_that_is_broken_closed_empty_or_too_large_is_refused(hostile_pictures: dict[str, Path]) -> None:
    with Image.open(hostile_pictures["truncated.jpg"]) as image, pytest.raises(ImageUnreadable, match="cut short"):
        open_image(image)
    closed = Image.open(hostile_pictures["truncated.jpg"])
    closed.close()
    with pytest.raises(ImageUnreadable, match="closed"):
        open_image(closed)
    with pytest.raises(ImageUnreadable, match="0 x 5 pixels: there is nothing in it"):
        open_image(Image.new("RGB", (0, 5)))
    with pytest.raises(ImageTooLarge, match="30,001 x 1 pixels"):
        open_image(Image.new("1", (30_001, 1)))
    with Image.open(hostile_pictures["large.png"]) as image, pytest.raises(ImageTooLarge, match=r"50\.4 megapixels"):
        open_image(image)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (numpy.full((2, 3), 7, numpy.uint8), (7, 7, 7)),
        (numpy.full((2, 3, 1), 7, numpy.uint8), (7, 7, 7)),
        (numpy.full((2, 3, 3), 7, numpy.uint8), (7, 7, 7)),
        (numpy.full((2, 3, 4), 0, numpy.uint8), (255, 255, 255)),
        (numpy.full((2, 3), True), (255, 255, 255)),
        (numpy.full((2, 3), 32768, numpy.uint16), (128, 128, 128)),
        (numpy.full((2, 3, 3), 32768, ">u2"), (128, 128, 128)),
        (numpy.full((2, 3, 3), 0.5, numpy.float32), (128, 128, 128)),
        (numpy.full((2, 3), 1.0, numpy.float64), (255, 255, 255)),
        (numpy.full((2, 3), 1.0, numpy.float16), (255, 255, 255)),
        (numpy.full((3, 2), 7, numpy.uint8).T, (7, 7, 7)),
        (numpy.full((4, 6, 3), 7, numpy.uint8)[::-2, ::2], (7, 7, 7)),
    ],
)
def test_arrays_are_converted_by_their_type(array: numpy.ndarray, expected: tuple[int, int, int]) -> None:
    picture = open_image(array)
    assert picture.pixels.size == (3, 2)
    assert {picture.pixels.getpixel((x, y)) for x in range(3) for y in range(2)} == {expected}
    assert probe_image(array) == ImageInfo("", 3, 2, str(array.dtype), 0)


@pytest.mark.parametrize(
    ("array", "message", "hint"),
    [
        (numpy.zeros((3, 64, 64), numpy.uint8), r"shape \(3, 64, 64\)", "transpose"),
        (numpy.zeros((2, 64, 64, 3), numpy.uint8), r"shape \(2, 64, 64, 3\)", "one by one"),
        (numpy.zeros((64, 64, 2), numpy.uint8), r"shape \(64, 64, 2\)", "(height, width)"),
        (numpy.zeros(64, numpy.uint8), r"shape \(64,\)", "(height, width)"),
        (numpy.zeros((), numpy.uint8), r"shape \(\)", "(height, width)"),
        (numpy.zeros((0, 4), numpy.uint8), "4 x 0 pixels", "1 x 1"),
        (numpy.zeros((4, 4), numpy.int64), "values of type int64", "uint8"),
        (numpy.zeros((4, 4), numpy.complex64), "values of type complex64", "uint8"),
        (numpy.full((4, 4), None), "values of type object", "uint8"),
        (numpy.full((4, 4), 255.0), "floats from 255 to 255", "from 0 (black) to 1"),
        (numpy.full((4, 4), -0.1), "floats from -0.1 to -0.1", "from 0 (black) to 1"),
        (numpy.full((4, 4), numpy.nan), "not finite", "NaN"),
        (numpy.full((4, 4), numpy.inf), "not finite", "NaN"),
    ],
)
def test_any_other_array_is_refused_with_what_was_found(array: numpy.ndarray, message: str, hint: str) -> None:
    with pytest.raises(ImageUnreadable, match=message) as caught:
        open_image(array)
    assert hint in caught.value.hint
    assert caught.value.where == f"array {array.shape}"


def test_arrays_keep_to_the_limits_of_size() -> None:
    with pytest.raises(ImageTooLarge, match="1 x 30,001 pixels"):
        open_image(numpy.zeros((30_001, 1), numpy.uint8))
    with pytest.raises(ImageTooLarge, match="the limit is 10 pixels"):
        probe_image(numpy.zeros((4, 4), numpy.uint8), limits=ImageLimits(pixels=10))


def test_floating_point_pictures_that_are_not_finite_are_refused() -> None:
    image = Image.fromarray(numpy.array([[0.0, numpy.nan]], dtype=numpy.float32))
    with pytest.raises(ImageUnreadable, match="not all finite"):
        open_image(image)


def test_a_mistyped_path_fails_before_pillow_or_numpy_is_imported(tmp_path: Path) -> None:
    program = """
import sys
from seesay.errors import ImageError
from seesay.media import open_image, probe_image
(refused,) = sys.argv[1:]
for door in (open_image, probe_image):
    for source in (refused, None, "https://example.com/a.jpg", b"not a picture", b""):
        try:
            door(source)
        except ImageError:
            continue
        raise SystemExit(f"{source!r} passed")
heavy = {"PIL", "numpy", "torch", "transformers"} & set(sys.modules)
raise SystemExit(f"imported: {heavy}" if heavy else 0)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "mistyped.jpg")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_picture_that_was_opened_before_is_a_source_again(odd_pictures: dict[str, Path]) -> None:
    path = odd_pictures["rgb.png"]
    first = open_image(path)
    again = open_image(first)
    assert (again.sha256, again.name) == (first.sha256, first.name) == (digest_image(first), str(path))
    assert again.pixels.tobytes() == first.pixels.tobytes() and again.pixels is not first.pixels
    assert (probe_image(first).width, probe_image(first).height) == first.pixels.size
