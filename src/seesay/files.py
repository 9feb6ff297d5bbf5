"""Writing a file so that it is whole or not there: under another name first, then renamed. Knows nothing of its content."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from .errors import ResourceError


def write_whole(path: Path, content: str | bytes) -> None:
    """Write `content` (text as UTF-8): after a crash the file holds the old content or the new, never a part. A file that is
    replaced keeps its permissions.

    Raises:
        ResourceError: the disk is full, or the folder cannot be written.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            partial.chmod(stat.S_IMODE(path.stat().st_mode))
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        hint = "check the disk and the permissions"
        raise ResourceError(f"cannot be written: {error.strerror or error}", where=str(path), hint=hint) from None
