"""Which texts of a document a run wrote, where the document itself has no place to say so: a file beside it, such as
`README.md.alt.json`. It holds addresses and digests, no texts. A text that somebody has changed no longer has its digest."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .found import Mark
from .places import Places

ENDING = ".alt.json"
FORMAT = "seesay alt record 1"
RECORD_BYTES = 20_000_000


def record_path(document: Path) -> Path:
    """Where the record of a document lies."""
    return document.with_name(document.name + ENDING)


class Record:
    """Marks by address and digest: they stay right where pictures change places."""

    def __init__(self, marks: dict[tuple[str, str], Mark]) -> None:
        self._marks = marks

    @classmethod
    def read(cls, document: Path, places: Places) -> Record:
        """The record beside a document; an empty one where there is none, or where it is broken (then every text counts as
        a person's)."""
        try:
            value = json.loads(places.beside(record_path(document).name, RECORD_BYTES))
        except (ValueError, RecursionError):
            return cls({})
        rows = value.get("written") if isinstance(value, dict) and value.get("format") == FORMAT else None
        return cls(dict(_marks(rows if isinstance(rows, list) else [])))

    def mark(self, address: str, digest: str) -> Mark | None:
        """Who wrote the text with that digest for that address; None where no run did."""
        return self._marks.get((address, digest))

    def written(self, texts: Iterable[tuple[str, Mark | None]]) -> bytes:
        """The record of a document that holds these: for each address with a text of a run, its mark."""
        rows = [{"picture": address, "by": str(mark)} for address, mark in texts if mark is not None]
        return (json.dumps({"format": FORMAT, "written": rows}, ensure_ascii=False, indent=1) + "\n").encode()


def _marks(rows: list[Any]) -> Iterable[tuple[tuple[str, str], Mark]]:
    for row in rows:
        if isinstance(row, dict) and isinstance(row.get("picture"), str) and isinstance(row.get("by"), str):
            mark = Mark.parse(row["by"])
            if mark is not None:
                yield (row["picture"], mark.digest), mark
