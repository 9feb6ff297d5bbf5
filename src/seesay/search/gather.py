"""Pictures that were found, put into a folder: as links or as copies, in the order of how likely they are right.

It knows no index and no model.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from ..errors import ResourceError, UsageError
from ..types import Hit


def gather(hits: Sequence[Hit], folder: Path, *, copy: bool) -> None:
    """Put `hits` into a new or empty folder, named `0001-name.jpg` and so on.

    Raises:
        UsageError: the folder holds something.
        ResourceError: the folder cannot be written, or a picture cannot be read any more.
    """
    check_empty(folder)
    width = max(4, len(str(len(hits))))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for place, hit in enumerate(hits, 1):
            source = os.path.abspath(hit.path)
            target = folder / f"{place:0{width}}-{os.path.basename(source)}"
            if copy:
                shutil.copy2(source, target)
            else:
                target.symlink_to(source)
    except OSError as error:
        hint = "check the disk and the permissions" if copy else "where links are not allowed, --copy makes copies"
        raise ResourceError(f"cannot be written: {error.strerror}", where=str(folder), hint=hint) from None


def check_empty(folder: Path) -> None:
    """Raises a UsageError where the folder holds something."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError("is not an empty folder", where=str(folder), hint="name a new one")
