"""HTML pages: `img`, `input type="image"` and `area`. Who wrote a text stands in `data-alt-by`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from ..document import Document, View, check_edit
from ..encoding import decode
from ..found import Change
from ..pages import edited, spots
from ..places import Places


class Html(Document):
    """A page."""

    name: ClassVar[str] = "html"
    summary: ClassVar[str] = "pages: img, input type=image, area"
    endings: ClassVar[tuple[str, ...]] = (".html", ".htm", ".xhtml", ".xht")

    def __init__(self, path: Path, data: bytes, places: Places) -> None:
        self.path, self._places = path, places
        self._text = decode(data, str(path))
        self._xml = path.suffix.lower() in (".xhtml", ".xht")
        self._spots = spots(self._text.source, places, xml=self._xml)
        self.found = tuple(spot.found for spot in self._spots)

    @classmethod
    def open(cls, path: Path, data: bytes, places: Places) -> Html:
        cls.check_markup(len(data), places, str(path))
        return cls(path, data, places)

    def written(self, changes: Mapping[str, Change]) -> dict[Path, bytes]:
        made = edited(self._text.source, self._spots, changes, safe=self._text.safe)
        check_edit(str(self.path), self.found, Html(self.path, self._text.encoded(made), self._places).found, changes)
        return {self.path: self._text.encoded(made)}

    def views(self, data: bytes) -> list[View]:
        return [View(str(self.path), decode(data, str(self.path)).source)]
