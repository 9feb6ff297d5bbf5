"""The folder of a run on disk: checkpoints that are either whole or not there, and one process at a time.

    run = RunFolder(Path("runs/vqa"))
    with run.lock():
        newest, skipped = run.newest_verified()
        run.write_checkpoint(200, save)            # save(folder) writes whatever a checkpoint holds
        run.rotate(keep=2, spare=[run.checkpoint(100)])

A folder is written under a temporary name. When all its files are on disk, a manifest with their sizes and sha256 is
added, and then the folder is renamed. After a kill or a power cut there is thus the old state or the new one, and a file
that was damaged later is found before anything is resumed from it.

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
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from .. import __version__
from ..errors import ResourceError, RunError, UsageError

MANIFEST = "manifest.json"
CARD = "README.md"
"""The text about a model. It is not in the manifest, so that people may edit it in a model that still verifies."""
LOCK = ".lock"

_CHECKPOINT = re.compile(r"checkpoint-(0|[1-9]\d*)")
_RUST_ERRNO = re.compile(r"\(os error (\d+)\)")
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
        """Keep other processes out for the length of a `with` block. Leftovers of a killed process are removed first.

        The kernel frees the lock when its process ends in whatever way, SIGKILL included.

        Raises:
            RunError: another process holds it; the message names its process id.
            UsageError, ResourceError: the folder cannot be made or written.
        """
        self._create()
        with _told(self.path), (self.path / LOCK).open("a+", encoding="ascii") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                owner = file.read().strip() or "unknown"
                hint = "wait until it has finished, or stop it; two processes must not train into one folder"
                message = f"another process (process id {owner}) is working in this folder"
                raise RunError(message, where=str(self.path), hint=hint) from None
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
        # The block runs outside of `_told`: an OSError of the caller's own is not about this folder.
            self.clean()
            yield
