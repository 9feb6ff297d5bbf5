"""Run folders: whole checkpoints or none, after kills, on full disks and with damaged files."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seesay import __version__
from seesay.errors import ResourceError, RunError, UsageError
from seesay.training.run_folder import CARD, MANIFEST, RunFolder, damage, digest, read_manifest

KILLS = 25

WRITER = """
import sys
from pathlib import Path
from seesay.training.run_folder import RunFolder

def save(folder):
    (folder / "inner").mkdir()
    for part in range(5):
        (folder / "inner" / f"part-{part}").write_bytes(bytes([step % 256]) * 300_000)

run = RunFolder(Path(sys.argv[1]))
with run.lock():
    newest, skipped = run.newest_verified()
    assert not skipped, skipped
    step = int(newest.name.split("-")[1]) if newest else 0
    while True:
        step += 1
        run.write_checkpoint(step, save)
        print(step, flush=True)
        run.rotate(keep=2, spare=[run.checkpoint(1)])
"""

HOLDER = """
import sys, time
from pathlib import Path
from seesay.training.run_folder import RunFolder

with RunFolder(Path(sys.argv[1])).lock():
    print("locked", flush=True)
    time.sleep(600)
"""

LIMITED = """
import resource, sys
from pathlib import Path
from seesay.errors import ResourceError
from seesay.training.run_folder import RunFolder

run = RunFolder(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    run.write_checkpoint(1, lambda folder: (folder / "weights").write_bytes(b"x" * 200_000))
except ResourceError as error:
    print(error)
"""


def save(folder: Path) -> None:
    (folder / "weights.bin").write_bytes(bytes(range(256)) * 4)
    (folder / "config.json").write_text("{}")
    (folder / "tokenizer").mkdir()
    (folder / "tokenizer" / "vocab.txt").write_text("yes\nno\n")


@contextmanager
def started(code: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def kill(process: subprocess.Popen[str]) -> str:
    """End a process in whatever it is doing; the last line it printed since."""
    process.kill()
    output, _ = process.communicate()
    assert process.returncode == -signal.SIGKILL
    return output.strip().rpartition("\n")[2]


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "runs" / "vqa")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MiB; only root can mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("no right to mount a small disk")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_a_checkpoint_holds_what_was_written_and_a_manifest(run: RunFolder) -> None:
    folder = run.write_checkpoint(200, save)

    assert folder == run.path / "checkpoint-200" == run.checkpoint(200)
    assert run.verify(folder) == []
    manifest = read_manifest(folder)
    assert manifest.files.keys() == {"weights.bin", "config.json", "tokenizer/vocab.txt"}
    assert manifest.files["weights.bin"].size == 1024
    assert manifest.files["weights.bin"].sha256 == hashlib.sha256((folder / "weights.bin").read_bytes()).hexdigest()
    assert (manifest.step, manifest.seesay) == (200, __version__)
    assert timedelta(0) <= datetime.now(UTC) - datetime.fromisoformat(manifest.created) < timedelta(minutes=5)
    assert [path.name for path in run.path.iterdir()] == ["checkpoint-200"]


def test_the_digest_names_the_contents(run: RunFolder) -> None:
    first = run.write_checkpoint(1, save)
    second = run.write_checkpoint(2, save)

    assert digest(first) == hashlib.sha256((first / MANIFEST).read_bytes()).hexdigest()
    assert digest(first) != digest(second)


@pytest.mark.slow
def test_after_any_kill_the_newest_checkpoint_verifies_and_is_at_most_one_behind(run: RunFolder) -> None:
    chance = random.Random(20240501)
    killed_while_writing = 0
    for _ in range(KILLS):
        with started(WRITER, run.path) as writer:
            first = first_line(writer)
            time.sleep(chance.uniform(0, 0.1))
            reported = int(kill(writer) or first)
        killed_while_writing += bool(list(run.path.glob(".checkpoint-*.partial")))
        newest, skipped = run.newest_verified()
        assert skipped == []
        assert newest in (run.checkpoint(reported), run.checkpoint(reported + 1))
        assert run.verify(run.checkpoint(1)) == []
    assert killed_while_writing > KILLS // 5

    with run.lock():
        assert not [path.name for path in run.path.iterdir() if path.name.startswith(".") and path.name != ".lock"]


def test_everything_is_on_disk_before_the_name_appears(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    # A power cut cannot be had in a test; the order in which the system is told to write is what protects from it.
    events: list[tuple[str, str]] = []
    fsync, rename = os.fsync, os.rename

    def watched_fsync(descriptor: int) -> None:
        events.append(("sync", os.path.relpath(Path(f"/proc/self/fd/{descriptor}").readlink(), run.path)))
        fsync(descriptor)

    def watched_rename(source: Path, target: Path) -> None:
        events.append(("rename", os.path.relpath(target, run.path)))
        rename(source, target)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(os, "rename", watched_rename)
    run.write_checkpoint(7, save)

    partial = ".checkpoint-7.partial"
    files = [f"{partial}/{name}" for name in ("weights.bin", "config.json", "tokenizer/vocab.txt")]
    manifest = events.index(("sync", f"{partial}/{MANIFEST}"))
    renamed = events.index(("rename", "checkpoint-7"))
    assert all(events.index(("sync", file)) < manifest for file in files)
    assert all(manifest < events.index(("sync", folder)) < renamed for folder in (partial, f"{partial}/tokenizer"))
    assert events[renamed + 1 :] == [("sync", ".")]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_flipped_bit_is_found_wherever_it_is(data: st.DataObject, run: RunFolder) -> None:
    folder = run.checkpoint(3)
    if not folder.exists():
        run.write_checkpoint(3, save)
    path = data.draw(st.sampled_from(sorted(path for path in folder.rglob("*") if path.is_file())))
    whole = path.read_bytes()
    bit = data.draw(st.integers(0, len(whole) * 8 - 1))
    flipped = bytearray(whole)
    flipped[bit // 8] ^= 1 << bit % 8
    path.write_bytes(flipped)

    problems = run.verify(folder)

    path.write_bytes(whole)
    name = MANIFEST if path.name == MANIFEST else repr(path.relative_to(folder).as_posix())
    assert len(problems) == 1
    assert problems[0].startswith(name)
    assert run.verify(folder) == []


def test_a_truncated_a_missing_and_a_linked_file_are_named(run: RunFolder) -> None:
    folder = run.write_checkpoint(1, save)
    os.truncate(folder / "weights.bin", 1000)
    (folder / "config.json").unlink()
    (folder / "tokenizer" / "vocab.txt").rename(run.path / "vocab.txt")
    (folder / "tokenizer" / "vocab.txt").symlink_to(run.path / "vocab.txt")

    assert run.verify(folder) == [
        "'config.json' is missing",
        "'tokenizer/vocab.txt' is not a plain file",
        "'weights.bin' has 1,000 bytes instead of 1,024",
    ]


def test_an_extra_file_is_named_but_is_no_damage(run: RunFolder) -> None:
    folder = run.write_checkpoint(1, save)
    (folder / "tokenizer" / "note.txt").write_text("mine")

    assert run.verify(folder) == ["'tokenizer/note.txt' is not in manifest.json"]
    assert damage(folder) == []


def test_the_card_of_a_model_may_be_edited(run: RunFolder) -> None:
    def with_card(folder: Path) -> None:
        save(folder)
        (folder / CARD).write_text("# Mine")

    model = run.write_folder("model", 5, with_card)
    (model / CARD).write_text("# Mine, with a licence")

    assert run.verify(model) == []


def test_a_missing_manifest_and_a_renamed_checkpoint_are_found(run: RunFolder) -> None:
    first, second = run.write_checkpoint(1, save), run.write_checkpoint(2, save)
    (first / MANIFEST).unlink()
    renamed = second.rename(run.checkpoint(9))

    assert run.verify(first) == ["manifest.json is missing"]
    assert run.verify(renamed) == ["manifest.json belongs to step 2"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["step", "files", "sha256", "size", "x"]), inner),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary() | JSON.map(lambda value: json.dumps(value).encode()) | st.just(b"[" * 100_000))
def test_no_manifest_is_too_broken_to_be_reported(content: bytes, tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_bytes(content)

    assert RunFolder.verify(tmp_path) == ["manifest.json is damaged"]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stated=st.dictionaries(st.sampled_from(["step", "files", "seesay", "created"]), JSON))
def test_a_manifest_with_a_right_checksum_and_nonsense_in_it_is_reported(
    stated: dict[str, object], tmp_path: Path
) -> None:
    checksum = hashlib.sha256(json.dumps(stated, sort_keys=True).encode()).hexdigest()
    (tmp_path / MANIFEST).write_text(json.dumps({**stated, "sha256": checksum}))

    problems = RunFolder.verify(tmp_path)

    assert problems in ([], ["manifest.json is damaged"]) or all("is missing" in problem for problem in problems)


def test_the_newest_checkpoint_that_verifies_is_found_and_the_others_are_named(run: RunFolder) -> None:
    assert run.newest_verified() == (None, [])
    for step in (9, 10, 11):
        run.write_checkpoint(step, save)
    (run.checkpoint(10) / MANIFEST).unlink()
    (run.checkpoint(11) / "config.json").unlink()
    os.truncate(run.checkpoint(11) / "weights.bin", 0)
    (run.path / "checkpoint-best").mkdir()

    newest, skipped = run.newest_verified()

    assert newest == run.checkpoint(9)
    assert skipped == [
        "checkpoint-11 was skipped: 'config.json' is missing (and 1 more problems)",
        "checkpoint-10 was skipped: manifest.json is missing",
    ]


def test_a_whole_checkpoint_is_never_overwritten_and_a_damaged_one_is(run: RunFolder) -> None:
    folder = run.write_checkpoint(4, save)
    before = digest(folder)
    with pytest.raises(RunError, match="whole checkpoint of this step"):
        run.write_checkpoint(4, save)
    assert digest(folder) == before

    os.truncate(folder / "weights.bin", 0)
    assert run.verify(run.write_checkpoint(4, save)) == []


def test_a_finished_model_is_left_alone_and_one_of_another_step_is_replaced(run: RunFolder) -> None:
    def write(folder: Path) -> None:
        (folder / "weights.bin").write_text("written again")

    before = digest(run.write_folder("model", 5, save))
    (run.path / "model" / "note.txt").write_text("mine")
    assert digest(run.write_folder("model", 5, write)) == before
    assert (run.path / "model" / "note.txt").exists()

    model = run.write_folder("model", 6, write)
    assert sorted(path.name for path in model.iterdir()) == [MANIFEST, "weights.bin"]
    assert [path.name for path in run.path.iterdir()] == ["model"]


def test_an_error_while_writing_leaves_nothing_behind(run: RunFolder) -> None:
    def fail(folder: Path) -> None:
        save(folder)
        raise KeyError("weights")

    with pytest.raises(KeyError, match="weights"):
        run.write_checkpoint(1, fail)
    assert list(run.path.iterdir()) == []


def test_rotation_keeps_the_newest_and_the_best(run: RunFolder) -> None:
    for step in (8, 9, 10, 11, 100):
        run.write_checkpoint(step, save)
    (run.path / "model").mkdir()

    run.rotate(keep=2, spare=[Path("elsewhere") / ".." / "checkpoint-8"])

    assert {path.name for path in run.path.iterdir()} == {"checkpoint-8", "checkpoint-11", "checkpoint-100", "model"}


def test_an_interrupted_deletion_leaves_no_half_checkpoint(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(folder: Path) -> None:
        (folder / "weights.bin").unlink()
        raise KeyboardInterrupt

    run.write_checkpoint(1, save)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(shutil, "rmtree", interrupted)
        run.rotate(keep=0, spare=[])

    assert run.newest_verified() == (None, [])
    with run.lock():
        assert [path.name for path in run.path.iterdir()] == [".lock"]


def test_leftovers_are_removed_on_start_and_nothing_else_is(run: RunFolder) -> None:
    run.write_checkpoint(1, save)
    run.write_text("settings.toml", "[train.vqa]\n")
    (run.path / ".checkpoint-2.partial" / "tokenizer").mkdir(parents=True)
    (run.path / ".deleted-checkpoint-0").mkdir()
    (run.path / ".run.json.partial").write_text("{")
    (run.path / ".mine").write_text("hidden, and not ours")

    with run.lock():
        left = {path.name for path in run.path.iterdir()}

    assert left == {".lock", ".mine", "checkpoint-1", "settings.toml"}


def test_a_small_file_is_written_whole(run: RunFolder) -> None:
    run.write_text("run.json", '{"a": "ä"}')
    run.write_text("run.json", '{"b": "ö"}')

    assert (run.path / "run.json").read_text(encoding="utf-8") == '{"b": "ö"}'
    assert [path.name for path in run.path.iterdir()] == ["run.json"]


def test_a_second_process_is_kept_out_until_the_first_one_is_gone(run: RunFolder) -> None:
    with started(HOLDER, run.path) as holder:
        assert first_line(holder) == "locked"
        with pytest.raises(RunError, match=rf"another process is working .*\(process id {holder.pid}\)"), run.lock():
            pass

        kill(holder)
        with run.lock():
            assert (run.path / ".lock").read_text() == str(os.getpid())


def test_the_lock_does_not_outlive_its_block_in_a_forked_child(run: RunFolder) -> None:
    with run.lock():
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.read(reader, 1)
            os._exit(0)
    try:
        with run.lock():
            pass
    finally:
        os.write(writer, b"x")
        os.waitpid(child, 0)
        os.close(reader)
        os.close(writer)


def test_an_error_inside_the_locked_block_is_passed_on_unchanged(run: RunFolder) -> None:
    with pytest.raises(FileNotFoundError), run.lock():
        Path("no/such/picture.jpg").read_bytes()


def test_a_file_in_the_way_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")

    with pytest.raises(UsageError, match="a file is in the way"), RunFolder(tmp_path / "runs" / "vqa").lock():
        pass


def test_a_full_disk_says_what_was_needed_and_leaves_nothing_behind(small_disk: Path) -> None:
    run = RunFolder(small_disk / "vqa")
    run.write_checkpoint(1, lambda folder: (folder / "w").write_bytes(b"1" * 2_500_000) and None)

    with pytest.raises(ResourceError) as raised:
        run.write_checkpoint(2, lambda folder: (folder / "w").write_bytes(b"2" * 2_500_000) and None)

    assert "the disk is full: checkpoint-2 needs about 2,500," in str(raised.value)
    assert " bytes, 1,6" in str(raised.value) and " were free" in str(raised.value)
    assert "checkpoint-1 is kept" in raised.value.hint
    assert [path.name for path in run.path.iterdir()] == ["checkpoint-1"]
    assert run.newest_verified() == (run.checkpoint(1), [])


@pytest.mark.parametrize("library", ["safetensors", "torch"])
def test_a_full_disk_is_recognised_behind_the_errors_of_libraries(small_disk: Path, library: str) -> None:
    import torch
    from safetensors.torch import save_file

    tensors = {"weight": torch.zeros(2_000_000)}
    writers = {
        "safetensors": lambda folder: save_file(tensors, folder / "model.safetensors"),
        "torch": lambda folder: torch.save(tensors, folder / "optimizer.pt"),
    }

    with pytest.raises(ResourceError, match="the disk is full: checkpoint-1 needs more than"):
        RunFolder(small_disk).write_checkpoint(1, writers[library])
    assert list(small_disk.iterdir()) == []


def test_a_full_disk_keeps_the_old_text_of_a_small_file(small_disk: Path) -> None:
    run = RunFolder(small_disk)
    run.write_text("run.json", "old")

    with pytest.raises(ResourceError, match=os.strerror(errno.ENOSPC)):
        run.write_text("run.json", "x" * 5_000_000)
    assert [path.read_text() for path in small_disk.iterdir()] == ["old"]


def test_a_file_over_the_limit_of_the_process_is_a_resource_error(run: RunFolder) -> None:
    with started(LIMITED, run.path) as process:
        output, _ = process.communicate(timeout=60)

    assert process.returncode == 0
    assert "a file of checkpoint-1 (more than 100,000 bytes) is larger than" in output
    assert list(run.path.iterdir()) == []
