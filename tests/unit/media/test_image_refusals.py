"""What must not pass the door, that it is named, and that nothing is decoded before it is refused."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image, _imaging

from seesay.errors import ImageError, ImageNotFound, ImageTooLarge, ImageUnreadable
from seesay.media import ImageLimits, open_image, probe_image

TOO_LARGE = {
    "bomb.png": "60,000 x 60,000 pixels; the limit is 30,000 pixels along a side",
    "bomb_144_megapixels.png": "12,000 x 12,000 pixels (144.0 megapixels); the limit is 50 megapixels",
    "wide.png": "30,001 x 1 pixels; the limit is 30,000 pixels along a side",
    "large.png": "7,200 x 7,000 pixels (50.4 megapixels); the limit is 50 megapixels",
    "text_bomb.png": "unpack to more than 1 MiB each",
    "text_bombs.png": "64 MiB together",
    "profile_bomb.png": "colour profile",
    "scan_bomb.jpg": "505 scans in one JPEG; the limit is 200",
    "exif_bomb.jpg": "1,000 EXIF segments in one JPEG; the limit is 400",
    "tile_bomb.tiff": "tiles of 30,000 x 30,000 pixels; the limit is 50 megapixels",
    "canvas_bomb.webp": "16,384 x 16,384 pixels (268.4 megapixels); the limit is 50 megapixels",
    "heavy.bmp": "20,000,001 bytes; the limit is 20,000,000 bytes",
}
UNREADABLE = {
    "truncated.jpg": "a broken or cut-short JPEG picture",
    "header_only.jpg": "a broken or cut-short JPEG picture",
    "text.jpg": "text, not a picture",
    "empty.jpg": "empty, 0 bytes",
    "no_width.png": "0 x 10 pixels: there is nothing in it",
    "drawing.svg": "an SVG drawing, not a picture",
    "page.jpg": "a web page (HTML), not a picture",
    "document.pdf": "a PDF document, not a picture",
    "photo.heic": "a HEIC picture, which is not accepted",
    "pointer.jpg": "a Git LFS pointer (run git lfs pull), not a picture",
    "noise.jpg": "not a picture of a known kind",
    "broken.tiff": "a broken or cut-short TIFF picture",
    "broken.gif": "a broken or cut-short GIF picture",
    "broken.webp": "a broken or cut-short WEBP picture",
    "broken.avif": "a broken or cut-short AVIF picture",
    "broken.bmp": "a broken or cut-short BMP picture",
    "broken.png": "a broken or cut-short PNG picture",
    "folder": "a folder, not a picture",
    "pipe": "not a regular file (a pipe, a socket or a device)",
}
FOUND_BY_DECODING = {"truncated.jpg", "broken.gif", "broken.avif", "broken.bmp", "broken.png"}
TOLD_BY_HEADER = [name for name in UNREADABLE if name not in FOUND_BY_DECODING]


def test_every_hostile_picture_is_listed_here(hostile_pictures: dict[str, Path]) -> None:
    assert set(hostile_pictures) == {*TOO_LARGE, *UNREADABLE, "missing"}


@pytest.mark.parametrize("name", TOO_LARGE)
def test_a_picture_over_a_limit_is_refused_by_name_with_what_was_found(
    name: str, hostile_pictures: dict[str, Path]
) -> None:
    _assert_refused(hostile_pictures[name], ImageTooLarge, TOO_LARGE[name])


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_is_no_whole_picture_is_refused_by_name_with_what_was_found(
    name: str, hostile_pictures: dict[str, Path]
) -> None:
    _assert_refused(hostile_pictures[name], ImageUnreadable, UNREADABLE[name])


def _assert_refused(path: Path, expected: type[ImageError], message: str) -> None:
    with pytest.raises(ImageError) as caught:
        open_image(path)
    assert type(caught.value) is expected
    assert caught.value.where == str(path)
    assert message in caught.value.message
    assert caught.value.hint
    # Nothing of a library's own error is left to be shown, by a handler that prints causes either.
    assert caught.value.__cause__ is None and caught.value.__suppress_context__ is (
        caught.value.__context__ is not None
    )


@pytest.mark.parametrize("name", [*TOO_LARGE, *TOLD_BY_HEADER, "missing"])
def test_the_header_alone_gives_the_same_error(name: str, hostile_pictures: dict[str, Path]) -> None:
    with pytest.raises(ImageError) as opening:
        open_image(hostile_pictures[name])
    with pytest.raises(ImageError) as probing:
        probe_image(hostile_pictures[name])
    assert type(probing.value) is type(opening.value)
    assert str(probing.value) == str(opening.value)


@pytest.mark.parametrize("name", TOO_LARGE)
def test_nothing_is_decoded_of_a_picture_over_a_limit(name: str, hostile_pictures: dict[str, Path]) -> None:
    _imaging.reset_stats()
    with pytest.raises(ImageTooLarge):
        open_image(hostile_pictures[name])
    # Pillow counts every image memory it sets up.
    assert _imaging.get_stats()["new_count"] == 0


def test_a_missing_file_is_not_found_and_the_near_name_is_offered(tmp_path: Path) -> None:
    (tmp_path / "cat.jpg").touch()
    (tmp_path / "notes.txt").touch()
    for name, meant in (("kat.jpg", "cat.jpg"), ("CAT.JPG", "cat.jpg"), ("cat.png", "cat.jpg")):
        with pytest.raises(ImageNotFound, match="no such file") as caught:
            open_image(tmp_path / name)
        assert caught.value.where == str(tmp_path / name)
        assert caught.value.hint == f"did you mean {meant}?"


def test_a_missing_file_without_a_near_name_or_without_its_folder_says_so(tmp_path: Path) -> None:
    (tmp_path / "dog.jpg").touch()
    with pytest.raises(ImageNotFound) as caught:
        open_image(tmp_path / "cat.jpg")
    assert caught.value.hint == "no file in that folder has a similar name"
    with pytest.raises(ImageNotFound) as caught:
        open_image(tmp_path / "absent" / "cat.jpg")
    assert caught.value.hint == f"there is no folder {tmp_path / 'absent'}"
    with pytest.raises(ImageNotFound):
        open_image(tmp_path / "dog.jpg" / "cat.jpg")


def test_a_large_folder_offers_another_case_or_kind_but_not_a_neighbour(tmp_path: Path) -> None:
    for number in range(150):
        (tmp_path / f"photo_{number:06d}.jpg").touch()
    with pytest.raises(ImageNotFound) as caught:
        open_image(tmp_path / "photo_000777.jpg")
    assert caught.value.hint == "no file in that folder has a similar name"
    with pytest.raises(ImageNotFound) as caught:
        open_image(tmp_path / "photo_000077.jpeg")
    assert caught.value.hint == "did you mean photo_000077.jpg?"


def test_a_file_without_permission_is_refused_by_name(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir()
    path = locked / "photo.png"
    Image.new("RGB", (2, 2)).save(path)
    with _locked(locked), pytest.raises(ImageUnreadable, match="no permission to read it") as caught:
        open_image(path)
    assert caught.value.where == str(path)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Nobody may enter the folder. The superuser may enter everything, so such a test runs as somebody else."""
    user = os.geteuid()
    folder.chmod(0o000)
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        if user == 0:
            os.seteuid(0)
        folder.chmod(0o700)


@pytest.mark.parametrize(
    "text",
    ["http://example.com/cat.jpg", "HTTPS://example.com/cat.jpg", "ftp://example.com/cat.jpg", "file:///cat.jpg"],
)
def test_a_web_address_is_refused_with_what_to_do(text: str) -> None:
    with pytest.raises(ImageUnreadable, match="web addresses are not opened") as caught:
        open_image(text)
    assert caught.value.where == text
    assert "download the picture first" in caught.value.hint


def test_a_web_address_that_became_a_path_is_refused_as_one() -> None:
    with pytest.raises(ImageUnreadable, match="web addresses are not opened"):
        open_image(Path("https://example.com/cat.jpg"))


def test_impossible_paths_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageNotFound, match="the path is empty"):
        open_image("")
    with pytest.raises(ImageUnreadable, match="not a possible path"):
        open_image("a\0b.jpg")
    with pytest.raises(ImageUnreadable, match="File name too long") as caught:
        open_image("A" * 100_000)
    assert len(str(caught.value)) < 500
    loop = tmp_path / "loop.jpg"
    loop.symlink_to(loop)
    with pytest.raises(ImageUnreadable, match="cannot be read"):
        open_image(loop)


def test_a_name_that_would_command_the_terminal_is_written_as_escapes() -> None:
    with pytest.raises(ImageNotFound) as caught:
        open_image("\x1b[31mred\n\udcff.jpg")
    assert caught.value.where == "\\x1b[31mred\\n\\udcff.jpg"


def test_limits_can_be_lowered_and_raised(hostile_pictures: dict[str, Path], tmp_path: Path) -> None:
    small = tmp_path / "small.png"
    Image.new("RGB", (10, 4)).save(small)
    for limits in (ImageLimits(bytes=20), ImageLimits(pixels=39), ImageLimits(side=9)):
        with pytest.raises(ImageTooLarge):
            open_image(small, limits=limits)
    assert open_image(small, limits=ImageLimits(pixels=40, side=10)).pixels.size == (10, 4)
    roomy = ImageLimits(pixels=60_000_000)
    assert probe_image(hostile_pictures["large.png"], limits=roomy).width == 7_200


def test_a_jpeg_over_pillows_own_limit_is_too_large_too(picture_makers: ModuleType) -> None:
    data = bytearray(picture_makers.encoded(Image.new("RGB", (8, 8)), "JPEG"))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = b"\x75\x30\x75\x30"
    with pytest.raises(ImageTooLarge, match=r"over 179 megapixels; the limit is 50 megapixels"):
        open_image(bytes(data))


def test_warnings_of_pillow_stay_in_and_those_of_others_do_not(odd_pictures: dict[str, Path]) -> None:
    data = odd_pictures["endless_exif.jpg"].read_bytes()
    before = list(warnings.filters)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        open_image(data)
        probe_image(data)
        warnings.warn("mine", UserWarning, stacklevel=1)
    assert [str(entry.message) for entry in seen] == ["mine"]
    assert list(warnings.filters) == before


def test_threads_that_open_pictures_together_leave_the_warning_filters_as_they_were(
    odd_pictures: dict[str, Path],
) -> None:
    before = list(warnings.filters)
    data = odd_pictures["endless_exif.jpg"].read_bytes()
    failures: list[Exception] = []

    def work() -> None:
        try:
            for _ in range(30):
                open_image(data)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert list(warnings.filters) == before


def test_pillows_own_limit_and_tolerance_are_left_alone(odd_pictures: dict[str, Path]) -> None:
    from PIL import ImageFile

    limit = Image.MAX_IMAGE_PIXELS
    open_image(odd_pictures["rgb.png"])
    assert limit == Image.MAX_IMAGE_PIXELS
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


def test_a_broken_tiff_prints_no_log_line(picture_makers: ModuleType, tmp_path: Path) -> None:
    tags = [(256, 3), (257, 1), (258, 8), (259, 1), (262, 1), (273, 8), (277, 10), (278, 1), (279, 3)]
    path = tmp_path / "ten_samples.tiff"
    path.write_bytes(picture_makers.tiff(b"abc", tags))
    # In a process of its own: pytest takes log lines that Python would otherwise print.
    program = "import sys; from seesay.media import open_image; open_image(sys.argv[1])"
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False)
    assert "More samples" not in done.stderr
    assert done.stderr.strip().splitlines()[-2].endswith("a broken or cut-short TIFF picture")


def test_a_file_over_the_limit_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "heavy.tiff"
    with path.open("wb") as file:
        file.truncate(3_000_000_000)
    # Reading would have stopped behind the limit and could not have told the size.
    with pytest.raises(ImageTooLarge, match="3,000,000,000 bytes; the limit is 20,000,000 bytes"):
        open_image(path)
