"""Exports kept on disk by content: made once for a checkpoint, whatever its name, whole or not at all, within a limit of bytes.

    <cache>/exports/<key>/       graphs, tokenizer, facts.json, manifest.json with what was measured; or a refusal alone
    <cache>/exports/digests.json the sha256 of large files, by path, size and time of change

A key names the content of the checkpoint, the runtime, the numbers and the versions that decide what comes out. Where there is
more than the limit, those go that were used longest ago. Knows nothing of networks or runtimes.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import ResourceError
from ..files import write_whole
from .checkpoint import Checkpoint
from .feature_cache import cache_folder, lock_file
from .runtime import fast_8_bits

LIMIT = 8 * 2**30
"""Bytes of all exports together."""
FORM = 2
"""Of what an export is; older ones are made anew."""
MANIFEST = "manifest.json"
LARGE = 2**20
"""Files from here on are hashed once and then known by path, size and time of change."""
_PARTIAL = ".partial-"
CONTENT = ("*.safetensors", "*.json", "*.txt", "*.jinja", "*.model")


@dataclass(frozen=True, slots=True)
class Entry:
    """One export, or why there is none."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def refusal(self) -> str:
        return str(self.manifest.get("refusal", ""))

    @property
    def bytes(self) -> int:
        return sum(file.stat().st_size for file in self.folder.iterdir())


def exports_folder() -> Path:
    return cache_folder() / "exports"


def key_of(checkpoint: Checkpoint, runtime: str, numbers: str) -> str:
    """What an export of this checkpoint is kept under."""
    kind = "" if numbers != "int8" or fast_8_bits() else "sums of 16 bits"
    parts = (content_of(checkpoint), runtime, numbers, kind, __version__, str(FORM))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def content_of(checkpoint: Checkpoint) -> str:
    """The sha256 of all that decides what a checkpoint answers."""
    known = _read(exports_folder() / "digests.json")
    before, parts = dict(known), []
    for file in sorted({file for pattern in CONTENT for file in checkpoint.folder.glob(pattern)}):
        facts = file.stat()
        name = f"{file.resolve()} {facts.st_size} {facts.st_mtime_ns}"
        if facts.st_size < LARGE:
            digest = _sha256(file)
        elif name in known:
            digest = known[name]
        else:
            digest = known[name] = _sha256(file)
        parts.append(f"{file.name} {digest}")
    if known != before:
        with suppress(ResourceError):  # it is computed again then
            write_whole(exports_folder() / "digests.json", json.dumps(dict(list(known.items())[-1000:])))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def is_empty() -> bool:
    """Whether nothing is kept, so that no checkpoint need be hashed to look for it."""
    return next(exports_folder().glob(f"*/{MANIFEST}"), None) is None


def find(key: str) -> Entry | None:
    """What is kept under a key; one whose files are not all there is as none."""
    folder = exports_folder() / key
    manifest = _read(folder / MANIFEST)
    sizes = manifest.get("files", {})
    if not manifest or any(_size(folder / name) != size for name, size in sizes.items()):
        return None
    return Entry(folder, manifest)


def used(entry: Entry) -> None:
    """Note that an export was asked for."""
    with suppress(OSError):  # a cache that others made may be read-only
        os.utime(entry.folder / MANIFEST)


def keep(key: str, make: Callable[[Path], dict[str, Any]]) -> Entry:
    """What is kept under a key; `make` writes it into an empty folder and returns its manifest where nothing is. Processes that
    want the same wait for the one that makes it.

    Raises:
        ResourceError: the cache cannot be written.
    """
    there = find(key)
    if there is not None:  # not held up by a process that makes another one
        return there
    root = exports_folder()
    with _writable(root):
        root.mkdir(parents=True, exist_ok=True)
        with lock_file(root / ".lock"):
            found = find(key)
            if found is not None:
                return found
            prefix = f"{_PARTIAL}{os.getpid()}-"
            with tempfile.TemporaryDirectory(dir=root, prefix=prefix, ignore_cleanup_errors=True) as name:
                made = Path(name) / key
                made.mkdir()
                manifest = make(made)
                sizes = {file.name: file.stat().st_size for file in made.iterdir()}
                write_whole(made / MANIFEST, json.dumps({**manifest, "files": sizes}, indent=1))
                shutil.rmtree(root / key, ignore_errors=True)
                made.replace(root / key)
    _make_room(root, spare=key)
    entry = find(key)
    if entry is None:
        raise ResourceError("what was just written is not there", where=str(root / key))
    return entry


def forget_partial(process: int) -> None:
    """Remove what a process was writing that was killed."""
    for partial in exports_folder().glob(f"{_PARTIAL}{process}-*"):
        shutil.rmtree(partial, ignore_errors=True)


def entries() -> list[Entry]:
    """All that is kept, what was used last first."""
    folders = [file.parent for file in exports_folder().glob(f"*/{MANIFEST}")]
    return [entry for folder in sorted(folders, key=_last_used, reverse=True) if (entry := find(folder.name))]


def _make_room(root: Path, spare: str) -> None:
    """Remove what was used longest ago, and what a process left that died an hour ago or more."""
    for partial in root.glob(f"{_PARTIAL}*"):
        with suppress(OSError):
            if time.time() - partial.stat().st_mtime > 3600:
                shutil.rmtree(partial, ignore_errors=True)
    total = 0
    for folder in sorted((file.parent for file in root.glob(f"*/{MANIFEST}")), key=_last_used, reverse=True):
        total += sum(_size(file) for file in folder.iterdir())
        if total > LIMIT and folder.name != spare:
            shutil.rmtree(folder, ignore_errors=True)


def _last_used(folder: Path) -> float:
    try:
        return (folder / MANIFEST).stat().st_mtime
    except OSError:
        return 0.0


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return -1


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _sha256(file: Path) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


@contextmanager
def _writable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        hint = "SEESAY_CACHE names another folder"
        why = error.strerror or str(error)
        raise ResourceError(f"the cache cannot be written: {why}", where=str(folder), hint=hint) from None
