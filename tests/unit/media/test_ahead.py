"""Pictures that are read and decoded ahead: in order, no more than needed, and never too many at once."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from seesay.errors import ImageNotFound, ImageUnreadable
from seesay.media import ahead, open_image
from seesay.media.ahead import FILES_AHEAD, opened_ahead, read_picture
from seesay.types import Picture


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    paths = [tmp_path / f"{number:02d}.png" for number in range(3 * FILES_AHEAD + 2)]
    for number, path in enumerate(paths):
        Image.new("RGB", (40, 30), (number, 0, 0)).save(path)
    return [str(path) for path in paths]


def always(digest: str) -> bool:
    return True


def sha256(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def test_they_come_in_order_as_the_door_opens_them(files: list[str]) -> None:
    for path, (digest, picture) in zip(files, opened_ahead(files, None, always), strict=True):
        assert isinstance(picture, Picture)
        assert digest == picture.sha256 == sha256(path)
        assert picture.pixels.tobytes() == open_image(path).pixels.tobytes()


def test_large_photographs_are_reduced_as_the_door_reduces_them(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    Image.effect_noise((2000, 1500), 60).convert("RGB").save(path)

    def fits(width: int, height: int) -> tuple[int, int]:
        return 224, 224

    ((_, picture),) = opened_ahead([str(path)], fits, always)
    assert isinstance(picture, Picture) and picture.pixels.size == (500, 375)
    assert picture.pixels.tobytes() == open_image(path, fits=fits).pixels.tobytes()
    assert read_picture(str(path), [fits, None]).bytes == path.stat().st_size + 3 * (500 * 375 + 2000 * 1500)


def test_what_is_not_needed_is_not_decoded(files: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = watched(monkeypatch)
    wanted = {sha256(path) for path in files[::5]}
    found = list(opened_ahead(files, None, wanted.__contains__))
    assert [digest for digest, _ in found] == [sha256(path) for path in files]
    assert [isinstance(picture, Picture) for _, picture in found] == [number % 5 == 0 for number in range(len(files))]
    assert len(decoded) == len(wanted)


def test_what_cannot_be_used_comes_in_its_place_with_the_reason(files: list[str], tmp_path: Path) -> None:
    cut, text = tmp_path / "cut.png", tmp_path / "text.png"
    cut.write_bytes(Path(files[0]).read_bytes()[:-30])
    text.write_text("no picture")
    sources = [files[0], str(cut), str(tmp_path / "none.png"), str(text), files[1]]
    first, short, none, words, last = opened_ahead(sources, None, always)
    assert isinstance(first[1], Picture) and isinstance(last[1], Picture)
    assert isinstance(short[1], ImageUnreadable) and short[0] == sha256(str(cut))
    assert isinstance(none[1], ImageNotFound) and not none[0]
    assert isinstance(words[1], ImageUnreadable) and words[0] == sha256(str(text))


def test_the_next_ones_are_decoded_while_the_first_is_used(files: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = watched(monkeypatch)
    with closing(opened_ahead(files, None, always)) as pictures:
        next(pictures)
        assert decoded.reach(FILES_AHEAD)  # while nobody asks for the second


def test_of_large_pictures_few_are_decoded_at_a_time(files: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = watched(monkeypatch)
    size = read_picture(files[0], [None]).bytes
    monkeypatch.setattr(ahead, "BYTES_TOGETHER", 3 * size)
    for used, _ in enumerate(opened_ahead(files, None, always)):
        assert len(decoded) <= used + 3  # with the one that is used


def test_a_very_large_picture_is_decoded_when_it_is_its_turn(files: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = watched(monkeypatch)
    monkeypatch.setattr(ahead, "LARGE", read_picture(files[0], [None]).bytes - 1)
    for used, (digest, picture) in enumerate(opened_ahead(files[:5], None, always), 1):
        assert isinstance(picture, Picture) and picture.sha256 == digest
        assert len(decoded) == used


@pytest.mark.parametrize("needed", [always, lambda digest: False])
def test_leaving_early_reads_no_further(files: list[str], needed: Callable[[str], bool]) -> None:
    asked: list[str] = []

    def sources() -> Iterator[str]:
        for path in files:
            asked.append(path)
            yield path

    with closing(opened_ahead(sources(), None, needed)) as pictures:
        next(pictures)
    assert len(asked) <= 2 * FILES_AHEAD
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("seesay-look") and stays(thread)]


def stays(thread: threading.Thread) -> bool:
    thread.join(10)
    return thread.is_alive()


class Watched(list[bytes]):
    """What was decoded so far."""

    def __init__(self) -> None:
        super().__init__()
        self.more = threading.Condition()

    def reach(self, count: int) -> bool:
        with self.more:
            return self.more.wait_for(lambda: len(self) >= count, timeout=60)


def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    """Have every decoding written down."""
    decoded = Watched()
    really: Callable[..., Picture] = ahead.open_image

    def write_down(data: bytes, **how: Any) -> Picture:
        picture = really(data, **how)
        with decoded.more:
            decoded.append(data)
            decoded.more.notify_all()
        return picture

    monkeypatch.setattr(ahead, "open_image", write_down)
    return decoded
