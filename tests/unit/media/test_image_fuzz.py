"""Whatever the bytes are, the door answers with an RGB picture or with an error of its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seesay.errors import ImageError
from seesay.media import ImageLimits, image_name, open_image, probe_image

# Small limits keep the test quick: a flipped bit may ask for an honest 50 megapixels.
LIMITS = ImageLimits(bytes=100_000, pixels=1_000_000, side=2_000)
REAL = [
    "rgb.png",
    "deep.png",
    "palette_alpha.png",
    "orientation_6.jpg",
    "cmyk.jpg",
    "two_frames.gif",
    "alpha.webp",
    "rgb.bmp",
]
MAGIC = [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\x20\0\0\0WEBPVP8 ", b"BM", b"II*\0\x08\0\0\0"]

relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def _assert_answered(data: bytes) -> None:
    try:
        picture = open_image(data, limits=LIMITS)
    except ImageError as error:
        assert error.where == image_name(data)
        assert error.hint
        assert "0x" not in str(error)
        return
    assert picture.pixels.mode == "RGB"
    # What opens can be probed, and the header told the truth.
    info = probe_image(data, limits=LIMITS)
    assert info.width * info.height == picture.pixels.width * picture.pixels.height


@relaxed
@given(st.sampled_from(MAGIC), st.binary(max_size=400))
def test_random_bytes_are_answered(magic: bytes, noise: bytes) -> None:
    _assert_answered(magic + noise)


@pytest.mark.parametrize("name", REAL)
@relaxed
@given(data=st.data())
def test_damaged_pictures_are_answered(name: str, odd_pictures: dict[str, Path], data: st.DataObject) -> None:
    damaged = bytearray(odd_pictures[name].read_bytes())
    # Most of what can go wrong stands in the first bytes, so they are hit as often as all others together.
    position = st.integers(0, len(damaged) - 1) | st.integers(0, min(100, len(damaged) - 1))
    for at, value in data.draw(st.lists(st.tuples(position, st.integers(0, 255)), max_size=8)):
        damaged[at] = value
    _assert_answered(bytes(damaged[: data.draw(st.integers(0, len(damaged)) | st.just(len(damaged)))]))


@relaxed
@given(st.text(max_size=60))
def test_any_text_is_a_missing_file_or_refused(text: str) -> None:
    """No folder may be left out of a random path by chance, so it is put below one that does not exist."""
    for source in (os.path.join("/nonexistent", text), "data:" + text, "data:;base64," + text):  # noqa: PTH118
        with pytest.raises(ImageError) as caught:
            open_image(source, limits=LIMITS)
        assert str(caught.value).isprintable() or "\n" in str(caught.value)
        str(caught.value).encode("utf-8")
