"""Features on disk: computed once, and never a broken row, whoever dies or writes beside."""

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seesay.models.feature_cache import DIGEST, GROUP, FeatureCache, cache_folder

Array = numpy.ndarray[Any, Any]
WIDTH = 5


def digest(index: int) -> str:
    return hashlib.sha256(str(index).encode()).hexdigest()


def row_of(name: str) -> Array:
    """What is computed for a digest: numbers that float16 holds exactly."""
    return numpy.frombuffer(bytes.fromhex(name)[:WIDTH], numpy.uint8).astype(numpy.float32)


class Counted:
    """A computation that says what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, digests: list[str]) -> Array:
        self.asked += digests
        return numpy.stack([row_of(name) for name in digests])


def holds(cache: FeatureCache, digests: list[str], compute: Callable[[list[str]], Array]) -> None:
    rows = cache.get(digests, compute)
    assert rows.dtype == numpy.float32
    assert rows.tolist() == [row_of(name).tolist() for name in digests]


def test_each_row_is_computed_once_and_comes_in_order(tmp_path: Path) -> None:
    cache, compute = FeatureCache("model", WIDTH, tmp_path), Counted()
    names = [digest(index) for index in range(3 * GROUP)]
    holds(cache, names[:20], compute)
    holds(cache, names[::-1], compute)
    assert sorted(compute.asked) == sorted(names)


def test_a_digest_that_is_asked_for_twice_is_computed_once(tmp_path: Path) -> None:
    compute = Counted()
    names = [digest(index) for index in (1, 2, 1, 1, 3, 2)]
    holds(FeatureCache("model", WIDTH, tmp_path), names, compute)
    assert compute.asked == [digest(1), digest(2), digest(3)]


def test_many_are_computed_some_at_a_time(tmp_path: Path) -> None:
    sizes = []

    def compute(digests: list[str]) -> Array:
        sizes.append(len(digests))
        return numpy.stack([row_of(name) for name in digests])

    holds(FeatureCache("model", WIDTH, tmp_path), [digest(index) for index in range(2 * GROUP + 3)], compute)
    assert sizes == [GROUP, GROUP, 3]


def test_another_process_reads_what_the_first_one_wrote(tmp_path: Path) -> None:
    names, compute = [digest(index) for index in range(5)], Counted()
    holds(FeatureCache("model", WIDTH, tmp_path), names, Counted())
    holds(FeatureCache("model", WIDTH, tmp_path), names, compute)
    assert compute.asked == []


def test_two_that_are_open_at_once_read_each_others_rows(tmp_path: Path) -> None:
    one, other, compute = FeatureCache("model", WIDTH, tmp_path), FeatureCache("model", WIDTH, tmp_path), Counted()
    for index in range(0, 12, 2):
        holds(one, [digest(index)], compute)
        holds(other, [digest(index), digest(index + 1)], compute)
    holds(one, [digest(index) for index in range(12)], compute)
    assert len(compute.asked) == len(set(compute.asked)) == 12


def test_other_weights_have_other_rows(tmp_path: Path) -> None:
    compute = Counted()
    for identity in ("model", "other"):
        holds(FeatureCache(identity, WIDTH, tmp_path), [digest(1)], compute)
    assert compute.asked == [digest(1)] * 2


def test_asking_for_nothing_gives_nothing(tmp_path: Path) -> None:
    assert FeatureCache("model", WIDTH, tmp_path).get([], Counted()).shape == (0, WIDTH)


def test_a_computation_that_fails_leaves_the_cache_as_it_was(tmp_path: Path) -> None:
    def fails(digests: list[str]) -> Array:
        raise ValueError("no such picture")

    cache, compute = FeatureCache("model", WIDTH, tmp_path), Counted()
    holds(cache, [digest(1)], compute)
    with pytest.raises(ValueError, match="no such picture"):
        cache.get([digest(1), digest(2)], fails)
    holds(cache, [digest(1), digest(2)], compute)
    assert compute.asked == [digest(1), digest(2)]


@settings(max_examples=60)
@given(count=st.integers(1, 6), rows=st.integers(0, 10 * WIDTH * 2), digests=st.integers(0, 10 * DIGEST))
def test_a_torn_end_loses_the_torn_rows_and_no_others(count: int, rows: int, digests: int) -> None:
    """A process may die, or the disk be full, at any byte of either file."""
    with tempfile.TemporaryDirectory() as name:
        folder, names = Path(name), [digest(index) for index in range(count)]
        holds(FeatureCache("model", WIDTH, folder), names, Counted())
        size = min(rows, count * WIDTH * 2), min(digests, count * DIGEST)
        os.truncate(folder / "model.rows", size[0])
        os.truncate(folder / "model.digests", size[1])
        whole = min(size[0] // (WIDTH * 2), size[1] // DIGEST)
        compute = Counted()
        holds(FeatureCache("model", WIDTH, folder), names, compute)
        assert compute.asked == names[whole:]
        compute = Counted()
        holds(FeatureCache("model", WIDTH, folder), names[::-1], compute)
        assert compute.asked == []
        assert (folder / "model.rows").stat().st_size == count * WIDTH * 2


@given(st.binary(min_size=1, max_size=3 * WIDTH * 2))
def test_rows_whose_digest_was_never_written_are_cut_off(rest: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        holds(FeatureCache("model", WIDTH, folder), [digest(1)], Counted())
        with (folder / "model.rows").open("ab") as file:
            file.write(rest)
        compute = Counted()
        holds(FeatureCache("model", WIDTH, folder), [digest(1), digest(2)], compute)
        assert compute.asked == [digest(2)]


def test_known_rows_are_read_while_another_process_is_in_the_middle_of_a_row(tmp_path: Path) -> None:
    """Reading takes no lock, so what another one has half written must not matter."""
    cache, compute = FeatureCache("model", WIDTH, tmp_path), Counted()
    holds(cache, [digest(1)], compute)
    for part in (b"abc", b"d", b"efgh"):
        with (tmp_path / "model.rows").open("ab") as file:
            file.write(part)
        holds(cache, [digest(1)], compute)
    assert compute.asked == [digest(1)]


def test_a_cache_that_was_emptied_under_a_running_process_is_filled_again(tmp_path: Path) -> None:
    """People delete caches; a training that runs then must go on."""
    cache, compute = FeatureCache("model", WIDTH, tmp_path), Counted()
    holds(cache, [digest(1), digest(2)], compute)
    for file in tmp_path.iterdir():
        file.unlink()
    holds(cache, [digest(3)], compute)
    holds(cache, [digest(1), digest(3), digest(2)], compute)


WRITER = """
import sys, hashlib, time
from pathlib import Path
import numpy
from seesay.models.feature_cache import FeatureCache
def compute(names):
    time.sleep(0.002)
    return numpy.stack([numpy.frombuffer(bytes.fromhex(n)[:5], numpy.uint8).astype(numpy.float32) for n in names])
names = [hashlib.sha256(str(index).encode()).hexdigest() for index in range(120)]
names = names if sys.argv[2] == "up" else names[::-1]
cache = FeatureCache("model", 5, Path(sys.argv[1]))
for start in range(0, 120, 3):
    rows = cache.get(names[start:start + 3], compute)
    assert rows.tolist() == compute(names[start:start + 3]).tolist()
"""


def test_two_processes_that_write_at_once_leave_no_broken_row(tmp_path: Path) -> None:
    """One from each end, so that both write and both read."""
    command = [sys.executable, "-W", "error", "-c", WRITER, str(tmp_path)]
    running = [subprocess.Popen([*command, way], stderr=subprocess.PIPE, text=True) for way in ("up", "down")]
    for process in running:
        _, said = process.communicate(timeout=100)
        assert process.returncode == 0, said
    compute = Counted()
    holds(FeatureCache("model", WIDTH, tmp_path), [digest(index) for index in range(120)], compute)
    assert compute.asked == []
    assert (tmp_path / "model.rows").stat().st_size == 120 * WIDTH * 2
    assert (tmp_path / "model.digests").stat().st_size == 120 * DIGEST


def test_the_folder_is_the_users_to_choose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SEESAY_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache_folder() == tmp_path / "home" / ".cache" / "seesay"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "seesay"
    monkeypatch.setenv("SEESAY_CACHE", str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine"
    holds(FeatureCache("model", WIDTH), [digest(1)], Counted())
    assert {path.name for path in (tmp_path / "mine" / "features").iterdir()} >= {"model.rows", "model.digests"}
    assert not (tmp_path / "home").exists() and not (tmp_path / "xdg").exists()
