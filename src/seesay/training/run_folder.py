"""The folder of a run on disk: checkpoints that are either whole or not there, and one process at a time.

    run = RunFolder(Path("runs/vqa"))
    with run.lock():
        newest, skipped = run.newest_verified()
        run.write_checkpoint(200, save)            # save(folder) writes whatever a checkpoint holds
        run.rotate(keep=2, spare=[run.checkpoint(100)])

A folder is written under a temporary name. When all its files are on disk, a manifest with their sizes and sha256 is
added, and then the folder is renamed. After a kill or a power cut there is thus the old state or the new one, and files
that were damaged later are found before anything is resumed from them.

It knows files and folders, and nothing about torch, models or what a checkpoint is made of. It needs a POSIX system
(`flock`, and folders that can be fsynced).
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from .. import __version__
from ..errors import ResourceError, RunError, SeesayError, UsageError
from ..files import write_whole

MANIFEST = "manifest.json"
CARD = "README.md"
"""The text about a model. No manifest lists it, so people may edit it and the model still verifies."""
LOCK = ".lock"

_CHECKPOINT = re.compile(r"checkpoint-(0|[1-9]\d*)")
_LEFTOVERS = (".*.partial", ".deleted-*")
_ERRNO_OF_RUST = re.compile(r"\(os error (\d+)\)")
_PROBE_BYTES = 2**20


class RunFolder:
    """One run's folder; see the top of this file. `path` need not exist yet."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def checkpoint(self, step: int) -> Path:
        """Where the checkpoint of that step is, or would be."""
        return self.path / f"checkpoint-{step}"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other processes out for the length of a `with` block; what a killed one left behind is removed first.

        The kernel frees the lock when its process ends in whatever way, SIGKILL included.

        Raises:
            RunError: another process holds it; the message names its process id.
            UsageError, ResourceError: the folder cannot be made or written.
        """
        self._create()
        with _os_errors(self.path):
            file = (self.path / LOCK).open("a+", encoding="ascii")
        with file:
            self._take(file)
            try:
                self.clean()
                yield
            finally:
                # Closing alone would leave the lock to child processes that were forked with the file open.
                fcntl.flock(file, fcntl.LOCK_UN)

    def clean(self) -> None:
        """Remove what an interrupted write or deletion left behind. Only for whoever holds the lock."""
        with _os_errors(self.path):
            for pattern in _LEFTOVERS:
                for leftover in self.path.glob(pattern):
                    _remove(leftover)

    def write_checkpoint(self, step: int, write: Callable[[Path], None]) -> Path:
        """Write `checkpoint-<step>`: all of it or nothing.

        Args:
            step: optimizer steps done, 0 or more.
            write: is given an empty folder and writes the files into it.

        Raises:
            RunError: there is a whole checkpoint of this step. One that does not verify is replaced.
            ResourceError: the disk or the quota is full, or cannot be written; nothing is left behind.
        """
        target = self.checkpoint(step)
        if target.exists() and not self.verify(target):
            raise RunError("there is a whole checkpoint of this step", where=str(target), hint="resume from it instead")
        return self._replace(target, step, write)

    def write_folder(self, name: str, step: int, write: Callable[[Path], None]) -> Path:
        """Write a folder such as `model` as a checkpoint is written; a whole one of the same step is left as it is.

        Raises:
            ResourceError: as `write_checkpoint`.
        """
        target = self.path / name
        if target.exists() and not damage(target) and read_manifest(target).step == step:
            return target
        return self._replace(target, step, write)

    def newest_verified(self) -> tuple[Path | None, list[str]]:
        """The newest checkpoint that verifies, and one sentence for each newer one that does not."""
        skipped: list[str] = []
        for folder in reversed(self._checkpoints()):
            problems = self.verify(folder)
            if not problems:
                return folder, skipped
            more = f" (and {len(problems) - 1:,} more problems)" if len(problems) > 1 else ""
            skipped.append(f"{folder.name} was skipped: {problems[0]}{more}")
        return None, skipped

    def rotate(self, keep: int, spare: Collection[Path]) -> None:
        """Delete all but the newest `keep` (0 or more) checkpoints; those in `spare` stay and are not counted."""
        spared = {folder.name for folder in spare}
        countable = [folder for folder in self._checkpoints() if folder.name not in spared]
        with _os_errors(self.path):
            for folder in countable[: max(0, len(countable) - keep)]:
                self._delete(folder)

    def write_text(self, name: str, text: str) -> None:
        """Write a small file, UTF-8: after a crash it holds the old text or the new one.

        Raises:
            UsageError, ResourceError: the folder cannot be made or written, or the disk is full.
        """
        self._create()
        write_whole(self.path / name, text)
        with _os_errors(self.path):
            _sync(self.path)

    @staticmethod
    def verify(folder: Path) -> list[str]:
        """What is wrong with a folder, in words: files missing, changed, or not in its manifest; [] means nothing."""
        problems = damage(folder)
        if not problems:
            manifest = read_manifest(folder)
            number = _CHECKPOINT.fullmatch(folder.name)
            if number and int(number[1]) != manifest.step:
                problems.append(f"{MANIFEST} belongs to step {manifest.step:,}")
            extra = sorted(_files(folder).keys() - manifest.files.keys())
            problems += [f"{name!r} is not in {MANIFEST}" for name in extra]
        return problems

    def _checkpoints(self) -> list[Path]:
        """Folders named like a checkpoint, by step, oldest first."""
        names = {path: _CHECKPOINT.fullmatch(path.name) for path in self.path.glob("checkpoint-*") if path.is_dir()}
        return [path for _, path in sorted((int(match[1]), path) for path, match in names.items() if match)]

    def _create(self) -> None:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise UsageError("a file is in the way", where=str(self.path), hint="choose another --output") from None
        except OSError as error:
            message = f"the folder cannot be made: {error.strerror}"
            raise ResourceError(message, where=str(self.path), hint="choose another --output") from None

    def _take(self, file: TextIO) -> None:
        """Lock the open file and write our process id into it."""
        with _os_errors(self.path):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                owner = file.read().strip() or "not known"
                message = f"another process is working in this folder (process id {owner})"
                hint = "wait until it has finished or stop it, or choose another --output"
                raise RunError(message, where=str(self.path), hint=hint) from None
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()

    def _replace(self, target: Path, step: int, write: Callable[[Path], None]) -> Path:
        self._create()
        partial = self.path / f".{target.name}.partial"
        try:
            with _os_errors(target):
                _remove(partial)
                free = shutil.disk_usage(self.path).free
                partial.mkdir()
                self._fill(partial, target.name, step, write, free)
                if target.exists():
                    self._delete(target)
                partial.rename(target)
                _sync(self.path)
        finally:
            # What cannot be removed now must not hide the error; `clean` removes it on the next start.
            shutil.rmtree(partial, ignore_errors=True)
        return target

    def _fill(self, partial: Path, name: str, step: int, write: Callable[[Path], None], free: int) -> None:
        try:
            write(partial)
            _seal(partial, step)
        except Exception as error:
            number = _full(error, partial)
            if number is None:
                raise
            raise self._no_room(number, name, _bytes(partial), free) from None

    def _no_room(self, number: int, name: str, written: int, free: int) -> SeesayError:
        """The error for a full disk. `written` is what went well before, `free` what was free before that."""
        before = self._checkpoints()
        likely = _bytes(before[-1]) if before else 0
        needed = f"about {likely:,}" if likely > written else f"more than {written:,}"
        message = {
            errno.ENOSPC: f"the disk is full: {name} needs {needed} bytes, {free:,} were free",
            errno.EDQUOT: f"the disk quota is used up: {name} needs {needed} bytes, {written:,} could be written",
            errno.EFBIG: f"a file of {name} ({needed} bytes) is larger than the file system or `ulimit -f` allows",
        }[number]
        kept = f"; {before[-1].name} is kept" if before else ""
        return ResourceError(message, where=str(self.path), hint=f"make room and give the same command again{kept}")

    def _delete(self, folder: Path) -> None:
        """Take a folder away in one step, then remove its files: a crash in between leaves nothing half deleted."""
        doomed = self.path / f".deleted-{folder.name}"
        _remove(doomed)
        folder.rename(doomed)
        _sync(self.path)
        _remove(doomed)


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What a manifest says about one file."""

    size: int
    """Bytes."""
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a folder holds. `files` is by path within the folder, with forward slashes."""

    step: int
    seesay: str
    """The version that wrote it."""
    created: str
    """UTC, ISO 8601."""
    files: dict[str, FileFacts]


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a folder.

    Raises:
        ValueError: there is none, or it is damaged; the message says what is wrong, in words.
    """
    try:
        stated = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if stated.pop("sha256") != _checksum(stated):
            raise ValueError(MANIFEST)
        files = {name: FileFacts(int(facts["size"]), str(facts["sha256"])) for name, facts in stated["files"].items()}
        return Manifest(int(stated["step"]), str(stated["seesay"]), str(stated["created"]), files)
    except FileNotFoundError:
        raise ValueError(f"{MANIFEST} is missing") from None
    except OSError as error:
        raise ValueError(f"{MANIFEST} cannot be read: {error.strerror}") from None
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        raise ValueError(f"{MANIFEST} is damaged") from None


def damage(folder: Path) -> list[str]:
    """What is wrong with the files that a folder's manifest lists, in words; other files are not looked at.

    Contents are read only where all names and sizes agree.
    """
    try:
        manifest = read_manifest(folder)
    except ValueError as error:
        return [str(error)]
    present = _files(folder)
    problems = [_outside(name, facts, present.get(name)) for name, facts in sorted(manifest.files.items())]
    if not any(problems):
        problems = [_inside(name, facts, present[name]) for name, facts in sorted(manifest.files.items())]
    return [problem for problem in problems if problem]


def digest(folder: Path) -> str:
    """sha256 of the manifest: it stands for every byte that is listed there, and so names a checkpoint's revision."""
    return _sha256(folder / MANIFEST)


def _outside(name: str, facts: FileFacts, path: Path | None) -> str:
    if path is None:
        return f"{name!r} is missing"
    if path.is_symlink() or not path.is_file():
        return f"{name!r} is not a plain file"
    size = path.stat().st_size
    return f"{name!r} has {size:,} bytes instead of {facts.size:,}" if size != facts.size else ""


def _inside(name: str, facts: FileFacts, path: Path) -> str:
    try:
        return "" if _sha256(path) == facts.sha256 else f"{name!r} has other contents than when it was written"
    except OSError as error:
        return f"{name!r} cannot be read: {error.strerror}"


def _seal(folder: Path, step: int) -> None:
    """Bring all files to disk, then the manifest that lists them, then their folders."""
    files = _files(folder)
    for path in [*files.values(), folder / CARD]:
        if path.exists():
            _sync(path)
    facts = {name: FileFacts(path.stat().st_size, _sha256(path)) for name, path in files.items()}
    stated = asdict(Manifest(step, __version__, datetime.now(UTC).isoformat(timespec="seconds"), facts))
    text = json.dumps({**stated, "sha256": _checksum(stated)}, indent=1)
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    _sync(folder / MANIFEST)
    for inner in (path for path in folder.rglob("*") if path.is_dir()):
        _sync(inner)
    _sync(folder)


def _checksum(stated: dict[str, object]) -> str:
    """sha256 of everything else a manifest says, so that a damaged manifest is found as well."""
    return hashlib.sha256(json.dumps(stated, sort_keys=True).encode()).hexdigest()


def _files(folder: Path) -> dict[str, Path]:
    """Everything in a folder that a manifest must list, by path within it."""
    paths = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*"))}
    return {
        name: path
        for name, path in paths.items()
        if name not in (MANIFEST, CARD) and (path.is_symlink() or not path.is_dir())
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _bytes(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())


def _sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    """Remove a file, or a folder with all it holds, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _full(error: BaseException | None, folder: Path) -> int | None:
    """ENOSPC, EDQUOT or EFBIG if that is behind the error, else None.

    torch and safetensors report a full disk as errors of their own: safetensors with Rust's words for the number, torch
    (2.13) with nothing to go by. So where no number is found, the disk itself is asked.
    """
    kinds = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    while error is not None:
        words = _ERRNO_OF_RUST.search(str(error))
        number = error.errno if isinstance(error, OSError) else int(words[1]) if words else None
        if number in kinds:
            return number
        error = error.__cause__ or error.__context__
    probe = folder / ".probe"
    try:
        probe.write_bytes(b"\0" * _PROBE_BYTES)
        _sync(probe)
    except OSError as refused:
        return refused.errno if refused.errno in kinds else None
    finally:
        probe.unlink(missing_ok=True)
    return None


@contextmanager
def _os_errors(where: Path) -> Iterator[None]:
    """An error of the operating system becomes one of ours, with the place where it happened."""
    try:
        yield
    except OSError as error:
        hint = "check the disk and the permissions, then give the same command again; whole checkpoints are kept"
        raise ResourceError(f"cannot be written: {error.strerror or error}", where=str(where), hint=hint) from None
