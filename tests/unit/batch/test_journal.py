"""The file of rows: every key once, whole rows, one writer, a full disk, other settings."""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seesay.batch.journal import Journal
from seesay.batch.rows import Job, Row
from seesay.batch.source import Asked, Item
from seesay.errors import ResourceError, RunError

JOB = Job("caption", {"model": "m", "revision": "1"})


def rows(*names: str, error: str = "nothing there") -> list[Row]:
    """Rows with an error: they need no model."""
    return [JOB.row(Item(name, name, ()), Asked(""), "", error) for name in names]


def journal(folder: Path, job: Job = JOB) -> Journal:
    return Journal(folder / "rows.jsonl", job, beside=folder / "rows.jsonl.job.json")


def names(folder: Path) -> list[str]:
    return [json.loads(line)["picture"] for line in (folder / "rows.jsonl").read_bytes().splitlines()]


def test_a_key_is_written_once(tmp_path: Path) -> None:
    with journal(tmp_path) as written:
        assert written.append(rows("a", "b", "a")) == 2
        assert written.append(rows("b", "c")) == 1
    with journal(tmp_path) as again:
        assert again.append(rows("a", "c", "d")) == 1
        assert len(again.keys) == again.failed == 4
        assert again.error == "nothing there"
    assert names(tmp_path) == ["a", "b", "c", "d"]


@settings(max_examples=60)
@given(cut=st.integers(1, 900), rubbish=st.binary(max_size=50))
def test_a_torn_tail_is_cut_back_to_whole_rows(
    cut: int, rubbish: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("torn")
    with journal(folder) as written:
        written.append(rows("a", "b", "c"))
    whole = (folder / "rows.jsonl").read_bytes()
    torn = whole[: max(0, len(whole) - cut)] + rubbish
    (folder / "rows.jsonl").write_bytes(torn)
    kept = whole[: whole.rfind(b"\n", 0, max(0, len(whole) - cut)) + 1]
    with journal(folder) as again:
        assert again.torn == len(torn) - len(kept)
        assert (folder / "rows.jsonl").read_bytes() == kept
        again.append(rows("a", "b", "c"))
    assert (folder / "rows.jsonl").read_bytes() == whole


def test_zeros_of_a_power_cut_are_cut_off_with_what_follows(tmp_path: Path) -> None:
    with journal(tmp_path) as written:
        written.append(rows("a", "b", "c"))
    file = tmp_path / "rows.jsonl"
    whole = file.read_bytes()
    middle = whole.index(b"\n") + 20
    file.write_bytes(whole[:middle] + bytes(40) + whole[middle + 40 :])
    with journal(tmp_path) as again:
        assert again.torn > 0
        assert again.append(rows("a", "b", "c")) == 2
    assert file.read_bytes() == whole


def test_much_behind_a_broken_line_is_not_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seesay.batch.journal.MOST_TORN", 100)
    with journal(tmp_path) as written:
        written.append(rows("a", "b", "c"))
    file = tmp_path / "rows.jsonl"
    edited = file.read_bytes().replace(b'"key"', b'"kez"', 1)
    file.write_bytes(edited)
    with pytest.raises(RunError, match=r"rows\.jsonl:1: is not a row"), journal(tmp_path):
        pass
    assert file.read_bytes() == edited


def test_two_writers_are_refused(tmp_path: Path) -> None:
    with journal(tmp_path), pytest.raises(RunError, match="another process is writing"), journal(tmp_path):
        pass
    with journal(tmp_path):
        pass


def test_other_settings_are_refused_and_told(tmp_path: Path) -> None:
    with journal(tmp_path) as written:
        written.append(rows("a"))
    other = Job("caption", {"model": "m", "revision": "2"})
    with pytest.raises(RunError, match="revision was '1' and is '2'"), journal(tmp_path, other):
        pass
    assert names(tmp_path) == ["a"]


def test_rows_without_what_they_are_rows_of_are_left_alone(tmp_path: Path) -> None:
    with journal(tmp_path) as written:
        written.append(rows("a"))
    (tmp_path / "rows.jsonl.job.json").write_text("{")
    with pytest.raises(RunError, match="does not say any more"), journal(tmp_path):
        pass


def test_rows_that_failed_are_taken_out_to_be_computed_again(tmp_path: Path) -> None:
    good = Row(bytes(16), b'{"key":"' + b"00" * 16 + b'","picture":"g","error":null}\n', "")
    with journal(tmp_path) as written:
        written.append([*rows("a"), good])
        written.drop_failed()
        assert written.keys == {bytes(16)}
        assert written.failed == 0
        assert written.append([good, *rows("a", "b", error="")]) == 2
    assert names(tmp_path) == ["g", "a", "b"]


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_where_there_is_no_room_nothing_is_half_written(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    with journal(tmp_path) as written:
        written.append(rows("a", "b"))
        size = file.stat().st_size
        with files_no_larger_than(size + 150), pytest.raises(ResourceError, match="cannot be written: File too large"):
            written.append(rows("c", "d"))
        assert file.stat().st_size == size
        assert len(written.keys) == 2
    with journal(tmp_path) as again:
        assert again.torn == 0
        assert again.append(rows("a", "b", "c", "d")) == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_a_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        with journal(disk) as written, pytest.raises(ResourceError, match="No space left") as full:
            for number in range(10_000):
                written.append(rows(f"{number}"))
        assert "give the same command again" in str(full.value)
        before = names(disk)
        assert len(before) > 10
        subprocess.run(["mount", "-o", "remount,size=1m", disk], check=True)
        with journal(disk) as again:
            assert again.torn == 0
            again.append(rows(*map(str, range(len(before) + 10))))
        assert names(disk) == [*map(str, range(len(before) + 10))]
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def test_the_lock_is_free_when_its_process_was_killed(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path\n"
        "from seesay.batch.journal import Journal; from seesay.batch.rows import Job\n"
        "folder = Path(sys.argv[1])\n"
        "with Journal(folder/'rows.jsonl', Job('caption', {'model': 'm', 'revision': '1'}),"
        " beside=folder/'rows.jsonl.job.json'):\n"
        "    os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code, tmp_path]).returncode == -9
    with journal(tmp_path) as written:
        assert written.append(rows("a")) == 1
