"""What travels through this package: a picture found in a document, what stands around it, what is suggested for it.

| value        | made by             | read by                                  |
|--------------|---------------------|------------------------------------------|
| `Found`      | a `Document`        | `decide`, `review`, whoever shows it     |
| `Context`    | a `Document`        | `decide`                                 |
| `Suggestion` | `decide`            | `propose`, `review`                      |
| `Change`     | `propose`, `decisions` | `Document.written`                    |
| `Mark`       | `Change`            | a later run, which tells its own texts from people's |

It knows nothing about kinds of documents, or about models.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from .. import __version__
from ..types import ImageSource, Note

Standing: TypeAlias = Literal["missing", "empty", "human", "ours", "reviewed"]
"""What is there now: nothing; an empty text; a person's; a suggestion written by an earlier run; one that a person accepted."""
Role: TypeAlias = Literal["decorative", "functional", "complex", "text", "informative"]
"""What the W3C's images tutorial calls them: decorative, functional and complex images, images of text, informative images."""

_MARK = re.compile(r"seesay/(?P<version>\S+) \((?P<by>.*?)(?P<reviewed>; reviewed)?\) (?P<digest>[0-9a-f]{12})")


def digest_of(text: str) -> str:
    """The first 12 hexadecimal digits of a text's sha256: enough to tell whether somebody has changed it."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Mark:
    """Who wrote a text, and which text that was: `seesay/0.1.0 (seesay-mini) 1a2b3c4d5e6f`."""

    by: str
    """The model, or where else the text is from."""
    digest: str
    reviewed: bool = False
    """Whether a person accepted the text."""
    version: str = __version__

    def __str__(self) -> str:
        plain = re.sub(r"[()<>&\"'\s]+", " ", self.by).strip()
        return f"seesay/{self.version} ({plain}{'; reviewed' if self.reviewed else ''}) {self.digest}"

    @classmethod
    def parse(cls, text: str | None) -> Mark | None:
        """The mark that a text is, or None."""
        found = _MARK.fullmatch(text or "")
        return found and cls(found["by"], found["digest"], bool(found["reviewed"]), found["version"])


@dataclass(frozen=True, slots=True)
class Link:
    """The link or button that a picture stands in."""

    button: bool = False
    text: str = ""
    """What else can be read in it: words, and the texts of its other pictures."""
    label: str = ""
    """Its own name (aria-label), which screen readers take in place of all that it holds."""
    title: str = ""
    """Its title, or a button's value."""
    target: str = ""
    """The address as written; empty for a button."""
    target_title: str = ""
    """What the place it leads to is called there: a heading of this page, or the title of a page beside it."""
    pictures: int = 1
    """How many pictures it holds."""


@dataclass(frozen=True, slots=True)
class Context:
    """What stands around a picture."""

    language: str = ""
    """As the document states it (BCP 47), of the nearest element that does; empty where none does."""
    heading: str = ""
    before: str = ""
    after: str = ""
    """The words directly before and after, at most some 300 characters."""
    caption: str = ""
    link: Link | None = None
    hidden: str = ""
    """The attribute that takes it out of what is read aloud: `role="presentation"`, `aria-hidden="true"`; else empty."""
    name: str = ""
    """What its author called it elsewhere: aria-label, the text of aria-labelledby, title."""
    size: tuple[int | None, int | None] = (None, None)
    """Width and height at which it is shown, in CSS pixels, as far as the document says."""
    map: bool = False
    """Whether it is an image map."""


@dataclass(frozen=True, slots=True)
class Found:
    """A picture in a document."""

    key: str
    """Names it in its document, the same in a later run: the document within the document, the address, which of them."""
    line: int
    element: str
    """`img`, `input`, `area`, `svg`, `image` (Markdown), `file` (the document is the picture)."""
    src: str
    """The address as written; of a data URL its head."""
    alt: str | None
    """The text that is there; None where there is none."""
    mark: Mark | None = None
    context: Context = field(default_factory=Context)
    picture: ImageSource | None = None
    """What can be opened; None where nothing can, and `problem` says why."""
    problem: str = ""
    broken: bool = False
    """Whether that is the document's mistake: it names a picture that is not there, or that may not be opened."""
    blank_is_decoration: bool = False
    """Whether having no text is how decoration is written (Markdown, a picture's own file)."""
    locked: str = ""
    """Why nothing can be written here; empty where it can."""
    entry: str = ""
    """The document within the document (a chapter of an EPUB)."""
    svg: str = ""
    """Of an SVG drawing: its title or description."""

    @property
    def standing(self) -> Standing:
        """Whose text is there."""
        if self.alt is None:
            return "missing"
        if self.mark is not None and self.mark.digest == digest_of(self.alt):
            return "reviewed" if self.mark.reviewed else "ours"
        return "human" if self.alt.strip() else "empty"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A text for a picture, and why."""

    alt: str
    """Empty for decoration."""
    role: Role
    reason: Note
    by: str = "rules"
    """The model that wrote it, `reader` (the text in the picture), `rules`, or where it was found."""
    score: float | None = None
    """Of a calibrated model or the reader, 0 to 1; None where none was asked or its scores mean nothing."""
    certainty: str = ""
    """In words."""
    doubts: tuple[Note, ...] = ()
    """Why a person must look at it before it is written; empty where that is not needed."""
    long: str = ""
    """A longer text that belongs beside the picture: what was read in it."""
    needs_long: bool = False
    """Whether the short text cannot be enough."""
    others: tuple[str, ...] = ()
    """Other texts that were thought of."""

    @property
    def description(self) -> str:
        """The longer text, where it can stand as it is: the words in a chart are no description of it."""
        return self.long if self.role == "text" else ""


@dataclass(frozen=True, slots=True)
class Change:
    """A text to be written. Without a mark it is a person's, and no later run touches it."""

    alt: str
    mark: Mark | None
    long: str = ""
