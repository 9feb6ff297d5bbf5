"""The file of an index against a dictionary, under any sequence of changes and reopenings."""

import hashlib
import os
import shutil
import sqlite3
import stat
import tempfile
from pathlib import Path

import hypothesis.strategies as st
import numpy
import pytest
from hypothesis import settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from seesay.errors import InputError, ResourceError
from seesay.models import Encoded
from seesay.search import Store

NAMES = st.text(st.characters(blacklist_characters="/\0", codec="utf-8"), min_size=1, max_size=12).filter(
    lambda name: name not in (".", "..")
)


def encoded(content: int) -> Encoded:
    """A picture by formula."""
    vector = numpy.zeros(8, numpy.float32)
    vector[content % 8] = 1
    return Encoded(hashlib.sha256(bytes([content])).hexdigest(), bytes([content]) * 40_000, vector)


class StoreIsADictionary(RuleBasedStateMachine):
    """`files` is what must be there: by path its content and its time of change."""

    paths = Bundle("paths")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.store = Store(self.folder / "photos.seesay", create=True)
        self.files: dict[str, tuple[int, int]] = {}
        self.clock = 0

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    @rule(target=paths, name=NAMES, inside=st.booleans())
    def a_path(self, name: str, inside: bool) -> str:
        return f"{self.folder if inside else '/elsewhere'}/{name}"

    @rule(path=paths, content=st.integers(0, 9))
    def add_or_change(self, path: str, content: int) -> None:
        self.clock += 1
        one = encoded(content)
        self.store.add([one], {path: ("/source", 1, self.clock, one.digest)})
        self.files[path] = (content, self.clock)

    @rule(path=paths, target_path=paths)
    def move(self, path: str, target_path: str) -> None:
        if self.files.get(path, (-1, 0))[0] < 0 or path == target_path:
            return
        content, changed = self.files.pop(path)
        self.store.add([], {target_path: ("/source", 1, changed, encoded(content).digest)})
        self.store.drop([path])
        self.files[target_path] = (content, changed)

    @rule(path=paths)
    def break_it(self, path: str) -> None:
        self.store.add_problem(path, "/source", 1, 0, "broken")
        self.files[path] = (-1, 0)

    @rule(path=paths)
    def delete(self, path: str) -> None:
        self.store.drop([path])
        self.files.pop(path, None)

    @rule(create=st.booleans())
    def reopen(self, create: bool) -> None:
        self.store.close()
        self.store = Store(self.store.path, create=create)
        if not create:
            self.holds_the_same()
            self.store.close()
            self.store = Store(self.store.path, create=True)

    @invariant()
    def holds_the_same(self) -> None:
        known = self.store.files()
        assert {path: (one.changed, bool(one.problem)) for path, one in known.items()} == {
            path: (changed, content < 0) for path, (content, changed) in self.files.items()
        }
        for path, (content, _) in self.files.items():
            picture = known[path].picture
            assert (picture is None) == (content < 0)
            if picture is not None:
                (kept,) = self.store.encoded([picture])
                assert (kept.digest, kept.features) == (encoded(content).digest, encoded(content).features)
                assert path in self.store.paths_of([picture])[picture]

    @rule()
    def sweep(self) -> None:
        self.store.drop([])
        contents = {content for content, _ in self.files.values() if content >= 0}
        assert len(self.store) == len(contents) == len(self.store.vectors())
        digests = self.store.digests(self.store.pictures())
        assert set(digests) == {encoded(content).digest for content in contents}
        for digest, vector in zip(digests, self.store.vectors(), strict=True):
            content = next(content for content in contents if encoded(content).digest == digest)
            assert numpy.array_equal(vector, encoded(content).vector.astype(numpy.float16))


TestStore = StoreIsADictionary.TestCase
TestStore.settings = settings(max_examples=12, stateful_step_count=20, deadline=None)


def test_an_index_can_be_moved_with_its_folder(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    store = Store(tmp_path / "one" / "photos.seesay", create=True)
    inside, outside = str(tmp_path / "one" / "deep" / "a.jpg"), str(tmp_path / "b.jpg")
    one = encoded(1)
    store.add([one], {path: (str(tmp_path / "one"), 1, 1, one.digest) for path in (inside, outside)})
    store.close()
    (tmp_path / "one").rename(tmp_path / "two")
    moved = Store(tmp_path / "two" / "photos.seesay")
    assert set(moved.files()) == {str(tmp_path / "two" / "deep" / "a.jpg"), outside}
    moved.close()


def test_names_that_are_no_unicode_are_kept(tmp_path: Path) -> None:
    store = Store(tmp_path / "photos.seesay", create=True)
    path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jpg")
    one = encoded(2)
    store.add([one], {path: (str(tmp_path), 1, 1, one.digest)})
    assert set(store.files()) == {path}
    store.close()


def test_a_closed_index_is_one_file_that_can_be_read_where_nothing_can_be_written(tmp_path: Path) -> None:
    folder = tmp_path / "medium"
    folder.mkdir()
    store = Store(folder / "photos.seesay", create=True)
    one = encoded(3)
    store.add([one], {str(folder / "a.jpg"): (str(folder), 1, 1, one.digest)})
    store.close()
    assert [path.name for path in folder.iterdir()] == ["photos.seesay"]
    folder.chmod(stat.S_IREAD | stat.S_IEXEC)
    try:
        reader = Store(folder / "photos.seesay")
        assert len(reader) == 1
        reader.close()
    finally:
        folder.chmod(stat.S_IRWXU)
    assert [path.name for path in folder.iterdir()] == ["photos.seesay"]


def test_what_is_no_index_is_refused_and_left_alone(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such index"):
        Store(tmp_path / "none.seesay")
    text = tmp_path / "text.seesay"
    text.write_text("not a database, but long enough to be looked at as one" * 100)
    other = tmp_path / "other.seesay"
    with sqlite3.connect(other) as base:
        base.execute("CREATE TABLE mine (a)")
    base.close()
    before = text.read_bytes(), other.read_bytes()
    for path in (text, other):
        for create in (False, True):
            with pytest.raises(InputError, match="not an index of seesay"):
                Store(path, create=create)
    assert (text.read_bytes(), other.read_bytes()) == before


def test_an_index_of_another_version_is_named_so(tmp_path: Path) -> None:
    Store(tmp_path / "photos.seesay", create=True).close()
    with sqlite3.connect(tmp_path / "photos.seesay") as base:
        base.execute("PRAGMA user_version = 99")
    base.close()
    with pytest.raises(InputError, match="version 99"):
        Store(tmp_path / "photos.seesay")


def test_a_second_writer_is_told_to_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (Store(tmp_path / "photos.seesay", create=True) for _ in range(2))
    second._base.execute("PRAGMA busy_timeout = 0")
    with first._writing(), pytest.raises(ResourceError, match="another process is writing"):
        second.drop([])
    second.drop([])
    first.close()
    second.close()


def test_what_fails_halfway_leaves_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "photos.seesay", create=True)
    one = encoded(4)
    with pytest.raises(ValueError, match="non-hexadecimal"):
        store.add([one], {"/a.jpg": ("/", 1, 1, one.digest), "/b.jpg": ("/", 1, 1, "no digest")})
    assert len(store) == 0
    assert store.files() == {}
    store.close()
